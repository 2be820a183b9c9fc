/* SPDX-License-Identifier: MIT */
/*
 * changes.c: what may be changed by path, and the errors of what may not.
 *
 * Each case is an operation on the same small tree and the error that Linux gives; when there is
 * one, the tree is as before.
 */
#include "suites.h"

#include "../ramfs/rooted.h"

#include "fs/path/name_cache.h"

#include <string.h>

enum operation { CREATE, MKDIR, SYMLINK, LINK, UNLINK, RMDIR, RENAME, RENAME_NEW };

static const struct {
    enum operation operation;
    const char *path, *to;
    int error;
} cases[] = {
    {CREATE, "/new", NULL, 0},
    {CREATE, "/new/", NULL, -ENOENT},
    {CREATE, "/file", NULL, -EEXIST},
    {CREATE, "/dir", NULL, -EEXIST},
    {CREATE, "/dangling", NULL, -EEXIST},
    {CREATE, "/none/new", NULL, -ENOENT},
    {CREATE, "/file/new", NULL, -ENOTDIR},
    {CREATE, "/", NULL, -EEXIST},
    {CREATE, "/dir/..", NULL, -EEXIST},
    {MKDIR, "/new", NULL, 0},
    {MKDIR, "/new/", NULL, 0},
    {MKDIR, "/new//", NULL, 0},
    {MKDIR, "/new/.", NULL, -ENOENT},
    {MKDIR, "/dir", NULL, -EEXIST},
    {MKDIR, "/.", NULL, -EEXIST},
    {MKDIR, "/link_dir/new", NULL, 0},
    {MKDIR, "", NULL, -ENOENT},
    {SYMLINK, "/new", "x", 0},
    {SYMLINK, "/new", "", -ENOENT},
    {SYMLINK, "/file", "x", -EEXIST},
    {SYMLINK, "/new/", "x", -ENOENT},
    {LINK, "/file", "/new", 0},
    {LINK, "/file", "/dir/file", 0},
    {LINK, "/file", "/full/x", -EEXIST},
    {LINK, "/dir", "/new", -EPERM},
    {LINK, "/none", "/new", -ENOENT},
    {LINK, "/dangling", "/new", 0},
    {LINK, "/file", "/mnt/new", -EXDEV},
    {UNLINK, "/file", NULL, 0},
    {UNLINK, "/file/", NULL, -ENOTDIR},
    {UNLINK, "/none", NULL, -ENOENT},
    {UNLINK, "/dir", NULL, -EISDIR},
    {UNLINK, "/", NULL, -EISDIR},
    {UNLINK, "/dir/.", NULL, -EISDIR},
    {UNLINK, "/dangling", NULL, 0},
    {UNLINK, "/link_dir", NULL, 0},
    {RMDIR, "/dir", NULL, 0},
    {RMDIR, "/dir/", NULL, 0},
    {RMDIR, "/full", NULL, -ENOTEMPTY},
    {RMDIR, "/file", NULL, -ENOTDIR},
    {RMDIR, "/link_dir", NULL, -ENOTDIR},
    {RMDIR, "/none", NULL, -ENOENT},
    {RMDIR, "/dir/.", NULL, -EINVAL},
    {RMDIR, "/full/..", NULL, -ENOTEMPTY},
    {RMDIR, "/", NULL, -EBUSY},
    {RMDIR, "/mnt", NULL, -EBUSY},
    {RENAME, "/file", "/new", 0},
    {RENAME, "/file", "/file", 0},
    {RENAME, "/file", "/full/x", 0},
    {RENAME, "/file", "/hard", 0},
    {RENAME, "/file", "/dir", -EISDIR},
    {RENAME, "/file", "/new/", -ENOTDIR},
    {RENAME, "/file/", "/new", -ENOTDIR},
    {RENAME, "/file", "/none/new", -ENOENT},
    {RENAME, "/none", "/new", -ENOENT},
    {RENAME, "/dir", "/new", 0},
    {RENAME, "/dir/", "/new/", 0},
    {RENAME, "/dir", "/file", -ENOTDIR},
    {RENAME, "/dir", "/full", -ENOTEMPTY},
    {RENAME, "/full", "/dir", 0},
    {RENAME, "/full", "/dir/new", 0},
    {RENAME, "/full", "/full/new", -EINVAL},
    {RENAME, "/full", "/full/deep/new", -EINVAL},
    {RENAME, "/full/deep", "/full", -ENOTEMPTY},
    {RENAME, "/full/deep/x", "/full", -ENOTEMPTY},
    {RENAME, "/dir/.", "/new", -EBUSY},
    {RENAME, "/dir", "/full/..", -EBUSY},
    {RENAME, "/", "/new", -EBUSY},
    {RENAME, "/file", "/mnt/new", -EXDEV},
    {RENAME, "/mnt", "/new", -EBUSY},
    {RENAME, "/dir", "/mnt", -EBUSY},
    {RENAME, "/dangling", "/new", 0},
    {RENAME, "/file", "/link_dir", 0},
    {RENAME_NEW, "/file", "/new", 0},
    {RENAME_NEW, "/file", "/dir", -EEXIST},
    {RENAME_NEW, "/file", "/file", -EEXIST},
};

