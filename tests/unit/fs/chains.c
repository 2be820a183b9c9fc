/* SPDX-License-Identifier: MIT */
/*
 * chains.c: following the links of a file, whatever they are.
 *
 * 1. Any read of a file, of any length at any offset, gives the file's bytes, contiguous or in
 * pieces.
 * 2. A file in more pieces than are remembered still reads everywhere.
 * 3. A chain with a loop, or that leads nowhere, to a free or a bad cluster, or that is too short,
 *    gives the data before the break and then -EIO. It costs a bounded number of card requests.
 * 4. A start that is no cluster gives -EIO; a size of 0 gives no data whatever the start.
 * 5. The reserved bits of links do not matter.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "image.h"

#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

#define FIRST 10u
#define COUNT 6u

static struct image image;

static void build(void)
{
    image_build(&image, 4000);
    image_chain(&image, FIRST, COUNT);
    image_fill(&image, FIRST, COUNT, 0);
    image_entry(image_cluster(&image, IMAGE_ROOT), "FILE       ", IMAGE_FILE, FIRST,
                COUNT * IMAGE_SECTOR);
}

static void unbuild(void)
{
    image_free(&image);
}

static void set_size(uint32_t size)
{
    uint8_t *entry = image_cluster(&image, IMAGE_ROOT);
    uint8_t raw[32];

    image_entry(raw, "FILE       ", IMAGE_FILE, 0, size);
    memcpy(entry + 28, raw + 28, 4);
}

static void set_start(uint32_t cluster)
{
    uint8_t *entry = image_cluster(&image, IMAGE_ROOT);
    uint8_t raw[32];

    image_entry(raw, "FILE       ", IMAGE_FILE, cluster, 0);
    memcpy(entry + 20, raw + 20, 2);
    memcpy(entry + 26, raw + 26, 2);
}

/** Reads `n` bytes at `offset` and compares them with the pattern; expects `want` bytes. */
static void check_read(struct vnode *file, uint64_t offset, size_t n, int64_t want)
{
    uint8_t *data = malloc(n + 1);
    int64_t same = 0;

    data[n] = 0x5A;
    ck_assert_int_eq(vfs_read(file, offset, data, n), want);
    while (same < want && data[same] == image_pattern(offset + (uint64_t)same))
        same++;
    ck_assert_msg(want < 0 || same == want, "wrong byte at %llu",
                  (unsigned long long)offset + (unsigned long long)same);
    ck_assert_int_eq(data[n], 0x5A);
    free(data);
}

/** 1,000 reads at random places of a file of `size` bytes, and a few at the edges. */
static void check_everywhere(uint64_t size)
{
    struct vnode *file = image_open("/FILE");
    uint32_t seed = 12345;

    ck_assert_uint_eq(file->attributes.size, size);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t offset, n;

        seed = seed * 1664525 + 1013904223;
        offset = (seed >> 4) % (size + 10);
        seed = seed * 1664525 + 1013904223;
        n = (seed >> 8) % (i % 10 == 0 ? size + 1 : 5000);
        check_read(file, offset, n,
                   (int64_t)(offset >= size      ? 0
                             : n > size - offset ? size - offset
                                                 : n));
    }
    check_read(file, 0, size, (int64_t)size);
    check_read(file, size - 1, 2, 1);
    check_read(file, size, 1, 0);
    check_read(file, UINT64_MAX, 100, 0);
    vnode_put(file);
}

START_TEST(a_contiguous_file_reads_everywhere)
{
    uint32_t count = 3000;

    image_chain(&image, FIRST, count);
    image_fill(&image, FIRST, count, 0);
    set_size(count * IMAGE_SECTOR - 100);
    ck_assert_int_eq(image_mount(&image), 0);
    check_everywhere(count * IMAGE_SECTOR - 100);
    vfs_unmount_root();
}
END_TEST

/** Puts a file into every other cluster, backwards: no two of its clusters are neighbours. */
static void scatter(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cluster = 3990 - 2 * i;

        image_link(&image, cluster, i + 1 < count ? cluster - 2 : IMAGE_END);
        image_fill(&image, cluster, 1, (uint64_t)i * IMAGE_SECTOR);
    }
    set_start(3990);
    set_size(count * IMAGE_SECTOR - 1);
}

