/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Zeros are zeros at the first touch; what is written stays when the processor forgets; pages
 *     are made in runs of frames, and the larger the longer a program goes on.
 *  2. A file's page is one frame for the page cache and all who map it to read; a private write
 *     makes a copy that the file does not see; a shared one is seen by readers, and reaches the
 *     medium by vm_sync and by unmapping, also when it came after an earlier vm_sync.
 *  3. A fork has the same bytes, and afterwards each its own, whether it was small or large; shared
 *     memory stays one.
 *  4. Faults tell apart: nothing there, not for that, behind the end of the file. A file that is
 *     cut takes its pages away at once.
 *  5. A stack grows to its limit and keeps a gap; the break moves as Linux's does; mappings are put
 *     from the top down; strict spaces refuse what may be both written and executed.
 *  6. The kernel's copies obey the rights of user code, and stop where those end.
 */
#include "vm/suites.h"

#include "mem/frame.h"

#include <hal/errno.h>

#include <string.h>

static struct vm_space *space;
static struct test_file file;
static struct in_use before;

static void set_up(void)
{
    vm_test_start();
    before = read_in_use();
    ck_assert_int_eq(vm_space_create(&space), 0);
}

static void tear_down(void)
{
    vm_space_put(space);
    if (file.file)
        test_file_finish(&file);
    file.file = NULL;
    ck_assert_uint_eq(fake_aspace.live, 0);
    check_in_use(before);
}

static uintptr_t map(size_t pages, unsigned access, unsigned flags, struct file *of, uint64_t page)
{
    int64_t at = vm_map(space, 0, pages * PAGE, access, flags, of, page * PAGE);

    ck_assert_int_gt(at, 0);
    return (uintptr_t)at;
}

static uint8_t read_byte(struct vm_space *from, uintptr_t address)
{
    uint8_t byte;

    ck_assert_int_eq(user_access(from, address, HAL_USER_READ, &byte), 0);
    return byte;
}

static int write_byte(struct vm_space *to, uintptr_t address, uint8_t byte)
{
    return user_access(to, address, HAL_USER_WRITE, &byte);
}

START_TEST(zeros_are_zeros_and_stay_what_they_became)
{
    uintptr_t at = map(100, RW, VM_PRIVATE, NULL, 0);

    for (uintptr_t i = 0; i < 100; i++) {
        ck_assert_uint_eq(read_byte(space, at + i * PAGE + 5), 0);
        ck_assert_int_eq(write_byte(space, at + i * PAGE + 5, (uint8_t)i), 0);
    }
    fake_aspace_forget(space);
    for (uintptr_t i = 0; i < 100; i++)
        ck_assert_uint_eq(read_byte(space, at + i * PAGE + 5), (uint8_t)i);
}
END_TEST

START_TEST(zeros_come_in_larger_and_larger_runs)
{
    uintptr_t at = map(1024, RW, VM_PRIVATE, NULL, 0);
    struct vm_usage usage;

    for (uintptr_t i = 0; i < 1024; i++)
        ck_assert_uint_eq(read_byte(space, at + i * PAGE), 0);
    vm_read_usage(space, &usage);
    ck_assert_uint_eq(usage.resident, 1024);
    ck_assert_uint_le(usage.loads, 1024 / 64 + 8);
    ck_assert_int_eq(vm_unmap(space, at, 1024 * PAGE), 0);

    /* Here and there, it is few pages that are not used. */
    at = map(1024, RW, VM_PRIVATE, NULL, 0);
    for (uintptr_t i = 0; i < 1024; i += 64)
        ck_assert_uint_eq(read_byte(space, at + i * PAGE), 0);
    vm_read_usage(space, &usage);
    ck_assert_uint_le(usage.resident, 16 * 4);
}
END_TEST

