/* SPDX-License-Identifier: MIT */
/*
 * partitions.c: extended partitions and GUID partition tables, sound and not. (Plain MBRs and
 * superfloppies: ../fs/partition.c.)
 *
 *  1. Logical partitions are found in the order of their chain, from number 5 on, as far as it is
 *     sound: tables that loop, leave the extended partition or are none end it; a partition that
 *     leaves it or overlaps another one is passed over.
 *  2. A GPT is read if either of its copies is sound, the first one preferred; each byte of header
 *     and entries is covered by a checksum. An unsound copy is named in the log.
 *  3. An entry that overlaps another one or lies where none may be is passed over with a reason; up
 *     to 128 are found.
 *  4. What was found is in the table of devices, unless others are open; nothing else of that disk
 *     is.
 *  5. A table with a partition counts more than what looks like the boot sector of a file system.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "tables.h"

#include "block/partition.h"
#include "heap/heap.h"
#include "lib/bytes.h"

#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

#define SECTORS 20000u

static uint8_t *card;
static struct partition_table table;
static struct problem problem;

static uint8_t *at(uint64_t sector)
{
    return card + sector * TABLES_SECTOR;
}

static void start(uint64_t sectors)
{
    fake_kernel_start(4u << 20);
    fake.card = card;
    fake.card_sectors = sectors;
    fake.request_limit = 20000;
    ck_assert_int_eq(block_start(), 0);
}

static void build(void)
{
    card = calloc(SECTORS, TABLES_SECTOR);
    start(SECTORS);
}

static void unbuild(void)
{
    free(card);
}

static void scan(void)
{
    ck_assert_int_eq(partition_scan(block_card(), &table, &problem), 0);
    ck_assert_str_eq(problem.what, "");
}

static void scan_fails(const char *word)
{
    ck_assert_int_lt(partition_scan(block_card(), &table, &problem), 0);
    ck_assert_msg(strstr(problem.what, word) != NULL, "said: %s", problem.what);
}

static void expect(unsigned index, unsigned number, uint8_t type, uint64_t first, uint64_t sectors)
{
    const struct partition *entry = &table.entries[index];

    ck_assert_uint_lt(index, table.count);
    ck_assert_uint_eq(entry->number, number);
    ck_assert_uint_eq(entry->type, type);
    ck_assert_uint_eq(entry->device.first, first);
    ck_assert_uint_eq(entry->device.sectors, sectors);
}

/* ---- extended partitions ---- */

/* An MBR with a FAT32 partition and an extended one from 1000 on, and `n` logical ones in it. */
static void build_extended(unsigned n)
{
    mbr_set(at(0), 0, 0x0C, 100, 800);
    mbr_set(at(0), 1, 0x0F, 1000, 15000);
    for (unsigned i = 0; i < n; i++) {
        mbr_set(at(1000 + 100 * i), 0, 0x0C, 10, 50);
        if (i + 1 < n)
            mbr_set(at(1000 + 100 * i), 1, 0x05, 100 * (i + 1), 100);
    }
}

START_TEST(logical_partitions_are_numbered_from_five)
{
    build_extended(3);
    scan();
    ck_assert_uint_eq(table.count, 4);
    expect(0, 1, 0x0C, 100, 800);
    for (unsigned i = 0; i < 3; i++)
        expect(1 + i, 5 + i, 0x0C, 1010 + 100 * i, 50);
    ck_assert_str_eq(table.entries[3].device.name, "mmcblk0p7");
    ck_assert_ptr_nonnull(block_find("mmcblk0p7"));
    ck_assert_ptr_null(block_find("mmcblk0p2"));
}
END_TEST

START_TEST(a_chain_may_be_as_long_as_there_are_numbers)
{
    build_extended((unsigned)_i);
    scan();
    ck_assert_uint_eq(table.count, _i > 124 ? 125 : 1 + _i);
    ck_assert_uint_eq(table.entries[table.count - 1].number, _i > 124 ? 128 : 4 + _i);
}
END_TEST

START_TEST(a_chain_that_loops_ends)
{
    build_extended(4);
    mbr_set(at(1300), 1, 0x05, 100 * (uint32_t)_i, 100); /* back to table number _i */
    scan();
    ck_assert_uint_eq(table.count, 5);
}
END_TEST

START_TEST(a_chain_counts_as_far_as_it_is_sound)
{
    build_extended(4);
    switch (_i) {
    case 0: /* leaves the extended partition */
        mbr_set(at(1100), 1, 0x05, 15000, 100);
        break;
    case 1: /* is no table */
        put_le16(at(1200) + 510, 0);
        break;
    case 2: /* something else where the next table should be */
        mbr_set(at(1100), 1, 0x0C, 200, 100);
        break;
    default: /* far beyond the card */
        mbr_set(at(0), 1, 0x0F, 1000, 0xFFFFFFFF);
        mbr_set(at(1100), 1, 0x05, 0xFFFFFFF0, 100);
    }
    scan();
    ck_assert_uint_eq(table.count, 3);
}
END_TEST

