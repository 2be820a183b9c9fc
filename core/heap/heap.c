/* SPDX-License-Identifier: MIT */
/*
 * heap.c: the front of the heap: checks the arguments, asks whether this allocation has to fail,
 * and lets the chosen allocator do the work.
 */
#include "heap/heap.h"

#include "boot/panic.h"
#include "heap/allocator.h"
#include "heap/fail.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

static KSTATE struct heap_state {
    const struct heap_allocator *allocator;
    uint64_t failures;
} heap;

void heap_init(void)
{
    heap.allocator = &heap_slab;
    heap.allocator->init();
}

bool heap_is_plain(void)
{
    return heap.allocator == &heap_slab;
}

static void *failed(void)
{
    __atomic_fetch_add(&heap.failures, 1, __ATOMIC_RELAXED);
    return NULL;
}

void *heap_allocate(size_t bytes, size_t alignment, const struct alloc_site *site)
{
    size_t most;
    void *block;

    if (alloc_fails(site) || alignment == 0 || (alignment & (alignment - 1)) ||
        alignment > HEAP_ALIGNMENT_MAX || __builtin_add_overflow(bytes, alignment, &most))
        return failed();
    if (alignment < HEAP_ALIGNMENT)
        alignment = HEAP_ALIGNMENT;
    block = heap.allocator->allocate(bytes ? bytes : 1, alignment);
    return block ? block : failed();
}

void *heap_allocate_zeros(size_t count, size_t bytes, const struct alloc_site *site)
{
    size_t total;
    void *block;

    if (__builtin_mul_overflow(count, bytes, &total))
        return failed();
    block = heap_allocate(total, HEAP_ALIGNMENT, site);
    if (block)
        memset(block, 0, total);
    return block;
}

void heap_free(void *pointer, const char *file, unsigned line)
{
    size_t usable;

    if (!pointer)
        return;
    switch (heap.allocator->find(pointer, &usable)) {
    case HEAP_BLOCK:
        heap.allocator->free(pointer);
        return;
    case HEAP_INTERIOR:
        panic_at(file, (int)line, "kfree of a pointer into the middle of a block");
    case HEAP_FREED:
        panic_at(file, (int)line, "kfree of a block that was freed before");
    default:
        panic_at(file, (int)line, "kfree of a pointer that is not the heap's");
    }
}

void *heap_reallocate(void *pointer, size_t bytes, const struct alloc_site *site)
{
    size_t usable = 0;
    void *block;

    if (pointer && heap.allocator->find(pointer, &usable) != HEAP_BLOCK)
        panic_at(site->file, (int)site->line, "krealloc of what is no block");
    block = heap_allocate(bytes, HEAP_ALIGNMENT, site);
    if (block && pointer) {
        memcpy(block, pointer, usable < bytes ? usable : bytes);
        heap.allocator->free(pointer);
    }
    return block;
}

void heap_read_stats(struct heap_stats *stats)
{
    *stats = (struct heap_stats){.allocations = alloc_attempts(),
                                 .failures = __atomic_load_n(&heap.failures, __ATOMIC_RELAXED)};
    heap.allocator->read_stats(stats);
}