START_TEST(pages_of_a_file_are_those_of_the_cache)
{
    uintptr_t at, other;
    struct vm_usage usage;
    uint64_t physical, again;

    test_file_init(&file, _i, 32, 3);
    at = map(32, RX, VM_PRIVATE, file.read_only, 0);
    other = map(20, R, VM_SHARED, file.file, 4);
    for (uintptr_t i = 0; i < 32 * PAGE; i += 100)
        ck_assert_uint_eq(read_byte(space, at + i), test_file_byte(i, 3));
    for (uintptr_t i = 0; i < 20 * PAGE; i += 100)
        ck_assert_uint_eq(read_byte(space, other + i), test_file_byte(i + 4 * PAGE, 3));
    for (uintptr_t i = 0; i < 20; i++) {
        (void)read_byte(space, at + (i + 4) * PAGE);
        (void)read_byte(space, other + i * PAGE);
        hal_aspace_query(vm_space_aspace(space), at + (i + 4) * PAGE, &physical);
        hal_aspace_query(vm_space_aspace(space), other + i * PAGE, &again);
        ck_assert_uint_eq(physical, again);
    }
    vm_read_usage(space, &usage);
    ck_assert_uint_le(usage.loads, 4);
    ck_assert_uint_le(file.reads, 2);
    ck_assert_int_eq(write_byte(space, at, 1), -EACCES);
}
END_TEST

START_TEST(a_private_write_is_a_copy)
{
    uintptr_t at, other;
    uint8_t byte = 0x77;

    test_file_init(&file, _i, 8, 3);
    at = map(8, RW, VM_PRIVATE, file.read_only, 0);
    other = map(8, R, VM_SHARED, file.read_only, 0);
    ck_assert_uint_eq(read_byte(space, at + 10), test_file_byte(10, 3));
    ck_assert_int_eq(write_byte(space, at + 10, 0x55), 0);
    ck_assert_int_eq(vm_copy_out(space, at + PAGE + 3, &byte, 1), 0);
    ck_assert_uint_eq(read_byte(space, at + 10), 0x55);
    ck_assert_uint_eq(read_byte(space, at + PAGE + 3), 0x77);
    ck_assert_uint_eq(read_byte(space, at + 11), test_file_byte(11, 3));
    ck_assert_uint_eq(read_byte(space, other + 10), test_file_byte(10, 3));
    ck_assert_uint_eq(read_byte(space, other + PAGE + 3), test_file_byte(PAGE + 3, 3));
    ck_assert_int_eq(vm_advise(space, at, PAGE, VM_DONT_NEED), 0);
    ck_assert_uint_eq(read_byte(space, at + 10), test_file_byte(10, 3));
}
END_TEST

START_TEST(a_shared_write_reaches_readers_and_the_medium)
{
    uintptr_t at;
    uint8_t byte = 0;

    test_file_init(&file, false, 8, 3);
    at = map(8, RW, VM_SHARED, file.file, 0);
    ck_assert_int_eq(write_byte(space, at + 10, 0x55), 0);
    ck_assert_int_eq(cache_read(&file.object, 10, &byte, 1), 1);
    ck_assert_uint_eq(byte, 0x55);
    ck_assert(cache_is_unclean(&file.object));
    ck_assert_int_eq(vm_sync(space, at, 8 * PAGE, true), 0);
    ck_assert_uint_eq(file.medium[10], 0x55);
    ck_assert(!cache_is_unclean(&file.object));

    /* Later writes are seen again. */
    ck_assert_int_eq(write_byte(space, at + 11, 0x56), 0);
    ck_assert(cache_is_unclean(&file.object));
    /* Written back behind its back; what comes then is known at the latest when it is unmapped. */
    ck_assert_int_eq(cache_sync(&file.object), 0);
    ck_assert_int_eq(write_byte(space, at + 12, 0x57), 0);
    ck_assert_int_eq(vm_unmap(space, at, 8 * PAGE), 0);
    ck_assert_int_eq(cache_sync(&file.object), 0);
    ck_assert_uint_eq(file.medium[11], 0x56);
    ck_assert_uint_eq(file.medium[12], 0x57);
}
END_TEST

START_TEST(losing_the_right_to_write_notes_what_was_written)
{
    uintptr_t at;

    test_file_init(&file, false, 8, 3);
    at = map(8, RW, VM_SHARED, file.file, 0);
    ck_assert_int_eq(write_byte(space, at + 10, 0x55), 0);
    ck_assert_int_eq(cache_sync(&file.object), 0);
    ck_assert_int_eq(write_byte(space, at + 11, 0x56), 0);
    ck_assert_int_eq(vm_protect(space, at, 8 * PAGE, R), 0);
    ck_assert(cache_is_unclean(&file.object));
    ck_assert_int_eq(write_byte(space, at + 12, 0x57), -EACCES);
    ck_assert_int_eq(vm_protect(space, at, 8 * PAGE, RW), 0);
    ck_assert_int_eq(write_byte(space, at + 12, 0x57), 0);
}
END_TEST

