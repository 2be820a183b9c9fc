/* SPDX-License-Identifier: MIT */
/*
 * directories.c: names in a ramfs.
 *
 * 1. Ten thousand names in one directory are all found, and each comes once.
 * 2. Who goes through a directory that changes meets each name that stays exactly once.
 * 3. Hard links share one file and are counted; directories have none.
 * 4. Symbolic links keep their text and are followed.
 * 5. Rename replaces in one step, keeps counts right, and refuses what POSIX says.
 * 6. Names over 255 bytes are refused; all other bytes but '/' are allowed.
 * 7. A tree of any depth is unmounted.
 * 8. Modes, owners and times are kept.
 * 9. Files that are in use keep the root from being unmounted.
 */
#include "suites.h"

#include "rooted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void build(void)
{
    root_start(16u << 20, "nr_inodes=100k");
}

START_TEST(ten_thousand_names_are_found)
{
    enum { COUNT = 10000 };
    char path[64];

    ck_assert_int_eq(vfs_mkdir(NULL, "/many", 0755), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "/many/name %u", i * 7919 % COUNT);
        root_write(path, "");
    }
    ck_assert_uint_eq(root_count("/many"), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(path, sizeof path, "/many/name %u", i);
        ck_assert_int_eq(root_error(path), 0);
        if (i % 2)
            ck_assert_int_eq(vfs_unlink(NULL, path), 0);
    }
    ck_assert_uint_eq(root_count("/many"), COUNT / 2);
    ck_assert_int_eq(root_error("/many/name 4"), 0);
    ck_assert_int_eq(root_error("/many/name 5"), -ENOENT);
}
END_TEST

START_TEST(names_that_stay_come_once)
{
    enum { STAY = 60, CHANGES = 3 };
    struct directory_entry *entry = malloc(sizeof *entry);
    struct vnode *directory;
    unsigned seen[STAY] = {0}, number;
    uint64_t position = 0, random = (uint64_t)_i + 1;
    char path[64];

    ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), 0);
    for (unsigned i = 0; i < STAY; i++) {
        snprintf(path, sizeof path, "/d/stay%u", i);
        root_write(path, "");
    }
    directory = root_find("/d");
    while (vfs_iterate(directory, &position, entry) == 0) {
        if (sscanf(entry->name, "stay%u", &number) == 1)
            seen[number]++;
        for (unsigned i = 0; i < CHANGES && position < 2000; i++) {
            snprintf(path, sizeof path, "/d/come%u", root_random(&random) % 50);
            if (vfs_unlink(NULL, path) != 0)
                root_write(path, "");
        }
    }
    for (unsigned i = 0; i < STAY; i++)
        ck_assert_uint_eq(seen[i], 1);
    vnode_put(directory);
    free(entry);
}
END_TEST

START_TEST(hard_links_share_a_file)
{
    root_write("/a", "one");
    ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), 0);
    ck_assert_int_eq(vfs_link(NULL, "/a", "/d/b"), 0);
    ck_assert_uint_eq(root_attributes("/a").links, 2);
    ck_assert_uint_eq(root_attributes("/a").id, root_attributes("/d/b").id);
    root_write("/d/b", "two");
    ck_assert(root_is("/a", "two"));
    ck_assert_int_eq(vfs_link(NULL, "/a", "/d/b"), -EEXIST);
    ck_assert_int_eq(vfs_link(NULL, "/d", "/e"), -EPERM);
    /* Two names of one file: renaming one to the other does nothing. */
    ck_assert_int_eq(vfs_rename(NULL, "/a", "/d/b", 0), 0);
    ck_assert_uint_eq(root_attributes("/a").links, 2);
    ck_assert_int_eq(vfs_unlink(NULL, "/a"), 0);
    ck_assert_uint_eq(root_attributes("/d/b").links, 1);
    ck_assert(root_is("/d/b", "two"));
}
END_TEST

START_TEST(symbolic_links_lead_on)
{
    struct vnode *link;
    char text[16] = "";

    ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), 0);
    root_write("/d/file", "here");
    ck_assert_int_eq(vfs_symlink(NULL, "/l", "d/file"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/d/up", "../l"), 0);
    ck_assert(root_is("/l", "here"));
    ck_assert(root_is("/d/up", "here"));
    link = root_find("/l");
    ck_assert_int_eq(vfs_readlink(link, text, sizeof text), 6);
    ck_assert_mem_eq(text, "d/file", 6);
    ck_assert_uint_eq(root_attributes("/l").size, 6);
    ck_assert_int_eq(root_attributes("/l").type, VNODE_SYMLINK);
    vnode_put(link);
    ck_assert_int_eq(vfs_symlink(NULL, "/self", "self"), 0);
    ck_assert_int_eq(vfs_find(NULL, "/self", 0, &link), -ELOOP);
    ck_assert_int_eq(vfs_symlink(NULL, "/l", "x"), -EEXIST);
}
END_TEST

START_TEST(rename_replaces_and_counts)
{
    root_write("/a", "a");
    root_write("/b", "b");
    ck_assert_int_eq(vfs_rename(NULL, "/a", "/b", 0), 0);
    ck_assert_int_eq(root_error("/a"), -ENOENT);
    ck_assert(root_is("/b", "a"));
    ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/d/sub", 0755), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/e", 0755), 0);
    ck_assert_uint_eq(root_attributes("/").links, 4);
    ck_assert_uint_eq(root_attributes("/d").links, 3);
    ck_assert_int_eq(vfs_rename(NULL, "/d/sub", "/e/sub", 0), 0);
    ck_assert_uint_eq(root_attributes("/d").links, 2);
    ck_assert_uint_eq(root_attributes("/e").links, 3);
    ck_assert_int_eq(vfs_rename(NULL, "/d", "/e", 0), -ENOTEMPTY);
    ck_assert_int_eq(vfs_rename(NULL, "/e", "/d", 0), 0); /* empty: replaced */
    ck_assert_uint_eq(root_attributes("/").links, 3);
    ck_assert_int_eq(root_error("/d/sub"), 0);
    ck_assert_int_eq(vfs_rename(NULL, "/d", "/d/sub/x", 0), -EINVAL);
    ck_assert_int_eq(vfs_rename(NULL, "/b", "/d", 0), -EISDIR);
    ck_assert_int_eq(vfs_rename(NULL, "/d", "/b", 0), -ENOTDIR);
    ck_assert_int_eq(vfs_rename(NULL, "/b", "/d/b", VFS_RENAME_NO_REPLACE), 0);
    ck_assert_int_eq(vfs_rmdir(NULL, "/d"), -ENOTEMPTY);
    ck_assert_int_eq(vfs_unlink(NULL, "/d/b"), 0);
    ck_assert_int_eq(vfs_rmdir(NULL, "/d/sub"), 0);
    ck_assert_int_eq(vfs_rmdir(NULL, "/d"), 0);
    ck_assert_uint_eq(root_attributes("/").links, 2);
    ck_assert_uint_eq(root_count("/"), 0);
}
END_TEST

