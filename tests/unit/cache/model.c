/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Whatever is read, written, resized, synced, forgotten, read ahead, flushed and reclaimed, in
 *     whatever order, a read gives the bytes that were written last; what the medium has behind the
 *     end never shows.
 *  2. A sync that returns 0 leaves the medium with all of the bytes; one that fails forgets none:
 *     when the medium works again, the next one brings them there.
 *  3. So it is when reads, writes and allocations fail, frames are reclaimed in the middle of
 *     everything, and somebody writes and resizes while write-back asks where pages are.
 *  4. No more pages are dirty than the limit says, as long as they can be written.
 *  5. At the end all memory is given back.
 *
 * The operations are as many as TAYBERRY_RUNS says for each seed, 60,000 by default.
 */
#include "cache/suites.h"

#include "heap/heap.h"
#include "mem/frame.h"
#include "mem/reclaim.h"
#include "site/fail.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS 3
#define BYTES (MEDIUM_PAGES * HAL_PAGE_SIZE)
#define SECOND 1000000000u

static struct state {
    struct medium media[OBJECTS];
    uint8_t oracle[OBJECTS][BYTES];
    uint64_t size[OBJECTS];
    uint32_t seen[OBJECTS]; /* errors */
    uint64_t at[OBJECTS];   /* where a read that goes on begins */
    uint64_t ahead[OBJECTS];
    uint32_t window[OBJECTS];
    uint64_t random;
    bool meddling; /* map may change objects: nobody else is in the middle of one */
    unsigned depth;
    unsigned long operations, failures;
} all;

static uint64_t next(void)
{
    all.random ^= all.random << 13;
    all.random ^= all.random >> 7;
    all.random ^= all.random << 17;
    return all.random >> 8;
}

static bool chance(unsigned one_in)
{
    return next() % one_in == 0;
}

static uint64_t pick_bytes(uint64_t limit)
{
    uint64_t n = chance(4) ? next() : chance(2) ? next() % 300 : next() % (6 * HAL_PAGE_SIZE);

    if (chance(3))
        n = n / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    return limit ? n % limit : 0;
}

static void step(void);

static void meddle(struct medium *medium, bool held)
{
    (void)held;
    if (chance(6))
        reclaim_frames(next() % 20);
    if (chance(8))
        cache_forget(&medium->object, 0, BYTES);
    if (all.meddling && all.depth == 0 && chance(4)) {
        all.depth++;
        step();
        all.depth--;
        all.meddling = true;
    }
}

static void reclaim_some(struct medium *medium)
{
    (void)medium;
    if (chance(4))
        reclaim_frames(next() % 20);
}

static void allow(int64_t error)
{
    all.failures++;
    ck_assert_msg(error == -ENOMEM || error == -EIO, "error %lld", (long long)error);
}

static void do_read(unsigned i)
{
    static uint8_t buffer[BYTES];
    uint64_t offset = pick_bytes(all.size[i] + 100), n = pick_bytes(BYTES) % (64 * HAL_PAGE_SIZE);
    uint64_t have;
    int64_t got;

    if (chance(2))
        offset = all.at[i];
    have = offset < all.size[i] ? all.size[i] - offset : 0;
    all.at[i] = offset + n;
    memset(buffer, 0x55, n);
    if (chance(2))
        cache_read_ahead(&all.media[i].object, &all.ahead[i], &all.window[i], offset, n);
    got = cache_read(&all.media[i].object, offset, buffer, n);
    if (got < 0)
        allow(got);
    else if ((uint64_t)got < (n < have ? n : have))
        all.failures++;
    if (got > 0) {
        ck_assert_uint_le((uint64_t)got, have);
        ck_assert(memcmp(buffer, all.oracle[i] + offset, (size_t)got) == 0);
    }
}