static void try_fork(size_t pages, bool alone)
{
    uintptr_t own = map(pages, RW, VM_PRIVATE, NULL, 0), shared = map(4, RW, VM_SHARED, NULL, 0);
    uintptr_t mapped = map(8, RW, VM_PRIVATE, file.file, 0);
    struct vm_space *child;

    for (uintptr_t i = 0; i < pages; i++)
        ck_assert_int_eq(write_byte(space, own + i * PAGE, (uint8_t)i), 0);
    ck_assert_int_eq(write_byte(space, shared, 1), 0);
    ck_assert_int_eq(write_byte(space, mapped, 9), 0);
    ck_assert_int_eq(vm_space_fork(space, alone, &child), 0);
    for (uintptr_t i = 0; i < pages; i++)
        ck_assert_int_eq(write_byte(i % 2 ? space : child, own + i * PAGE + 1, 99), 0);
    for (uintptr_t i = 0; i < pages; i++) {
        ck_assert_uint_eq(read_byte(space, own + i * PAGE), (uint8_t)i);
        ck_assert_uint_eq(read_byte(child, own + i * PAGE), (uint8_t)i);
        ck_assert_uint_eq(read_byte(space, own + i * PAGE + 1), i % 2 ? 99 : 0);
        ck_assert_uint_eq(read_byte(child, own + i * PAGE + 1), i % 2 ? 0 : 99);
    }
    ck_assert_int_eq(write_byte(child, shared, 2), 0);
    ck_assert_int_eq(write_byte(child, shared + PAGE, 3), 0); /* nobody has touched it yet */
    ck_assert_uint_eq(read_byte(space, shared), 2);
    ck_assert_uint_eq(read_byte(space, shared + PAGE), 3);
    ck_assert_int_eq(write_byte(child, mapped, 10), 0);
    ck_assert_uint_eq(read_byte(space, mapped), 9);
    ck_assert_uint_eq(read_byte(child, mapped), 10);
    ck_assert_uint_eq(read_byte(child, mapped + PAGE), test_file_byte(PAGE, 3));
    vm_space_put(child);
    ck_assert_int_eq(write_byte(space, mapped, 11), 0);
    for (uintptr_t i = 0; i < pages; i++)
        ck_assert_uint_eq(read_byte(space, own + i * PAGE), (uint8_t)i);
}

START_TEST(a_fork_is_a_copy)
{
    test_file_init(&file, false, 8, 3);
    try_fork(_i & 1 ? 600 : 100, _i & 2);
}
END_TEST

START_TEST(a_large_fork_copies_nothing_at_first)
{
    uintptr_t own = map(1000, RW, VM_PRIVATE, NULL, 0);
    struct frame_stats stats;
    struct vm_space *child;
    uint64_t used;

    for (uintptr_t i = 0; i < 1000; i++)
        ck_assert_int_eq(write_byte(space, own + i * PAGE, (uint8_t)i), 0);
    frame_read_stats(&stats);
    used = stats.used;
    ck_assert_int_eq(vm_space_fork(space, true, &child), 0);
    frame_read_stats(&stats);
    ck_assert_uint_le(stats.used, used + 12);
    vm_space_put(child);
}
END_TEST

