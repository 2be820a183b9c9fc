/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Against a simple oracle, over random sequences on machines of several shapes: runs are of
 *     the size and alignment asked for, apart from each other and inside RAM, their contents stay,
 *     their references and counts are exact; a request fails only if no place is free for it; at
 *     the end all joins to the runs of the beginning.
 *  2. What is shown of the frames from outside agrees with the oracle at any time.
 *  3. A frame is announced to the machine once, before it is handed out, and never again; a boot
 *     touches little, and no more of a large machine than of a small one.
 *  4. The caches of the CPUs hold no more than 1/64 of RAM, and nothing is lost in them: another
 *     CPU's come back when it is asked.
 *  5. Misuse is a panic that names the caller.
 *  6. A failure on demand changes nothing, and each request is asked about once.
 *  7. An allocation that finds nothing asks the caches that have registered, from the newest on,
 *     until it succeeds or they have nothing more; never while masked.
 *  8. Lying memory maps: no room for the table of frames, single pages, ranges beyond its reach.
 */
#include "fake_hal.h"
#include "heap/fail.h"
#include "lib/log.h"
#include "mem/frame.h"
#include "mem/frame_table.h"
#include "mem/memory.h"
#include "mem/reclaim.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/inspect.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)
#define PAGES(bytes) ((bytes) / HAL_PAGE_SIZE)
#define BLOCK FRAME_BLOCK_PAGES

/* ---- machines ---- */

struct shape {
    uint64_t ram_bytes;
    uint64_t ranges[12]; /* pairs: first frame, frames */
};

static struct memory_map map;

static int try_start(const struct shape *shape)
{
    fake_hal_reset(shape->ram_bytes);
    klog_init();
    alloc_site_init();
    map.count = 0;
    for (unsigned i = 0; i < 12 && shape->ranges[i + 1]; i += 2)
        map.ranges[map.count++] = (struct hal_range){shape->ranges[i] * HAL_PAGE_SIZE,
                                                     shape->ranges[i + 1] * HAL_PAGE_SIZE};
    return frame_init(&map);
}

static void start(const struct shape *shape)
{
    ck_assert_int_eq(try_start(shape), 0);
    hal_irq_unmask();
}

static void start_flat(uint64_t bytes)
{
    struct shape shape = {bytes, {128, PAGES(bytes) - 128}};

    start(&shape);
}

static struct frame_stats stats_now(void)
{
    struct frame_stats stats;

    frame_read_stats(&stats);
    return stats;
}

static uint64_t number_of(const void *pointer)
{
    return hal_mem_physical(pointer) / HAL_PAGE_SIZE;
}

/* ---- the oracle: a byte for each frame, and a list of runs ---- */

#define RUNS_MAX 512
#define FRAMES_MAX 16384

struct run {
    uint64_t *memory;
    size_t pages;
    unsigned references;
    uint64_t stamp;
};

static struct oracle {
    struct run runs[RUNS_MAX];
    unsigned count;
    uint8_t used[FRAMES_MAX]; /* in use, or no frame of ours */
    uint64_t frames;
    uint64_t free;
    uint64_t stamps;
} oracle;

static void oracle_start(void)
{
    memset(&oracle, 0, sizeof oracle);
    oracle.frames = PAGES(fake.ram_bytes);
    memset(oracle.used, 1, sizeof oracle.used);
    for (unsigned i = 0; i < map.count; i++)
        memset(oracle.used + PAGES(map.ranges[i].start), 0, PAGES(map.ranges[i].bytes));
    memset(oracle.used + frame_table.home, 1, frame_table.home_pages);
    for (uint64_t i = 0; i < oracle.frames; i++)
        oracle.free += !oracle.used[i];
}

/* True if a run like this must be found: aligned, or anywhere inside a block. */
static bool oracle_has_room(size_t pages, unsigned align_order)
{
    size_t size = (size_t)1 << align_order, row = 0;

    while (align_order > 0 && size < pages)
        size *= 2;
    for (uint64_t i = 0; i < oracle.frames; i++) {
        if (i % (align_order > 0 ? size : BLOCK) == 0)
            row = 0;
        row = oracle.used[i] ? 0 : row + 1;
        if (row >= (align_order > 0 ? size : pages))
            return true;
    }
    return false;
}