static uint64_t put(unsigned i, uint64_t offset, uint64_t n)
{
    static uint8_t buffer[BYTES];
    int64_t done;

    memset(buffer, (int)next(), n);
    for (uint64_t at = 0; at < n; at += 97)
        buffer[at] = (uint8_t)next();
    done = cache_write(&all.media[i].object, offset, buffer, n);
    if (done < 0)
        allow(done);
    if (done > 0)
        memcpy(all.oracle[i] + offset, buffer, (size_t)done);
    return done > 0 ? (uint64_t)done : 0;
}

/* Makes it longer, as file systems do: size first, then all that is new. */
static void extend(unsigned i, uint64_t size)
{
    uint64_t old = all.size[i], at = old;

    cache_resize(&all.media[i].object, size);
    all.size[i] = size;
    if (chance(2)) {
        uint64_t zeros = (size - old) / 2;
        int64_t done = cache_write(&all.media[i].object, old, NULL, zeros);

        memset(all.oracle[i] + old, 0, zeros);
        at = done == (int64_t)zeros ? old + zeros : BYTES;
    }
    if (at == BYTES || put(i, at, size - at) < size - at) {
        cache_resize(&all.media[i].object, old);
        all.size[i] = old;
    }
}

static void do_write(unsigned i)
{
    uint64_t size = all.size[i];

    if (size == 0 || chance(5)) {
        extend(i, size + pick_bytes(BYTES - size + 1));
    } else {
        uint64_t offset = pick_bytes(size);

        put(i, offset, 1 + pick_bytes(size - offset));
    }
}

static void do_sync(unsigned i)
{
    static uint8_t before[BYTES];
    uint64_t size = all.size[i];
    bool meddling = all.depth == 0 && chance(2);
    int error;

    memcpy(before, all.oracle[i], size);
    all.meddling = meddling;
    error = chance(2) ? cache_sync(&all.media[i].object)
                      : cache_sync_held(&all.media[i].object, 0, size);
    all.meddling = false;
    if (error)
        allow(error);
    if (!error && !meddling) {
        ck_assert(memcmp(all.media[i].bytes, before, size) == 0);
        ck_assert(!cache_is_unclean(&all.media[i].object));
    }
}

static void do_flush(void)
{
    fake.now += next() % (8 * SECOND);
    all.meddling = all.depth == 0;
    (void)cache_writeback_run();
    all.meddling = false;
}

static void do_damage(unsigned i)
{
    struct medium *medium = &all.media[i];

    if (chance(3)) {
        memset(medium->bad_reads, 0, sizeof medium->bad_reads);
        memset(medium->bad_writes, 0, sizeof medium->bad_writes);
    } else if (chance(2)) {
        medium->bad_reads[next() % MEDIUM_PAGES] = true;
    } else {
        medium->bad_writes[next() % MEDIUM_PAGES] = true;
    }
}

static void do_fail(void)
{
    struct hal_fail_plan plan = {.kind = HAL_FAIL_NONE};

    if (chance(2))
        plan = (struct hal_fail_plan){.kind = HAL_FAIL_NTH, .n = 1 + next() % 40};
    else if (chance(4))
        plan = (struct hal_fail_plan){.kind = HAL_FAIL_FROM, .n = 1 + next() % 40};
    alloc_fail_set(&plan);
}

static void do_single(unsigned i)
{
    struct cache_page *page;
    uint64_t number = next() % MEDIUM_PAGES, start = number * HAL_PAGE_SIZE;
    int error = cache_get(&all.media[i].object, number, &page);

    if (error) {
        ck_assert(error != -EINVAL || start >= all.size[i]);
        return;
    }
    reclaim_frames(1000);
    ck_assert_uint_lt(start, all.size[i]);
    *(uint8_t *)cache_page_data(page) ^= 1;
    all.oracle[i][start] ^= 1;
    cache_page_dirty(page);
    if (chance(4)) { /* forgotten while it is held */
        cache_resize(&all.media[i].object, start);
        all.size[i] = start;
        memset(cache_page_data(page), 1, HAL_PAGE_SIZE);
        cache_page_dirty(page);
    }
    cache_put(page);
}

static void do_ahead(unsigned i)
{
    cache_prefetch(&all.media[i].object, pick_bytes(BYTES), pick_bytes(BYTES));
    while (chance(2) && cache_ahead_step())
        ;
}

