/* SPDX-License-Identifier: MIT */
/*
 * workload.c: the workloads, to be included by a file that says what allocates:
 *
 *     ROUND                     the name of the function that this makes (see work.h)
 *     ALLOCATE(bytes)  ZEROS(bytes)  ALIGNED(bytes, alignment)  RESIZE(block, bytes)  FREE(block)
 *     PAGE_ALLOCATE()  PAGE_FREE(page)
 *
 * So every call is the direct one that a user of that allocator writes. Whatever is allocated is
 * written to, in its first bytes, or in all of them when the footprint is measured: an allocator
 * that hands out memory which nobody has touched shall not look small.
 */
#include "work.h"

#define SAMPLE_EVERY 256u /* operations between two looks at the footprint */

static struct {
    uint64_t random;
    uint64_t live; /* bytes, as asked for */
    unsigned until_sample;
    bool footprint; /* a copy of the order's, close by */
    bool failed;
} work;

/* Marsaglia's xorshift: any 64 bits, the same in each round and for each allocator. */
static inline uint64_t next_random(void)
{
    uint64_t x = work.random;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return work.random = x;
}

/* A number below `limit` from 32 random bits. */
static inline uint32_t scale(uint64_t random, uint32_t limit)
{
    return (uint32_t)((random & 0xffffffff) * limit >> 32);
}

static inline uint32_t mixed_size(uint64_t random)
{
    return WORK_MIXED_LEAST + scale(random, WORK_MIXED_MOST - WORK_MIXED_LEAST + 1);
}

static void sample(void)
{
    uint64_t occupied = work_occupied();

    if (occupied > work_result.occupied)
        work_result.occupied = occupied;
    work.until_sample = SAMPLE_EVERY;
}

/* Block number `at` is `bytes` long now: accounts for it, and writes all of it. */
static __attribute__((noinline)) void account(uint32_t at, uint8_t *block, uint32_t bytes)
{
    work.live += bytes;
    work.live -= work_order.bytes[at];
    work_order.bytes[at] = bytes;
    if (work.live > work_result.live)
        work_result.live = work.live;
    for (uint32_t i = 0; i < bytes; i++)
        ((volatile uint8_t *)block)[i] = (uint8_t)i;
    if (work.until_sample-- == 0)
        sample();
}

/* Block number `at` is `block` from now on, and in use. */
static inline void keep(uint32_t at, void *block, uint32_t bytes)
{
    work_order.blocks[at] = block;
    if (!block)
        work.failed = true;
    else if (work.footprint)
        account(at, block, bytes);
    else
        *(volatile uint32_t *)block = at;
}

static inline void drop(uint32_t at)
{
    FREE(work_order.blocks[at]);
    if (work.footprint) {
        work.live -= work_order.bytes[at];
        work_order.bytes[at] = 0;
    }
}

static void drop_all(uint32_t count)
{
    for (uint32_t at = 0; at < count; at++) {
        if (work_order.blocks[at])
            drop(at);
        work_order.blocks[at] = NULL;
    }
}

static void run_pairs(void)
{
    for (uint32_t i = 0; i < work_order.pairs; i++) {
        void *block = ALLOCATE(WORK_SMALL_BYTES);

        keep(0, block, WORK_SMALL_BYTES);
        FREE(block);
    }
    work_order.blocks[0] = NULL;
}

static void run_pages(void)
{
    for (uint32_t i = 0; i < work_order.pairs; i++) {
        void *page = PAGE_ALLOCATE();

        keep(0, page, WORK_PAGE_BYTES);
        PAGE_FREE(page);
    }
    work_order.blocks[0] = NULL;
}

static void fill_small(void)
{
    for (uint32_t at = 0; at < work_order.live; at++)
        keep(at, ALLOCATE(WORK_SMALL_BYTES), WORK_SMALL_BYTES);
}

static void fill_mixed(void)
{
    for (uint32_t at = 0; at < work_order.live; at++) {
        uint32_t bytes = mixed_size(next_random());

        keep(at, ALLOCATE(bytes), bytes);
    }
}

static void replace_small(void)
{
    for (uint32_t i = 0; i < work_order.pairs; i++) {
        uint32_t at = scale(next_random(), work_order.live);

        drop(at);
        keep(at, ALLOCATE(WORK_SMALL_BYTES), WORK_SMALL_BYTES);
    }
}

static void replace_mixed(void)
{
    for (uint32_t i = 0; i < work_order.pairs; i++) {
        uint64_t random = next_random();
        uint32_t at = scale(random, work_order.live);
        uint32_t bytes = mixed_size(random >> 32);

        drop(at);
        keep(at, ALLOCATE(bytes), bytes);
    }
}

static void replay_step(const struct trace_step *step)
{
    uint32_t at = step->what / 8, bytes = step->bytes & TRACE_BYTES;

    switch (step->what % 8) {
    case TRACE_FREE:
        drop(at);
        work_order.blocks[at] = NULL;
        break;
    case TRACE_ALLOCATE:
        keep(at, ALLOCATE(bytes), bytes);
        break;
    case TRACE_ZEROS:
        keep(at, ZEROS(bytes), bytes);
        break;
    case TRACE_RESIZE:
        keep(at, RESIZE(work_order.blocks[at], bytes), bytes);
        break;
    case TRACE_ALIGNED:
        keep(at, ALIGNED(bytes, (size_t)1 << (step->bytes >> TRACE_ALIGN_SHIFT)), bytes);
        break;
    }
}

static void replay(void)
{
    const struct trace_step *end = work_order.trace.steps + work_order.trace.count;

    for (const struct trace_step *step = work_order.trace.steps; step < end && !work.failed; step++)
        replay_step(step);
}

/* What has to be there before the time counts. */
static void prepare(void)
{
    if (work_order.kind == WORK_SMALL)
        fill_small();
    if (work_order.kind == WORK_MIXED)
        fill_mixed();
}

static void run(void)
{
    switch (work_order.kind) {
    case WORK_PAIRS:
        run_pairs();
        break;
    case WORK_SMALL:
        replace_small();
        break;
    case WORK_MIXED:
        replace_mixed();
        break;
    case WORK_TRACE:
        replay();
        break;
    case WORK_GROW:
        fill_small();
        break;
    case WORK_GROW_MIXED:
        fill_mixed();
        break;
    case WORK_PAGES:
        run_pages();
        break;
    }
}

uint64_t ROUND(void)
{
    uint64_t begin, took;

    work.random = 0x2545f4914f6cdd1d;
    work.footprint = work_order.footprint;
    work.failed = false;
    prepare();
    begin = work_now();
    run();
    took = work_now() - begin;
    if (work.footprint)
        sample();
    drop_all(work_order.kind == WORK_TRACE ? (uint32_t)work_order.trace.objects : work_order.live);
    return work.failed ? 0 : took;
}
