/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. The memory map is tags AND machine less what is in use, sorted, apart, in whole pages, as a
 * plain model finds it.
 *  2. Ranges that cannot be true are named in the log; a map comes out all the same.
 */
#include "boot/tags/tags.h"
#include "fake_hal.h"
#include "lib/log.h"
#include "mem/memory.h"

#include <hal/machine.h>

#include "../../marks.h"
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)

static struct boot_info info;
static struct memory_map map;

static void assert_range(const struct hal_range *range, uint64_t start, uint64_t bytes)
{
    ck_assert_msg(range->start == start && range->bytes == bytes, "0x%llx bytes at 0x%llx",
                  (unsigned long long)range->bytes, (unsigned long long)range->start);
}

/* A board with `bytes` of RAM, of which the tags say nothing yet. */
static void start_board(uint64_t bytes)
{
    fake_hal_reset(0);
    klog_init();
    memset(&info, 0, sizeof info);
    fake.ranges[0] = (struct hal_range){0, bytes};
    fake.range_count = 1;
}

static void add_ram(uint64_t start, uint64_t bytes)
{
    info.ram[info.ram_count++] = (struct hal_range){start, bytes};
}

static void add_reserved(uint64_t start, uint64_t bytes)
{
    info.reserved[info.reserved_count++] = (struct hal_range){start, bytes};
}

START_TEST(the_map_is_tags_and_machine_less_reserved)
{
    start_board(16 * MIB);
    fake.reserved[0] = (struct hal_range){0, 0x80001};
    fake.reserved[1] = (struct hal_range){4 * MIB, MIB};
    fake.reserved_count = 2;
    add_ram(8 * MIB, UINT64_MAX);
    add_ram(0, 6 * MIB + 1);
    add_ram(2 * MIB, 2 * MIB);
    add_reserved(10 * MIB, 1);
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.count, 4);
    assert_range(&map.ranges[0], 0x81000, 4 * MIB - 0x81000);
    assert_range(&map.ranges[1], 5 * MIB, MIB);
    assert_range(&map.ranges[2], 8 * MIB, 2 * MIB);
    assert_range(&map.ranges[3], 10 * MIB + 4096, 6 * MIB - 4096);
}
END_TEST

START_TEST(without_tags_the_map_is_what_the_machine_has)
{
    start_board(0);
    fake.ranges[0] = (struct hal_range){4 * MIB, 4 * MIB};
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.count, 1);
    assert_range(&map.ranges[0], 4 * MIB, 4 * MIB);
    ck_assert(memory_is_ram(4 * MIB, 4 * MIB) && !memory_is_ram(4 * MIB, 4 * MIB + 1));
    ck_assert(!memory_is_ram(0, 1) && !memory_is_ram(UINT64_MAX, 2));
}
END_TEST

START_TEST(the_tags_themselves_are_kept)
{
    start_board(16 * MIB);
    fake.tags_at = 8 * MIB + 100;
    fake.tags_bytes = MIB;
    info.bytes = 5000;
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.count, 2);
    assert_range(&map.ranges[0], 0, 8 * MIB);
    assert_range(&map.ranges[1], 8 * MIB + 8192, 8 * MIB - 8192);
}
END_TEST

START_TEST(ranges_that_meet_inside_a_page_lose_nothing)
{
    start_board(16 * MIB);
    add_ram(0, 0x1800);
    add_ram(0x1800, 0x2800);
    add_reserved(0x2400, 0x200);
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.count, 2);
    assert_range(&map.ranges[0], 0, 0x2000);
    assert_range(&map.ranges[1], 0x3000, 0x1000);
    ck_assert_uint_eq(map.flaws, 0);
}
END_TEST

static const struct {
    uint64_t start, bytes;
    bool reserved;
    const char *sentence;
} lies[] = {
    {4096, 0, false, "a range without any bytes, left out: 0x0 bytes at 0x1000"},
    {64 * MIB, 4096, false, "the board has no such memory, left out"},
    {UINT64_MAX, UINT64_MAX, false, "the board has no such memory, left out"},
    {8 * MIB, UINT64_MAX, false, "a range past the last address, cut"},
    {15 * MIB, 2 * MIB, false, "the board has not all of this memory, the rest was used"},
    {MIB, 4096, false, "a range that overlaps others, joined with them"},
    {MIB, 0, true, "a reserved range without any bytes, left out"},
    {MIB, UINT64_MAX, true, "a reserved range past the last address, cut"},
};

START_TEST(a_range_that_cannot_be_true_is_named)
{
    start_board(16 * MIB);
    add_ram(0, 4 * MIB);
    (lies[_i].reserved ? add_reserved : add_ram)(lies[_i].start, lies[_i].bytes);
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.flaws, 1);
    ck_assert_msg(strstr(fake.console, lies[_i].sentence) != NULL, "%s", fake.console);
    ck_assert_uint_ge(map.count, 1);
    ck_assert_uint_eq(map.ranges[0].start, 0);
}
END_TEST

START_TEST(tags_without_a_true_range_leave_what_the_board_has)
{
    start_board(16 * MIB);
    add_ram(64 * MIB, MIB);
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.count, 1);
    assert_range(&map.ranges[0], 0, 16 * MIB);
    ck_assert_ptr_nonnull(strstr(fake.console, "none of what the boot tags list"));
}
END_TEST

