/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. What is dirty is written 5 s later, not before, the object that has waited longest first, and
 *     pages that follow each other at once, up to 32.
 *  2. A sync writes what was dirty when it was called, and not what becomes so meanwhile.
 *  3. A write-back that fails is repeated after 1, 2, 4 ... s; everybody who asks learns of it
 * once; it keeps no other page from being written; and what belongs to an object that is finished
 * is dropped.
 *  4. What is cached is not read again; what is overwritten or is new is not read at all.
 *  5. Read-ahead follows who reads one after the other, with windows that double, and nobody else.
 *     Who comes to it before its thread reads all of it by one request. It changes nothing for who
 *     writes there. How much is read at once grows with RAM.
 *  6. Pages in use again and again outlive a long file that is read once.
 *  7. When too much is dirty, writers write; nothing of write-back needs memory.
 *  8. A block device's object has its sectors, to the last one.
 *  9. What is cut off while somebody asks where it is on the medium is no error of anybody's.
 */
#include "cache/suites.h"

#include "block/block.h"
#include "mem/reclaim.h"
#include "site/fail.h"

#include <hal/block.h>
#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000ull
#define PAGE HAL_PAGE_SIZE

static struct medium one, two;
static uint8_t buffer[MEDIUM_PAGES * PAGE];

static void start(void)
{
    fake_kernel_start(16 * MIB);
    medium_init(&one, sizeof one.bytes, 1);
    medium_init(&two, sizeof two.bytes, 2);
}

static void dirty(struct medium *medium, uint64_t page, unsigned n, uint8_t value)
{
    memset(buffer, value, n * PAGE);
    ck_assert_int_eq(cache_write(&medium->object, page * PAGE, buffer, n * PAGE), n * PAGE);
}

static void run_at(uint64_t now)
{
    fake.now = now;
    (void)cache_writeback_run();
}

static struct cache_stats stats_now(void)
{
    struct cache_stats stats;

    cache_read_stats(&stats);
    return stats;
}

START_TEST(flusher_writes_after_five_seconds)
{
    start();
    dirty(&two, 9, 1, 5);
    fake.now = SECOND;
    dirty(&one, 3, CACHE_RUN_PAGES + 8, 5);
    run_at(4 * SECOND);
    ck_assert_uint_eq(one.writes + two.writes, 0);
    run_at(5 * SECOND + SECOND / 2);
    ck_assert_uint_eq(two.pages_written, 1);
    ck_assert_uint_eq(one.writes, 0);
    run_at(6 * SECOND + SECOND / 2);
    ck_assert_uint_eq(one.pages_written, CACHE_RUN_PAGES + 8);
    ck_assert_uint_eq(one.writes, 2);
    ck_assert_uint_eq(one.largest, CACHE_RUN_PAGES);
    for (unsigned i = 0; i < CACHE_RUN_PAGES + 8; i++)
        ck_assert_uint_eq(one.log[i], 3 + i);
    ck_assert_uint_eq(cache_writeback_run(), HAL_TIME_NEVER);
}
END_TEST

static void dirty_behind(struct medium *medium, bool held)
{
    (void)held;
    if (medium->writes < 100)
        dirty(medium, 20 + medium->writes, 1, 7);
    dirty(medium, 3, 1, 7); /* and one that has been written */
}

START_TEST(sync_ends)
{
    start();
    one.scatter = 1;
    dirty(&one, 3, 8, 5);
    one.mapping = dirty_behind;
    ck_assert_int_eq(cache_sync(&one.object), 0);
    ck_assert_uint_eq(one.pages_written, 8);
    ck_assert(cache_is_unclean(&one.object));
    one.mapping = NULL;
    ck_assert_int_eq(cache_sync(&one.object), 0);
    ck_assert(!cache_is_unclean(&one.object));
}
END_TEST

static void cut_once(struct medium *medium, bool held)
{
    (void)held;
    medium->mapping = NULL;
    cache_resize(&medium->object, 2 * PAGE);
}

START_TEST(what_is_cut_off_meanwhile_is_no_error)
{
    uint32_t seen;

    start();
    seen = cache_errors(&one.object);
    dirty(&one, 3, 8, 5);
    one.mapping = cut_once;
    ck_assert_int_eq(cache_sync(&one.object), 0);
    ck_assert_int_eq(cache_error_since(&one.object, &seen), 0);
    ck_assert(!cache_is_unclean(&one.object));
    two.mapping = cut_once;
    ck_assert_int_eq(cache_read(&two.object, 3 * PAGE, buffer, PAGE), 0);
}
END_TEST

