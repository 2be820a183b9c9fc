/* SPDX-License-Identifier: MIT */
/*
 * fake_heap.c: see fake_heap.h.
 */
#define _POSIX_C_SOURCE 200809L

#include "fake_heap.h"

#include "heap/allocator.h"
#include "mem/memory.h"

#include <stdlib.h>
#include <string.h>

#define GARBAGE 0xA5

struct fake_heap fake_heap;

void heap_init(void)
{
    heap_slab.init(); /* for the list of object caches */
}

bool heap_is_plain(void)
{
    return false;
}

bool heap_is_checked(void)
{
    return false;
}

const char *heap_allocator_name(void)
{
    return "host";
}

void heap_check(void)
{
}

void heap_settle(void)
{
}

static bool fails(void)
{
    uint64_t number = ++fake_heap.allocations;

    return number == fake_heap.fail_at || (fake_heap.fail_from && number >= fake_heap.fail_from);
}

void *heap_allocate(size_t bytes, size_t alignment, const struct alloc_site *site)
{
    void *block = NULL;

    (void)site;
    if (fails())
        return NULL;
    if (alignment < 16)
        alignment = 16;
    if (posix_memalign(&block, alignment, bytes > 0 ? bytes : 1))
        return NULL;
    memset(block, GARBAGE, bytes);
    fake_heap.live++;
    return block;
}

void *heap_allocate_usual(size_t bytes, const struct alloc_site *site)
{
    return heap_allocate(bytes, 16, site);
}

void *heap_reallocate(void *pointer, size_t bytes, const struct alloc_site *site)
{
    void *block;

    (void)site;
    if (fails())
        return NULL;
    block = realloc(pointer, bytes > 0 ? bytes : 1);
    fake_heap.live += block && !pointer;
    return block;
}

void *heap_allocate_zeros(size_t count, size_t bytes, const struct alloc_site *site)
{
    void *block;

    if (bytes && count > SIZE_MAX / bytes)
        return NULL;
    block = heap_allocate(count * bytes, HEAP_ALIGNMENT, site);
    if (block)
        memset(block, 0, count * bytes);
    return block;
}

void heap_free(void *pointer, const char *file, unsigned line)
{
    (void)file;
    (void)line;
    if (pointer)
        fake_heap.live--;
    free(pointer);
}

void heap_read_stats(struct heap_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->live_blocks = (uint64_t)fake_heap.live;
    stats->allocations = fake_heap.allocations;
}

void *heap_failed(const struct alloc_site *site)
{
    (void)site;
    return NULL;
}