static void oracle_add(void *memory, size_t pages)
{
    struct run *run = &oracle.runs[oracle.count++];
    uint64_t first = number_of(memory);

    *run = (struct run){memory, pages, 1, ++oracle.stamps};
    ck_assert_uint_le(first + pages, oracle.frames);
    for (size_t i = 0; i < pages; i++) {
        ck_assert_msg(!oracle.used[first + i], "frame %llu is in use or no RAM",
                      (unsigned long long)(first + i));
        oracle.used[first + i] = 1;
        ck_assert_uint_eq(fake.first_uses[first + i], 1);
        ck_assert_ptr_null(frame_table.frames[first + i].owner);
        frame_table.frames[first + i].owner = run;
        run->memory[i * HAL_PAGE_SIZE / 8] = run->stamp;
        run->memory[(i + 1) * HAL_PAGE_SIZE / 8 - 1] = ~run->stamp;
    }
    oracle.free -= pages;
}

static void oracle_put(unsigned index)
{
    struct run *run = &oracle.runs[index];

    ck_assert_uint_eq(frame_references(run->memory), run->references);
    ck_assert_uint_eq(frame_run_pages(run->memory), run->pages);
    if (--run->references > 0) {
        frame_put(run->memory);
        return;
    }
    for (size_t i = 0; i < run->pages; i++) {
        ck_assert(run->memory[i * HAL_PAGE_SIZE / 8] == run->stamp);
        ck_assert(run->memory[(i + 1) * HAL_PAGE_SIZE / 8 - 1] == ~run->stamp);
    }
    memset(oracle.used + number_of(run->memory), 0, run->pages);
    oracle.free += run->pages;
    frame_put(run->memory);
    ck_assert_uint_eq(frame_references(run->memory), 0);
    ck_assert_uint_eq(frame_run_pages(run->memory), 0);
    *run = oracle.runs[--oracle.count];
}

/* Sizes from one page to a block, the small ones often; mostly without an alignment. */
static void random_allocation(void)
{
    size_t pages = rand() % 3 ? 1 + (size_t)rand() % 3
                              : 1 + (size_t)rand() % (rand() % 8 ? 40 : FRAME_PAGES_MAX);
    unsigned align_order = rand() % 4 ? 0 : (unsigned)rand() % (FRAME_ORDER_MAX + 1);
    void *memory;

    if (oracle.count == RUNS_MAX)
        return;
    memory = frame_alloc_pages(pages, align_order);
    if (!memory) {
        frame_drain();
        ck_assert_msg(!oracle_has_room(pages, align_order), "no %zu pages of alignment 2^%u", pages,
                      align_order);
        return;
    }
    ck_assert_uint_eq(number_of(memory) % (1u << align_order), 0);
    oracle_add(memory, pages);
}

static void random_operation(void)
{
    unsigned choice = (unsigned)rand() % 100;

    /* Tides: for a while more comes than goes, then the other way. */
    if (choice < (oracle.stamps / 1000 % 2 ? 60u : 40u) || oracle.count == 0) {
        random_allocation();
    } else if (choice < 90) {
        oracle_put((unsigned)rand() % oracle.count);
    } else if (choice < 99) {
        struct run *run = &oracle.runs[(unsigned)rand() % oracle.count];

        frame_get(run->memory);
        run->references++;
    } else {
        frame_drain();
    }
    ck_assert_uint_eq(stats_now().free, oracle.free);
}

static void check_view(void)
{
    static uint8_t view[FRAMES_MAX];
    uint64_t first = (uint64_t)rand() % oracle.frames;

    hal_inspect_frames(first, view, oracle.frames - first);
    for (uint64_t i = first; i < oracle.frames; i++) {
        uint8_t seen = view[i - first];

        if (i - frame_table.home < frame_table.home_pages)
            ck_assert_uint_eq(seen, HAL_FRAME_KERNEL);
        else if (!oracle.used[i])
            ck_assert_uint_eq(seen, fake.first_uses[i] ? HAL_FRAME_FREE : HAL_FRAME_UNTOUCHED);
        else
            ck_assert_msg(seen == HAL_FRAME_NONE || seen >= HAL_FRAME_TAGS, "frame %llu: %u",
                          (unsigned long long)i, seen);
        if (seen >= HAL_FRAME_TAGS)
            ck_assert_uint_eq(fake.first_uses[i], 1);
    }
}

static void check_announcements(void)
{
    uint64_t touched = 0;

    for (uint64_t i = 0; i < oracle.frames; i++) {
        ck_assert_uint_le(fake.first_uses[i], 1);
        if (!fake.first_uses[i])
            for (unsigned byte = 0; byte < HAL_PAGE_SIZE; byte += 512)
                ck_assert_uint_eq(fake.ram[i * HAL_PAGE_SIZE + byte], 0xa5);
        else if (i - frame_table.home >= frame_table.home_pages)
            touched++;
    }
    ck_assert_uint_eq(stats_now().untouched, stats_now().total - frame_table.home_pages - touched);
}