START_TEST(failures_are_repeated_and_told_once)
{
    uint64_t now = 10 * SECOND;
    uint32_t a, b;

    start();
    a = b = cache_errors(&one.object);
    dirty(&one, 3, 8, 5);
    one.bad_writes[5] = true;
    ck_assert_int_eq(cache_sync(&one.object), -EIO);
    ck_assert_uint_eq(one.pages_written, 7 + 2); /* 3 and 4 before the failure, and again */
    ck_assert_int_eq(cache_error_since(&one.object, &a), -EIO);
    ck_assert_int_eq(cache_error_since(&one.object, &a), 0);
    for (uint64_t delay = SECOND; delay < 64 * SECOND; delay *= 2) {
        uint32_t errors = cache_errors(&one.object);

        now = fake.now + delay;
        run_at(now - SECOND / 2);
        ck_assert_uint_eq(cache_errors(&one.object), errors);
        run_at(now + 1000);
        ck_assert_uint_eq(cache_errors(&one.object), errors + 1);
    }
    ck_assert_int_eq(cache_error_since(&one.object, &b), -EIO);
    ck_assert(cache_is_unclean(&one.object));
    one.bad_writes[5] = false;
    run_at(fake.now + 200 * SECOND);
    ck_assert(!cache_is_unclean(&one.object));
    ck_assert_uint_eq(one.bytes[5 * PAGE], 5);
}
END_TEST

START_TEST(finished_objects_drop_what_cannot_be_written)
{
    start();
    memset(one.bad_writes, true, sizeof one.bad_writes);
    dirty(&one, 3, 8, 5);
    ck_assert_int_eq(cache_sync(&one.object), -EIO);
    cache_object_finish(&one.object);
    ck_assert_uint_eq(stats_now().dirty, 0);
    ck_assert_uint_eq(stats_now().pages, 0);
    ck_assert_uint_eq(cache_writeback_run(), HAL_TIME_NEVER);
}
END_TEST

START_TEST(only_what_is_needed_is_read)
{
    uint64_t size = 10 * PAGE + 100;

    start();
    ck_assert_int_eq(cache_read(&one.object, 0, buffer, 80 * PAGE), 80 * PAGE);
    ck_assert_uint_eq(one.reads, 2);
    ck_assert_int_eq(cache_read(&one.object, 0, buffer, 80 * PAGE), 80 * PAGE);
    ck_assert_uint_eq(one.reads, 2);
    cache_forget(&one.object, 0, UINT64_MAX / 2);
    dirty(&one, 4, 2, 9); /* whole pages */
    ck_assert_uint_eq(one.reads, 2);
    ck_assert_int_eq(cache_write(&one.object, 7 * PAGE + 5, "x", 1), 1); /* a part of one */
    ck_assert_uint_eq(one.reads, 3);

    cache_object_finish(&two.object);
    medium_init(&two, size, 2);
    cache_resize(&two.object, 20 * PAGE);
    ck_assert_int_eq(cache_write(&two.object, size, NULL, PAGE), PAGE);
    ck_assert_uint_eq(two.reads, 1); /* the rest of its last page */
    ck_assert_int_eq(cache_write(&two.object, size + PAGE, "new", 3), 3);
    ck_assert_uint_eq(two.reads, 1);
    ck_assert_int_eq(cache_read(&two.object, 10 * PAGE, buffer, 3 * PAGE), 3 * PAGE);
    for (unsigned i = 0; i < 3 * PAGE; i++)
        ck_assert_uint_eq(buffer[i], i < 100              ? 2
                                     : i - 100 - PAGE < 3 ? (unsigned)"new"[i - 100 - PAGE]
                                                          : 0);
}
END_TEST

START_TEST(bad_pages_further_on_do_not_matter)
{
    start();
    one.bad_reads[5] = true;
    ck_assert_int_eq(cache_read(&one.object, 0, buffer, 8 * PAGE), 5 * PAGE);
    ck_assert_int_eq(cache_read(&one.object, 5 * PAGE, buffer, 8 * PAGE), -EIO);
    ck_assert_int_eq(cache_read(&one.object, 6 * PAGE, buffer, PAGE), PAGE);
}
END_TEST

