/* SPDX-License-Identifier: MIT */
/*
 * directories.c: what a directory may hold.
 *
 * 1. Entries come in order, with attributes; labels, dots, deleted and invalid ones do not.
 * 2. A directory ends at its first 00, at the end of its chain, or after 65,536 slots.
 * 3. Times are what the card says, put into range part by part.
 * 4. A directory that contains itself or an ancestor, or that starts nowhere, is an error to
 *    enter and no obstacle to its neighbours; so is a loop in its chain.
 * 5. Deep paths open and are given back without recursion.
 */
#include "suites.h"

#include "dev/clock.h"

#include "../fake_hal.h"
#include "image.h"

#include "heap/heap.h"

#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

static struct image image;
static uint8_t *root;

static void build(void)
{
    image_build(&image, 6000);
    root = image_cluster(&image, IMAGE_ROOT);
}

static void unbuild(void)
{
    image_free(&image);
}

static void expect_names(const char *path, const char *want)
{
    char names[4096];

    ck_assert_int_eq(image_list(path, names, sizeof names), 0);
    ck_assert_str_eq(names, want);
}

static int open_error(const char *path)
{
    struct vnode *vnode = NULL;
    int error = vfs_find(NULL, path, 0, &vnode);

    if (!error)
        vnode_put(vnode);
    return error;
}

