/* SPDX-License-Identifier: MIT */
/*
 * Criteria, each for slab, bin and bump through the front end:
 *  1. Blocks are aligned, to 16 bytes and to whatever is asked for up to 2 MiB.
 *  2. Exhaustion is NULL, ends, changes nothing, and (but with bump) passes when blocks are freed.
 *  3. Freed memory is used again: for the same size at once, for other sizes when it has joined
 *     with its neighbours, for everybody when it is given back as pages. With bump it never is.
 *  4. Fragmentation is bounded: after any number of blocks of changing size the heap holds not
 *     much more than what was live at its peak.
 *  5. Arithmetic saturates: no size, alignment or product is too large to be refused.
 *  6. Zero bytes are a block of its own. kcalloc zeroes. krealloc keeps what fits.
 *  7. A wrong pointer is a panic that names the caller: freed, interior, foreign. (Not so, without
 *     checks, what slab has on a stack to be used next: of that it knows the newest only.)
 *  8. What a block costs beyond its bytes is bounded: 1/5 with slab and bump, half as much again as
 * the block with bin.
 */
#include "heap/suites.h"

#include "heap/slab/quick.h"
#include "mem/frame.h"
#include "mem/reclaim.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_bump(int index)
{
    return allocators[index] == &heap_bump;
}

static struct heap_stats stats_now(void)
{
    struct heap_stats stats;

    heap_read_stats(&stats);
    return stats;
}

/* ---- alignment ---- */

START_TEST(blocks_are_aligned)
{
    start(_i, 32 * MIB);
    for (size_t bytes = 0; bytes < 70000; bytes = bytes * 9 / 8 + 1)
        ck_assert_uint_eq((uintptr_t)kmalloc(bytes) % 16, 0);
    for (size_t alignment = 1; alignment <= HEAP_ALIGNMENT_MAX; alignment *= 2)
        for (size_t bytes = 1; bytes <= 4096; bytes = bytes * 7 + 1) {
            void *block = kmalloc_aligned(bytes, alignment);

            ck_assert_ptr_nonnull(block);
            ck_assert_uint_eq((uintptr_t)block % alignment, 0);
            kfree(block);
        }
}
END_TEST

/* ---- exhaustion ---- */

static void *all[300000];

static size_t take_all(size_t bytes)
{
    size_t n = 0;

    while (n < sizeof all / sizeof all[0] && (all[n] = kmalloc(bytes)))
        n++;
    return n;
}

static void free_all(size_t n)
{
    while (n > 0)
        kfree(all[--n]);
}

START_TEST(exhaustion_ends_and_passes)
{
    static const size_t sizes[] = {16, 100, 1000, 5000, 40000, 300000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n, again;
        uint64_t live;

        start(_i, 4 * MIB);
        n = take_all(sizes[i]);
        live = stats_now().live_bytes;
        ck_assert_uint_gt(n * sizes[i], 4 * MIB / 100 * (sizes[i] < 32 ? 40 : 50));
        ck_assert_ptr_null(kmalloc(sizes[i]));
        ck_assert_uint_eq(stats_now().live_blocks, n);
        ck_assert_uint_eq(stats_now().live_bytes, live);
        free_all(n);
        again = take_all(sizes[i]);
        ck_assert(is_bump(_i) ? again == 0 : again + 8 >= n);
    }
}
END_TEST

/* ---- using memory again ---- */

START_TEST(freed_memory_is_used_again)
{
    uint64_t frames;

    start(_i, 8 * MIB);
    for (unsigned i = 0; i < 100; i++)
        kfree(kmalloc(3000));
    frames = stats_now().frames;
    for (unsigned i = 0; i < 1000; i++)
        kfree(kmalloc(3000));
    if (is_bump(_i))
        ck_assert_uint_gt(stats_now().frames, frames + 500);
    else
        ck_assert_uint_eq(stats_now().frames, frames);
}
END_TEST

START_TEST(memory_of_one_size_serves_all_others)
{
    start(_i, 4 * MIB);
    for (size_t bytes = 32; bytes <= 1 * MIB; bytes *= 2) {
        size_t n = take_all(bytes);

        if (!is_bump(_i) || bytes == 32)
            ck_assert_uint_gt(n * bytes, 2 * MIB);
        free_all(n);
    }
}
END_TEST