START_TEST(read_ahead_follows_sequences)
{
    uint64_t ahead = 0, offset = 0;
    uint32_t window = 0;
    unsigned waited = 0;

    start();
    for (; offset < 200 * PAGE; offset += 1000) {
        unsigned reads = one.reads;

        cache_read_ahead(&one.object, &ahead, &window, offset, 1000);
        ck_assert_uint_ge(ahead, offset + 1000);
        ck_assert_int_eq(cache_read(&one.object, offset, buffer, 1000), 1000);
        waited += one.reads - reads;
        while (cache_ahead_step())
            ;
    }
    ck_assert_uint_eq(window, CACHE_RUN_PAGES);
    ck_assert_uint_eq(waited, 1);
    ck_assert_uint_lt(one.reads, 20);

    ahead = window = 0;
    srand(1);
    for (unsigned i = 0; i < 100; i++) {
        offset = (uint64_t)rand() % MEDIUM_PAGES * PAGE;
        cache_read_ahead(&two.object, &ahead, &window, offset, 100);
        ck_assert_int_eq(cache_read(&two.object, offset, buffer, 100), 100);
        while (cache_ahead_step())
            ;
    }
    ck_assert_uint_lt(two.reads, 102);
    ck_assert_uint_le(stats_now().read_ahead, MEDIUM_PAGES);
}
END_TEST

START_TEST(who_is_faster_reads_what_was_to_be_read_ahead)
{
    uint64_t ahead = 0;
    uint32_t window = 0;
    unsigned reads;

    start();
    for (uint64_t offset = 0; offset < sizeof one.bytes; offset += PAGE / 4) {
        cache_read_ahead(&one.object, &ahead, &window, offset, PAGE / 4);
        ck_assert_int_eq(cache_read(&one.object, offset, buffer, PAGE / 4), PAGE / 4);
        ck_assert_mem_eq(buffer, one.bytes + offset, PAGE / 4);
    }
    reads = one.reads;
    ck_assert_uint_lt(reads, 16);
    while (cache_ahead_step())
        ;
    ck_assert_uint_eq(one.reads, reads);
    ck_assert_uint_eq(stats_now().read_ahead, 0);
}
END_TEST

START_TEST(what_is_wanted_is_not_for_writers)
{
    uint64_t ahead = 0;
    uint32_t window = 0;

    start();
    cache_read_ahead(&one.object, &ahead, &window, 0, 100);
    ck_assert_uint_gt(ahead, 3 * PAGE);
    memset(buffer, 9, PAGE);
    ck_assert_int_eq(cache_write(&one.object, PAGE, buffer, PAGE), PAGE);
    ck_assert_uint_eq(stats_now().pages, 1);
    ck_assert_int_eq(cache_read(&one.object, 0, buffer, 4 * PAGE), 4 * PAGE);
    for (unsigned i = 0; i < 4 * PAGE; i++)
        ck_assert_uint_eq(buffer[i], i / PAGE == 1 ? 9 : one.bytes[i]);
}
END_TEST

START_TEST(more_is_read_at_once_where_ram_is_large)
{
    static const struct {
        size_t ram;
        unsigned reads; /* of 256 pages */
    } sizes[] = {{16 * MIB, 4}, {48 * MIB, 3}, {160 * MIB, 1}};

    for (unsigned i = 0; i < 3; i++) {
        fake_kernel_start(sizes[i].ram);
        medium_init(&one, sizeof one.bytes, 1);
        ck_assert_int_eq(cache_read(&one.object, 0, buffer, sizeof buffer), sizeof buffer);
        ck_assert_mem_eq(buffer, one.bytes, sizeof buffer);
        ck_assert_uint_eq(one.reads, sizes[i].reads);
    }
}
END_TEST

START_TEST(reads_need_not_begin_with_a_table)
{
    start();
    ck_assert_int_eq(cache_read(&one.object, 40 * PAGE, buffer, 64 * PAGE), 64 * PAGE);
    ck_assert_mem_eq(buffer, one.bytes + 40 * PAGE, 64 * PAGE);
    ck_assert_uint_eq(one.reads, 1);
}
END_TEST

