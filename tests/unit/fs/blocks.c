/* SPDX-License-Identifier: MIT */
/*
 * blocks.c: transfers of any length to and from a card.
 *
 * 1. A read of any length at any alignment gives the sectors, and touches nothing else.
 * 2. A long read is cut into requests of at most HAL_BLOCK_SECTORS.
 * 3. What lies outside the device is -EINVAL, also where the sum would overflow.
 * 4. The first error of a transfer is what it returns, and the next transfer works again.
 * 5. A write puts its sectors where they belong and nothing elsewhere; a flush reaches the card.
 * 6. Without a card everything is -ENOMEDIUM; without memory an unaligned read is -ENOMEM.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "image.h"

#include "block/block.h"
#include "heap/heap.h"

#include <hal/errno.h>
#include <hal/machine.h>

#include <stdlib.h>
#include <string.h>

#define SECTORS 6000u

static uint8_t *card;

static void build(void)
{
    card = malloc((size_t)SECTORS * HAL_SECTOR_SIZE);
    for (size_t i = 0; i < (size_t)SECTORS * HAL_SECTOR_SIZE; i++)
        card[i] = image_pattern(i);
    fake_kernel_start(8u << 20);
    fake.card = card;
    fake.card_sectors = SECTORS;
    ck_assert_int_eq(block_start(), 0);
}

static void unbuild(void)
{
    free(card);
}

START_TEST(any_length_at_any_alignment_reads_right)
{
    static const size_t lengths[] = {0, 1, 2, 63, 64, 65, 129, 2047, 2048, 2049, 5000};
    size_t length = lengths[_i], bytes = length * HAL_SECTOR_SIZE;

    for (unsigned shift = 0; shift <= HAL_BLOCK_ALIGN; shift++) {
        uint8_t *memory = aligned_alloc(64, (bytes + 64 + 63) / 64 * 64 + 64);

        memset(memory, 0x5A, bytes + 64);
        ck_assert_int_eq(block_read(block_card(), 100, memory + shift, length), 0);
        ck_assert_int_eq(memcmp(memory + shift, card + 100 * HAL_SECTOR_SIZE, bytes), 0);
        ck_assert_int_eq(memory[shift + bytes], 0x5A);
        ck_assert(shift == 0 || memory[shift - 1] == 0x5A);
        free(memory);
    }
}
END_TEST

START_TEST(a_long_read_is_cut_into_requests)
{
    uint8_t *memory = aligned_alloc(64, (size_t)SECTORS * HAL_SECTOR_SIZE);
    struct block_stats stats;

    ck_assert_int_eq(block_read(block_card(), 0, memory, SECTORS), 0);
    block_read_stats(&stats);
    ck_assert_uint_eq(stats.reads, (SECTORS + HAL_BLOCK_SECTORS - 1) / HAL_BLOCK_SECTORS);
    ck_assert_uint_eq(stats.sectors_read, SECTORS);
    ck_assert_uint_eq(stats.errors, 0);
    ck_assert_uint_eq(stats.sleeps, 0);
    free(memory);
}
END_TEST

START_TEST(outside_the_device_is_refused)
{
    uint8_t memory[2 * HAL_SECTOR_SIZE] __attribute__((aligned(64)));
    struct block_device part;
    uint64_t before = fake.requests;

    ck_assert_int_eq(block_read(block_card(), SECTORS, memory, 1), -EINVAL);
    ck_assert_int_eq(block_read(block_card(), SECTORS - 1, memory, 2), -EINVAL);
    ck_assert_int_eq(block_read(block_card(), UINT64_MAX, memory, 2), -EINVAL);
    ck_assert_int_eq(block_read(block_card(), 1, memory, SIZE_MAX), -EINVAL);
    ck_assert_int_eq(block_slice(block_card(), 1, 10, SECTORS - 9, &part), -EINVAL);
    ck_assert_int_eq(block_slice(block_card(), 1, UINT64_MAX, 2, &part), -EINVAL);
    ck_assert_int_eq(block_slice(block_card(), 1, 10, 5, &part), 0);
    ck_assert_int_eq(block_read(&part, 5, memory, 1), -EINVAL);
    ck_assert_int_eq(block_read(&part, 4, memory, 2), -EINVAL);
    ck_assert_uint_eq(fake.requests, before);
    ck_assert_int_eq(block_read(&part, 4, memory, 1), 0);
    ck_assert_int_eq(memcmp(memory, card + 14 * HAL_SECTOR_SIZE, HAL_SECTOR_SIZE), 0);
}
END_TEST

START_TEST(an_error_is_returned_and_not_kept)
{
    static const int errors[] = {-EIO, -ETIMEDOUT, -ENOMEDIUM};
    uint8_t *memory = aligned_alloc(64, (size_t)SECTORS * HAL_SECTOR_SIZE);
    struct block_stats stats;

    fake.card_error = errors[_i];
    ck_assert_int_eq(block_read(block_card(), 0, memory, SECTORS), errors[_i]);
    ck_assert_int_eq(block_read(block_card(), 0, memory + 1, 2), errors[_i]);
    block_read_stats(&stats);
    ck_assert_uint_ge(stats.errors, 2);
    fake.card_error = 0;
    /* All requests are back in the pool: far more transfers than it has requests. */
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(block_read(block_card(), i, memory, 1), 0);
    free(memory);
}
END_TEST

