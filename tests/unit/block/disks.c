/* SPDX-License-Identifier: MIT */
/*
 * disks.c: RAM disks, fault disks, and what a seek takes.
 *
 *  1. A RAM disk holds what was written, from anywhere to anywhere, and is zeros before.
 *  2. Without memory there is no RAM disk, and nothing is lost; a removed one gives all back.
 *  3. A fault disk passes on what no rule meets; each rule does what it says, to the request that
 * it says.
 *  4. A partition of a fault disk over a partition of a RAM disk is where it should be.
 *  5. The arm takes as long as the example in seek.c says; never longer than a stroke and a turn.
 */
#include "suites.h"

#include "../fake_hal.h"

#include "block/disk.h"
#include "block/disks/fault.h"
#include "block/disks/ram.h"
#include "heap/heap.h"
#include "mem/frame.h"

#include <hal/errno.h>
#include <hal/machine.h>

#include <stdlib.h>
#include <string.h>

#define ALL_OPS (1u << BLOCK_READ | 1u << BLOCK_WRITE | 1u << BLOCK_FLUSH)
#define RAM_BYTES 262144u
#define RAM_SECTORS (RAM_BYTES / HAL_SECTOR_SIZE)

static const struct block_device *ram, *fault;
static uint8_t *memory;

static void build(void)
{
    fake_kernel_start(4u << 20);
    memory = aligned_alloc(64, RAM_BYTES);
    ck_assert_int_eq(block_ram_create(RAM_BYTES, &ram), 0);
    ck_assert_int_eq(block_fault_create("ram0", NULL, 0, 1000000000, &fault), 0);
}

static void unbuild(void)
{
    free(memory);
}

static void write_value(const struct block_device *device, uint64_t at, uint8_t value,
                        size_t sectors, int expected)
{
    memset(memory, value, sectors * HAL_SECTOR_SIZE);
    ck_assert_int_eq(block_write(device, at, memory, sectors), expected);
}

/* The first byte of a sector of the RAM disk. */
static uint8_t value_at(uint64_t at)
{
    uint8_t sector[HAL_SECTOR_SIZE] __attribute__((aligned(64)));

    ck_assert_int_eq(block_read(ram, at, sector, 1), 0);
    return sector[0];
}

static void add_rule(struct fault_rule rule)
{
    if (rule.last == 0)
        rule.last = UINT64_MAX;
    ck_assert_int_eq(block_fault_add(fault, &rule), 0);
}

START_TEST(a_ram_disk_keeps_what_it_was_given)
{
    uint8_t *model = calloc(1, RAM_BYTES);

    ck_assert_str_eq(ram->name, "ram0");
    for (unsigned i = 0; i < 300; i++) {
        uint64_t at = (uint64_t)(i * 7919u) % (RAM_SECTORS - 300);
        size_t sectors = 1 + i;

        write_value(ram, at, (uint8_t)(i + 1), sectors, 0);
        memset(model + at * HAL_SECTOR_SIZE, (uint8_t)(i + 1), sectors * HAL_SECTOR_SIZE);
        ck_assert_int_eq(block_flush(ram), 0);
    }
    ck_assert_int_eq(block_read(ram, 0, memory, RAM_SECTORS), 0);
    ck_assert_int_eq(memcmp(memory, model, RAM_BYTES), 0);
    ck_assert_int_eq(block_read(ram, RAM_SECTORS, memory, 1), -EINVAL);
    free(model);
}
END_TEST

START_TEST(ram_disks_are_made_and_removed)
{
    const struct block_device *other, *open;

    ck_assert_int_eq(block_ram_create(0, &other), -EINVAL);
    ck_assert_int_eq(block_ram_create(1000, &other), -EINVAL);
    ck_assert_int_eq(block_ram_create(UINT64_MAX & ~65535ull, &other), -EINVAL);
    ck_assert_int_eq(block_ram_create(16u << 20, &other), -ENOMEM);
    ck_assert_int_eq(block_ram_create(65536, &other), 0);
    ck_assert_str_eq(other->name, "ram1");
    ck_assert_int_eq(block_open("ram1", &open), 0);
    ck_assert_int_eq(block_remove("ram1"), -EBUSY);
    block_close(open);
    ck_assert_int_eq(block_remove("ram1"), 0);
    ck_assert_int_eq(block_remove("ram1"), -ENOENT);
    ck_assert_int_eq(block_remove("ram0"), -EBUSY); /* the fault disk has it open */
    ck_assert_int_eq(block_remove("fault0"), 0);
    ck_assert_int_eq(block_remove("ram0"), 0);
}
END_TEST