START_TEST(everything_goes_back_to_the_frames)
{
    struct frame_stats before, after;

    start(_i, 16 * MIB);
    (void)reclaim_frames(SIZE_MAX);
    frame_read_stats(&before);
    for (size_t i = 0; i < 3000; i++)
        all[i] = kmalloc(i * i % 6000);
    for (size_t i = 0; i < 3000; i++)
        kfree(all[(i * 7) % 3000]);
    ck_assert_uint_eq(stats_now().live_blocks, 0);
    ck_assert_uint_eq(stats_now().live_bytes, 0);
    (void)reclaim_frames(SIZE_MAX);
    frame_read_stats(&after);
    if (!is_bump(_i)) {
        ck_assert_uint_eq(after.free, before.free);
        ck_assert_uint_eq(stats_now().frames, 0);
    }
}
END_TEST

/* ---- fragmentation ---- */

START_TEST(fragmentation_is_bounded)
{
    uint64_t live = 0, most = 0, frames = 0;
    static size_t sizes[4000];

    if (is_bump(_i))
        return;
    start(_i, 64 * MIB);
    srand(7);
    memset(all, 0, sizeof all);
    for (unsigned i = 0; i < 400000; i++) {
        size_t at = (size_t)rand() % 4000,
               bytes = 16 + (size_t)rand() % (i % 100000 < 50000 ? 4000 : 400);

        kfree(all[at]);
        live -= all[at] ? sizes[at] : 0;
        all[at] = kmalloc(bytes);
        ck_assert_ptr_nonnull(all[at]);
        sizes[at] = bytes;
        live += bytes;
        most = live > most ? live : most;
        frames = stats_now().frames > frames ? stats_now().frames : frames;
    }
    ck_assert_uint_lt(frames * HAL_PAGE_SIZE,
                      allocators[_i] == &heap_slab ? most * 125 / 100 : most * 200 / 100);
}
END_TEST

/* ---- arithmetic ---- */

START_TEST(no_size_is_too_large_to_be_refused)
{
    volatile size_t huge = SIZE_MAX;

    start(_i, 8 * MIB);
    for (unsigned shift = 0; shift < 42; shift++)
        for (size_t less = 0; less < 70; less++) {
            ck_assert_ptr_null(kmalloc((huge >> shift) - less));
            ck_assert_ptr_null(kmalloc_aligned((huge >> shift) - less, 1));
            ck_assert_ptr_null(kmalloc_aligned((huge >> shift) - less, 4096));
            ck_assert_ptr_null(kmalloc_aligned((huge >> shift) - less, HEAP_ALIGNMENT_MAX));
        }
    for (unsigned shift = 22; shift < 64; shift++)
        ck_assert_ptr_null(kmalloc_aligned(16, (size_t)1 << shift));
    ck_assert_ptr_null(kmalloc_aligned(16, 0));
    ck_assert_ptr_null(kmalloc_aligned(16, 24));
    ck_assert_ptr_null(kmalloc_aligned(16, huge));
    ck_assert_ptr_null(kcalloc(huge / 2, 3));
    ck_assert_ptr_null(kcalloc((size_t)1 << 32, (size_t)1 << 32));
    ck_assert_uint_eq(stats_now().live_blocks, 0);
}
END_TEST

START_TEST(zero_bytes_are_a_block)
{
    void *a, *b, *c;

    start(_i, 8 * MIB);
    a = kmalloc(0);
    b = kmalloc(0);
    c = kcalloc(0, 100);
    ck_assert(a && b && c && a != b && b != c && a != c);
    kfree(a);
    kfree(b);
    kfree(c);
    kfree(NULL);
    ck_assert_uint_eq(stats_now().live_blocks, 0);
}
END_TEST

START_TEST(resizing_keeps_what_fits)
{
    uint8_t *block, *same;

    start(_i, 16 * MIB);
    block = krealloc(NULL, 0);
    ck_assert_ptr_nonnull(block);
    kfree(block);
    block = krealloc(NULL, 10);
    ck_assert_ptr_nonnull(block);
    memset(block, 0x5c, 10);
    for (size_t bytes = 10; bytes < 400000; bytes = bytes * 3 / 2) {
        block = krealloc(block, bytes * 3 / 2);
        ck_assert_ptr_nonnull(block);
        for (size_t i = 0; i < bytes; i++)
            ck_assert_uint_eq(block[i], 0x5c);
        memset(block, 0x5c, bytes * 3 / 2);
    }
    same = krealloc(block, SIZE_MAX / 2);
    ck_assert_ptr_null(same);
    ck_assert_uint_eq(block[300000], 0x5c);
    block = krealloc(block, 5);
    ck_assert(block && block[0] == 0x5c && block[4] == 0x5c);
    kfree(block);
}
END_TEST

/* ---- misuse ---- */

static void free_twice(void *bytes)
{
    void *block = kmalloc((size_t)bytes);

    kfree(block);
    kfree(block);
}

