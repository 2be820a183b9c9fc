/* SPDX-License-Identifier: MIT */
/*
 * cache.c: the cache of names.
 *
 * 1. A name is asked of the file system once, whether it is there or not.
 * 2. What is entered, removed or renamed is so in the cache at once, under every spelling that a
 *    file system which folds case allows.
 * 3. The cache keeps to its limit, and gives what it has when memory is short.
 * 4. It keeps nothing that has been removed.
 */
#include "suites.h"

#include "../fs/store.h"
#include "../ramfs/rooted.h"

#include "fs/fat32/fat32.h"
#include "fs/path/name_cache.h"
#include "mem/reclaim.h"

#include <stdio.h>
#include <string.h>

static struct problem problem;

static struct name_cache_stats stats(void)
{
    struct name_cache_stats now;

    name_cache_read_stats(&now);
    return now;
}

START_TEST(names_are_asked_for_once)
{
    struct name_cache_stats before, after;

    root_start(8u << 20, "");
    name_cache_start();
    root_write("/file", "");
    before = stats();
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_int_eq(root_error("/file"), 0);
        ck_assert_int_eq(root_error("/none"), -ENOENT);
    }
    after = stats();
    ck_assert_uint_eq(after.hits - before.hits, 10);
    ck_assert_uint_eq(after.negative_hits - before.negative_hits, 9);
    root_write("/none", "");
    ck_assert_int_eq(root_error("/none"), 0);
    ck_assert_int_eq(vfs_rename(NULL, "/none", "/some", 0), 0);
    ck_assert_int_eq(root_error("/none"), -ENOENT);
    ck_assert_int_eq(root_error("/some"), 0);
    ck_assert_int_eq(vfs_unlink(NULL, "/some"), 0);
    ck_assert_int_eq(root_error("/some"), -ENOENT);
    root_stop();
    ck_assert_uint_eq(stats().entries, 0);
}
END_TEST

static void start_fat(void)
{
    store_make(8192, 1024);
    store_start(8u << 20);
    name_cache_start();
    file_system_register(&fat32_file_system);
    ck_assert_int_eq(mount_add("fat32", block_card(), "/", "", &problem), 0);
}

static void stop_fat(void)
{
    ck_assert_int_eq(mount_remove("/"), 0);
    ck_assert_uint_eq(stats().entries, 0);
    ck_assert_msg(store_passes(CHECK_UNTIDY), "%s", store.finding);
    store_finish();
}

START_TEST(spellings_are_one_name)
{
    static const char *const spellings[] = {"/A rather long name", "/a RATHER long NAME",
                                            "/ARATHE~1"};

    start_fat();
    for (unsigned made = 0; made < 2; made++)
        for (unsigned removed = 0; removed < 3; removed++) {
            for (unsigned i = 0; i < 3; i++)
                ck_assert_int_eq(root_error(spellings[i]), -ENOENT);
            root_write(spellings[made], "x");
            for (unsigned i = 0; i < 3; i++)
                ck_assert(root_is(spellings[i], "x"));
            ck_assert_int_eq(vfs_unlink(NULL, spellings[removed]), 0);
        }
    root_write("/a", "x");
    ck_assert_int_eq(root_error("/B"), -ENOENT);
    ck_assert_int_eq(vfs_rename(NULL, "/A", "/b", 0), 0);
    ck_assert_int_eq(root_error("/B"), 0);
    ck_assert_int_eq(root_error("/a"), -ENOENT);
    ck_assert_int_eq(vfs_rename(NULL, "/b", "/B", 0), 0);
    ck_assert_int_eq(root_error("/b"), 0);
    stop_fat();
}
END_TEST

START_TEST(what_is_removed_is_not_kept)
{
    struct vnode *root;
    struct file_system_status before, after;
    char path[32];

    start_fat();
    root = vfs_root();
    ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), 0);
    ck_assert_int_eq(vfs_rmdir(NULL, "/d"), 0);
    ck_assert_int_eq(root->mount->type->status(root->mount, &before), 0);
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), 0);
        snprintf(path, sizeof path, "/d/file %u", i);
        root_write(path, "some content");
        ck_assert_int_eq(root_error("/D/none"), -ENOENT);
        ck_assert_int_eq(root_error("/D/other/x"), -ENOENT);
        ck_assert_int_eq(vfs_unlink(NULL, path), 0);
        ck_assert_int_eq(vfs_rmdir(NULL, "/d"), 0);
    }
    ck_assert_int_eq(root->mount->type->status(root->mount, &after), 0);
    ck_assert_uint_eq(after.free_blocks, before.free_blocks);
    vnode_put(root);
    stop_fat();
}
END_TEST

START_TEST(what_is_asked_of_a_removed_directory_is_not_kept)
{
    struct file_system_status before;
    struct vnode *directory, *found;

    start_fat();
    before = root_status();
    ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), 0);
    directory = root_find("/d");
    ck_assert_int_eq(vfs_rmdir(NULL, "/d"), 0);
    ck_assert_int_eq(vfs_find(directory, "x", 0, &found), -ENOENT);
    vnode_put(directory);
    ck_assert_uint_eq(root_status().free_blocks, before.free_blocks);
    stop_fat();
}
END_TEST

START_TEST(the_limit_is_kept)
{
    uint64_t limit;
    char path[32];

    root_start(4u << 20, "nr_inodes=100k");
    name_cache_start();
    limit = stats().limit;
    ck_assert_uint_lt(limit, 1000);
    for (unsigned i = 0; i < 1500; i++) {
        snprintf(path, sizeof path, "/none%u", i);
        ck_assert_int_eq(root_error(path), -ENOENT);
        if (i % 3 == 0)
            ck_assert_int_eq(root_error("/none0"), -ENOENT); /* which is used, so it stays */
        ck_assert_uint_le(stats().entries, limit);
    }
    ck_assert_uint_ge(stats().evicted, 1500 - limit);
    ck_assert_uint_ge(stats().negative_hits, 499);
    root_stop();
}
END_TEST

START_TEST(memory_is_given_back)
{
    char path[32];

    start_fat();
    for (unsigned i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "/file%u", i);
        root_write(path, "x");
        snprintf(path, sizeof path, "/none%u", i);
        ck_assert_int_eq(root_error(path), -ENOENT);
    }
    ck_assert_uint_ge(stats().entries, 60);
    (void)reclaim_frames(1000);
    ck_assert_uint_eq(stats().entries, 0);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "/FILE%u", i);
        ck_assert(root_is(path, "x"));
    }
    (void)reclaim_frames(1000); /* what it leaves to others is freed by the unmounting */
    stop_fat();
}
END_TEST

Suite *cache_suite(void)
{
    Suite *suite = suite_create("cache");
    TCase *tests = tcase_create("cache");

    tcase_add_test(tests, names_are_asked_for_once);
    tcase_add_test(tests, spellings_are_one_name);
    tcase_add_test(tests, what_is_removed_is_not_kept);
    tcase_add_test(tests, what_is_asked_of_a_removed_directory_is_not_kept);
    tcase_add_test(tests, the_limit_is_kept);
    tcase_add_test(tests, memory_is_given_back);
    suite_add_tcase(suite, tests);
    return suite;
}