START_TEST(tags_that_reserve_everything_leave_an_empty_map)
{
    start_board(16 * MIB);
    add_ram(0, 16 * MIB);
    add_reserved(0, UINT64_MAX);
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.count, 0);
}
END_TEST

START_TEST(many_lies_are_counted)
{
    unsigned lines = 0;

    start_board(16 * MIB);
    for (unsigned i = 0; i < 64; i++)
        add_ram(UINT64_MAX - i, i);
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.flaws, 64);
    for (const char *at = fake.console; (at = strstr(at, "memory: ")) != NULL; at++)
        lines++;
    ck_assert_uint_eq(lines, 10);
    ck_assert_ptr_nonnull(strstr(fake.console, "and 56 more such ranges"));
    ck_assert_uint_eq(map.count, 1);
}
END_TEST

START_TEST(the_most_ranges_that_tags_can_make_fit)
{
    start_board(64 * MIB);
    fake.reserved[0] = (struct hal_range){32 * MIB + 0x3000, 0x1000};
    fake.reserved_count = 1;
    for (uint64_t i = 0; i < 64; i++) {
        add_ram(i * MIB, MIB - 4096);
        add_reserved(i * MIB + 0x10000, 4096);
    }
    memory_map_build(&info, &map);
    ck_assert_uint_eq(map.count, 129);
    ck_assert_uint_eq(map.flaws, 0);
}
END_TEST

/* ---- against a model ---- */

#define UNIT 1024u
#define UNITS 256u

/* Sets what [start, start + bytes) covers; ends that are no multiples of UNIT count in full. */
static void mark(uint8_t *units, const struct hal_range *range, uint8_t value)
{
    for (uint64_t i = 0; i < UNITS; i++)
        if (i * UNIT >= range->start && i * UNIT - range->start < range->bytes)
            units[i] = value;
}

static struct hal_range random_range(void)
{
    struct hal_range range = {(uint64_t)(rand() % (int)UNITS) * UNIT,
                              (uint64_t)(rand() % 64) * UNIT};

    if (rand() % 16 == 0)
        range.bytes = UINT64_MAX - (uint64_t)(rand() % 4) * UNIT;
    return range;
}

/* What is usable, unit by unit. */
static void build_model(uint8_t *units)
{
    memset(units, 0, UNITS);
    for (unsigned i = 0; i < info.ram_count; i++)
        mark(units, &info.ram[i], 1);
    if (!memchr(units, 1, UNITS))
        memset(units, 1, UNITS);
    for (unsigned i = 0; i < info.reserved_count; i++)
        mark(units, &info.reserved[i], 0);
}

static bool model_page(const uint8_t *units, uint64_t page)
{
    for (unsigned i = 0; i < HAL_PAGE_SIZE / UNIT; i++)
        if (!units[page * (HAL_PAGE_SIZE / UNIT) + i])
            return false;
    return true;
}

static bool map_page(uint64_t page)
{
    for (unsigned i = 0; i < map.count; i++)
        if (page * HAL_PAGE_SIZE >= map.ranges[i].start &&
            page * HAL_PAGE_SIZE - map.ranges[i].start < map.ranges[i].bytes)
            return true;
    return false;
}

static void check_map_order(void)
{
    for (unsigned i = 0; i < map.count; i++) {
        ck_assert_uint_gt(map.ranges[i].bytes, 0);
        ck_assert_uint_eq(map.ranges[i].start % HAL_PAGE_SIZE, 0);
        ck_assert_uint_eq(map.ranges[i].bytes % HAL_PAGE_SIZE, 0);
        if (i > 0)
            ck_assert_uint_lt(map.ranges[i - 1].start + map.ranges[i - 1].bytes,
                              map.ranges[i].start);
    }
}

START_TEST(the_map_is_what_a_plain_model_finds)
{
    static uint8_t units[UNITS];

    srand(11);
    for (int round = 0; round < 5000; round++) {
        start_board(UNITS * UNIT);
        klog_set_console_level(0);
        for (int i = rand() % 20; i > 0; i--)
            info.ram[info.ram_count++] = random_range();
        for (int i = rand() % 8; i > 0; i--)
            info.reserved[info.reserved_count++] = random_range();
        memory_map_build(&info, &map);
        build_model(units);
        for (uint64_t page = 0; page < UNITS * UNIT / HAL_PAGE_SIZE; page++)
            ck_assert(map_page(page) == model_page(units, page));
        check_map_order();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("map");
    TCase *maps = tcase_create("map");
    SRunner *runner = srunner_create(suite);
    int failed, count = (int)(sizeof lies / sizeof lies[0]);

    tcase_set_timeout(maps, 60);
    tcase_add_test(maps, the_map_is_tags_and_machine_less_reserved);
    tcase_add_test(maps, without_tags_the_map_is_what_the_machine_has);
    tcase_add_test(maps, the_tags_themselves_are_kept);
    tcase_add_test(maps, ranges_that_meet_inside_a_page_lose_nothing);
    tcase_add_loop_test(maps, a_range_that_cannot_be_true_is_named, 0, count);
    tcase_add_test(maps, tags_without_a_true_range_leave_what_the_board_has);
    tcase_add_test(maps, tags_that_reserve_everything_leave_an_empty_map);
    tcase_add_test(maps, many_lies_are_counted);
    tcase_add_test(maps, the_most_ranges_that_tags_can_make_fit);
    tcase_add_test(maps, the_map_is_what_a_plain_model_finds);
    suite_add_tcase(suite, maps);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
