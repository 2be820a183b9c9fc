/* SPDX-License-Identifier: MIT */
/*
 * faults.c: each step of mounting and reading a card fails once.
 *
 * A first run counts the allocations and the card's requests that mounting a card and using all of
 * it takes. Then as many runs follow, and in the i-th the i-th fails.
 *
 * 1. Whatever fails, nothing panics, and the run ends with data or with errors.
 * 2. Afterwards no memory is left behind, and another run finds everything.
 */
#include "../fake_hal.h"
#include "../fake_heap.h"
#include "sample.h"
#include "walk.h"

#include "fs/root/root.h"
#include "fs/vfs.h"

#include "../../marks.h"
#include <stdlib.h>
#include <string.h>

static struct image image;
static uint64_t bad_request; /* the number of the request that fails; 0: none */

static int64_t read_card(uint64_t sector, void *data, uint32_t sectors)
{
    if (fake.requests == bad_request)
        return -1;
    memcpy(data, image.bytes + sector * IMAGE_SECTOR, (size_t)sectors * IMAGE_SECTOR);
    return 0;
}

/** Mounts, uses everything, unmounts. Returns what the walk met. */
static struct walk run(void)
{
    struct walk walk = {0};

    if (vfs_mount_root() == 0) {
        walk_card(&walk, 1000);
        vfs_unmount_root();
    } else {
        ck_assert(vfs_mount_problem()[0] != '\0');
        walk.errors = 1;
    }
    ck_assert_int_eq(fake_heap.live, 0);
    return walk;
}

static struct walk first;

static void build(void)
{
    sample_build(&image);
    fake_kernel_start(1u << 20);
    fake.card_read = read_card;
    fake.card_sectors = image.size / IMAGE_SECTOR;
    memset(&fake_heap, 0, sizeof fake_heap);
    bad_request = 0;
    first = run();
    ck_assert_uint_eq(first.errors, 0);
    ck_assert_uint_eq(first.entries, 7);
}

static void unbuild(void)
{
    image_free(&image);
    free(fake.ram);
    fake.ram = NULL;
}

static void check_recovery(void)
{
    struct walk walk = run();

    ck_assert_uint_eq(walk.errors, 0);
    ck_assert_uint_eq(walk.entries, first.entries);
    ck_assert_uint_eq(walk.bytes, first.bytes);
}

START_TEST(any_allocation_may_fail)
{
    uint64_t count = fake_heap.allocations;

    ck_assert_uint_gt(count, 20);
    for (uint64_t i = 1; i <= count; i++) {
        fake_heap.allocations = 0;
        fake_heap.fail_at = i;
        (void)run();
        fake_heap.fail_at = 0;
    }
    check_recovery();
}
END_TEST

START_TEST(memory_may_run_out_at_any_moment)
{
    uint64_t count = fake_heap.allocations;

    for (uint64_t i = 1; i <= count; i++) {
        fake_heap.allocations = 0;
        fake_heap.fail_from = i;
        (void)run();
        fake_heap.fail_from = 0;
    }
    check_recovery();
}
END_TEST

START_TEST(any_request_may_fail)
{
    uint64_t count = fake.requests;

    ck_assert_uint_gt(count, 5);
    for (uint64_t i = 1; i <= count; i++) {
        fake.requests = 0;
        bad_request = i;
        (void)run();
        bad_request = 0;
    }
    check_recovery();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fs faults");
    TCase *tests = tcase_create("faults");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, any_allocation_may_fail);
    tcase_add_test(tests, memory_may_run_out_at_any_moment);
    tcase_add_test(tests, any_request_may_fail);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
