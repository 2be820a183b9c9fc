/* SPDX-License-Identifier: MIT */
/*
 * mounts.c: the table of mounts.
 *
 * 1. What is mounted covers its directory; ".." and paths go through it both ways.
 * 2. Nothing is unmounted that is in use, or that has something mounted in it.
 * 3. A device is mounted once, a directory covered once at a time.
 * 4. Options are taken apart by commas.
 */
#include "suites.h"

#include "../fs/store.h"
#include "../ramfs/rooted.h"

#include "fs/fat32/fat32.h"
#include "fs/path/name_cache.h"

#include <string.h>

static struct problem problem;

static void build(int cached)
{
    root_start(8u << 20, "");
    if (cached)
        name_cache_start();
    ck_assert_int_eq(vfs_mkdir(NULL, "/a", 0755), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/a/mnt", 0755), 0);
    root_write("/a/mnt/below", "covered");
    ck_assert(root_is("/a/mnt/below", "covered"));
    ck_assert_int_eq(mount_add("ramfs", NULL, "/a/mnt", "", &problem), 0);
}

static void check_path(const char *path, const char *same)
{
    struct vnode *vnode = root_find(path);
    char text[64];

    ck_assert_int_eq(vfs_path_of(vnode, text, sizeof text), 0);
    ck_assert_str_eq(text, same);
    vnode_put(vnode);
}

START_TEST(a_mount_covers_its_directory)
{
    build(_i);
    ck_assert_int_eq(root_error("/a/mnt/below"), -ENOENT);
    ck_assert_int_eq(vfs_mkdir(NULL, "/a/mnt/dir", 0755), 0);
    root_write("/a/mnt/dir/file", "inside");
    ck_assert(root_is("/a/mnt/dir/../dir/file", "inside"));
    check_path("/a/mnt", "/a/mnt");
    check_path("/a/mnt/dir", "/a/mnt/dir");
    check_path("/a/mnt/dir/../..", "/a");
    check_path("/a/mnt/../mnt/dir/..", "/a/mnt");
    check_path("/a/mnt/../../..", "/");
    ck_assert_int_eq(mount_remove("/a/mnt"), 0);
    ck_assert(root_is("/a/mnt/below", "covered"));
    ck_assert_int_eq(root_error("/a/mnt/dir"), -ENOENT);
    root_stop();
}
END_TEST

START_TEST(mounts_in_use_stay)
{
    struct vnode *vnode;
    struct file *file;

    build(_i);
    root_write("/a/mnt/file", "x");
    ck_assert_int_eq(file_open(NULL, "/a/mnt/file", FILE_READ_ONLY, 0, &file), 0);
    ck_assert_int_eq(mount_remove("/a/mnt"), -EBUSY);
    file_put(file);
    vnode = root_find("/a/mnt");
    ck_assert_int_eq(mount_remove("/a/mnt"), -EBUSY);
    vnode_put(vnode);
    ck_assert_int_eq(vfs_mkdir(NULL, "/a/mnt/more", 0755), 0);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/a/mnt/more", "", &problem), 0);
    ck_assert_int_eq(mount_remove("/a/mnt"), -EBUSY);
    ck_assert_int_eq(mount_remove("/"), -EBUSY);
    ck_assert_int_eq(vfs_rmdir(NULL, "/a/mnt/more"), -EBUSY);
    ck_assert_int_eq(vfs_rename(NULL, "/a/mnt/more", "/a/mnt/less", 0), -EBUSY);
    ck_assert_int_eq(mount_remove("/a/mnt/more"), 0);
    ck_assert_int_eq(mount_remove("/a/mnt/more"), -EINVAL);
    ck_assert_int_eq(mount_remove("/a/mnt"), 0);
    ck_assert_int_eq(mount_remove("/none"), -ENOENT);
    root_stop();
}
END_TEST

START_TEST(what_cannot_be_mounted_is_refused)
{
    build(_i);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/a/mnt", "", &problem), -EBUSY);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/", "", &problem), -EBUSY);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/none", "", &problem), -ENOENT);
    root_write("/file", "");
    ck_assert_int_eq(mount_add("ramfs", NULL, "/file", "", &problem), -ENOTDIR);
    ck_assert_int_eq(mount_add("nonesuch", NULL, "/a", "", &problem), -ENODEV);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/a", "nonesuch=1", &problem), -EINVAL);
    ck_assert_int_eq(mount_remove("/a/mnt"), 0);
    mount_remove_all();
    ck_assert_int_eq(root_error("/"), -ENOMEDIUM);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/", "", &problem), 0);
    root_stop();
}
END_TEST