START_TEST(a_logical_partition_that_cannot_be_is_passed_over)
{
    static const uint32_t places[][2] = {
        {0, 50},     /* where its table is */
        {10, 0},     /* nothing */
        {10, 15000}, /* beyond the extended partition */
        {0xFFFFFFFF, 1}, {10, 0xFFFFFFFF},
        {105, 20}, /* where the next one is: that one is passed over then */
    };

    build_extended(3);
    mbr_set(at(1000), 0, 0x0C, places[_i][0], places[_i][1]);
    scan();
    ck_assert_uint_eq(table.count, 3);
    ck_assert_uint_eq(table.entries[2].number, 7);
}
END_TEST

START_TEST(a_table_whose_first_slot_is_empty_takes_no_number)
{
    build_extended(4);
    mbr_set(at(1000 + 100 * (unsigned)_i), 0, 0x00, 0, 0);
    scan();
    ck_assert_uint_eq(table.count, 4);
    for (unsigned i = 0; i < 3; i++)
        expect(1 + i, 5 + i, 0x0C, 1010 + 100 * (i + (i >= (unsigned)_i)), 50);
}
END_TEST

START_TEST(an_extended_partition_is_one_and_on_the_card)
{
    build_extended(2);
    mbr_set(at(0), 2, 0x05, 17000, 100);
    mbr_set(at(17000), 0, 0x0C, 10, 10);
    scan();
    ck_assert_uint_eq(table.count, 3);
    mbr_set(at(0), 1, 0x0F, SECTORS, 10);
    mbr_set(at(0), 2, 0x00, 0, 0);
    scan();
    ck_assert_uint_eq(table.count, 1);
    mbr_set(at(0), 0, 0x00, 0, 0);
    scan_fails("not on the card");
    mbr_set(at(0), 1, 0x0F, 18000, 10);
    scan_fails("extended");
    fake.card_error = -EIO;
    scan_fails("cannot be read");
}
END_TEST

/* ---- GPT ---- */

static void seal(void)
{
    memcpy(at(SECTORS - 33), at(2), 128 * 128);
    gpt_header(at(1), 1, SECTORS - 1, 2, SECTORS);
    gpt_header(at(SECTORS - 1), SECTORS - 1, 1, SECTORS - 33, SECTORS);
    gpt_seal(at(1), at(2), 128 * 128);
    gpt_seal(at(SECTORS - 1), at(2), 128 * 128);
}

static void build_gpt(void)
{
    memset(at(0), 0, TABLES_SECTOR);
    mbr_set(at(0), 0, 0xEE, 1, SECTORS - 1);
    gpt_set(at(2), 0, 0x0C, 100, 199);
    gpt_set(at(2), 2, 0xEF, 200, 299);
    gpt_set(at(2), 127, 0x77, SECTORS - 100, SECTORS - 34);
    seal();
}

static void expect_gpt(void)
{
    scan();
    ck_assert_uint_eq(table.count, 3);
    expect(0, 1, 0x0C, 100, 100);
    expect(1, 3, 0xEF, 200, 100);
    expect(2, 128, 0xFF, SECTORS - 100, 67);
}

START_TEST(a_gpt_is_read)
{
    build_gpt();
    expect_gpt();
    ck_assert_ptr_null(strstr(fake.console, "GPT"));
    ck_assert_str_eq(block_find("mmcblk0p128")->name, "mmcblk0p128");
}
END_TEST

START_TEST(either_copy_will_do)
{
    build_gpt();
    memset(at(_i ? 1 : SECTORS - 1), 0, TABLES_SECTOR);
    expect_gpt();
    memset(at(_i ? SECTORS - 1 : 1), 0, TABLES_SECTOR);
    scan_fails("GPT");
    build_gpt();
    at(_i ? 5 : SECTORS - 20)[17] ^= 4; /* an entry */
    expect_gpt();
    at(_i ? SECTORS - 20 : 5)[17] ^= 4;
    scan_fails("damaged entries");
}
END_TEST

START_TEST(each_byte_of_a_copy_counts)
{
    for (unsigned byte = 0; byte < 92; byte++) {
        build_gpt();
        memset(at(SECTORS - 1), 0, TABLES_SECTOR);
        at(1)[byte] ^= 1;
        scan_fails("GPT");
    }
    for (unsigned byte = 0; byte < 128 * 128; byte += 61) {
        build_gpt();
        memset(at(SECTORS - 1), 0, TABLES_SECTOR);
        at(2)[byte] ^= 0x80;
        scan_fails("GPT");
    }
}
END_TEST

