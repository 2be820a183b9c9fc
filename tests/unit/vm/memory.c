/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Whichever of its allocations fails, a call returns -ENOMEM, and the space has the same
 *     regions, rights and bytes as before; with enough memory it then does what it should.
 *  2. Nothing leaks, whether it failed or not.
 *  3. Unmapping that punches no hole, and ending a space, allocate nothing.
 */
#include "vm/suites.h"

#include "mem/frame.h"
#include "site/fail.h"

#include <hal/errno.h>

#include <stdio.h>
#include <string.h>

#define ANONYMOUS ((uintptr_t)0x400000)
#define MAPPED ((uintptr_t)0x800000)
#define PAGES 8

static struct vm_space *space, *other;
static struct test_file file;

static void allow(void)
{
    const struct hal_fail_plan none = {.kind = HAL_FAIL_NONE};

    alloc_fail_set(&none);
}

/* ---- what a space looks like ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 0x100000001b3ull;
}

static uint64_t hash_pages(uint64_t hash, uintptr_t start, uintptr_t end)
{
    uint8_t bytes[HAL_PAGE_SIZE];

    for (uintptr_t at = start; at < end; at += PAGE) {
        int64_t got = vm_copy_in_some(space, bytes, at, PAGE);

        hash = mix(hash, (uint64_t)got);
        for (int64_t i = 0; i < got; i += 3)
            hash = mix(hash, bytes[i]);
    }
    return hash;
}

static uint64_t hash_space(void)
{
    struct vm_region_info info;
    struct vm_usage usage;
    uint64_t hash = 1;

    vm_read_usage(space, &usage);
    hash = mix(mix(hash, usage.mapped), usage.break_end);
    for (uintptr_t at = 0; vm_region_at(space, at, &info); at = info.end) {
        hash = mix(mix(mix(hash, info.start), info.end), info.access);
        hash = mix(mix(mix(hash, info.flags), (uintptr_t)info.file), info.offset);
        file_put(info.file);
        hash = hash_pages(hash, info.start, info.end);
    }
    return hash;
}

/* ---- calls ---- */

static int as_error(int64_t result)
{
    return result < 0 ? (int)result : 0;
}

static int call_create(void)
{
    return vm_space_create(&other);
}

static int call_map(void)
{
    return as_error(vm_map(space, 0, 3 * PAGE, RW, VM_PRIVATE, NULL, 0));
}

static int call_map_shared(void)
{
    return as_error(vm_map(space, 0, 3 * PAGE, RW, VM_SHARED, NULL, 0));
}

static int call_map_over(void)
{
    return as_error(
        vm_map(space, ANONYMOUS + 2 * PAGE, 3 * PAGE, R, VM_SHARED | VM_FIXED, file.file, 0));
}

static int call_unmap(void)
{
    return vm_unmap(space, ANONYMOUS + 2 * PAGE, 3 * PAGE);
}

static int call_unmap_file(void)
{
    return vm_unmap(space, MAPPED + 2 * PAGE, 3 * PAGE);
}

static int call_protect(void)
{
    return vm_protect(space, ANONYMOUS + 2 * PAGE, 3 * PAGE, R);
}

static int call_protect_file(void)
{
    return vm_protect(space, MAPPED + 2 * PAGE, 3 * PAGE, R);
}

static int call_move(void)
{
    return as_error(
        vm_remap(space, ANONYMOUS + 2 * PAGE, 3 * PAGE, 6 * PAGE, VM_REMAP_MAY_MOVE, 0));
}

static int call_move_over(void)
{
    return as_error(vm_remap(space, ANONYMOUS + 2 * PAGE, 3 * PAGE, 3 * PAGE,
                             VM_REMAP_MAY_MOVE | VM_REMAP_FIXED, MAPPED + 2 * PAGE));
}

static int call_shorten(void)
{
    return as_error(vm_remap(space, ANONYMOUS + PAGE, 4 * PAGE, PAGE, 0, 0));
}

static int call_break(void)
{
    uintptr_t end = ANONYMOUS + 100 * PAGE;

    return vm_set_break(space, end) == end ? 0 : -ENOMEM;
}

static int call_break_down(void)
{
    uintptr_t end = ANONYMOUS + 20 * PAGE;

    return vm_set_break(space, end) == end ? 0 : -ENOMEM;
}

static int call_fork(void)
{
    return vm_space_fork(space, true, &other);
}

static int call_fork_many(void)
{
    return vm_space_fork(space, false, &other);
}

static int call_touch(void)
{
    uint8_t byte = 1;

    return user_access(space, ANONYMOUS + 50 * PAGE, HAL_USER_READ, &byte);
}

static int call_touch_file(void)
{
    uint8_t byte;

    return user_access(space, MAPPED + 20 * PAGE, HAL_USER_READ, &byte);
}

static int call_touch_shared(void)
{
    uint8_t byte;

    return user_access(space, MAPPED + 50 * PAGE, HAL_USER_READ, &byte);
}

static int call_advise(void)
{
    return vm_advise(space, MAPPED, 4 * PAGE, VM_WILL_NEED);
}

static int call_sync(void)
{
    return vm_sync(space, MAPPED, PAGES * PAGE, false);
}

struct scenario {
    const char *name;
    int (*call)(void);
    bool fork; /* before it, so that pages are shared */
    bool many; /* pages */
};