START_TEST(a_device_is_mounted_once)
{
    store_make(4096, 1024);
    store_start(8u << 20);
    if (_i)
        name_cache_start();
    file_system_register(&fat32_file_system);
    ck_assert_int_eq(mount_add("fat32", NULL, "/", "", &problem), -ENODEV);
    ck_assert_int_eq(mount_add("fat32", block_card(), "/", "", &problem), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/a", 0755), 0);
    ck_assert_int_eq(mount_add("fat32", block_card(), "/a", "", &problem), -EBUSY);
    ck_assert_int_eq(mount_sync_all(), 0);
    ck_assert_int_eq(mount_remove("/"), 0);
    ck_assert(store_passes(CHECK_UNTIDY));
    ck_assert_int_eq(mount_add("fat32", block_card(), "/", "ro", &problem), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/b", 0755), -EROFS);
    check_path("/A", "/a");
    mount_remove_all();
    store_finish();
}
END_TEST

START_TEST(mounts_are_listed_in_order)
{
    struct vnode *root;
    char path[64];

    build(_i);
    ck_assert_ptr_nonnull(mount_at(0, &root, path, sizeof path));
    ck_assert_str_eq(path, "/");
    vnode_put(root);
    ck_assert_str_eq(mount_at(1, &root, path, sizeof path)->type->name, "ramfs");
    ck_assert_str_eq(path, "/a/mnt");
    vnode_put(root);
    ck_assert_ptr_null(mount_at(2, &root, path, sizeof path));
    ck_assert_int_eq(mount_remove("/a/mnt"), 0);
    root_stop();
}
END_TEST

START_TEST(options_are_taken_apart)
{
    const char *options = ",ro,,fmask=133,x=,long=a=b";
    struct mount_option option;

    ck_assert(mount_next_option(&options, &option) && mount_option_is(&option, "ro"));
    ck_assert_ptr_null(option.value);
    ck_assert(!mount_option_is(&option, "r") && !mount_option_is(&option, "rod"));
    ck_assert(mount_next_option(&options, &option) && mount_option_is(&option, "fmask"));
    ck_assert(option.value_bytes == 3 && memcmp(option.value, "133", 3) == 0);
    ck_assert(mount_next_option(&options, &option) && mount_option_is(&option, "x"));
    ck_assert(option.value && option.value_bytes == 0);
    ck_assert(mount_next_option(&options, &option) && option.value_bytes == 3);
    ck_assert(!mount_next_option(&options, &option));
}
END_TEST

Suite *mount_suite(void)
{
    Suite *suite = suite_create("mount");
    TCase *tests = tcase_create("mounts");

    tcase_add_loop_test(tests, a_mount_covers_its_directory, 0, 2);
    tcase_add_loop_test(tests, mounts_in_use_stay, 0, 2);
    tcase_add_loop_test(tests, what_cannot_be_mounted_is_refused, 0, 2);
    tcase_add_loop_test(tests, a_device_is_mounted_once, 0, 2);
    tcase_add_loop_test(tests, mounts_are_listed_in_order, 0, 2);
    tcase_add_test(tests, options_are_taken_apart);
    suite_add_tcase(suite, tests);
    return suite;
}
