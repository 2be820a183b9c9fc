/* SPDX-License-Identifier: MIT */
/*
 * Criteria, beside those of core_frames.c:
 *  1. The caches of the CPUs hold no more than 1/64 of RAM, and nothing is lost in them: another
 *     CPU's come back when it is asked.
 *  2. Misuse is a panic that names the caller.
 *  3. A failure on demand changes nothing, and each request is asked about once.
 *  4. An allocation that finds nothing asks the caches that have registered, from the newest on,
 *     until it succeeds or they have nothing more; never while masked.
 */
#include "fake_hal.h"
#include "site/fail.h"
#include "lib/log.h"
#include "mem/frame.h"
#include "mem/frame_table.h"
#include "mem/memory.h"
#include "mem/reclaim.h"

#include <hal/cpu.h>
#include <hal/inspect.h>

#include "../../marks.h"
#include <stdio.h>
#include <string.h>

#define MIB (1u << 20)
#define FRAMES_MAX 16384

static void start_flat(uint64_t bytes)
{
    struct memory_map map = {.count = 1};

    map.ranges[0] = (struct hal_range){MIB / 2, bytes - MIB / 2};
    fake_hal_reset(bytes);
    klog_init();
    alloc_site_init();
    ck_assert_int_eq(frame_init(&map), 0);
    hal_irq_unmask();
}

static struct frame_stats stats_now(void)
{
    struct frame_stats stats;

    frame_read_stats(&stats);
    return stats;
}

/* ---- the CPUs' caches ---- */

START_TEST(caches_hold_little)
{
    static void *all[4096];
    size_t n = 0;

    start_flat(2 * MIB << 2 * _i);
    while (n < 4096 && (all[n] = frame_alloc(0)))
        n++;
    while (n > 0) {
        frame_put(all[--n]);
        ck_assert_uint_le(stats_now().cached, stats_now().total / 64);
    }
}
END_TEST

START_TEST(another_cpu_gives_its_cache_back)
{
    static void *all[FRAMES_MAX];
    struct frame_stats stats;
    size_t n = 0;

    start_flat(64 * MIB);
    hal_cpu_face_here.id = 1;
    frame_put(frame_alloc(0));
    hal_cpu_face_here.id = 0;
    stats = stats_now();
    ck_assert_uint_gt(stats.cached, 0);
    while ((all[n] = frame_alloc(0)))
        n++;
    ck_assert_uint_eq(n, stats.free - stats.cached);
    ck_assert_uint_eq(stats_now().free, stats.cached);
    frame_interrupt(); /* this CPU has nothing to do */
    ck_assert_ptr_null(frame_alloc(0));
    hal_cpu_face_here.id = 1;
    frame_interrupt();
    hal_cpu_face_here.id = 0;
    ck_assert_uint_eq(stats_now().cached, 0);
    for (size_t i = 0; i < stats.cached; i++)
        ck_assert_ptr_nonnull(frame_alloc(0));
    ck_assert_ptr_null(frame_alloc(0));
}
END_TEST

START_TEST(a_run_may_lie_in_a_cache)
{
    void *first;

    start_flat(2 * MIB);
    first = frame_alloc(8); /* the only run of this size */
    ck_assert_ptr_null(frame_alloc(8));
    frame_put(first);
    while (stats_now().free_runs[8])
        ck_assert_ptr_nonnull(frame_alloc(7));
    first = frame_alloc(0);
    frame_put(first);
    ck_assert_uint_gt(stats_now().cached, 0);
    while (frame_alloc_pages(2, 0))
        ;
    ck_assert_uint_eq(stats_now().cached, 0);
    ck_assert_uint_eq(stats_now().free_runs[1], 0);
}
END_TEST

/* ---- misuse ---- */

static unsigned line_of_misuse;

#define MISUSE(statement) \
    do { \
        line_of_misuse = __LINE__; \
        statement; \
    } while (0)

static void put_twice(void *run)
{
    frame_put(run);
    MISUSE(frame_put(run));
}

static void put_twice_when_joined(void *run)
{
    frame_put(run);
    frame_drain();
    MISUSE(frame_put(run));
}

static void put_inside(void *run)
{
    MISUSE(frame_put((char *)run + HAL_PAGE_SIZE));
}

static void put_inside_a_page(void *run)
{
    MISUSE(frame_put((char *)run + 16));
}

static void put_foreign(void *unused)
{
    MISUSE(frame_put(unused ? &line_of_misuse : NULL));
}

