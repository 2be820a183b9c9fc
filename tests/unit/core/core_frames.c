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
 *  4. Lying memory maps: no room for the table of frames, single pages, ranges beyond its reach.
 */
#include "fake_hal.h"
#include "lib/log.h"
#include "mem/frame.h"
#include "mem/frame_table.h"
#include "mem/memory.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/inspect.h>

#include "../../marks.h"
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
    start_flat(256 * MIB);
    ck_assert_uint_eq(fake.first_use_bytes, small);
    ck_assert_ptr_nonnull(frame_alloc(FRAME_ORDER_MAX));
    ck_assert_uint_eq(fake.first_use_bytes, small + BLOCK * (sizeof(struct frame) + HAL_PAGE_SIZE));
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
    tcase_add_test(frames, no_room_for_the_table_is_an_error);
    tcase_add_test(frames, ranges_that_the_table_cannot_reach_are_left_out);
    suite_add_tcase(all, frames);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
