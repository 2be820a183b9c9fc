/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Heap: aligned, apart, contents intact under a random sequence; nothing lost when all is given
 * back; zero, huge and overflowing sizes are defined; exhaustion is NULL, and ends.
 *  2. Giving back twice, or what never was given out, is a panic and not a corruption.
 */
#include "fake_hal.h"
#include "mem/frame.h"
#include "heap/heap.h"
#include "mem/memory.h"
#include "mem/reclaim.h"

#include <hal/errno.h>

#include "../../marks.h"
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)

/* ---- heap ---- */

struct block {
    uint8_t *pointer;
    size_t bytes;
    uint8_t fill;
};

static void check_block(const struct block *block)
{
    for (size_t i = 0; i < block->bytes; i++)
        if (block->pointer[i] != block->fill)
            ck_abort_msg("byte %zu of %zu has changed", i, block->bytes);
}

START_TEST(the_heap_keeps_what_it_is_given)
{
    static struct block blocks[512];
    struct heap_stats stats;
    struct frame_stats before, after;

    fake_kernel_start(16 * MIB);
    frame_read_stats(&before);
    srand(4);
    for (int round = 0; round < 200000; round++) {
        struct block *block = &blocks[rand() % 512];
        size_t alignment = (size_t)1 << rand() % 14;

        if (block->pointer) {
            check_block(block);
            kfree(block->pointer);
            block->pointer = NULL;
            continue;
        }
        block->bytes = rand() % 8 ? (size_t)rand() % 600 : (size_t)rand() % 40000;
        block->fill = (uint8_t)rand();
        block->pointer = kmalloc_aligned(block->bytes, alignment);
        if (!block->pointer)
            continue;
        ck_assert_uint_eq((uintptr_t)block->pointer % alignment, 0);
        memset(block->pointer, block->fill, block->bytes);
    }
    for (size_t i = 0; i < 512; i++)
        kfree(blocks[i].pointer);
    (void)reclaim_frames(SIZE_MAX);
    heap_read_stats(&stats);
    frame_read_stats(&after);
    ck_assert_uint_eq(stats.live_blocks, 0);
    ck_assert_uint_eq(stats.live_bytes, 0);
    ck_assert_uint_eq(stats.frames, 0);
    ck_assert_uint_eq(after.free, before.free);
}
END_TEST

START_TEST(odd_sizes_are_defined)
{
    void *a, *b;
    uint8_t *zeros;

    fake_kernel_start(8 * MIB);
    a = kmalloc(0);
    b = kmalloc(0);
    ck_assert(a && b && a != b);
    kfree(a);
    kfree(b);
    kfree(NULL);
    ck_assert_ptr_null(kmalloc(SIZE_MAX));
    ck_assert_ptr_null(kmalloc(3 * MIB));
    ck_assert_ptr_null(kcalloc(SIZE_MAX / 2, 3));
    ck_assert_ptr_null(kmalloc_aligned(16, 24));
    ck_assert_ptr_null(kmalloc_aligned(16, 0));
    ck_assert_ptr_null(kmalloc_aligned(16, (size_t)1 << 63));
    zeros = kcalloc(10, 100);
    for (size_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(zeros[i], 0);
}
END_TEST

START_TEST(exhaustion_is_null_and_ends)
{
    static void *all[100000];
    size_t n = 0;

    fake_kernel_start_with(4 * MIB, "checks=0");
    while ((all[n] = kmalloc(100)))
        n++;
    ck_assert_uint_gt(n, 4 * MIB / 128 * 8 / 10);
    while (n > 0)
        kfree(all[--n]);
    ck_assert_ptr_nonnull(kmalloc(MIB));
}
END_TEST

static void free_twice(void *unused)
{
    void *pointer = kmalloc(40), *other = kmalloc(40);

    (void)unused, (void)other;
    kfree(pointer);
    kfree(pointer);
}

static void free_inside(void *unused)
{
    (void)unused;
    kfree((char *)kmalloc(64) + 16);
}

static void free_run_twice(void *unused)
{
    void *run = kmalloc(5000);

    (void)unused;
    kfree(run);
    kfree(run);
}

START_TEST(misuse_is_a_panic)
{
    static void (*const misuse[])(void *) = {free_twice, free_inside, free_run_twice};

    fake_kernel_start(8 * MIB);
    ck_assert(fake_panics(misuse[_i], NULL));
    ck_assert_ptr_nonnull(strstr(fake.console, "PANIC"));
    ck_assert_ptr_nonnull(strstr(fake.console, "core_mem.c"));
}
END_TEST

int main(void)
{
    Suite *all = suite_create("mem");
    TCase *memory = tcase_create("memory");
    SRunner *runner = srunner_create(all);
    int failed;

    tcase_set_timeout(memory, 60);
    tcase_add_test(memory, the_heap_keeps_what_it_is_given);
    tcase_add_test(memory, odd_sizes_are_defined);
    tcase_add_test(memory, exhaustion_is_null_and_ends);
    tcase_add_loop_test(memory, misuse_is_a_panic, 0, 3);
    suite_add_tcase(all, memory);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