static void free_twice_after_others(void *bytes)
{
    void *blocks[200];

    for (unsigned i = 0; i < 200; i++)
        blocks[i] = kmalloc((size_t)bytes);
    for (unsigned i = 0; i < 200; i++)
        kfree(blocks[i]);
    kfree(blocks[50]);
}

static void free_inside(void *bytes)
{
    kfree((char *)kmalloc((size_t)bytes) + (size_t)bytes / 2);
}

static void free_what_is_foreign(void *bytes)
{
    kfree(fake.ram + fake.ram_bytes - (size_t)bytes);
}

static void free_the_stack(void *bytes)
{
    volatile char here[16] = {0};

    (void)bytes;
    kfree((void *)here);
}

static void resize_what_is_freed(void *bytes)
{
    void *block = kmalloc((size_t)bytes);

    kfree(block);
    kfree(krealloc(block, 10));
}

START_TEST(misuse_is_a_panic_that_names_the_caller)
{
    static void (*const misuse[])(void *) = {free_twice,           free_twice_after_others,
                                             free_inside,          free_what_is_foreign,
                                             resize_what_is_freed, free_the_stack};
    static const size_t sizes[] = {16, 64, 250, 4096, 33000};

    for (size_t i = 0; i < sizeof misuse / sizeof misuse[0]; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            start(_i, 2 * MIB);
            ck_assert_msg(fake_panics(misuse[i], (void *)sizes[k]), "misuse %zu, %zu bytes", i,
                          sizes[k]);
            ck_assert_ptr_nonnull(strstr(fake.console, "PANIC"));
            ck_assert_ptr_nonnull(strstr(fake.console, "properties.c"));
        }
}
END_TEST

/* ---- cost ---- */

START_TEST(a_block_costs_not_much_more_than_its_bytes)
{
    static const unsigned percent[ALLOCATORS] = {120, 250, 135};

    for (size_t bytes = 129; bytes < 30000; bytes = bytes * 5 / 4 + 3) {
        size_t n = 2 * MIB / bytes;

        start(_i, 16 * MIB);
        for (size_t i = 0; i < n; i++)
            ck_assert_ptr_nonnull(all[i] = kmalloc(bytes));
        ck_assert_msg(stats_now().frames * HAL_PAGE_SIZE < n * bytes / 100 * percent[_i] + 65536,
                      "%zu bytes: %zu for %zu", bytes, (size_t)stats_now().frames * HAL_PAGE_SIZE,
                      n * bytes);
    }
}
END_TEST

START_TEST(sixty_four_of_64_bytes_fill_a_page)
{
    struct heap_stats stats;

    start(0, 16 * MIB);
    for (size_t i = 0; i < 64000; i++)
        ck_assert_ptr_nonnull(kmalloc(64));
    stats = stats_now();
    ck_assert_uint_lt(stats.frames, 1000 * 103 / 100);
}
END_TEST

START_TEST(every_size_has_the_least_class_that_holds_it)
{
    start(0, 8 * MIB);
    for (size_t bytes = 1; bytes <= SLAB_BYTES_MAX; bytes++) {
        unsigned number = slab_class(bytes);

        ck_assert_uint_lt(number, SLAB_CLASSES);
        ck_assert_ptr_eq(slab_store_for(bytes), slab_classes[number].stores[0]);
        ck_assert_uint_ge(slab_classes[number].bytes, bytes);
        ck_assert(number == 0 || slab_classes[number - 1].bytes < bytes);
        ck_assert(bytes < 128 || slab_classes[number].bytes <= bytes + bytes / 8 + 16);
    }
}
END_TEST

Suite *properties_suite(void)
{
    Suite *suite = suite_create("properties");
    TCase *tcase = tcase_create("each"), *slab = tcase_create("slab");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, blocks_are_aligned, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, exhaustion_ends_and_passes, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, freed_memory_is_used_again, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, memory_of_one_size_serves_all_others, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, everything_goes_back_to_the_frames, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, fragmentation_is_bounded, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, no_size_is_too_large_to_be_refused, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, zero_bytes_are_a_block, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, resizing_keeps_what_fits, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, misuse_is_a_panic_that_names_the_caller, 0, ALLOCATORS);
    tcase_add_loop_test(tcase, a_block_costs_not_much_more_than_its_bytes, 0, ALLOCATORS);
    suite_add_tcase(suite, tcase);
    tcase_add_test(slab, sixty_four_of_64_bytes_fill_a_page);
    tcase_add_test(slab, every_size_has_the_least_class_that_holds_it);
    suite_add_tcase(suite, slab);
    return suite;
}