static void build(void)
{
    struct problem problem;

    root_start(8u << 20, "");
    root_write("/file", "file");
    ck_assert_int_eq(vfs_link(NULL, "/file", "/hard"), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/dir", 0755), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/full", 0755), 0);
    root_write("/full/x", "x");
    ck_assert_int_eq(vfs_mkdir(NULL, "/full/deep", 0755), 0);
    root_write("/full/deep/x", "deep x");
    ck_assert_int_eq(vfs_symlink(NULL, "/dangling", "none"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/link_dir", "dir"), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/mnt", 0755), 0);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/mnt", "", &problem), 0);
}

static int operate(enum operation operation, const char *path, const char *to)
{
    const struct vnode_attributes file = {.type = VNODE_FILE, .mode = 0644};
    struct vnode *created = NULL;
    int error = 0;

    switch (operation) {
    case CREATE:
        error = vfs_create(NULL, path, &file, &created);
        vnode_put(created);
        return error;
    case MKDIR:
        return vfs_mkdir(NULL, path, 0755);
    case SYMLINK:
        return vfs_symlink(NULL, path, to);
    case LINK:
        return vfs_link(NULL, path, to);
    case UNLINK:
        return vfs_unlink(NULL, path);
    case RMDIR:
        return vfs_rmdir(NULL, path);
    default:
        return vfs_rename(NULL, path, to, operation == RENAME_NEW ? VFS_RENAME_NO_REPLACE : 0);
    }
}

START_TEST(each_change_is_done_or_refused)
{
    struct file_system_status before;
    unsigned names, i = (unsigned)_i / 2;

    build();
    if (_i % 2)
        name_cache_start();
    names = root_count("/");
    before = root_status();
    ck_assert_int_eq(operate(cases[i].operation, cases[i].path, cases[i].to), cases[i].error);
    if (cases[i].error) {
        struct file_system_status after = root_status();

        ck_assert_uint_eq(root_count("/"), names);
        ck_assert_int_eq(memcmp(&before, &after, sizeof before), 0);
        ck_assert(root_is("/file", "file") && root_is("/full/deep/x", "deep x"));
    }
    ck_assert_int_eq(mount_remove("/mnt"), 0);
    root_stop();
}
END_TEST

START_TEST(nothing_changes_on_a_read_only_file_system)
{
    struct problem problem;

    build();
    ck_assert_int_eq(mount_remove("/mnt"), 0);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/mnt", "ro", &problem), 0);
    ck_assert_int_eq(operate(CREATE, "/mnt/new", NULL), -EROFS);
    ck_assert_int_eq(operate(MKDIR, "/mnt/new", NULL), -EROFS);
    ck_assert_int_eq(operate(SYMLINK, "/mnt/new", "x"), -EROFS);
    ck_assert_int_eq(operate(UNLINK, "/mnt/none", NULL), -ENOENT);
    ck_assert_int_eq(operate(MKDIR, "/mnt", NULL), -EEXIST);
    ck_assert_int_eq(mount_remove("/mnt"), 0);
    root_stop();
}
END_TEST

START_TEST(nothing_is_made_in_a_removed_directory)
{
    struct vnode *directory, *found;

    build();
    if (_i)
        name_cache_start();
    directory = root_find("/dir");
    ck_assert_int_eq(vfs_find(directory, "none", 0, &found), -ENOENT);
    ck_assert_int_eq(vfs_rmdir(NULL, "/dir"), 0);
    ck_assert_int_eq(vfs_mkdir(directory, "new", 0755), -ENOENT);
    ck_assert_int_eq(vfs_rename(directory, "/file", "new", 0), -ENOENT);
    ck_assert_int_eq(vfs_link(directory, "/file", "new"), -ENOENT);
    ck_assert_int_eq(vfs_find(directory, "new", 0, &found), -ENOENT);
    ck_assert_int_eq(vfs_find(directory, "..", 0, &found), 0);
    vnode_put(found);
    vnode_put(directory);
    ck_assert_int_eq(mount_remove("/mnt"), 0);
    root_stop();
}
END_TEST

START_TEST(a_directory_that_moved_has_another_parent)
{
    struct vnode *deep, *up;
    char path[64];

    build();
    if (_i)
        name_cache_start();
    deep = root_find("/full/deep");
    ck_assert_int_eq(vfs_rename(NULL, "/full/deep", "/dir/moved", 0), 0);
    ck_assert_int_eq(vfs_path_of(deep, path, sizeof path), 0);
    ck_assert_str_eq(path, "/dir/moved");
    ck_assert_int_eq(vfs_find(deep, "..", 0, &up), 0);
    ck_assert_int_eq(vfs_path_of(up, path, sizeof path), 0);
    ck_assert_str_eq(path, "/dir");
    vnode_put(up);
    vnode_put(deep);
    ck_assert_int_eq(vfs_rmdir(NULL, "/full"), -ENOTEMPTY);
    ck_assert_int_eq(vfs_unlink(NULL, "/full/x"), 0);
    ck_assert_int_eq(vfs_rmdir(NULL, "/full"), 0);
    ck_assert_int_eq(mount_remove("/mnt"), 0);
    root_stop();
}
END_TEST

Suite *change_suite(void)
{
    Suite *suite = suite_create("change");
    TCase *tests = tcase_create("changes");

    tcase_add_loop_test(tests, each_change_is_done_or_refused, 0,
                        2 * sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, nothing_changes_on_a_read_only_file_system);
    tcase_add_loop_test(tests, nothing_is_made_in_a_removed_directory, 0, 2);
    tcase_add_loop_test(tests, a_directory_that_moved_has_another_parent, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
