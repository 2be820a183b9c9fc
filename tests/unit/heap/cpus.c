/* SPDX-License-Identifier: MIT */
/*
 * Criteria, for slab:
 *  1. What one CPU allocates, another may free; the owner uses it again, and nothing is lost.
 *  2. The counts are right while freed objects wait for their owner.
 *  3. When memory is short a CPU gives up what it has free, and the others can use it.
 *  4. Freeing twice what belongs to another CPU is a panic at once.
 *  5. An object cache that all CPUs used can be destroyed when it is empty, and not before.
 */
#include "heap/suites.h"

#include "heap/cache.h"
#include "mem/reclaim.h"

#include <hal/machine.h>

#include <stdint.h>
#include <string.h>

static void *blocks[200000];

static struct heap_stats stats_now(void)
{
    struct heap_stats stats;

    heap_read_stats(&stats);
    return stats;
}

static void reclaim_on_all(void)
{
    for (unsigned cpu = HAL_CPU_MAX; cpu-- > 0;) {
        fake_be_cpu(cpu);
        (void)reclaim_frames(SIZE_MAX);
    }
}

static size_t take(size_t most, size_t bytes)
{
    size_t n = 0;

    while (n < most && (blocks[n] = kmalloc(bytes)))
        n++;
    return n;
}

static void pass_on(size_t bytes)
{
    fake_be_cpu(0);
    ck_assert_uint_eq(take(300, bytes), 300);
    fake_be_cpu(1);
    for (unsigned i = 0; i < 300; i++)
        kfree(blocks[i]);
}

START_TEST(what_another_cpu_frees_is_used_again)
{
    static const size_t sizes[] = {16, 64, 1000, 5000};

    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t frames;

        start(0, 16 * MIB);
        for (unsigned round = 0; round < 10; round++)
            pass_on(sizes[i]);
        frames = stats_now().frames;
        for (unsigned round = 0; round < 100; round++)
            pass_on(sizes[i]);
        ck_assert_uint_le(stats_now().frames, frames);
        reclaim_on_all();
        ck_assert_uint_eq(stats_now().live_blocks, 0);
        ck_assert_uint_eq(stats_now().frames, 0);
    }
}
END_TEST

START_TEST(the_counts_are_right_meanwhile)
{
    start(0, 16 * MIB);
    ck_assert_uint_eq(take(500, 64), 500);
    fake_be_cpu(1);
    for (unsigned i = 0; i < 200; i++)
        kfree(blocks[i]);
    ck_assert_uint_eq(stats_now().live_blocks, 300);
    ck_assert_uint_eq(stats_now().live_bytes, 300 * 64);
    fake_be_cpu(0);
    ck_assert_uint_eq(take(1000, 64), 1000);
    ck_assert_uint_eq(stats_now().live_blocks, 1300);
}
END_TEST

START_TEST(what_a_cpu_gives_up_serves_the_others)
{
    size_t n, held = 0;

    start(0, 4 * MIB);
    n = take(sizeof blocks / sizeof blocks[0], 64);
    ck_assert_uint_gt(n, 30000);
    for (size_t i = 0; i < n; i++)
        if (i % 10)
            kfree(blocks[i]);
        else
            held++;
    fake_be_cpu(1);
    while (kmalloc(64))
        held++;
    ck_assert_uint_lt(held, n / 2); /* the rest is in slabs of CPU 0, which is asked for it */
    fake_be_cpu(0);
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_ptr_nonnull(kmalloc(64));
        held++;
    }
    fake_be_cpu(1);
    while (kmalloc(64))
        held++;
    ck_assert_uint_gt(held + n / 20, n);
}
END_TEST

static void free_twice_elsewhere(void *bytes)
{
    void *block = kmalloc((size_t)bytes);

    fake_be_cpu(1);
    kfree(block);
    kfree(block);
}

START_TEST(freeing_twice_elsewhere_is_a_panic)
{
    start(0, 4 * MIB);
    ck_assert(fake_panics(free_twice_elsewhere, (void *)(_i ? (size_t)5000 : 64)));
    ck_assert_ptr_nonnull(strstr(fake.console, "cpus.c"));
}
END_TEST

static void destroy(void *cache)
{
    object_cache_destroy(cache);
}

START_TEST(a_cache_of_all_cpus_can_be_destroyed)
{
    struct object_cache *cache;

    start(0, 8 * MIB);
    cache = object_cache_create("shared", 100, 0, NULL);
    for (unsigned i = 0; i < 1000; i++) {
        fake_be_cpu(i % HAL_CPU_MAX);
        ck_assert_ptr_nonnull(blocks[i] = object_allocate(cache));
    }
    for (unsigned i = 0; i < 1000 - (unsigned)_i; i++) {
        fake_be_cpu(i / 7 % HAL_CPU_MAX);
        object_free(cache, blocks[i]);
    }
    ck_assert(fake_panics(destroy, cache) == (_i > 0));
    if (_i > 0)
        return;
    reclaim_on_all();
    ck_assert_uint_eq(stats_now().frames, 0);
}
END_TEST

Suite *cpus_suite(void)
{
    Suite *suite = suite_create("cpus");
    TCase *tcase = tcase_create("slab");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, what_another_cpu_frees_is_used_again);
    tcase_add_test(tcase, the_counts_are_right_meanwhile);
    tcase_add_test(tcase, what_a_cpu_gives_up_serves_the_others);
    tcase_add_loop_test(tcase, freeing_twice_elsewhere_is_a_panic, 0, 2);
    tcase_add_loop_test(tcase, a_cache_of_all_cpus_can_be_destroyed, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