START_TEST(pages_in_use_outlive_a_scan)
{
    unsigned reads;

    start();
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(cache_read(&two.object, 0, buffer, 16 * PAGE), 16 * PAGE);
    for (unsigned page = 0; page < MEDIUM_PAGES; page++) {
        for (unsigned part = 0; part < 4; part++)
            ck_assert_int_eq(cache_read(&one.object, page * PAGE + part * 1024, buffer, 1024),
                             1024);
        if (stats_now().pages > 40)
            ck_assert_uint_gt(cache_lru_reclaim(1), 0);
    }
    reads = two.reads;
    ck_assert_int_eq(cache_read(&two.object, 0, buffer, 16 * PAGE), 16 * PAGE);
    ck_assert_uint_eq(two.reads, reads);
    while (cache_lru_reclaim(1000) > 0)
        ;
    ck_assert_uint_eq(stats_now().pages, 0);
}
END_TEST

START_TEST(writers_write_when_too_much_is_dirty)
{
    const struct hal_fail_plan every = {.kind = HAL_FAIL_FROM, .n = 1};
    const struct hal_fail_plan none = {.kind = HAL_FAIL_NONE};
    struct cache_stats stats;

    fake_kernel_start(2 * MIB);
    medium_init(&one, sizeof one.bytes, 1);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned page = 0; page < MEDIUM_PAGES; page++) {
            dirty(&one, page, 1, (uint8_t)(page + round));
            ck_assert_uint_le(stats_now().dirty, stats_now().dirty_limit);
        }
    }
    stats = stats_now();
    ck_assert_uint_gt(stats.throttled, 0);
    ck_assert_uint_gt(stats.written, 2 * MEDIUM_PAGES);
    alloc_fail_set(&every);
    ck_assert_int_eq(cache_sync(&one.object), 0);
    alloc_fail_set(&none);
    for (unsigned page = 0; page < MEDIUM_PAGES; page++)
        ck_assert_uint_eq(one.bytes[page * PAGE], (uint8_t)(page + 3));
    /* A medium that is dead does not take all memory, and is told of. */
    memset(one.bad_writes, true, sizeof one.bad_writes);
    for (unsigned page = 0; page < MEDIUM_PAGES; page++) {
        int64_t done = cache_write(&one.object, page * PAGE, buffer, PAGE);

        ck_assert(done == (int64_t)PAGE || done == -EIO);
        ck_assert_uint_le(stats_now().dirty, stats.dirty_limit);
    }
}
END_TEST

#define CARD_SECTORS 1003u

START_TEST(a_device_has_its_sectors)
{
    static uint8_t card[CARD_SECTORS * HAL_SECTOR_SIZE];
    struct cache_object object;

    fake_kernel_start(8 * MIB);
    fake.card = fake.card_store = card;
    fake.card_sectors = CARD_SECTORS;
    for (unsigned i = 0; i < CARD_SECTORS; i++)
        card[i * HAL_SECTOR_SIZE] = (uint8_t)i;
    ck_assert_int_eq(block_start(), 0);
    cache_object_init(&object, &cache_device_ops, (void *)block_card(), sizeof card);
    ck_assert_int_eq(cache_read(&object, 0, buffer, sizeof buffer), sizeof card);
    ck_assert(memcmp(buffer, card, sizeof card) == 0);
    ck_assert_int_eq(cache_write(&object, sizeof card - 700, "end", 3), 3);
    ck_assert_int_eq(cache_sync(&object), 0);
    ck_assert(memcmp(card + sizeof card - 700, "end", 3) == 0);
    cache_object_finish(&object);
}
END_TEST

Suite *claims_suite(void)
{
    Suite *suite = suite_create("claims");
    TCase *tests = tcase_create("claims");

    tcase_add_test(tests, flusher_writes_after_five_seconds);
    tcase_add_test(tests, sync_ends);
    tcase_add_test(tests, what_is_cut_off_meanwhile_is_no_error);
    tcase_add_test(tests, failures_are_repeated_and_told_once);
    tcase_add_test(tests, finished_objects_drop_what_cannot_be_written);
    tcase_add_test(tests, only_what_is_needed_is_read);
    tcase_add_test(tests, bad_pages_further_on_do_not_matter);
    tcase_add_test(tests, read_ahead_follows_sequences);
    tcase_add_test(tests, who_is_faster_reads_what_was_to_be_read_ahead);
    tcase_add_test(tests, what_is_wanted_is_not_for_writers);
    tcase_add_test(tests, more_is_read_at_once_where_ram_is_large);
    tcase_add_test(tests, reads_need_not_begin_with_a_table);
    tcase_add_test(tests, pages_in_use_outlive_a_scan);
    tcase_add_test(tests, writers_write_when_too_much_is_dirty);
    tcase_add_test(tests, a_device_has_its_sectors);
    suite_add_tcase(suite, tests);
    return suite;
}
