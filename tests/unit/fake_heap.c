/* SPDX-License-Identifier: MIT */
/*
 * fake_heap.c: see fake_heap.h.
 */
#define _POSIX_C_SOURCE 200809L

#include "fake_heap.h"

#include "mem/heap.h"
#include "mem/memory.h"

#include <stdlib.h>
#include <string.h>

#define GARBAGE 0xA5

struct fake_heap fake_heap;

void heap_init(void)
{
}

void *kmalloc_aligned(size_t bytes, size_t alignment)
{
    uint64_t number = ++fake_heap.allocations;
    void *block = NULL;

    if (number == fake_heap.fail_at || (fake_heap.fail_from && number >= fake_heap.fail_from))
        return NULL;
    if (alignment < 16)
        alignment = 16;
    if (posix_memalign(&block, alignment, bytes > 0 ? bytes : 1))
        return NULL;
    memset(block, GARBAGE, bytes);
    fake_heap.live++;
    return block;
}

void *kmalloc(size_t bytes)
{
    return kmalloc_aligned(bytes, 16);
}

void *kcalloc(size_t count, size_t bytes)
{
    void *block;

    if (bytes && count > SIZE_MAX / bytes)
        return NULL;
    block = kmalloc(count * bytes);
    if (block)
        memset(block, 0, count * bytes);
    return block;
}

void kfree(void *pointer)
{
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