/* Fields that cannot be, with checksums that are right. */
START_TEST(a_sealed_header_is_not_believed_either)
{
    static const struct {
        unsigned offset, bytes;
        uint64_t value;
    } fields[] = {
        {8, 4, 0},
        {12, 4, 91},
        {12, 4, 513},
        {24, 8, 2},
        {40, 8, SECTORS},
        {40, 8, 1},
        {72, 8, 0},
        {72, 8, 1},
        {72, 8, SECTORS},
        {72, 8, UINT64_MAX},
        {72, 8, SECTORS - 31},
        {80, 4, 0},
        {80, 4, 100000},
        {80, 4, UINT32_MAX},
        {84, 4, 64},
        {84, 4, 100},
        {84, 4, 1024},
        {84, 4, UINT32_MAX},
        {84, 4, 0},
        {48, 8, 30},
    };
    uint8_t *header = at(1);

    build_gpt();
    memset(at(SECTORS - 1), 0, TABLES_SECTOR);
    if (fields[_i].bytes == 8)
        put_le64(header + fields[_i].offset, fields[_i].value);
    else
        put_le32(header + fields[_i].offset, (uint32_t)fields[_i].value);
    gpt_seal(header, at(2), 128 * 128);
    scan_fails("GPT");
}
END_TEST

START_TEST(an_entry_that_cannot_be_is_passed_over)
{
    static const uint64_t places[][2] = {
        {150, 250},
        {100, 199},
        {33, 50},
        {0, 0},
        {300, 299},
        {300, SECTORS - 33},
        {300, UINT64_MAX},
        {UINT64_MAX, UINT64_MAX},
        {SECTORS - 34, SECTORS - 34},
    };

    build_gpt();
    gpt_set(at(2), 50, 0x0C, places[_i][0], places[_i][1]);
    seal();
    scan();
    ck_assert_uint_eq(table.count, 3);
    if (_i < 8)
        expect(2, 128, 0xFF, SECTORS - 100, 67);
    else /* comes before number 128, so that one overlaps */
        expect(2, 51, 0x0C, SECTORS - 34, 1);
}
END_TEST

START_TEST(a_card_that_was_cut_short_has_what_is_left)
{
    build_gpt();
    start(SECTORS - 50);
    scan();
    ck_assert_uint_eq(table.count, 2);
    memset(at(2), 0, 128 * 128);
    gpt_set(at(2), 0, 0x0C, SECTORS - 100, SECTORS - 40);
    seal();
    scan_fails("cut short");
}
END_TEST

START_TEST(a_gpt_of_many_small_or_large_entries)
{
    build_gpt();
    memset(at(2), 0, 128 * 128);
    for (unsigned i = 0; i < 128; i++)
        gpt_set(at(2), i, 0x0C, 40 + 2 * i, 41 + 2 * i);
    seal();
    scan();
    ck_assert_uint_eq(table.count, 128);
    for (unsigned i = 0; i < 32; i++) { /* entries of 512 bytes: each takes a sector */
        memset(at(2 + i), 0, TABLES_SECTOR);
        gpt_set(at(2 + i), 0, 0x0C, 40 + 2 * i, 41 + 2 * i);
    }
    put_le32(at(1) + 80, 32);
    put_le32(at(1) + 84, 512);
    gpt_seal(at(1), at(2), 32 * 512);
    scan();
    ck_assert_uint_eq(table.count, 32);
    expect(31, 32, 0x0C, 102, 2);
}
END_TEST

START_TEST(what_is_open_is_not_changed)
{
    const struct block_device *device;

    build_gpt();
    scan();
    ck_assert_int_eq(block_open("mmcblk0p3", &device), 0);
    gpt_set(at(2), 2, 0x0C, 300, 399);
    seal();
    scan();
    ck_assert_uint_eq(device->first, 200);
    ck_assert_uint_eq(block_find("mmcblk0p3")->first, 200);
    block_close(device);
    scan();
    ck_assert_uint_eq(block_find("mmcblk0p3")->first, 300);
    memset(at(2), 0, 128 * 128);
    gpt_set(at(2), 0, 0x0C, 100, 199);
    seal();
    scan();
    ck_assert_ptr_null(block_find("mmcblk0p3"));
}
END_TEST

/* As tools leave sector 0 if a file system had all of the card before. */
static void add_boot_sector(void)
{
    static const uint8_t boot[] = {0xEB, 0x58, 0x90, 'm', 'k', 'f', 's', '.', 'f', 'a', 't',
                                   0,    2,    1,    32,  0,   2,   0,   0,   0,   0,   0xF8};

    memcpy(at(0), boot, sizeof(boot));
}

