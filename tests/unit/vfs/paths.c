/* SPDX-License-Identifier: MIT */
/*
 * paths.c: where paths lead.
 *
 * 1. Components, dots, slashes and links lead where POSIX says, or to its errors.
 * 2. A link may be followed 40 times in one walk and not more, and what it makes of a path is no
 *    longer than a path may be.
 * 3. Each leads to the same with the cache of names and without.
 */
#include "suites.h"

#include "../ramfs/rooted.h"

#include "fs/path/name_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* /dir/sub/file and links of all sorts. Even runs have a cache of names. */
static void build(void)
{
    root_start(8u << 20, "");
    ck_assert_int_eq(vfs_mkdir(NULL, "/dir", 0755), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/dir/sub", 0755), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/other", 0755), 0);
    root_write("/dir/sub/file", "file");
    ck_assert_int_eq(vfs_symlink(NULL, "/to_sub", "dir/sub"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/to_file", "/dir/sub/file"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/dir/up", ".."), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/dir/slash", "sub/"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/dir/file_slash", "sub/file/"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/loop", "loop"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/ping", "pong"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/pong", "ping"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/nowhere", "none/such"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/to_root", "/"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/chain", "to_root/to_sub/../up/to_file"), 0);
}

static const struct {
    const char *base, *path, *same; /* as this absolute path without links; NULL: an error */
    int error;
} cases[] = {
    {"/", "dir/sub/file", "/dir/sub/file", 0},
    {"/dir", "sub/file", "/dir/sub/file", 0},
    {"/dir", "/dir/sub//file", "/dir/sub/file", 0},
    {"/dir/sub", "./../sub/./file", "/dir/sub/file", 0},
    {"/", "../../..", "/", 0},
    {"/", "to_sub", "/dir/sub", 0},
    {"/", "to_sub/", "/dir/sub", 0},
    {"/", "to_sub/..", "/dir", 0},
    {"/", "to_sub/../sub/file", "/dir/sub/file", 0},
    {"/other", "/to_file", "/dir/sub/file", 0},
    {"/other", "../to_root/dir", "/dir", 0},
    {"/", "to_root", "/", 0},
    {"/", "dir/up/other", "/other", 0},
    {"/", "dir/up/dir/up/dir/up/dir", "/dir", 0},
    {"/", "dir/slash", "/dir/sub", 0},
    {"/", "dir/slash/file", "/dir/sub/file", 0},
    {"/", "chain", "/dir/sub/file", 0},
    {"/", "to_file/", NULL, -ENOTDIR},
    {"/", "dir/file_slash", NULL, -ENOTDIR},
    {"/", "to_file/x", NULL, -ENOTDIR},
    {"/", "dir/sub/file/..", NULL, -ENOTDIR},
    {"/", "dir/sub/file/.", NULL, -ENOTDIR},
    {"/", "nowhere", NULL, -ENOENT},
    {"/", "none/..", NULL, -ENOENT},
    {"/", "dir/none", NULL, -ENOENT},
    {"/", "", NULL, -ENOENT},
    {"/", "loop", NULL, -ELOOP},
    {"/", "loop/x", NULL, -ELOOP},
    {"/", "ping", NULL, -ELOOP},
};

START_TEST(paths_lead_where_posix_says)
{
    struct vnode *base, *found, *same;

    build();
    if (_i % 2)
        name_cache_start();
    base = root_find(cases[_i / 2].base);
    for (unsigned again = 0; again < 3; again++) {
        ck_assert_int_eq(vfs_find(base, cases[_i / 2].path, 0, &found), cases[_i / 2].error);
        if (cases[_i / 2].error)
            continue;
        same = root_find(cases[_i / 2].same);
        ck_assert_ptr_eq(found, same);
        vnode_put(same);
        vnode_put(found);
    }
    vnode_put(base);
    root_stop();
}
END_TEST

START_TEST(links_are_followed_forty_times)
{
    char path[64], before[64];

    build();
    root_write("/l0", "end");
    for (unsigned i = 1; i <= VFS_LINKS_MAX + 1; i++) {
        snprintf(before, sizeof before, "l%u", i - 1);
        snprintf(path, sizeof path, "/l%u", i);
        ck_assert_int_eq(vfs_symlink(NULL, path, before), 0);
    }
    snprintf(path, sizeof path, "/l%u", VFS_LINKS_MAX);
    ck_assert(root_is(path, "end"));
    snprintf(path, sizeof path, "/l%u/../dir", VFS_LINKS_MAX - 1);
    ck_assert_int_eq(root_error(path), -ENOTDIR);
    snprintf(path, sizeof path, "/l%u/x", VFS_LINKS_MAX + 1);
    ck_assert_int_eq(root_error(path), -ELOOP);
    root_stop();
}
END_TEST

START_TEST(a_link_cannot_make_a_path_too_long)
{
    char *text = malloc(2 * VFS_PATH_MAX);
    struct vnode *found;

    build();
    /* "./././." to a link, and then as long a path behind it. */
    for (unsigned i = 0; i < VFS_PATH_MAX; i += 2)
        memcpy(text + i, "./", 2);
    text[VFS_PATH_MAX - 2] = '\0';
    ck_assert_int_eq(vfs_symlink(NULL, "/long", text), 0);
    ck_assert_int_eq(vfs_find(NULL, "/long", 0, &found), 0);
    vnode_put(found);
    memcpy(text, "/long/", 6);
    memset(text + 6, '/', VFS_PATH_MAX - 8);
    text[VFS_PATH_MAX - 2] = '\0';
    ck_assert_int_eq(vfs_find(NULL, text, 0, &found), -ENAMETOOLONG);
    free(text);
    root_stop();
}
END_TEST

START_TEST(the_link_itself_is_found_when_it_is_meant)
{
    struct vnode *link;
    char text[8];

    build();
    link = root_find("/to_sub");
    ck_assert_int_eq(link->attributes.type, VNODE_SYMLINK);
    ck_assert_int_eq(vfs_readlink(link, text, sizeof text), 7);
    ck_assert_int_eq(memcmp(text, "dir/sub", 7), 0);
    ck_assert_int_eq(vfs_readlink(link, text, 3), 7);
    vnode_put(link);
    ck_assert_int_eq(vfs_find(NULL, "/to_sub/", VFS_NO_FOLLOW, &link), 0);
    ck_assert_int_eq(link->attributes.type, VNODE_DIRECTORY);
    ck_assert_int_eq(vfs_readlink(link, text, sizeof text), -EINVAL);
    vnode_put(link);
    ck_assert_int_eq(root_error("/loop"), 0);
    root_stop();
}
END_TEST

Suite *path_suite(void)
{
    Suite *suite = suite_create("path");
    TCase *tests = tcase_create("paths");

    tcase_add_loop_test(tests, paths_lead_where_posix_says, 0, 2 * sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, links_are_followed_forty_times);
    tcase_add_test(tests, a_link_cannot_make_a_path_too_long);
    tcase_add_test(tests, the_link_itself_is_found_when_it_is_meant);
    suite_add_tcase(suite, tests);
    return suite;
}
