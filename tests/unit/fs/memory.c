/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. The cache of a FAT32 volume gives all its memory back when memory is short, and reads anew
 *     what it is asked for after that.
 *  2. Without any memory a read says so, and succeeds as soon as there is some.
 *  3. A volume that is gone is not asked any more.
 */
#include "suites.h"

#include "image.h"
#include "mem/frame.h"
#include "mem/reclaim.h"

#include "../fake_hal.h"

#include <hal/errno.h>

#define FIRST 3u
#define COUNT 200u
#define BYTES (COUNT * IMAGE_SECTOR)
#define STRIDE 4096u /* a piece of the cache */

static struct image image;
static struct vnode *file;

static void build(void)
{
    image_build(&image, COUNT + 10);
    image_entry(image_cluster(&image, IMAGE_ROOT), "FILE       ", IMAGE_FILE, FIRST, BYTES);
    image_chain(&image, FIRST, COUNT);
    image_fill(&image, FIRST, COUNT, 0);
    ck_assert_int_eq(image_mount(&image), 0);
    file = image_open("/FILE");
}

static void unbuild(void)
{
    image_free(&image);
}

/* A byte of each piece, or the first error. */
static int read_pieces(void)
{
    for (uint64_t at = 1; at < BYTES; at += STRIDE) {
        uint8_t byte;
        int64_t n = vfs_read(file, at, &byte, 1);

        if (n < 0)
            return (int)n;
        ck_assert_int_eq(n, 1);
        ck_assert_uint_eq(byte, image_pattern(at));
    }
    return 0;
}

static uint64_t free_after_reclaim(void)
{
    (void)reclaim_frames(SIZE_MAX);
    return frame_free_total();
}

START_TEST(a_cache_gives_its_memory_back)
{
    uint64_t before = free_after_reclaim(), requests;

    ck_assert_int_eq(read_pieces(), 0);
    requests = fake.requests;
    ck_assert_int_eq(read_pieces(), 0);
    ck_assert_uint_lt(fake.requests - requests, BYTES / STRIDE / 2); /* most of it was there */
    ck_assert_uint_le(frame_free_total(), before - 16);
    ck_assert_uint_eq(free_after_reclaim(), before);
    requests = fake.requests;
    ck_assert_int_eq(read_pieces(), 0);
    ck_assert_uint_ge(fake.requests - requests, BYTES / STRIDE);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_read_without_memory_says_so)
{
    static void *all[4096];
    size_t n = 0;

    ck_assert_int_eq(read_pieces(), 0);
    while ((all[n] = frame_alloc(0)))
        n++;
    ck_assert_int_eq(read_pieces(), -ENOMEM);
    while (n > 0)
        frame_put(all[--n]);
    ck_assert_int_eq(read_pieces(), 0);
    vnode_put(file);
    vfs_unmount_root();
}
END_TEST

START_TEST(a_volume_that_is_gone_is_not_asked)
{
    uint64_t before;

    ck_assert_int_eq(read_pieces(), 0);
    vnode_put(file);
    vfs_unmount_root();
    before = free_after_reclaim();
    ck_assert_uint_eq(reclaim_frames(SIZE_MAX), 0);
    ck_assert_int_eq(vfs_mount_root(), 0);
    file = image_open("/FILE");
    ck_assert_int_eq(read_pieces(), 0);
    vnode_put(file);
    vfs_unmount_root();
    ck_assert_uint_eq(free_after_reclaim(), before);
}
END_TEST

Suite *memory_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *cases = tcase_create("memory");

    tcase_add_checked_fixture(cases, build, unbuild);
    tcase_add_test(cases, a_cache_gives_its_memory_back);
    tcase_add_test(cases, a_read_without_memory_says_so);
    tcase_add_test(cases, a_volume_that_is_gone_is_not_asked);
    suite_add_tcase(suite, cases);
    return suite;
}
