/* SPDX-License-Identifier: MIT */
/*
 * limits.c: how much a ramfs holds.
 *
 * 1. size= limits the content: a write comes short and then gets -ENOSPC; what is removed can be
 *    used again, all of it.
 * 2. nr_inodes= limits files and further names.
 * 3. Options that mean nothing are refused with a reason.
 * 4. Without memory every operation says -ENOMEM and has changed nothing, at whichever allocation.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "fs/ramfs/ramfs.h"
#include "site/fail.h"
#include "rooted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(content_is_limited)
{
    static char data[5 * 4096];
    struct vnode *file;

    root_start(8u << 20, "size=16k");
    for (unsigned round = 0; round < 3; round++) {
        root_write("/f", "");
        file = root_find("/f");
        ck_assert_int_eq(vfs_write(file, 100, data, sizeof data), 4 * 4096 - 100);
        ck_assert_int_eq(vfs_write(file, 4 * 4096, data, 1), -ENOSPC);
        ck_assert_uint_eq(file->attributes.size, 4 * 4096);
        ck_assert_int_eq(vfs_write(file, 0, data, 4096), 4096); /* what is there can change */
        ck_assert_uint_eq(root_status().free_blocks, 0);
        ck_assert_int_eq(vfs_truncate(file, 4096), 0);
        ck_assert_uint_eq(root_status().free_blocks, 3);
        vnode_put(file);
        ck_assert_int_eq(vfs_unlink(NULL, "/f"), 0);
        ck_assert_uint_eq(root_status().free_blocks, 4);
    }
    root_stop();
}
END_TEST

START_TEST(files_are_limited)
{
    root_start(8u << 20, "nr_inodes=4");
    root_write("/a", "");
    ck_assert_int_eq(vfs_link(NULL, "/a", "/b"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/c", "a"), 0);
    ck_assert_uint_eq(root_status().free_files, 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/d", 0755), -ENOSPC);
    ck_assert_int_eq(vfs_link(NULL, "/a", "/d"), -ENOSPC);
    ck_assert_int_eq(vfs_symlink(NULL, "/d", "x"), -ENOSPC);
    ck_assert_int_eq(vfs_rename(NULL, "/b", "/d", 0), 0);
    ck_assert_int_eq(vfs_rename(NULL, "/c", "/a", 0), 0);
    ck_assert_uint_eq(root_status().free_files, 1);
    ck_assert_int_eq(vfs_mkdir(NULL, "/e", 0755), 0);
    root_stop();
}
END_TEST

static const struct {
    const char *options;
    int error;
} options[] = {
    {"size=1g,mode=700,uid=3", 0},
    {"size=25%", 0},
    {"nr_inodes=1k,rw", 0},
    {"size=101%", -EINVAL},
    {"size=", -EINVAL},
    {"size=1x", -EINVAL},
    {"size", -EINVAL},
    {"size=1mm", -EINVAL},
    {"mode=8", -EINVAL},
    {"mode=77777", -EINVAL},
    {"nonsense", -EINVAL},
    {"uid=4294967296", -EINVAL},
    {"size=17179869184g", -EINVAL},
    {"nr_inodes=0", -ENOSPC},
};

START_TEST(options_are_understood_or_refused)
{
    struct problem problem;

    fake_kernel_start(8u << 20);
    ramfs_register();
    ck_assert_int_eq(mount_add("ramfs", NULL, "/", options[_i].options, &problem),
                     options[_i].error);
    ck_assert_int_eq(problem.what[0] != '\0', options[_i].error != 0);
    if (options[_i].error == 0)
        ck_assert_int_eq(mount_remove("/"), 0);
}
END_TEST

/* One of each operation. 0, or the first error; 1 when all have been done. */
static int do_all(void)
{
    struct vnode_attributes fifo = {.type = VNODE_FIFO, .mode = 0600};
    struct vnode *vnode = NULL, *made = NULL;
    int error = vfs_find(NULL, "/f", 0, &vnode);

    if (!error && vfs_write(vnode, 20000, "x", 1) != 1)
        error = -ENOMEM;
    vnode_put(vnode);
    if (!error)
        error = vfs_mkdir(NULL, "/d", 0755);
    if (!error)
        error = vfs_symlink(NULL, "/d/l", "text");
    if (!error)
        error = vfs_link(NULL, "/f", "/d/g");
    if (!error)
        error = vfs_create(NULL, "/d/p", &fifo, &made);
    vnode_put(made);
    if (!error)
        error = vfs_rename(NULL, "/d/g", "/d/a longer name", 0);
    return error ? error : 1;
}

static void undo_all(void)
{
    static const char *const names[] = {"/d/l", "/d/g", "/d/a longer name", "/d/p"};
    struct vnode *file = root_find("/f");

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)!vfs_unlink(NULL, names[i]);
    (void)!vfs_rmdir(NULL, "/d");
    ck_assert_int_eq(vfs_truncate(file, 3), 0);
    vnode_put(file);
}

START_TEST(without_memory_nothing_changes)
{
    struct file_system_status before, now;
    unsigned failed = 0;
    int result = 0;

    root_start(8u << 20, "");
    root_write("/f", "abc");
    ck_assert_int_eq(do_all(), 1);
    undo_all();
    before = root_status();
    for (uint64_t n = 1; result != 1; n++) {
        struct hal_fail_plan plan = {.kind = HAL_FAIL_NTH, .n = n};

        alloc_fail_set(&plan);
        result = do_all();
        alloc_fail_set(&(struct hal_fail_plan){0});
        ck_assert(result == 1 || result == -ENOMEM);
        failed += result == -ENOMEM;
        undo_all();
        now = root_status();
        ck_assert_mem_eq(&before, &now, sizeof now);
        ck_assert(root_is("/f", "abc"));
        ck_assert_uint_eq(root_count("/"), 1);
    }
    ck_assert_uint_ge(failed, 10);
    root_stop();
}
END_TEST

Suite *limit_suite(void)
{
    Suite *suite = suite_create("limits");
    TCase *cases = tcase_create("limits");

    tcase_add_test(cases, content_is_limited);
    tcase_add_test(cases, files_are_limited);
    tcase_add_loop_test(cases, options_are_understood_or_refused, 0,
                        sizeof options / sizeof options[0]);
    tcase_add_test(cases, without_memory_nothing_changes);
    suite_add_tcase(suite, cases);
    return suite;
}
