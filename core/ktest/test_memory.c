/* SPDX-License-Identifier: MIT */
/*
 * test_memory.c: the heap: alignment, no overlap, exhaustion, use of freed memory.
 */
#include "ktest/tests.h"
#include "mem/reclaim.h"
#include "heap/heap.h"

#include <hal/machine.h>
#include <hal/runtime.h>

#include <stdint.h>

static struct heap_stats heap_now(void)
{
    struct heap_stats stats;

    heap_settle();
    heap_read_stats(&stats);
    return stats;
}

static bool aligned(const void *pointer, size_t alignment)
{
    return ((uintptr_t)pointer & (alignment - 1)) == 0;
}

/* ---- heap ---- */

void test_heap_alignment(struct ktest_run *run)
{
    for (size_t bytes = 1; bytes <= 8192; bytes = bytes * 3 / 2 + 1) {
        void *block = kmalloc(bytes);

        KTEST_EXPECT(run, block != NULL && aligned(block, 16));
        kfree(block);
    }
    for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
        void *block = kmalloc_aligned(100, alignment);

        KTEST_EXPECT(run, block != NULL && aligned(block, alignment));
        kfree(block);
    }
    KTEST_EXPECT(run, kmalloc_aligned(100, 0) == NULL);
    KTEST_EXPECT(run, kmalloc_aligned(100, 24) == NULL);
}

#define BLOCKS 64u

static size_t block_size(unsigned i)
{
    return 1 + (size_t)i * i * 7 % 3000;
}

static bool block_intact(const uint8_t *block, unsigned i)
{
    for (size_t k = 0; k < block_size(i); k++) {
        if (block[k] != (uint8_t)(i + 1))
            return false;
    }
    return true;
}

void test_heap_overlap(struct ktest_run *run)
{
    struct heap_stats before = heap_now();
    uint8_t *blocks[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = kmalloc(block_size(i));
        if (KTEST_EXPECT(run, blocks[i] != NULL))
            memset(blocks[i], (int)i + 1, block_size(i));
    }
    /* Every other one goes, overwritten, and comes back; the rest must not notice. */
    for (unsigned i = 0; i < BLOCKS; i += 2) {
        if (blocks[i] != NULL)
            memset(blocks[i], 0xAF, block_size(i));
        kfree(blocks[i]);
        blocks[i] = kmalloc(block_size(i));
        if (KTEST_EXPECT(run, blocks[i] != NULL))
            memset(blocks[i], (int)i + 1, block_size(i));
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        KTEST_EXPECT(run, blocks[i] == NULL || block_intact(blocks[i], i));
        kfree(blocks[i]);
    }
    KTEST_EXPECT(run, heap_now().live_blocks == before.live_blocks);
    KTEST_EXPECT(run, heap_now().live_bytes == before.live_bytes);
}

void test_heap_zeros(struct ktest_run *run)
{
    for (size_t bytes = 10; bytes < 20000; bytes *= 5) {
        uint8_t *block = kmalloc(bytes);
        uint8_t sum = 0;

        if (block != NULL)
            memset(block, 0xAF, bytes);
        kfree(block);
        block = kcalloc(bytes / 10, 10);
        for (size_t i = 0; block != NULL && i < bytes / 10 * 10; i++)
            sum |= block[i];
        KTEST_EXPECT(run, block != NULL && sum == 0);
        kfree(block);
    }
}

void test_heap_refusal(struct ktest_run *run)
{
    volatile size_t huge = SIZE_MAX; /* volatile: or the compiler objects to the size */
    void *a = kmalloc(0), *b = kmalloc(0);
    struct heap_stats before = heap_now();

    KTEST_EXPECT(run, a != NULL && b != NULL && a != b);
    KTEST_EXPECT(run, kmalloc(huge) == NULL);
    KTEST_EXPECT(run, kmalloc(huge / 2) == NULL);
    KTEST_EXPECT(run, kmalloc_aligned(huge - 8, 4096) == NULL);
    KTEST_EXPECT(run, kcalloc(huge / 2, 3) == NULL);
    KTEST_EXPECT(run, heap_now().live_blocks == before.live_blocks);
    KTEST_EXPECT(run, heap_now().failures > before.failures);
    kfree(a);
    kfree(b);
    kfree(NULL);
}

/* One large and one small block, overwritten before they are freed. */
static bool reuse_round(void)
{
    void *large = kmalloc(3072), *small = kmalloc(512);
    bool good = large != NULL && small != NULL;

    if (good) {
        memset(large, 0xAF, 3072);
        memset(small, 0xAF, 512);
    }
    kfree(large);
    kfree(small);
    return good;
}

void test_heap_reuse(struct ktest_run *run)
{
    uint64_t frames;
    bool good = true;

    /* What is kept of freed memory, to be reused or to be watched, has come to its limit by then.
     */
    for (unsigned i = 0; i < 200 && good; i++)
        good = reuse_round();
    frames = heap_now().frames;
    for (unsigned i = 0; i < 1000 && good; i++)
        good = reuse_round();
    KTEST_EXPECT(run, good);
    /* Otherwise it would be about 1000 more; how slabs fill up differs by a few. */
    KTEST_EXPECT(run, heap_now().frames <= frames + 16);
}

void test_heap_exhaustion(struct ktest_run *run)
{
    struct heap_stats before = heap_now();
    void **first = NULL, **block;
    unsigned n = 0;

    while ((block = kmalloc(65536)) != NULL) {
        *block = first;
        first = block;
        n++;
    }
    while (first != NULL) {
        block = *first;
        kfree(first);
        first = block;
    }
    KTEST_EXPECT(run, n > 0);
    KTEST_EXPECT(run, heap_now().failures == before.failures + 1);
    /* Caches may have given theirs away. */
    KTEST_EXPECT(run, heap_now().live_bytes <= before.live_bytes);
    block = kmalloc(65536);
    KTEST_EXPECT(run, block != NULL);
    kfree(block);
}
