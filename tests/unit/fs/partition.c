/* SPDX-License-Identifier: MIT */
/*
 * partition.c: which part of a card holds the file system.
 *
 * 1. The partition is found in any slot, among others, and with each of the types of FAT32.
 * 2. A card that is all one volume needs no table.
 * 3. A slot that cannot be right is passed over with a reason; nothing reaches past the card.
 * 4. What cannot be read (no sound GPT, an extended partition without a chain, no table, no card,
 *    no sectors) is refused by name.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "image.h"

#include "block/partition.h"

#include <hal/errno.h>

#include <string.h>

static struct image image;

static void build(void)
{
    image_build(&image, 100);
}

static void unbuild(void)
{
    image_free(&image);
}

static uint8_t *slot(unsigned index)
{
    return image.bytes + 446 + 16 * index;
}

static void set_slot(unsigned index, uint8_t type, uint32_t first, uint32_t sectors)
{
    uint8_t raw[16] = {[4] = type};

    for (unsigned i = 0; i < 4; i++) {
        raw[8 + i] = (uint8_t)(first >> 8 * i);
        raw[12 + i] = (uint8_t)(sectors >> 8 * i);
    }
    memcpy(slot(index), raw, 16);
}

static void expect_refusal(const char *word)
{
    ck_assert_int_lt(image_mount(&image), 0);
    ck_assert_msg(strstr(vfs_mount_problem(), word) != NULL, "said: %s", vfs_mount_problem());
}

START_TEST(the_partition_may_be_in_any_slot)
{
    char device[] = "mmcblk0p1";
    uint8_t raw[16];

    memcpy(raw, slot(0), 16);
    memset(slot(0), 0, 16);
    memcpy(slot((unsigned)_i), raw, 16);
    device[8] = (char)('1' + _i);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_str_eq(vfs_mount_device(), device);
    vfs_unmount_root();
}
END_TEST

START_TEST(each_type_of_fat32_is_known)
{
    static const uint8_t types[] = {0x0B, 0x0C, 0x0E, 0x1B, 0x1C};

    slot(0)[4] = types[_i];
    ck_assert_int_eq(image_mount(&image), 0);
    vfs_unmount_root();
}
END_TEST

START_TEST(the_first_that_mounts_is_taken)
{
    memcpy(slot(2), slot(0), 16);
    set_slot(0, 0x83, 1, 2);
    set_slot(1, 0x0C, 1, 3);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_str_eq(vfs_mount_device(), "mmcblk0p3");
    vfs_unmount_root();
}
END_TEST

START_TEST(a_card_without_a_table_is_one_volume)
{
    memmove(image.bytes, image_boot(&image), image.size - IMAGE_PART * IMAGE_SECTOR);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_str_eq(vfs_mount_device(), "mmcblk0");
    vfs_unmount_root();
}
END_TEST

START_TEST(a_slot_that_leaves_the_card_is_refused)
{
    static const uint32_t extremes[][2] = {
        {0, 50}, {4, 0}, {4, 0xFFFFFFFF}, {0xFFFFFFFF, 0xFFFFFFFF}, {0xFFFFFFFF, 1}, {114, 1},
    };

    set_slot(0, 0x0C, extremes[_i][0], extremes[_i][1]);
    expect_refusal(_i == 0 ? "where the partition table is" : _i == 1 ? "0 sectors" : "cut short");
}
END_TEST

START_TEST(a_partition_may_end_with_the_card_and_no_later)
{
    static struct partition_table table;
    struct problem problem;

    fake_kernel_start(8u << 20);
    fake.card = image.bytes;
    fake.card_sectors = 1000;
    ck_assert_int_eq(block_start(), 0);
    set_slot(0, 0x0C, 999, 1);
    ck_assert_int_eq(partition_scan(block_card(), &table, &problem), 0);
    ck_assert_uint_eq(table.entries[0].device.first, 999);
    set_slot(0, 0x0C, 999, 2);
    ck_assert_int_eq(partition_scan(block_card(), &table, &problem), -EINVAL);
}
END_TEST

START_TEST(a_sound_slot_counts_beside_a_damaged_one)
{
    set_slot(1, 0x0C, 0, 0);
    set_slot(2, 0x05, 2, 100);
    ck_assert_int_eq(image_mount(&image), 0);
    vfs_unmount_root();
}
END_TEST

START_TEST(what_is_no_table_of_ours_is_called_by_its_name)
{
    static const char *const words[] = {"GPT", "extended", "neither", "empty", "0x83", "boot flag"};

    switch (_i) {
    case 0:
        set_slot(0, 0xEE, 1, 0xFFFFFFFF);
        break;
    case 1:
        set_slot(0, 0x0F, 2, 10);
        break;
    case 2:
        image.bytes[510] = 0;
        break;
    case 3:
        memset(slot(0), 0, 16);
        break;
    case 4:
        slot(0)[4] = 0x83;
        break;
    default:
        slot(3)[0] = 0x42;
    }
    expect_refusal(words[_i]);
}
END_TEST

START_TEST(no_card_and_an_empty_card_are_told_apart)
{
    fake_kernel_start(8u << 20);
    ck_assert_int_eq(vfs_mount_root(), -ENOMEDIUM);
    ck_assert_ptr_nonnull(strstr(vfs_mount_problem(), "There is no card"));
    fake.card = image.bytes;
    ck_assert_int_eq(vfs_mount_root(), -EINVAL);
    ck_assert_ptr_nonnull(strstr(vfs_mount_problem(), "not a single sector"));
    fake.card_sectors = image.size / IMAGE_SECTOR;
    fake.card_error = -EIO;
    ck_assert_int_eq(vfs_mount_root(), -EIO);
    ck_assert_ptr_nonnull(strstr(vfs_mount_problem(), "cannot be read"));
}
END_TEST

START_TEST(any_byte_in_the_table_leads_to_a_volume_or_a_reason)
{
    for (unsigned at = 440; at < 512; at++) {
        uint8_t old = image.bytes[at];

        for (unsigned value = 0; value < 256; value += 51) {
            image.bytes[at] = (uint8_t)value;
            if (image_mount(&image) == 0)
                vfs_unmount_root();
            else
                ck_assert(vfs_mount_problem()[0] != '\0');
        }
        image.bytes[at] = old;
    }
}
END_TEST

Suite *partition_suite(void)
{
    Suite *suite = suite_create("partition");
    TCase *tests = tcase_create("table");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, the_partition_may_be_in_any_slot, 0, 4);
    tcase_add_loop_test(tests, each_type_of_fat32_is_known, 0, 5);
    tcase_add_test(tests, the_first_that_mounts_is_taken);
    tcase_add_test(tests, a_card_without_a_table_is_one_volume);
    tcase_add_loop_test(tests, a_slot_that_leaves_the_card_is_refused, 0, 6);
    tcase_add_test(tests, a_partition_may_end_with_the_card_and_no_later);
    tcase_add_test(tests, a_sound_slot_counts_beside_a_damaged_one);
    tcase_add_loop_test(tests, what_is_no_table_of_ours_is_called_by_its_name, 0, 6);
    tcase_add_test(tests, no_card_and_an_empty_card_are_told_apart);
    tcase_add_test(tests, any_byte_in_the_table_leads_to_a_volume_or_a_reason);
    suite_add_tcase(suite, tests);
    return suite;
}