START_TEST(faults_say_what_is_wrong)
{
    uint8_t byte;
    uintptr_t at;

    test_file_init(&file, _i, 4, 3);
    at = map(8, RW, VM_SHARED, file.file, 0);
    ck_assert_int_eq(user_access(space, at + 4 * PAGE, HAL_USER_READ, &byte), -ENXIO);
    ck_assert_int_eq(user_access(space, at + 4 * PAGE - 1, HAL_USER_READ, &byte), 0);
    ck_assert_int_eq(user_access(space, at, HAL_USER_EXECUTE, &byte), -EACCES);
    ck_assert_int_eq(user_access(space, at - 1, HAL_USER_READ, &byte), -EFAULT);
    ck_assert_int_eq(user_access(space, 0, HAL_USER_READ, &byte), -EFAULT);
    ck_assert_int_eq(user_access(space, UINTPTR_MAX, HAL_USER_READ, &byte), -EFAULT);
    ck_assert_int_eq(user_access(space, (uintptr_t)1 << 47, HAL_USER_READ, &byte), -EFAULT);
    ck_assert_int_eq(vm_protect(space, at, PAGE, 0), 0);
    ck_assert_int_eq(user_access(space, at, HAL_USER_READ, &byte), -EACCES);
    test_file_resize(&file, PAGE + 10);
    ck_assert_int_eq(user_access(space, at + 2 * PAGE, HAL_USER_READ, &byte), -ENXIO);
    ck_assert_uint_eq(read_byte(space, at + PAGE + 9), test_file_byte(PAGE + 9, 3));
    ck_assert_uint_eq(read_byte(space, at + PAGE + 10), 0);
    test_file_resize(&file, 3 * PAGE);
    ck_assert_uint_eq(read_byte(space, at + 2 * PAGE), 0);
    file.bad = true;
    ck_assert_int_eq(vm_advise(space, at, 8 * PAGE, VM_DONT_NEED), 0);
    if (!file.has_frames) {
        ck_assert_int_eq(cache_sync(&file.object), 0);
        cache_forget(&file.object, 0, 8 * PAGE);
    }
    ck_assert_int_eq(user_access(space, at + PAGE, HAL_USER_READ, &byte), -ENXIO);
}
END_TEST

START_TEST(a_cut_file_takes_private_copies_away_too)
{
    uintptr_t at;
    uint8_t byte;

    test_file_init(&file, false, 8, 3);
    at = map(6, RW, VM_PRIVATE, file.file, 2);
    ck_assert_int_eq(write_byte(space, at + PAGE, 1), 0);
    ck_assert_int_eq(write_byte(space, at + 4 * PAGE, 1), 0);
    test_file_resize(&file, 4 * PAGE);
    ck_assert_uint_eq(read_byte(space, at + PAGE), 1);
    ck_assert_int_eq(user_access(space, at + 4 * PAGE, HAL_USER_READ, &byte), -ENXIO);
}
END_TEST

START_TEST(a_stack_grows_to_its_limit)
{
    struct vm_limits limits;
    uintptr_t at = 0x600000, low;

    vm_read_limits(space, &limits);
    limits.stack = 100 * PAGE;
    vm_set_limits(space, &limits);
    ck_assert_int_eq(
        vm_map(space, at, 2 * PAGE, RW, VM_PRIVATE | VM_FIXED | VM_GROWS_DOWN, NULL, 0),
        (int64_t)at);
    low = at + 2 * PAGE - 100 * PAGE;
    ck_assert_int_eq(write_byte(space, at - 1, 7), 0);
    ck_assert_int_eq(write_byte(space, low, 7), 0);
    ck_assert_int_eq(write_byte(space, low - 1, 7), -EFAULT);
    /* It does not come near what is below. */
    limits.stack = UINT64_MAX;
    vm_set_limits(space, &limits);
    ck_assert_int_eq(vm_map(space, low - 400 * PAGE, PAGE, RW, VM_PRIVATE | VM_FIXED, NULL, 0),
                     (int64_t)(low - 400 * PAGE));
    ck_assert_int_eq(write_byte(space, low - 143 * PAGE, 7), 0);
    ck_assert_int_eq(write_byte(space, low - 144 * PAGE, 7), -EFAULT);
    /* And nothing is put near to it unless asked. */
    limits.top = low;
    vm_set_limits(space, &limits);
    ck_assert_uint_lt(map(1, RW, VM_PRIVATE, NULL, 0), low - 400 * PAGE + 1);
}
END_TEST