static const struct scenario scenarios[] = {
    {"create", call_create, false, false},
    {"map", call_map, false, false},
    {"map shared", call_map_shared, false, false},
    {"map over", call_map_over, false, false},
    {"unmap", call_unmap, false, false},
    {"unmap of a file", call_unmap_file, false, false},
    {"protect", call_protect, false, false},
    {"protect of a file", call_protect_file, true, false},
    {"move", call_move, false, false},
    {"move over", call_move_over, true, false},
    {"shorten", call_shorten, false, false},
    {"break", call_break, false, false},
    {"break down", call_break_down, false, false},
    {"fork", call_fork, false, false},
    {"fork of many", call_fork_many, false, true},
    {"fork of a fork", call_fork_many, true, true},
    {"touch", call_touch, false, false},
    {"touch of a file", call_touch_file, false, false},
    {"touch of what is shared", call_touch_shared, false, false},
    {"advise", call_advise, false, false},
    {"sync", call_sync, false, false},
};

/* ---- the sweep ---- */

static void fill(uintptr_t at, size_t pages)
{
    for (uintptr_t i = 0; i < pages; i++)
        ck_assert_int_eq(vm_zero_out(space, at + i * PAGE + i % 7, 5 + i % 3), 0);
    ck_assert_int_eq(vm_copy_out(space, at + 3, "some bytes", 10), 0);
}

static void prepare(const struct scenario *scenario)
{
    size_t across = scenario->call == call_break_down ? 60 : 30;

    ck_assert_int_eq(vm_space_create(&space), 0);
    ck_assert_int_gt(vm_map(space, ANONYMOUS, PAGES * PAGE, RW, VM_PRIVATE | VM_FIXED, NULL, 0), 0);
    vm_place_break(space, ANONYMOUS + 10 * PAGE);
    ck_assert_uint_eq(vm_set_break(space, ANONYMOUS + 60 * PAGE), ANONYMOUS + 60 * PAGE);
    /* What lies across the break's end is cut in the middle when it moves down. */
    ck_assert_int_gt(vm_map(space, ANONYMOUS + 15 * PAGE, across * PAGE, RW, VM_PRIVATE | VM_FIXED,
                            file.file, 0),
                     0);
    ck_assert_int_gt(vm_map(space, MAPPED, PAGES * PAGE, RW, VM_PRIVATE | VM_FIXED, file.file, 0),
                     0);
    ck_assert_int_gt(
        vm_map(space, MAPPED + 20 * PAGE, PAGE, R, VM_SHARED | VM_FIXED, file.file, 40 * PAGE), 0);
    ck_assert_int_gt(vm_map(space, MAPPED + 50 * PAGE, PAGE, RW, VM_SHARED | VM_FIXED, NULL, 0), 0);
    fill(ANONYMOUS, PAGES);
    fill(MAPPED, PAGES);
    if (scenario->many) {
        int64_t at = vm_map(space, 0, 400 * PAGE, RW, VM_PRIVATE, NULL, 0);

        ck_assert_int_gt(at, 0);
        fill((uintptr_t)at, 400);
    }
    if (scenario->fork)
        ck_assert_int_eq(vm_space_fork(space, true, &other), 0);
}

/* True if the call went well although allocation `n` was to fail: it makes fewer. */
static bool try(const struct scenario *scenario, uint64_t n)
{
    struct hal_fail_plan plan = {.kind = HAL_FAIL_NTH, .n = n};
    struct in_use before;
    struct vm_space *first;
    uint64_t hash, attempts;
    bool touches = !strncmp(scenario->name, "touch", 5);
    int error;

    test_file_init(&file, false, 48, 3);
    before = read_in_use();
    prepare(scenario);
    first = other;
    hash = touches ? 0 : hash_space();
    alloc_fail_set(&plan);
    attempts = alloc_attempts();
    error = scenario->call();
    attempts = alloc_attempts() - attempts;
    allow();
    if (error) {
        ck_assert_msg(error == -ENOMEM, "%s %llu: %d", scenario->name, (unsigned long long)n,
                      error);
        if (!touches)
            ck_assert_uint_eq(hash_space(), hash);
        ck_assert_msg(scenario->call() == 0, "%s %llu", scenario->name, (unsigned long long)n);
    }
    vm_space_put(space);
    vm_space_put(other);
    if (first != other)
        vm_space_put(first);
    other = NULL;
    ck_assert_uint_eq(fake_aspace.live, 0);
    ck_assert_int_eq(cache_sync(&file.object), 0);
    check_in_use(before);
    test_file_finish(&file);
    return attempts < n;
}

START_TEST(a_call_without_memory_changes_nothing)
{
    const struct scenario *scenario = &scenarios[_i];
    uint64_t n = 1;

    vm_test_start();
    while (!try(scenario, n))
        n++;
    printf("# %s: %llu allocations, each failed\n", scenario->name, (unsigned long long)n - 1);
}
END_TEST

START_TEST(ending_allocates_nothing)
{
    struct hal_fail_plan all_fail = {.kind = HAL_FAIL_FROM, .n = 1};
    static const struct scenario scenario = {"", NULL, true, true};
    struct in_use before;

    vm_test_start();
    test_file_init(&file, false, 48, 3);
    before = read_in_use();
    prepare(&scenario);
    ck_assert_int_gt(vm_map(space, 0, 4 * PAGE, RW, VM_SHARED, file.file, 0), 0);
    alloc_fail_set(&all_fail);
    ck_assert_int_eq(vm_unmap(space, ANONYMOUS + 3 * PAGE, 6 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(space, MAPPED - PAGE, 4 * PAGE), 0);
    ck_assert_int_eq(vm_unmap(space, MAPPED + 4 * PAGE, 50 * PAGE), 0);
    vm_space_put(space);
    vm_space_put(other);
    allow();
    ck_assert_int_eq(cache_sync(&file.object), 0);
    check_in_use(before);
    test_file_finish(&file);
}
END_TEST

Suite *memory_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_call_without_memory_changes_nothing, 0,
                        (int)(sizeof scenarios / sizeof *scenarios));
    tcase_add_test(tcase, ending_allocates_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