static uint64_t free_frames(void)
{
    struct frame_stats stats;

    heap_settle();
    frame_read_stats(&stats);
    return stats.free;
}

START_TEST(removed_disks_give_their_memory_back)
{
    const struct block_device *other;
    uint64_t after_one = 0;

    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(block_ram_create(1u << 20, &other), 0);
        ck_assert_int_eq(block_fault_create("ram1", NULL, 0, 0, &other), 0);
        ck_assert_int_eq(block_remove("fault1"), 0);
        ck_assert_int_eq(block_remove("ram1"), 0);
        if (i == 0)
            after_one = free_frames();
    }
    ck_assert_uint_ge(free_frames() + 16, after_one); /* of 25,600, had they stayed */
}
END_TEST

START_TEST(what_no_rule_meets_is_passed_on)
{
    struct block_stats stats;

    write_value(fault, 100, 7, 50, 0);
    ck_assert_uint_eq(value_at(149), 7);
    ck_assert_int_eq(block_read(fault, 149, memory, 2), 0);
    ck_assert(memory[0] == 7 && memory[HAL_SECTOR_SIZE] == 0);
    ck_assert_int_eq(block_flush(fault), 0);
    block_device_stats(ram, &stats);
    ck_assert_uint_eq(stats.flushes, 1);
    ck_assert_uint_eq(block_fault_met(fault), 0);
}
END_TEST

START_TEST(the_third_write_of_these_sectors_fails)
{
    add_rule((struct fault_rule){.kind = FAULT_FAIL,
                                 .ops = 1u << BLOCK_WRITE,
                                 .first = 10,
                                 .last = 19,
                                 .skip = 2,
                                 .count = 1});
    write_value(fault, 10, 1, 10, 0);
    write_value(fault, 5, 2, 4, 0); /* elsewhere */
    write_value(fault, 19, 3, 2, 0);
    write_value(fault, 20, 4, 2, 0); /* elsewhere */
    write_value(fault, 5, 5, 6, -EIO);
    ck_assert_uint_eq(value_at(10), 1);
    ck_assert_uint_eq(value_at(5), 2);
    write_value(fault, 5, 5, 6, 0);
    ck_assert_uint_eq(block_fault_met(fault), 1);
    block_fault_clear(fault);
}
END_TEST

START_TEST(a_torn_write_leaves_its_beginning)
{
    add_rule((struct fault_rule){.kind = FAULT_TEAR,
                                 .ops = ALL_OPS & ~(1u << BLOCK_FLUSH),
                                 .keep = (uint32_t)_i,
                                 .error = -ETIMEDOUT});
    write_value(fault, 10, 9, 10, -ETIMEDOUT);
    ck_assert_uint_eq(value_at(10 + (_i ? _i : 5) - 1), 9);
    ck_assert_uint_eq(value_at(10 + (_i ? _i : 5)), 0);
}
END_TEST

START_TEST(a_dropped_write_is_said_to_be_done)
{
    struct block_stats stats;

    add_rule((struct fault_rule){.kind = FAULT_DROP, .ops = 1u << BLOCK_WRITE | 1u << BLOCK_FLUSH});
    write_value(fault, 10, 9, 1, 0);
    ck_assert_int_eq(block_flush(fault), 0);
    ck_assert_uint_eq(value_at(10), 0);
    block_device_stats(ram, &stats);
    ck_assert_uint_eq(stats.flushes, 0);
}
END_TEST

static int last_error;
static unsigned done_count;

static void count_done(struct block_request *request, int error)
{
    (void)request;
    last_error = error;
    done_count++;
}

START_TEST(a_lost_request_ends_by_its_deadline)
{
    struct block_vector vector = {memory, 1};
    struct block_request request = {.device = fault,
                                    .op = BLOCK_READ,
                                    .vectors = &vector,
                                    .vector_count = 1,
                                    .done = count_done};

    done_count = 0;
    add_rule((struct fault_rule){.kind = FAULT_LOSE, .ops = ALL_OPS, .count = 1});
    ck_assert_int_eq(block_submit(&request), 0);
    block_poll(fault->disk);
    ck_assert_uint_eq(done_count, 0);
    ck_assert_int_eq(block_remove("fault0"), -EBUSY);
    fake.now += 2000000000;
    block_expire(fault->disk);
    ck_assert_uint_eq(done_count, 1);
    ck_assert_int_eq(last_error, -ETIMEDOUT);
    ck_assert_int_eq(block_submit(&request), 0);
    ck_assert(done_count == 2 && last_error == 0);
    ck_assert_int_eq(block_remove("fault0"), 0);
}
END_TEST