static const struct shape shapes[] = {
    {2 * MIB, {128, 384}},
    {4 * MIB, {0, 1024}},
    {64 * MIB, {128, 16384 - 128}},
    /* Holes, ranges that share a block, single pages, a border inside a block. */
    {32 * MIB, {3, 1, 5, 2, 100, 3000, 3101, 700, 4096, 512, 5000, 3192}},
    {16 * MIB, {511, 2, 600, 1000, 2047, 1025}},
};

START_TEST(frames_agree_with_the_oracle)
{
    struct frame_stats before, after;

    srand((unsigned)_i + 1);
    start(&shapes[_i]);
    oracle_start();
    before = stats_now();
    ck_assert_uint_eq(before.free, oracle.free);
    for (int i = 0; i < 60000; i++) {
        random_operation();
        if (i % 1000 == 0)
            check_view();
    }
    check_announcements();
    while (oracle.count > 0)
        oracle_put(oracle.count - 1);
    frame_drain();
    after = stats_now();
    ck_assert_uint_eq(after.free, before.free);
    ck_assert_mem_eq(after.free_runs, before.free_runs, sizeof before.free_runs);
    check_view();
}
END_TEST

START_TEST(all_frames_can_be_had_one_by_one)
{
    static void *all[FRAMES_MAX];
    struct frame_stats before;
    size_t n = 0;

    start(&shapes[_i]);
    before = stats_now();
    while ((all[n] = frame_alloc(0)))
        n++;
    ck_assert_uint_eq(n, before.free);
    ck_assert_uint_eq(stats_now().free, 0);
    ck_assert_uint_eq(stats_now().untouched, 0);
    ck_assert_uint_eq(stats_now().failures, 1);
    ck_assert_uint_eq(stats_now().allocations, n + 1);
    for (size_t i = 0; i < n; i++)
        frame_put(all[i * 7919 % n]); /* 7919 is prime, and no n is a multiple of it */
    frame_drain();
    ck_assert_mem_eq(stats_now().free_runs, before.free_runs, sizeof before.free_runs);
}
END_TEST

START_TEST(runs_of_odd_sizes_are_packed)
{
    void *first, *next;

    start_flat(2 * MIB);
    first = frame_alloc_pages(17, 0);
    for (unsigned i = 1; i < 14; i++) {
        next = frame_alloc_pages(17, 0);
        ck_assert_ptr_nonnull(next);
        ck_assert_ptr_eq(next, (char *)first + (size_t)i * 17 * HAL_PAGE_SIZE);
    }
}
END_TEST

START_TEST(impossible_sizes_are_refused)
{
    struct frame_stats before;

    start_flat(8 * MIB);
    before = stats_now();
    ck_assert_ptr_null(frame_alloc(FRAME_ORDER_MAX + 1));
    ck_assert_ptr_null(frame_alloc(64));
    ck_assert_ptr_null(frame_alloc_pages(0, 0));
    ck_assert_ptr_null(frame_alloc_pages(FRAME_PAGES_MAX + 1, 0));
    ck_assert_ptr_null(frame_alloc_pages(SIZE_MAX, 0));
    ck_assert_ptr_null(frame_alloc_pages(1, FRAME_ORDER_MAX + 1));
    ck_assert_uint_eq(stats_now().free, before.free);
    ck_assert_uint_eq(stats_now().failures, 6);
    ck_assert_uint_eq(frame_order(1), 0);
    ck_assert_uint_eq(frame_order(HAL_PAGE_SIZE + 1), 1);
    ck_assert_uint_eq(frame_order(SIZE_MAX), FRAME_ORDER_MAX + 1);
    frame_put(NULL);
    frame_free(NULL, 3);
}
END_TEST

/* ---- what a boot touches ---- */

START_TEST(boot_touches_as_little_of_a_large_machine)
{
    uint64_t small;

    start_flat(64 * MIB);
    small = fake.first_use_bytes;
    ck_assert_uint_le(small, 4 * BLOCK * sizeof(struct frame));
    start_flat(512 * MIB);
    ck_assert_uint_eq(fake.first_use_bytes, small);
    ck_assert_ptr_nonnull(frame_alloc(FRAME_ORDER_MAX));
    ck_assert_uint_eq(fake.first_use_bytes, small + BLOCK * (sizeof(struct frame) + HAL_PAGE_SIZE));
}
END_TEST