START_TEST(only_files_and_directories_are_entries)
{
    image_entry(root, "LABEL      ", IMAGE_LABEL, 0, 0);
    image_entry(root + 32, ".          ", IMAGE_DIRECTORY, 2, 0);
    image_entry(root + 64, "..         ", IMAGE_DIRECTORY, 0, 0);
    image_entry(root + 96, "\xE5ONE       ", IMAGE_FILE, 0, 0);
    image_entry(root + 128, "BOTH       ", IMAGE_DIRECTORY | IMAGE_LABEL, 9, 0);
    image_entry(root + 160, "ALLBITS    ", 0xFF, 9, 0xFFFFFFFF);
    image_entry(root + 192, "FILE       ", IMAGE_FILE, 0, 0);
    image_entry(root + 224, "RESERVED   ", 0xE0, 0, 0);
    image_entry(root + 256, "NOTHING    ", 0x00, 0, 0);
    image_entry(root + 288, "DIR        ", IMAGE_DIRECTORY, 9, 0xFFFFFFFF);
    image_entry(root + 352, "BEYOND     ", IMAGE_FILE, 0, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    expect_names("/", "FILE\nRESERVED\nNOTHING\nDIR\n");
    ck_assert_int_eq(open_error("/LABEL"), -ENOENT);
    ck_assert_int_eq(open_error("/BEYOND"), -ENOENT);
    vfs_unmount_root();
}
END_TEST

START_TEST(attributes_are_told)
{
    struct vnode *vnode;

    image_entry(root, "ONE        ", 0x01, 0, 77);
    image_entry(root + 32, "TWO        ", 0x02, 0, 0xFFFFFFFF);
    image_entry(root + 64, "FOUR       ", 0x04, 0, 0);
    image_entry(root + 96, "DIR        ", 0x17, 9, 99);
    ck_assert_int_eq(image_mount(&image), 0);
    vnode = image_open("/one");
    ck_assert(vnode->attributes.read_only && !vnode->attributes.hidden);
    ck_assert_uint_eq(vnode->attributes.size, 77);
    vnode_put(vnode);
    vnode = image_open("/two");
    ck_assert(vnode->attributes.hidden && !vnode->attributes.system);
    ck_assert_uint_eq(vnode->attributes.size, 0xFFFFFFFF);
    vnode_put(vnode);
    vnode = image_open("/four");
    ck_assert(vnode->attributes.system && vnode->attributes.type == VNODE_FILE);
    vnode_put(vnode);
    vnode = image_open("/dir");
    ck_assert_int_eq(vnode->attributes.type, VNODE_DIRECTORY);
    ck_assert_uint_eq(vnode->attributes.size, 0);
    vnode_put(vnode);
    vfs_unmount_root();
}
END_TEST

#define DATE(year, month, day) ((unsigned)((year)-1980) << 9 | (month) << 5 | (day))
#define TIME(hour, minute, second) ((hour) << 11 | (minute) << 5 | (second) / 2)

/* Date and time of change as on the card, and the seconds since 1970 that they mean. */
static const struct {
    unsigned date, time;
    int64_t seconds;
} times[] = {
    {DATE(1980, 1, 1), TIME(0, 0, 0), 315532800},
    {DATE(2000, 2, 29), TIME(12, 34, 56), 951827696},
    {DATE(2026, 1, 1), TIME(12, 0, 0), 1767268800},
    {DATE(2038, 1, 19), TIME(3, 14, 8), 2147483648},
    {DATE(2107, 12, 31), TIME(23, 59, 58), 4354819198},
    {0, 0, 315532800},
    {DATE(1980, 0, 0), TIME(0, 0, 0), 315532800},
    {DATE(2107, 15, 31), TIME(31, 63, 62), 4354819198},
    {DATE(2001, 2, 29), TIME(0, 0, 0), 983318400},
    {DATE(2001, 2, 31), TIME(0, 0, 0), 983318400},
    {DATE(2100, 2, 29), TIME(0, 0, 0), 4107456000},
    {DATE(2004, 4, 31), TIME(0, 0, 0), 1083283200},
    {0xFFFF, 0xFFFF, 4354819198},
};

START_TEST(times_are_put_into_range)
{
    struct vnode *vnode;

    image_entry(root, "FILE       ", IMAGE_FILE, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        root[16 + i] = root[18 + i] = root[24 + i] = (uint8_t)(times[_i].date >> 8 * i);
        root[14 + i] = root[22 + i] = (uint8_t)(times[_i].time >> 8 * i);
    }
    root[13] = 199;
    ck_assert_int_eq(image_mount(&image), 0);
    vnode = image_open("/FILE");
    ck_assert_int_eq(vnode->attributes.modified, times[_i].seconds * WALL_NS);
    ck_assert_int_eq(vnode->attributes.created, times[_i].seconds * WALL_NS + WALL_NS / 100 * 199);
    ck_assert_int_eq(vnode->attributes.accessed, times[_i].seconds / 86400 * 86400 * WALL_NS);
    vnode_put(vnode);
    vfs_unmount_root();
}
END_TEST

START_TEST(every_date_and_time_is_some_second)
{
    image_entry(root, "FILE       ", IMAGE_FILE, 0, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    /* The card is read through the cache, so each value needs a mount: every 97th will do. */
    for (unsigned value = (unsigned)_i; value < 65536; value += 97) {
        struct vnode *vnode;

        vfs_unmount_root();
        root[24] = root[22] = (uint8_t)value;
        root[25] = root[23] = (uint8_t)(value >> 8);
        ck_assert_int_eq(vfs_mount_root(), 0);
        vnode = image_open("/FILE");
        ck_assert_int_ge(vnode->attributes.modified, 315532800 * WALL_NS);
        ck_assert_int_le(vnode->attributes.modified, 4354819198 * WALL_NS);
        vnode_put(vnode);
    }
    vfs_unmount_root();
}
END_TEST

START_TEST(a_directory_may_fill_its_chain_to_the_last_slot)
{
    char names[2048];

    for (unsigned i = 0; i < 32; i++) {
        char name[] = "ENTRY00    ";

        name[5] = (char)('A' + i / 10);
        name[6] = (char)('0' + i % 10);
        image_entry(image_cluster(&image, i < 16 ? IMAGE_ROOT : 50) + i % 16 * 32, name, IMAGE_FILE,
                    0, 0);
    }
    image_link(&image, IMAGE_ROOT, 50);
    image_link(&image, 50, IMAGE_END);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(image_list("/", names, sizeof names), 0);
    ck_assert_uint_eq(strlen(names), 32 * 8);
    vnode_put(image_open("/entryd1"));
    vfs_unmount_root();
}
END_TEST

START_TEST(a_directory_ends_after_65536_slots)
{
    uint32_t clusters = 65536 / 16 + 10;

    image_entry(root, "DIR        ", IMAGE_DIRECTORY, 100, 0);
    image_chain(&image, 100, clusters);
    memset(image_cluster(&image, 100), 0xE5, (size_t)clusters * IMAGE_SECTOR);
    image_entry(image_cluster(&image, 100 + 4095) + 15 * 32, "LAST       ", IMAGE_FILE, 0, 0);
    image_entry(image_cluster(&image, 100 + 4096), "BEYOND     ", IMAGE_FILE, 0, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    expect_names("/DIR", "LAST\n");
    vfs_unmount_root();
}
END_TEST

START_TEST(a_loop_in_the_chain_of_a_directory_ends)
{
    char names[4096];

    image_entry(root, "DIR        ", IMAGE_DIRECTORY, 100, 0);
    image_chain(&image, 100, 4);
    image_link(&image, 103, 100 + (uint32_t)_i);
    for (unsigned i = 0; i < 64; i++)
        image_entry(image_cluster(&image, 100) + i * 32, "SAME       ", IMAGE_FILE, 0, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    fake.request_limit = fake.requests + 20;
    ck_assert_int_eq(image_list("/DIR", names, sizeof names), -EIO);
    ck_assert_uint_eq(strlen(names), 64 * 5);
    ck_assert_int_eq(open_error("/DIR/NOTHERE"), -EIO);
    ck_assert_int_eq(open_error("/DIR/SAME"), 0);
    vfs_unmount_root();
}
END_TEST

/** /A/B at clusters 100 and 101, with a file beside B. */
static void build_tree(uint32_t b_start)
{
    image_entry(root, "A          ", IMAGE_DIRECTORY, 100, 0);
    image_link(&image, 100, IMAGE_END);
    image_link(&image, 101, IMAGE_END);
    image_entry(image_cluster(&image, 100), ".          ", IMAGE_DIRECTORY, 100, 0);
    image_entry(image_cluster(&image, 100) + 32, "..         ", IMAGE_DIRECTORY, 0, 0);
    image_entry(image_cluster(&image, 100) + 64, "B          ", IMAGE_DIRECTORY, b_start, 0);
    image_entry(image_cluster(&image, 100) + 96, "FILE       ", IMAGE_FILE, 0, 0);
}

START_TEST(a_directory_that_cannot_be_entered_spares_its_neighbours)
{
    static const struct {
        uint32_t start;
        int error;
    } cases[] = {
        {100, -ELOOP}, {IMAGE_ROOT, -ELOOP}, {0, -EIO},          {1, -EIO},
        {6002, -EIO},  {0x0FFFFFF7, -EIO},   {0xFFFFFFFF, -EIO}, {101, 0},
    };

    build_tree(cases[_i].start);
    ck_assert_int_eq(image_mount(&image), 0);
    expect_names("/A", "B\nFILE\n");
    ck_assert_int_eq(open_error("/A/B"), cases[_i].error);
    ck_assert_int_eq(open_error("/A/B/X"), cases[_i].error ? cases[_i].error : -ENOENT);
    ck_assert_int_eq(open_error("/A/FILE"), 0);
    ck_assert_int_eq(open_error("/A/FILE/X"), -ENOTDIR);
    ck_assert_int_eq(open_error("/A/FILE"), 0);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_loop_over_several_directories_is_found)
{
    build_tree(101);
    image_entry(image_cluster(&image, 101), "C          ", IMAGE_DIRECTORY, 102, 0);
    image_link(&image, 102, IMAGE_END);
    image_entry(image_cluster(&image, 102), "D          ", IMAGE_DIRECTORY, 100, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(open_error("/A/B/C"), 0);
    ck_assert_int_eq(open_error("/A/B/C/D"), -ELOOP);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_path_of_2000_directories_opens_and_is_given_back)
{
    char *path = calloc(1, VFS_PATH_MAX);
    struct heap_stats before, after;

    for (uint32_t i = 0; i < 2000; i++) {
        image_link(&image, 100 + i, IMAGE_END);
        image_entry(i == 0 ? root : image_cluster(&image, 99 + i), "D          ", IMAGE_DIRECTORY,
                    100 + i, 0);
        strcat(path, "/d");
    }
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(open_error("/d"), 0);
    ck_assert_int_eq(open_error(path), 0);
    heap_read_stats(&before);
    ck_assert_int_eq(open_error(path), 0);
    heap_read_stats(&after);
    ck_assert_uint_eq(after.live_blocks, before.live_blocks);
    vfs_unmount_root();
    free(path);
}
END_TEST

START_TEST(a_file_in_use_keeps_the_mount)
{
    uint8_t data[IMAGE_SECTOR];
    struct heap_stats before, after;
    struct vnode *file;

    image_chain(&image, 10, 1);
    image_fill(&image, 10, 1, 0);
    image_entry(root, "FILE       ", IMAGE_FILE, 10, IMAGE_SECTOR);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(vfs_unmount_root(), 0);
    ck_assert_int_eq(vfs_unmount_root(), -ENOMEDIUM);
    heap_read_stats(&before);
    ck_assert_int_eq(vfs_mount_root(), 0);
    ck_assert_int_eq(vfs_mount_root(), -EBUSY);
    file = image_open("/FILE");
    ck_assert_int_eq(vfs_unmount_root(), -EBUSY);
    ck_assert_int_eq(open_error("/FILE"), 0);
    ck_assert_int_eq(vfs_read(file, 0, data, sizeof data), IMAGE_SECTOR);
    ck_assert_int_eq(data[100], image_pattern(100));
    vnode_put(file);
    ck_assert_int_eq(vfs_unmount_root(), 0);
    ck_assert_int_eq(open_error("/FILE"), -ENOMEDIUM);
    heap_read_stats(&after);
    ck_assert_uint_eq(after.live_blocks, before.live_blocks);
    ck_assert_uint_eq(after.live_bytes, before.live_bytes);
}
END_TEST

START_TEST(reading_a_directory_and_listing_a_file_are_refused)
{
    struct vnode *vnode;
    struct directory_entry entry;
    uint64_t position = 0;

    image_entry(root, "FILE       ", IMAGE_FILE, 0, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    vnode = image_open("/");
    ck_assert_int_eq(vfs_read(vnode, 0, &entry, 1), -EISDIR);
    vnode_put(vnode);
    vnode = image_open("/FILE");
    ck_assert_int_eq(vfs_iterate(vnode, &position, &entry), -ENOTDIR);
    vnode_put(vnode);
    ck_assert_int_eq(open_error("/FILE/"), -ENOTDIR);
    ck_assert_int_eq(open_error("/FILE/."), -ENOTDIR);
    ck_assert_int_eq(open_error("/./FILE"), 0);
    vfs_unmount_root();
}
END_TEST

Suite *directory_suite(void)
{
    Suite *suite = suite_create("directory");
    TCase *tests = tcase_create("directories");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, only_files_and_directories_are_entries);
    tcase_add_test(tests, attributes_are_told);
    tcase_add_loop_test(tests, times_are_put_into_range, 0, sizeof times / sizeof times[0]);
    tcase_add_loop_test(tests, every_date_and_time_is_some_second, 0, 2);
    tcase_add_test(tests, a_directory_may_fill_its_chain_to_the_last_slot);
    tcase_add_test(tests, a_directory_ends_after_65536_slots);
    tcase_add_loop_test(tests, a_loop_in_the_chain_of_a_directory_ends, 0, 4);
    tcase_add_loop_test(tests, a_directory_that_cannot_be_entered_spares_its_neighbours, 0, 8);
    tcase_add_test(tests, a_loop_over_several_directories_is_found);
    tcase_add_test(tests, a_path_of_2000_directories_opens_and_is_given_back);
    tcase_add_test(tests, a_file_in_use_keeps_the_mount);
    tcase_add_test(tests, reading_a_directory_and_listing_a_file_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