static void check_limit(void)
{
    struct cache_stats stats;
    bool healthy = true;

    for (unsigned i = 0; i < OBJECTS; i++)
        healthy = healthy && all.media[i].object.delay == 0;
    cache_read_stats(&stats);
    ck_assert_uint_eq(stats.writing, 0);
    if (healthy)
        ck_assert_uint_le(stats.dirty, stats.dirty_limit + 1);
}

static void step(void)
{
    unsigned i = (unsigned)(next() % OBJECTS);

    all.operations++;
    switch (next() % 20) {
    case 0 ... 5:
        do_read(i);
        break;
    case 6 ... 11:
        do_write(i);
        break;
    case 12:
        do_sync(i);
        break;
    case 13:
        if (all.depth == 0)
            do_flush();
        break;
    case 14:
        all.size[i] = pick_bytes(all.size[i] + 1);
        cache_resize(&all.media[i].object, all.size[i]);
        break;
    case 15:
        cache_forget(&all.media[i].object, pick_bytes(BYTES), pick_bytes(BYTES));
        break;
    case 16:
        reclaim_frames(next() % 300);
        break;
    case 17:
        do_single(i);
        break;
    case 18:
        do_ahead(i);
        break;
    default:
        if (chance(4))
            do_damage(i);
        else
            do_fail();
    }
    if (all.depth == 0)
        check_limit();
}

/* All is well again: what is left gets to the medium. */
static void finish(void)
{
    const struct hal_fail_plan none = {.kind = HAL_FAIL_NONE};

    alloc_fail_set(&none);
    for (unsigned i = 0; i < OBJECTS; i++) {
        struct medium *medium = &all.media[i];

        medium->mapping = NULL;
        memset(medium->bad_writes, 0, sizeof medium->bad_writes);
    }
    fake.now += 200ull * SECOND;
    (void)cache_writeback_run();
    for (unsigned i = 0; i < OBJECTS; i++) {
        ck_assert(!cache_is_unclean(&all.media[i].object));
        ck_assert(memcmp(all.media[i].bytes, all.oracle[i], all.size[i]) == 0);
        cache_object_finish(&all.media[i].object);
    }
}

START_TEST(bytes_are_those_written_last)
{
    const char *runs = getenv("TAYBERRY_RUNS");
    unsigned long n = runs ? strtoul(runs, NULL, 10) : 60000;
    struct heap_stats before, after;
    struct cache_stats stats;

    fake_kernel_start((_i % 2 ? 3 : 8) * MIB);
    memset(&all, 0, sizeof all);
    all.random = 0x9e3779b97f4a7c15ull * (unsigned)(_i + 1);
    for (unsigned i = 0; i < OBJECTS; i++) {
        all.size[i] = next() % BYTES;
        medium_init(&all.media[i], all.size[i], (uint8_t)i);
        memset(all.oracle[i], (int)i, all.size[i]);
        all.media[i].scatter = i == 0 ? 0 : i == 1 ? 3 : 1;
        all.media[i].mapping = meddle;
        all.media[i].carrying = reclaim_some;
    }
    heap_read_stats(&before);
    while (all.operations < n)
        step();
    finish();
    heap_read_stats(&after);
    ck_assert_uint_eq(before.live_blocks, after.live_blocks);
    cache_read_stats(&stats);
    ck_assert_uint_eq(stats.pages + stats.dirty + stats.writing, 0);
    ck_assert_uint_gt(all.failures, n / 2000);
    printf("# seed %d: %lu operations, %lu failed; %llu pages written, %llu reclaimed, %llu times "
           "throttled\n",
           _i, all.operations, all.failures, (unsigned long long)stats.written,
           (unsigned long long)stats.reclaimed, (unsigned long long)stats.throttled);
}
END_TEST

Suite *model_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *tests = tcase_create("model");

    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, bytes_are_those_written_last, 0, 6);
    suite_add_tcase(suite, tests);
    return suite;
}