static void put_table(void *unused)
{
    (void)unused;
    MISUSE(frame_put(frame_table.frames));
}

static void free_with_wrong_order(void *run)
{
    MISUSE(frame_free(run, 1));
}

static void free_what_is_shared(void *run)
{
    frame_get(run);
    MISUSE(frame_free(run, 2));
}

static void get_what_is_free(void *run)
{
    frame_put(run);
    MISUSE(frame_get(run));
}

static void get_too_often(void *run)
{
    for (unsigned i = 1; i < UINT16_MAX; i++)
        frame_get(run);
    ck_assert_uint_eq(frame_references(run), UINT16_MAX);
    MISUSE(frame_get(run));
}

static const struct misuse {
    void (*body)(void *run);
    const char *said;
} misuses[] = {
    {put_twice, "frame_put of the memory at 0x"},
    {put_twice, "free already"},
    {put_twice_when_joined, "free already"},
    {put_inside, "inside a run"},
    {put_inside_a_page, "inside a page"},
    {put_foreign, "no memory of the frame allocator's"},
    {put_table, "no memory of the frame allocator's"},
    {free_with_wrong_order, "frame_free of order 1: the run has 4 pages, 1 reference"},
    {free_what_is_shared, "frame_free of order 2: the run has 4 pages, 2 references"},
    {get_what_is_free, "frame_get of the memory at 0x"},
    {get_too_often, "too many references"},
};

START_TEST(misuse_names_the_caller)
{
    char where[64];

    fake_kernel_start(8 * MIB);
    ck_assert(fake_panics(misuses[_i].body, frame_alloc(2)));
    snprintf(where, sizeof where, "core_frame_use.c:%u\r\n", line_of_misuse);
    ck_assert_msg(strstr(fake.console, misuses[_i].said), "%s", fake.console);
    ck_assert_msg(strstr(fake.console, where), "%s", fake.console);
}
END_TEST

/* ---- failure on demand ---- */

START_TEST(a_failure_on_demand_changes_nothing)
{
    struct hal_fail_plan plan = {.kind = HAL_FAIL_NTH, .n = 3};
    struct frame_stats before, after;
    uint64_t attempts;
    void *run;

    start_flat(8 * MIB);
    frame_put(frame_alloc(0));
    alloc_fail_set(&plan);
    attempts = alloc_attempts();
    frame_put(frame_alloc(0));
    frame_put(frame_alloc_pages(3, 0));
    ck_assert_uint_eq(alloc_attempts(), attempts + 2);
    before = stats_now();
    ck_assert_ptr_null(frame_alloc_pages(5, 2));
    after = stats_now();
    ck_assert_uint_eq(alloc_attempts(), attempts + 3);
    ck_assert_uint_eq(after.free, before.free);
    ck_assert_uint_eq(after.failures, before.failures + 1);
    ck_assert_mem_eq(after.free_runs, before.free_runs, sizeof before.free_runs);
    run = frame_take_pages(2, 0, ALLOC_SITE());
    ck_assert_ptr_nonnull(run);
    ck_assert_uint_eq(alloc_attempts(), attempts + 3);
}
END_TEST

START_TEST(a_site_knows_what_it_could_not_have)
{
    const struct alloc_site *site = ALLOC_SITE();

    start_flat(2 * MIB);
    ck_assert_ptr_null(frame_alloc_pages_at(FRAME_PAGES_MAX, 0, site));
    ck_assert_uint_eq(site->count->failures, 1);
    ck_assert_ptr_null(frame_take_pages(FRAME_PAGES_MAX, 0, site)); /* the asker counts that */
    ck_assert_uint_eq(site->count->failures, 1);
}
END_TEST

START_TEST(sites_know_what_they_have)
{
    const struct alloc_site *site = ALLOC_SITE();
    void *one, *more;

    start_flat(8 * MIB);
    one = frame_alloc_at(0, site);
    more = frame_alloc_pages_at(5, 0, site);
    frame_get(more);
    ck_assert_int_eq(alloc_live_of(site).blocks, 2);
    ck_assert_int_eq(alloc_live_of(site).bytes, 6 * HAL_PAGE_SIZE);
    frame_put(more);
    frame_put(one);
    ck_assert_int_eq(alloc_live_of(site).blocks, 1);
    ck_assert_int_eq(alloc_live_of(site).bytes, 5 * HAL_PAGE_SIZE);
    frame_put(more);
    ck_assert_int_eq(alloc_live_of(site).blocks, 0);
    ck_assert_int_eq(alloc_live_of(site).bytes, 0);
}
END_TEST