START_TEST(a_scattered_file_reads_everywhere)
{
    static const uint32_t counts[] = {2, 5, 100, 512, 513, 1700};

    scatter(counts[_i]);
    ck_assert_int_eq(image_mount(&image), 0);
    check_everywhere(counts[_i] * IMAGE_SECTOR - 1);
    vfs_unmount_root();
}
END_TEST

START_TEST(large_reads_are_few_requests)
{
    struct vnode *file;
    uint64_t before;

    image_chain(&image, FIRST, 3000);
    image_fill(&image, FIRST, 3000, 0);
    set_size(3000 * IMAGE_SECTOR);
    ck_assert_int_eq(image_mount(&image), 0);
    file = image_open("/FILE");
    before = fake.requests;
    check_read(file, 0, 3000 * IMAGE_SECTOR, 3000 * IMAGE_SECTOR);
    /* 3,000 entries of the FAT lie in 4 pieces of the cache; data comes by 128 KiB at most. */
    ck_assert_uint_le(fake.requests - before, 16);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

/* Links of the third cluster (FIRST + 2), and how much of the file can be read then. */
static const struct {
    uint32_t link;
    uint32_t clusters;
} breaks[] = {
    {0, 3},          {1, 3},          {4002, 3},       {0x0FFFFFF0, 3}, {0x0FFFFFF6, 3},
    {0x0FFFFFF7, 3}, {0x0FFFFFF8, 3}, {IMAGE_END, 3},  {FIRST, 3},      {FIRST + 1, 3},
    {FIRST + 2, 3},  {0xF0000000, 3}, {0x10000001, 3},
};

START_TEST(a_broken_chain_gives_what_is_before_the_break)
{
    struct vnode *file;
    uint32_t good = breaks[_i].clusters * IMAGE_SECTOR;

    image_link(&image, FIRST + 2, breaks[_i].link);
    ck_assert_int_eq(image_mount(&image), 0);
    fake.request_limit = fake.requests + 50;
    file = image_open("/FILE");
    check_read(file, 0, COUNT * IMAGE_SECTOR, good);
    check_read(file, 100, COUNT * IMAGE_SECTOR, good - 100);
    check_read(file, good, 1, -EIO);
    check_read(file, COUNT * IMAGE_SECTOR - 1, 1, -EIO);
    check_read(file, 0, good, good);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_loop_in_a_file_of_4_gib_ends)
{
    struct vnode *file;

    set_size(0xFFFFFFFF);
    image_link(&image, FIRST + COUNT - 1, FIRST + (uint32_t)_i);
    ck_assert_int_eq(image_mount(&image), 0);
    fake.request_limit = fake.requests + 50;
    file = image_open("/FILE");
    check_read(file, 0, 1 << 20, COUNT * IMAGE_SECTOR);
    check_read(file, 0xFFFFFFFE, 1, -EIO);
    check_read(file, COUNT * IMAGE_SECTOR, 1, -EIO);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_loop_behind_many_pieces_ends)
{
    struct vnode *file;

    scatter(1500);
    set_size(0xFFFFFFFF);
    image_link(&image, 3990 - 2 * 1499, 3990 - 2 * 700);
    ck_assert_int_eq(image_mount(&image), 0);
    fake.request_limit = fake.requests + 4000;
    file = image_open("/FILE");
    check_read(file, 0x7FFFFFFF, 1, -EIO);
    check_read(file, 0, 1500 * IMAGE_SECTOR, 1500 * IMAGE_SECTOR);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_start_that_is_no_cluster_gives_an_error)
{
    static const uint32_t starts[] = {0, 1, 4002, 0x0FFFFFF7, IMAGE_END, 0xFFFFFFFF};
    struct vnode *file;

    set_start(starts[_i]);
    ck_assert_int_eq(image_mount(&image), 0);
    file = image_open("/FILE");
    check_read(file, 0, 10, -EIO);
    check_read(file, 1000, 10, -EIO);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_file_of_no_bytes_has_none_wherever_it_starts)
{
    static const uint32_t starts[] = {0, 1, FIRST, 0xFFFFFFFF};
    struct vnode *file;

    set_start(starts[_i]);
    set_size(0);
    ck_assert_int_eq(image_mount(&image), 0);
    file = image_open("/FILE");
    check_read(file, 0, 10, 0);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

START_TEST(reserved_bits_of_links_are_ignored)
{
    for (uint32_t i = 0; i < COUNT; i++)
        image_link(&image, FIRST + i, i + 1 < COUNT ? 0xF0000000 | (FIRST + i + 1) : 0xFFFFFFF8);
    ck_assert_int_eq(image_mount(&image), 0);
    check_everywhere(COUNT * IMAGE_SECTOR);
    vfs_unmount_root();
}
END_TEST

static uint64_t bad_first, bad_last;

static int64_t partly_unreadable(uint64_t sector, void *data, uint32_t sectors)
{
    if (sector <= bad_last && bad_first < sector + sectors)
        return -1;
    memcpy(data, image.bytes + sector * IMAGE_SECTOR, (size_t)sectors * IMAGE_SECTOR);
    return 0;
}

static void mount_with_bad_sectors(uint64_t first, uint64_t last)
{
    fake_kernel_start(8u << 20);
    fake.card_read = partly_unreadable;
    fake.card_sectors = image.size / IMAGE_SECTOR;
    bad_first = first;
    bad_last = last;
    ck_assert_int_eq(vfs_mount_root(), 0);
}

START_TEST(an_unreadable_sector_spares_its_neighbours)
{
    uint64_t sector = (uint64_t)(image_cluster(&image, FIRST + 3) - image.bytes) / IMAGE_SECTOR;
    struct vnode *file;

    mount_with_bad_sectors(sector, sector);
    file = image_open("/FILE");
    check_read(file, 2 * IMAGE_SECTOR, 600, 512);
    check_read(file, 3 * IMAGE_SECTOR, 10, -EIO);
    check_read(file, 4 * IMAGE_SECTOR, 1024, 1024);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

START_TEST(an_unreadable_fat_is_replaced_by_its_copy_unless_dirty)
{
    struct vnode *file;

    if (_i == 1)
        image_boot8(&image, 65, 1);
    /* Sector 0 of the FAT is needed to mount; FILE's chain moves to the next one. */
    set_start(200);
    image_chain(&image, 200, COUNT);
    image_fill(&image, 200, COUNT, 0);
    mount_with_bad_sectors(IMAGE_PART + IMAGE_RESERVED + 1, IMAGE_PART + IMAGE_RESERVED + 1);
    file = image_open("/FILE");
    if (_i == 0)
        check_read(file, 0, COUNT * IMAGE_SECTOR, COUNT * IMAGE_SECTOR);
    else
        check_read(file, 0, COUNT * IMAGE_SECTOR, -EIO);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

Suite *chain_suite(void)
{
    Suite *suite = suite_create("chain");
    TCase *tests = tcase_create("links");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_contiguous_file_reads_everywhere);
    tcase_add_loop_test(tests, a_scattered_file_reads_everywhere, 0, 6);
    tcase_add_test(tests, large_reads_are_few_requests);
    tcase_add_loop_test(tests, a_broken_chain_gives_what_is_before_the_break, 0,
                        sizeof breaks / sizeof breaks[0]);
    tcase_add_loop_test(tests, a_loop_in_a_file_of_4_gib_ends, 0, COUNT);
    tcase_add_test(tests, a_loop_behind_many_pieces_ends);
    tcase_add_loop_test(tests, a_start_that_is_no_cluster_gives_an_error, 0, 6);
    tcase_add_loop_test(tests, a_file_of_no_bytes_has_none_wherever_it_starts, 0, 4);
    tcase_add_test(tests, reserved_bits_of_links_are_ignored);
    tcase_add_test(tests, an_unreadable_sector_spares_its_neighbours);
    tcase_add_loop_test(tests, an_unreadable_fat_is_replaced_by_its_copy_unless_dirty, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