START_TEST(the_break_moves)
{
    uintptr_t start = BASE + 5;
    struct vm_region_info info;
    struct vm_limits limits;

    vm_place_break(space, start);
    start = BASE + PAGE;
    ck_assert_uint_eq(vm_set_break(space, 0), start);
    ck_assert_uint_eq(vm_set_break(space, start + 10), start + 10);
    ck_assert_int_eq(write_byte(space, start + PAGE - 1, 7), 0);
    ck_assert_int_eq(write_byte(space, start + PAGE, 7), -EFAULT);
    ck_assert_uint_eq(vm_set_break(space, start + 9 * PAGE), start + 9 * PAGE);
    ck_assert_int_eq(write_byte(space, start + 8 * PAGE, 7), 0);
    ck_assert(vm_region_at(space, start, &info));
    ck_assert(info.is_break && info.start == start && info.end == start + 9 * PAGE);
    ck_assert_uint_eq(vm_set_break(space, start + 1), start + 1);
    ck_assert_int_eq(write_byte(space, start + 8 * PAGE, 7), -EFAULT);
    ck_assert_uint_eq(vm_set_break(space, start + 9 * PAGE), start + 9 * PAGE);
    ck_assert_uint_eq(read_byte(space, start + 8 * PAGE), 0);
    ck_assert_uint_eq(read_byte(space, start + PAGE - 1), 7);
    /* Not over something, nor past the limit. */
    ck_assert_int_gt(vm_map(space, start + 12 * PAGE, PAGE, R, VM_PRIVATE | VM_FIXED, NULL, 0), 0);
    ck_assert_uint_eq(vm_set_break(space, start + 13 * PAGE), start + 9 * PAGE);
    vm_read_limits(space, &limits);
    limits.data = 10 * PAGE;
    vm_set_limits(space, &limits);
    ck_assert_uint_eq(vm_set_break(space, start + 11 * PAGE), start + 9 * PAGE);
    ck_assert_uint_eq(vm_set_break(space, UINTPTR_MAX), start + 9 * PAGE);
    ck_assert_uint_eq(vm_set_break(space, start + 10 * PAGE), start + 10 * PAGE);
}
END_TEST

START_TEST(mappings_go_where_they_may)
{
    struct vm_limits limits;
    uintptr_t one = map(3, RW, VM_PRIVATE, NULL, 0), two = map(2, R, VM_PRIVATE, NULL, 0);

    ck_assert_uint_eq(one, HAL_USER_END - 3 * PAGE);
    ck_assert_uint_eq(two, one - 2 * PAGE);
    ck_assert_int_eq(vm_unmap(space, one, PAGE), 0);
    ck_assert_uint_eq(map(1, RX, VM_PRIVATE, NULL, 0), one);
    ck_assert_int_eq(vm_map(space, BASE, PAGE, R, VM_PRIVATE, NULL, 0), BASE);
    ck_assert_int_ne(vm_map(space, BASE, PAGE, R, VM_PRIVATE, NULL, 0), BASE);
    ck_assert_int_eq(vm_map(space, BASE, PAGE, R, VM_PRIVATE | VM_FIXED_NOREPLACE, NULL, 0),
                     -EEXIST);
    ck_assert_int_eq(vm_map(space, BASE + 1, PAGE, R, VM_PRIVATE | VM_FIXED, NULL, 0), -EINVAL);
    ck_assert_int_eq(vm_map(space, 0, PAGE, R, VM_PRIVATE | VM_FIXED, NULL, 0), -ENOMEM);
    ck_assert_int_eq(vm_map(space, 0, 0, R, VM_PRIVATE, NULL, 0), -EINVAL);
    ck_assert_int_eq(vm_map(space, 0, SIZE_MAX, R, VM_PRIVATE, NULL, 0), -ENOMEM);
    ck_assert_int_eq(vm_map(space, 0, PAGE, R, VM_PRIVATE | VM_SHARED, NULL, 0), -EINVAL);
    ck_assert_int_eq(vm_map(space, 0, PAGE, R, 0, NULL, 0), -EINVAL);
    vm_read_limits(space, &limits);
    limits.strict = true;
    limits.bytes = 100 * PAGE;
    vm_set_limits(space, &limits);
    ck_assert_int_eq(vm_map(space, 0, PAGE, RW | RX, VM_PRIVATE, NULL, 0), -EACCES);
    ck_assert_int_eq(vm_protect(space, BASE, PAGE, RW | RX), -EACCES);
    ck_assert_int_eq(vm_map(space, 0, 200 * PAGE, R, VM_PRIVATE, NULL, 0), -ENOMEM);
}
END_TEST

START_TEST(files_are_mapped_as_they_were_opened)
{
    uintptr_t at;

    test_file_init(&file, false, 8, 3);
    ck_assert_int_eq(vm_map(space, 0, PAGE, RW, VM_SHARED, file.read_only, 0), -EACCES);
    ck_assert_int_eq(vm_map(space, 0, PAGE, R, VM_SHARED, file.read_only, 1), -EINVAL);
    ck_assert_int_eq(vm_map(space, 0, PAGE, R, VM_SHARED, file.file, UINT64_MAX - PAGE + 1),
                     -EOVERFLOW);
    at = map(1, R, VM_SHARED, file.read_only, 0);
    ck_assert_int_eq(vm_protect(space, at, PAGE, RW), -EACCES);
    at = map(1, R, VM_SHARED, file.file, 0);
    ck_assert_int_eq(vm_protect(space, at, PAGE, RW), 0);
}
END_TEST