START_TEST(nothing_is_entered_in_a_removed_directory)
{
    struct vnode *directory;

    ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), 0);
    directory = root_find("/d");
    ck_assert_int_eq(vfs_rmdir(NULL, "/d"), 0);
    ck_assert_int_eq(vfs_mkdir(directory, "x", 0755), -ENOENT);
    ck_assert_uint_eq(directory->attributes.links, 0);
    vnode_put(directory);
}
END_TEST

START_TEST(names_have_255_bytes)
{
    char path[300] = "/";

    memset(path + 1, 'n', 256);
    ck_assert_int_eq(vfs_mkdir(NULL, path, 0755), -ENAMETOOLONG);
    ck_assert_int_eq(root_error(path), -ENAMETOOLONG);
    path[256] = '\0';
    ck_assert_int_eq(vfs_mkdir(NULL, path, 0755), 0);
    ck_assert_int_eq(root_error(path), 0);
    for (unsigned c = 1; c < 256; c++) {
        char name[] = {'/', (char)c, 'x', '\0'};

        if (c != '/')
            root_write(name, "");
    }
    ck_assert_uint_eq(root_count("/"), 255);
}
END_TEST

START_TEST(a_deep_tree_is_unmounted)
{
    struct vnode *at = root_find("/");

    for (unsigned i = 0; i < 5000; i++) {
        struct vnode *below;

        ck_assert_int_eq(vfs_mkdir(at, "d", 0755), 0);
        ck_assert_int_eq(vfs_symlink(at, "link", "text"), 0);
        ck_assert_int_eq(vfs_find(at, "d", 0, &below), 0);
        vnode_put(at);
        at = below;
    }
    vnode_put(at);
}
END_TEST

START_TEST(attributes_are_kept)
{
    struct vnode_attributes wanted = {
        .type = VNODE_CHARACTER, .mode = 04640, .uid = 7, .gid = 8, .device = DEVICE_NUMBER(1, 3)};
    struct vnode_attributes got;
    struct vnode *vnode;

    ck_assert_int_eq(vfs_create(NULL, "/n", &wanted, &vnode), 0);
    got = root_attributes("/n");
    ck_assert(got.type == VNODE_CHARACTER && got.mode == 04640 && got.uid == 7 && got.gid == 8);
    ck_assert_uint_eq(got.device, DEVICE_NUMBER(1, 3));
    wanted.mode = 0111;
    wanted.modified = 123456789;
    wanted.uid = 99;
    ck_assert_int_eq(vfs_set_attributes(vnode, &wanted, VNODE_SET_MODE | VNODE_SET_MODIFIED), 0);
    got = root_attributes("/n");
    ck_assert(got.mode == 0111 && got.modified == 123456789 && got.uid == 7);
    vnode_put(vnode);
}
END_TEST

START_TEST(a_root_in_use_stays)
{
    struct vnode *file;

    root_write("/f", "");
    file = root_find("/f");
    ck_assert_int_eq(mount_remove("/"), -EBUSY);
    vnode_put(file);
}
END_TEST

Suite *directory_suite(void)
{
    Suite *suite = suite_create("directories");
    TCase *cases = tcase_create("directories");

    tcase_add_checked_fixture(cases, build, root_stop);
    tcase_add_test(cases, ten_thousand_names_are_found);
    tcase_add_loop_test(cases, names_that_stay_come_once, 0, 10);
    tcase_add_test(cases, hard_links_share_a_file);
    tcase_add_test(cases, symbolic_links_lead_on);
    tcase_add_test(cases, rename_replaces_and_counts);
    tcase_add_test(cases, nothing_is_entered_in_a_removed_directory);
    tcase_add_test(cases, names_have_255_bytes);
    tcase_add_test(cases, a_deep_tree_is_unmounted);
    tcase_add_test(cases, attributes_are_kept);
    tcase_add_test(cases, a_root_in_use_stays);
    suite_add_tcase(suite, cases);
    return suite;
}