START_TEST(a_refused_submission_leaves_the_pool_whole)
{
    uint8_t memory[HAL_SECTOR_SIZE] __attribute__((aligned(64)));

    /* The backend refuses sectors that block_start was told the card has. */
    fake.card_sectors = 10;
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(block_read(block_card(), 20, memory, 1), -EINVAL);
    ck_assert_int_eq(block_read(block_card(), 5, memory, 1), 0);
}
END_TEST

START_TEST(without_a_card_nothing_is_read)
{
    struct block_device nowhere = {.sectors = 10};
    uint8_t memory[HAL_SECTOR_SIZE];
    struct block_stats stats;

    fake_kernel_start(4u << 20);
    ck_assert_ptr_null(block_card());
    ck_assert_str_eq(block_description(), "");
    block_interrupt();
    block_read_stats(&stats);
    ck_assert_uint_eq(stats.reads, 0);
    ck_assert_int_eq(block_read(&nowhere, 0, memory, 1), -ENOMEDIUM);
    ck_assert_int_eq(block_write(&nowhere, 0, memory, 1), -ENOMEDIUM);
    ck_assert_int_eq(block_flush(&nowhere), -ENOMEDIUM);
    ck_assert_int_eq(block_start(), -ENOMEDIUM);
    ck_assert_ptr_null(block_card());
}
END_TEST

START_TEST(an_unaligned_read_without_memory_fails_alone)
{
    uint8_t *memory = aligned_alloc(64, 65 * HAL_SECTOR_SIZE + 64);
    void *hoard;

    while ((hoard = kmalloc(4096)) != NULL)
        continue;
    ck_assert_int_eq(block_read(block_card(), 0, memory + 1, 65), -ENOMEM);
    ck_assert_int_eq(block_read(block_card(), 0, memory, 65), 0);
    free(memory);
}
END_TEST

START_TEST(a_read_only_device_is_not_written)
{
    struct block_device device = *block_card();
    uint8_t memory[HAL_SECTOR_SIZE] __attribute__((aligned(64))) = {0};

    device.read_only = true;
    ck_assert_int_eq(block_write(&device, 0, memory, 1), -EROFS);
    ck_assert_int_eq(block_flush(&device), 0);
}
END_TEST

START_TEST(a_write_of_any_length_at_any_alignment_lands_right)
{
    static const size_t lengths[] = {0, 1, 2, 65, 2048, 2049, 5000};
    size_t bytes = lengths[_i] * HAL_SECTOR_SIZE;
    uint8_t *memory = aligned_alloc(64, (bytes + 64 + 63) / 64 * 64 + 64);
    uint8_t *before = malloc((size_t)SECTORS * HAL_SECTOR_SIZE);

    memcpy(before, card, (size_t)SECTORS * HAL_SECTOR_SIZE);
    fake.card_store = card;
    for (unsigned shift = 0; shift <= HAL_BLOCK_ALIGN; shift++) {
        memset(memory, (int)(0x10 + shift), bytes + 64);
        ck_assert_int_eq(block_write(block_card(), 100, memory + shift, lengths[_i]), 0);
        memset(before + 100 * HAL_SECTOR_SIZE, (int)(0x10 + shift), bytes);
        ck_assert_int_eq(memcmp(card, before, (size_t)SECTORS * HAL_SECTOR_SIZE), 0);
    }
    ck_assert_int_eq(block_write(block_card(), SECTORS - 1, memory, 2), -EINVAL);
    free(memory);
    free(before);
}
END_TEST

START_TEST(a_flush_reaches_the_card)
{
    struct block_stats stats;

    ck_assert_int_eq(block_flush(block_card()), -EROFS);
    fake.card_store = card;
    ck_assert_int_eq(block_flush(block_card()), 0);
    ck_assert_uint_eq(fake.flushes, 1);
    block_read_stats(&stats);
    ck_assert_uint_eq(stats.flushes, 1);
    fake.card_error = -EIO;
    ck_assert_int_eq(block_flush(block_card()), -EIO);
}
END_TEST

Suite *block_suite(void)
{
    Suite *suite = suite_create("block");
    TCase *tests = tcase_create("transfers");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, any_length_at_any_alignment_reads_right, 0, 11);
    tcase_add_test(tests, a_long_read_is_cut_into_requests);
    tcase_add_test(tests, outside_the_device_is_refused);
    tcase_add_loop_test(tests, an_error_is_returned_and_not_kept, 0, 3);
    tcase_add_test(tests, a_refused_submission_leaves_the_pool_whole);
    tcase_add_test(tests, without_a_card_nothing_is_read);
    tcase_add_test(tests, an_unaligned_read_without_memory_fails_alone);
    tcase_add_test(tests, a_read_only_device_is_not_written);
    tcase_add_loop_test(tests, a_write_of_any_length_at_any_alignment_lands_right, 0, 7);
    tcase_add_test(tests, a_flush_reaches_the_card);
    suite_add_tcase(suite, tests);
    return suite;
}