START_TEST(neighbours_that_are_alike_are_one_region)
{
    struct vm_region_info info;
    unsigned n = 0;

    test_file_init(&file, false, 8, 3);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_gt(
            vm_map(space, BASE + i * PAGE, PAGE, RW, VM_PRIVATE | VM_FIXED, file.file, i * PAGE),
            0);
    for (unsigned i = 0; i < 8; i += 2)
        ck_assert_int_eq(vm_protect(space, BASE + i * PAGE, PAGE, R), 0);
    for (uintptr_t at = BASE; vm_region_at(space, at, &info); at = info.end, n++)
        file_put(info.file);
    ck_assert_uint_eq(n, 8);
    ck_assert_int_eq(vm_protect(space, BASE, 8 * PAGE, RW), 0);
    ck_assert(vm_region_at(space, 0, &info));
    ck_assert(info.start == BASE && info.end == BASE + 8 * PAGE && info.offset == 0);
    file_put(info.file);
}
END_TEST

START_TEST(remapping_moves_the_pages)
{
    uintptr_t at = map(4, RW, VM_PRIVATE, NULL, 0);
    int64_t to;

    for (uintptr_t i = 0; i < 4; i++)
        ck_assert_int_eq(write_byte(space, at + i * PAGE, (uint8_t)(i + 1)), 0);
    ck_assert_int_eq(vm_remap(space, at, 4 * PAGE, 8 * PAGE, 0, 0), -ENOMEM);
    to = vm_remap(space, at, 4 * PAGE, 8 * PAGE, VM_REMAP_MAY_MOVE, 0);
    ck_assert_int_gt(to, 0);
    ck_assert_int_eq(write_byte(space, at, 1), -EFAULT);
    for (uintptr_t i = 0; i < 8; i++)
        ck_assert_uint_eq(read_byte(space, (uintptr_t)to + i * PAGE), i < 4 ? i + 1 : 0);
    ck_assert_int_eq(vm_remap(space, (uintptr_t)to + PAGE, 2 * PAGE, 2 * PAGE,
                              VM_REMAP_MAY_MOVE | VM_REMAP_FIXED, (uintptr_t)to + 5 * PAGE),
                     to + (int64_t)(5 * PAGE));
    ck_assert_uint_eq(read_byte(space, (uintptr_t)to + 5 * PAGE), 2);
    ck_assert_uint_eq(read_byte(space, (uintptr_t)to + 6 * PAGE), 3);
    ck_assert_int_eq(write_byte(space, (uintptr_t)to + PAGE, 1), -EFAULT);
    ck_assert_uint_eq(read_byte(space, (uintptr_t)to + 3 * PAGE), 4);
    ck_assert_int_eq(vm_remap(space, (uintptr_t)to + 3 * PAGE, 5 * PAGE, PAGE, 0, 0),
                     to + (int64_t)(3 * PAGE));
    ck_assert_int_eq(write_byte(space, (uintptr_t)to + 4 * PAGE, 1), -EFAULT);
    ck_assert_int_eq(vm_remap(space, (uintptr_t)to + 3 * PAGE, 2 * PAGE, PAGE, 0, 0), -EFAULT);
}
END_TEST

START_TEST(copies_obey_the_rights)
{
    uintptr_t at = map(3, RW, VM_PRIVATE, NULL, 0);
    char text[3 * HAL_PAGE_SIZE], back[sizeof text];

    memset(text, 'x', sizeof text);
    ck_assert_int_eq(vm_copy_out(space, at, text, sizeof text), 0);
    ck_assert_int_eq(vm_copy_in(space, back, at, sizeof back), 0);
    ck_assert(memcmp(text, back, sizeof text) == 0);
    ck_assert_int_eq(vm_zero_out(space, at + PAGE - 1, 2), 0);
    ck_assert_int_eq(vm_copy_string_in(space, back, at, sizeof back), PAGE - 1);
    ck_assert_int_eq(vm_copy_string_in(space, back, at, 10), 10);
    ck_assert_int_eq(vm_copy_string_in(space, back, at + 2 * PAGE, sizeof back), -EFAULT);
    ck_assert_int_eq(vm_protect(space, at + PAGE, PAGE, R), 0);
    ck_assert_int_eq(vm_copy_out(space, at, text, sizeof text), -EFAULT);
    ck_assert_int_eq(vm_copy_out_some(space, at, text, sizeof text), PAGE);
    ck_assert_int_eq(vm_copy_out_some(space, at + PAGE, text, 1), -EFAULT);
    ck_assert_int_eq(vm_copy_in_some(space, back, at + 2 * PAGE, 2 * PAGE), PAGE);
    ck_assert_int_eq(vm_copy_in(space, back, UINTPTR_MAX - 5, 20), -EFAULT);
    ck_assert_int_eq(vm_copy_in(space, back, 0, 0), 0);
    ck_assert_int_eq(vm_copy_in(space, back, 0, 1), -EFAULT);
}
END_TEST