/* ---- reclaim ---- */

struct hoard {
    struct reclaimer reclaimer;
    void *frames[64];
    size_t count;
    unsigned asked;
    unsigned order; /* how many were asked before it */
};

static unsigned asked_so_far;

static size_t give_back(void *context, size_t frames)
{
    struct hoard *hoard = context;
    size_t given = 0;

    ck_assert(!hal_irq_masked());
    hoard->order = asked_so_far++;
    hoard->asked++;
    for (; given < frames && hoard->count > 0; given++)
        frame_put(hoard->frames[--hoard->count]);
    return given;
}

static void fill_hoard(struct hoard *hoard, const char *name)
{
    *hoard = (struct hoard){.reclaimer = {.name = name, .reclaim = give_back, .context = hoard}};
    while (hoard->count < 64)
        hoard->frames[hoard->count++] = frame_alloc(0);
    reclaim_register(&hoard->reclaimer);
}

START_TEST(caches_are_asked_when_nothing_is_left)
{
    struct hoard old, young;
    hal_irq_state_t state;
    size_t n = 0;

    start_flat(4 * MIB);
    asked_so_far = 0;
    fill_hoard(&old, "old");
    fill_hoard(&young, "young");
    while (stats_now().free > 0)
        ck_assert_ptr_nonnull(frame_alloc(0));
    ck_assert_uint_eq(young.asked + old.asked, 0);
    state = hal_irq_save();
    ck_assert_ptr_null(frame_alloc(0));
    hal_irq_restore(state);
    ck_assert_uint_eq(young.asked + old.asked, 0);
    ck_assert_ptr_nonnull(frame_alloc(0));
    ck_assert(young.asked == 1 && old.asked == 0);
    while (frame_alloc(0))
        n++;
    ck_assert_uint_eq(n, 127);
    ck_assert_uint_eq(young.count + old.count, 0);
    ck_assert_uint_eq(old.order, young.order + 1);
    reclaim_unregister(&young.reclaimer);
    young.asked = old.asked = 0;
    ck_assert_ptr_null(frame_alloc(0));
    ck_assert(young.asked == 0 && old.asked == 1);
}
END_TEST

START_TEST(a_long_run_waits_for_neighbours)
{
    struct hoard hoard;

    start_flat(4 * MIB);
    fill_hoard(&hoard, "hoard"); /* frames in a row, as the machine is fresh */
    while (frame_alloc_pages(1, 0))
        if (stats_now().free == 0)
            break;
    ck_assert_ptr_nonnull(frame_alloc_pages(40, 0));
    ck_assert_uint_ge(hoard.asked, 1);
}
END_TEST

START_TEST(the_watermarks_tell_what_is_missing)
{
    struct frame_stats stats;

    start_flat(64 * MIB);
    stats = stats_now();
    ck_assert(stats.low > 0 && stats.low < stats.high && stats.high <= stats.total / 8);
    ck_assert_uint_eq(frame_shortage(), 0);
    while (stats_now().free >= stats.low)
        ck_assert_ptr_nonnull(frame_alloc(3));
    ck_assert_uint_eq(frame_shortage(), stats.high - stats_now().free);
}
END_TEST

int main(void)
{
    Suite *all = suite_create("frame_use");
    TCase *frames = tcase_create("frame_use");
    SRunner *runner = srunner_create(all);
    int failed;

    tcase_add_loop_test(frames, caches_hold_little, 0, 4);
    tcase_add_test(frames, another_cpu_gives_its_cache_back);
    tcase_add_test(frames, a_run_may_lie_in_a_cache);
    tcase_add_loop_test(frames, misuse_names_the_caller, 0,
                        (int)(sizeof misuses / sizeof misuses[0]));
    tcase_add_test(frames, a_failure_on_demand_changes_nothing);
    tcase_add_test(frames, a_site_knows_what_it_could_not_have);
    tcase_add_test(frames, sites_know_what_they_have);
    tcase_add_test(frames, caches_are_asked_when_nothing_is_left);
    tcase_add_test(frames, a_long_run_waits_for_neighbours);
    tcase_add_test(frames, the_watermarks_tell_what_is_missing);
    suite_add_tcase(all, frames);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