START_TEST(a_table_counts_more_than_what_was_there_before)
{
    build_extended(1);
    add_boot_sector();
    scan();
    ck_assert_uint_eq(table.count, 2);
    expect(0, 1, 0x0C, 100, 800);
    build_gpt();
    add_boot_sector();
    expect_gpt();
}
END_TEST

/* Boot code, or a table that says "all of it", as mkfs.fat --mbr writes one. */
START_TEST(a_boot_sector_without_a_partition_is_one_volume)
{
    mbr_set(at(0), 0, 0x0C, _i == 1 ? 0 : _i == 2 ? SECTORS : 100, _i == 3 ? 0 : 800);
    add_boot_sector();
    if (_i == 0)
        at(0)[446 + 16 * 3] = 'R';
    if (_i == 4)
        put_le16(at(0) + 510, 0);
    scan();
    ck_assert_uint_eq(table.count, 1);
    expect(0, 0, 0x0C, 0, SECTORS);
}
END_TEST

START_TEST(what_was_on_the_last_card_is_forgotten)
{
    build_extended(2);
    scan();
    ck_assert_ptr_nonnull(block_find("mmcblk0p6"));
    if (_i)
        fake.card_error = -EIO;
    else
        memset(at(0), 0, TABLES_SECTOR);
    scan_fails(_i ? "cannot be read" : "neither");
    ck_assert_ptr_null(block_find("mmcblk0p1"));
    ck_assert_ptr_null(block_find("mmcblk0p6"));
}
END_TEST

START_TEST(a_partition_has_none_itself)
{
    const struct block_device *device;

    build_extended(2);
    mbr_set(at(100), 1, 0x0C, 10, 20);
    mbr_set(at(0), 2, 0x0C, 17000, 10);
    scan();
    ck_assert_int_eq(block_open("mmcblk0p1", &device), 0);
    ck_assert_int_eq(partition_scan(device, &table, &problem), -EINVAL);
    ck_assert_str_eq(problem.what, "mmcblk0p1 is a partition itself.");
    block_close(device);
    ck_assert_ptr_nonnull(block_find("mmcblk0p3"));
    ck_assert_ptr_null(block_find("mmcblk0p1p2"));
}
END_TEST

START_TEST(without_memory_nothing_is_known)
{
    build_gpt();
    while (kmalloc(256) != NULL)
        continue;
    ck_assert_int_eq(partition_scan(block_card(), &table, &problem), -ENOMEM);
    ck_assert_ptr_nonnull(strstr(problem.what, "Out of memory"));
}
END_TEST

Suite *partitions_suite(void)
{
    Suite *suite = suite_create("partitions");
    TCase *tests = tcase_create("tables");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, logical_partitions_are_numbered_from_five);
    tcase_add_loop_test(tests, a_chain_may_be_as_long_as_there_are_numbers, 122, 127);
    tcase_add_loop_test(tests, a_chain_that_loops_ends, 0, 4);
    tcase_add_loop_test(tests, a_chain_counts_as_far_as_it_is_sound, 0, 4);
    tcase_add_loop_test(tests, a_logical_partition_that_cannot_be_is_passed_over, 0, 6);
    tcase_add_loop_test(tests, a_table_whose_first_slot_is_empty_takes_no_number, 0, 4);
    tcase_add_test(tests, an_extended_partition_is_one_and_on_the_card);
    tcase_add_test(tests, a_gpt_is_read);
    tcase_add_loop_test(tests, either_copy_will_do, 0, 2);
    tcase_add_test(tests, each_byte_of_a_copy_counts);
    tcase_add_loop_test(tests, a_sealed_header_is_not_believed_either, 0, 20);
    tcase_add_loop_test(tests, an_entry_that_cannot_be_is_passed_over, 0, 9);
    tcase_add_test(tests, a_card_that_was_cut_short_has_what_is_left);
    tcase_add_test(tests, a_gpt_of_many_small_or_large_entries);
    tcase_add_test(tests, what_is_open_is_not_changed);
    tcase_add_test(tests, a_table_counts_more_than_what_was_there_before);
    tcase_add_loop_test(tests, a_boot_sector_without_a_partition_is_one_volume, 0, 5);
    tcase_add_loop_test(tests, what_was_on_the_last_card_is_forgotten, 0, 2);
    tcase_add_test(tests, a_partition_has_none_itself);
    tcase_add_test(tests, without_memory_nothing_is_known);
    suite_add_tcase(suite, tests);
    return suite;
}