START_TEST(words_change_in_one_step)
{
    uintptr_t at = map(1, RW, VM_PRIVATE, NULL, 0);
    uint32_t value = 1;

    ck_assert_int_eq(vm_cmpxchg_u32(space, at + 4, &value, 7), 0);
    ck_assert_uint_eq(value, 0);
    ck_assert_int_eq(vm_cmpxchg_u32(space, at + 4, &value, 7), 0);
    ck_assert_int_eq(vm_load_u32(space, at + 4, &value), 0);
    ck_assert_uint_eq(value, 7);
    ck_assert_int_eq(vm_load_u32(space, at + 2, &value), -EINVAL);
    ck_assert_int_eq(vm_cmpxchg_u32(space, at + 1, &value, 7), -EINVAL);
    ck_assert_int_eq(vm_load_u32(space, at - 4, &value), -EFAULT);
}
END_TEST

START_TEST(keys_tell_the_same_memory)
{
    uintptr_t at, other, own = map(1, RW, VM_PRIVATE, NULL, 0);
    struct vm_key a, b;
    struct vm_space *child;

    test_file_init(&file, false, 8, 3);
    at = map(4, R, VM_SHARED, file.file, 1);
    other = map(4, R, VM_SHARED, file.read_only, 0);
    ck_assert_int_eq(vm_space_fork(space, true, &child), 0);
    ck_assert_int_eq(vm_key_of(space, at + 8, &a), 0);
    ck_assert_int_eq(vm_key_of(child, other + PAGE + 8, &b), 0);
    ck_assert(a.object == b.object && a.offset == b.offset);
    ck_assert_int_eq(vm_key_of(space, own, &a), 0);
    ck_assert_int_eq(vm_key_of(child, own, &b), 0);
    ck_assert(a.object != b.object);
    ck_assert_int_eq(vm_key_of(space, BASE, &a), -EFAULT);
    vm_space_put(child);
}
END_TEST

Suite *claims_suite(void)
{
    Suite *suite = suite_create("claims");
    TCase *tcase = tcase_create("claims");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, zeros_are_zeros_and_stay_what_they_became);
    tcase_add_test(tcase, zeros_come_in_larger_and_larger_runs);
    tcase_add_loop_test(tcase, pages_of_a_file_are_those_of_the_cache, 0, 2);
    tcase_add_loop_test(tcase, a_private_write_is_a_copy, 0, 2);
    tcase_add_test(tcase, a_shared_write_reaches_readers_and_the_medium);
    tcase_add_test(tcase, losing_the_right_to_write_notes_what_was_written);
    tcase_add_loop_test(tcase, a_fork_is_a_copy, 0, 4);
    tcase_add_test(tcase, a_large_fork_copies_nothing_at_first);
    tcase_add_loop_test(tcase, faults_say_what_is_wrong, 0, 2);
    tcase_add_test(tcase, a_cut_file_takes_private_copies_away_too);
    tcase_add_test(tcase, a_stack_grows_to_its_limit);
    tcase_add_test(tcase, the_break_moves);
    tcase_add_test(tcase, mappings_go_where_they_may);
    tcase_add_test(tcase, files_are_mapped_as_they_were_opened);
    tcase_add_test(tcase, neighbours_that_are_alike_are_one_region);
    tcase_add_test(tcase, remapping_moves_the_pages);
    tcase_add_test(tcase, copies_obey_the_rights);
    tcase_add_test(tcase, words_change_in_one_step);
    tcase_add_test(tcase, keys_tell_the_same_memory);
    suite_add_tcase(suite, tcase);
    return suite;
}