START_TEST(errors_are_overcome_by_trying_again)
{
    const struct block_device *second;
    struct block_stats stats;

    ck_assert_int_eq(block_fault_create("fault0", NULL, 2, 0, &second), 0);
    ck_assert_str_eq(second->name, "fault1");
    add_rule((struct fault_rule){.kind = FAULT_FAIL, .ops = 1u << BLOCK_WRITE, .count = 2});
    write_value(second, 10, 9, 4, 0);
    ck_assert_uint_eq(value_at(13), 9);
    block_device_stats(second, &stats);
    ck_assert_uint_eq(stats.retries, 2);
    add_rule((struct fault_rule){.kind = FAULT_FAIL, .ops = 1u << BLOCK_WRITE, .count = 3});
    write_value(second, 10, 9, 4, -EIO);
}
END_TEST

START_TEST(rules_are_limited_and_only_for_fault_disks)
{
    struct fault_rule rule = {.kind = FAULT_FAIL, .ops = ALL_OPS, .last = 1};

    for (unsigned i = 0; i < FAULT_RULES_MAX; i++)
        ck_assert_int_eq(block_fault_add(fault, &rule), 0);
    ck_assert_int_eq(block_fault_add(fault, &rule), -ENOSPC);
    ck_assert_int_eq(block_fault_add(ram, &rule), -EINVAL);
    block_fault_clear(ram);
    ck_assert_uint_eq(block_fault_met(ram), 0);
    ck_assert_int_eq(block_fault_create("nothing", NULL, 0, 0, &fault), -ENOENT);
}
END_TEST

START_TEST(ranges_of_ranges_are_where_they_should_be)
{
    const struct block_device *over;
    struct block_device part, inner;

    ck_assert_int_eq(block_add_partition(ram, 1, 100, 200, &part), 0);
    ck_assert_str_eq(part.name, "ram0p1");
    ck_assert_int_eq(block_fault_create("ram0p1", NULL, 0, 0, &over), 0);
    ck_assert_uint_eq(over->sectors, 200);
    ck_assert_int_eq(block_add_partition(over, 2, 50, 20, &inner), 0);
    write_value(&inner, 3, 6, 1, 0);
    ck_assert_uint_eq(value_at(153), 6);
    write_value(&inner, 19, 6, 2, -EINVAL);
}
END_TEST

START_TEST(a_seek_takes_what_the_model_says)
{
    struct seek_model model = {
        .sectors = 1000000, .track = 500, .settle = 1000000, .stroke = 12000000, .rpm = 7200};
    uint64_t turn = 60000000000u / 7200, time;

    ck_assert_uint_eq(seek_time(&model, 0, 499), 0);
    time = seek_time(&model, 0, 250000);
    ck_assert(time > 6980000 && time <= 7000000);
    ck_assert_uint_eq(seek_time(&model, 250000, 0), time);
    for (uint64_t at = 0; at < 1000000; at += 3331) {
        time = seek_service(&model, at * 977, 500000, at, 8);
        ck_assert_uint_ge(time, seek_time(&model, 500000, at) + 8 * turn / 500);
        ck_assert_uint_le(time, 13000000 + turn + 8 * turn / 500);
    }
    /* Without a gap in time, what follows at once needs no turn. */
    time = seek_service(&model, 0, 0, 0, 8);
    ck_assert_uint_le(seek_service(&model, time, 8, 8, 8), 8 * turn / 500 + 1);
    model.rpm = 0;
    ck_assert_uint_eq(seek_service(&model, 5, 0, 250000, 8), seek_time(&model, 0, 250000));
}
END_TEST

Suite *disk_suite(void)
{
    Suite *suite = suite_create("disks");
    TCase *tests = tcase_create("disks");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_add_test(tests, a_ram_disk_keeps_what_it_was_given);
    tcase_add_test(tests, ram_disks_are_made_and_removed);
    tcase_add_test(tests, removed_disks_give_their_memory_back);
    tcase_add_test(tests, what_no_rule_meets_is_passed_on);
    tcase_add_test(tests, the_third_write_of_these_sectors_fails);
    tcase_add_loop_test(tests, a_torn_write_leaves_its_beginning, 0, 4);
    tcase_add_test(tests, a_dropped_write_is_said_to_be_done);
    tcase_add_test(tests, a_lost_request_ends_by_its_deadline);
    tcase_add_test(tests, errors_are_overcome_by_trying_again);
    tcase_add_test(tests, rules_are_limited_and_only_for_fault_disks);
    tcase_add_test(tests, ranges_of_ranges_are_where_they_should_be);
    tcase_add_test(tests, a_seek_takes_what_the_model_says);
    suite_add_tcase(suite, tests);
    return suite;
}