/* ---- the CPUs' caches ---- */

START_TEST(caches_hold_little)
{
    static void *all[4096];
    size_t n = 0;

    start(&shapes[_i]);
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
    hal_cpu_face_0.id = 1;
    frame_put(frame_alloc(0));
    hal_cpu_face_0.id = 0;
    stats = stats_now();
    ck_assert_uint_gt(stats.cached, 0);
    while ((all[n] = frame_alloc(0)))
        n++;
    ck_assert_uint_eq(n, stats.free - stats.cached);
    ck_assert_uint_eq(stats_now().free, stats.cached);
    frame_interrupt(); /* this CPU has nothing to do */
    ck_assert_ptr_null(frame_alloc(0));
    hal_cpu_face_0.id = 1;
    frame_interrupt();
    hal_cpu_face_0.id = 0;
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
    snprintf(where, sizeof where, "core_frames.c:%u\r\n", line_of_misuse);
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

START_TEST(sites_know_what_they_have)
{
    const struct alloc_site *site = ALLOC_SITE();
    void *one, *more;

    start_flat(8 * MIB);
    one = frame_alloc_at(0, site);
    more = frame_alloc_pages_at(5, 0, site);
    frame_get(more);
    ck_assert_int_eq(site->count->blocks, 2);
    ck_assert_int_eq(site->count->bytes, 6 * HAL_PAGE_SIZE);
    frame_put(more);
    frame_put(one);
    ck_assert_int_eq(site->count->blocks, 1);
    ck_assert_int_eq(site->count->bytes, 5 * HAL_PAGE_SIZE);
    frame_put(more);
    ck_assert_int_eq(site->count->blocks, 0);
    ck_assert_int_eq(site->count->bytes, 0);
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

/* ---- maps that lie ---- */

START_TEST(no_room_for_the_table_is_an_error)
{
    /* One page a range: nowhere is there room for the two pages that a block's entries take. */
    struct shape pages = {2 * MIB, {1, 1, 3, 1, 5, 1}};
    struct shape nothing = {2 * MIB, {0}};

    ck_assert_int_eq(try_start(&pages), -ENOMEM);
    ck_assert_int_eq(try_start(&nothing), -ENOMEM);
}
END_TEST

START_TEST(ranges_that_the_table_cannot_reach_are_left_out)
{
    struct shape far = {32 * MIB, {100, 20, 8000, 4}};
    struct shape beyond = {4 * MIB, {128, 512, (uint64_t)1 << 40, 1000}};
    struct klog_line line;

    start(&far);
    ck_assert_uint_eq(stats_now().total, 20);
    ck_assert_int_eq(klog_read(1, &line), 0);
    ck_assert_ptr_nonnull(strstr(line.text, "left out"));
    start(&beyond);
    ck_assert_uint_eq(stats_now().total, 512);
    ck_assert_ptr_nonnull(frame_alloc(0));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

int main(void)
{
    Suite *all = suite_create("frames");
    TCase *frames = tcase_create("frames");
    SRunner *runner = srunner_create(all);
    int failed;

    tcase_set_timeout(frames, 120);
    tcase_add_loop_test(frames, frames_agree_with_the_oracle, 0, COUNT(shapes));
    tcase_add_loop_test(frames, all_frames_can_be_had_one_by_one, 0, COUNT(shapes));
    tcase_add_test(frames, runs_of_odd_sizes_are_packed);
    tcase_add_test(frames, impossible_sizes_are_refused);
    tcase_add_test(frames, boot_touches_as_little_of_a_large_machine);
    tcase_add_loop_test(frames, caches_hold_little, 0, COUNT(shapes));
    tcase_add_test(frames, another_cpu_gives_its_cache_back);
    tcase_add_test(frames, a_run_may_lie_in_a_cache);
    tcase_add_loop_test(frames, misuse_names_the_caller, 0, COUNT(misuses));
    tcase_add_test(frames, a_failure_on_demand_changes_nothing);
    tcase_add_test(frames, sites_know_what_they_have);
    tcase_add_test(frames, caches_are_asked_when_nothing_is_left);
    tcase_add_test(frames, a_long_run_waits_for_neighbours);
    tcase_add_test(frames, the_watermarks_tell_what_is_missing);
    tcase_add_test(frames, no_room_for_the_table_is_an_error);
    tcase_add_test(frames, ranges_that_the_table_cannot_reach_are_left_out);
    suite_add_tcase(all, frames);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
