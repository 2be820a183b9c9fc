/* SPDX-License-Identifier: MIT */
/*
 * paths.c: paths made absolute.
 *
 * 1. ".", "..", doubled and trailing slashes go; ".." stops at the root.
 * 2. A relative path starts at its base; an absolute one does not.
 * 3. What does not fit is -ENAMETOOLONG and writes nothing outside the buffer.
 * 4. A name or path that is too long, or empty, is an error of its own.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "image.h"

#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *base, *path, *result;
} cases[] = {
    {"/", "a", "/a"},
    {"/", "/", "/"},
    {"/", ".", "/"},
    {"/", "..", "/"},
    {"/", "../../..", "/"},
    {"/", "", "/"},
    {"/a/b", "", "/a/b"},
    {"/a/b", ".", "/a/b"},
    {"/a/b", "..", "/a"},
    {"/a/b", "../..", "/"},
    {"/a/b", "../../..", "/"},
    {"/a/b", "../c", "/a/c"},
    {"/a/b", "/c", "/c"},
    {"/a/b", "c//d///e", "/a/b/c/d/e"},
    {"/a/b", "c/", "/a/b/c"},
    {"/a/b", "./c/./d/.", "/a/b/c/d"},
    {"/a", "b/../../../c", "/c"},
    {"/a", "...", "/a/..."},
    {"/a", "..b", "/a/..b"},
    {"/a", ".b", "/a/.b"},
    {"/a", "b..", "/a/b.."},
    {"/a", "b c", "/a/b c"},
    {"/a", "\u00fc/\u65e5", "/a/\u00fc/\u65e5"},
};

START_TEST(a_path_becomes_absolute)
{
    char text[64];

    ck_assert_int_eq(vfs_normalise(cases[_i].base, cases[_i].path, text, sizeof text), 0);
    ck_assert_str_eq(text, cases[_i].result);
}
END_TEST

START_TEST(a_path_fits_exactly_or_not_at_all)
{
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t need = strlen(cases[i].result) + 1;
        char *text = malloc(need);

        if (vfs_normalise(cases[i].base, cases[i].path, text, need) == 0)
            ck_assert_str_eq(text, cases[i].result);
        free(text);
        /* Under a sanitizer a byte too many ends the test. */
        for (size_t size = 0; size < need; size++) {
            text = malloc(size + 1);
            ck_assert_int_eq(vfs_normalise(cases[i].base, cases[i].path, text, size),
                             -ENAMETOOLONG);
            free(text);
        }
    }
}
END_TEST

START_TEST(names_and_paths_that_are_too_long_or_empty_are_refused)
{
    struct image image;
    struct vnode *vnode;
    char *path = malloc(2 * VFS_PATH_MAX);

    image_build(&image, 100);
    ck_assert_int_eq(image_mount(&image), 0);
    ck_assert_int_eq(vfs_open("/", "", &vnode), -ENOENT);
    memset(path, 'x', 2 * VFS_PATH_MAX);
    path[VFS_NAME_MAX] = '\0';
    ck_assert_int_eq(vfs_open("/", path, &vnode), -ENOENT);
    path[VFS_NAME_MAX] = 'x';
    path[VFS_NAME_MAX + 1] = '\0';
    ck_assert_int_eq(vfs_open("/", path, &vnode), -ENAMETOOLONG);
    path[VFS_NAME_MAX + 1] = 'x';
    path[2 * VFS_PATH_MAX - 1] = '\0';
    ck_assert_int_eq(vfs_open("/", path, &vnode), -ENAMETOOLONG);
    for (unsigned i = 0; i < VFS_PATH_MAX; i++)
        path[i] = '/';
    path[VFS_PATH_MAX] = '\0';
    ck_assert_int_eq(vfs_open("/", path, &vnode), 0);
    vnode_put(vnode);
    vfs_unmount_root();
    image_free(&image);
    free(path);
}
END_TEST

START_TEST(without_a_card_every_path_is_enomedium)
{
    struct vnode *vnode;

    fake_kernel_start(4u << 20);
    ck_assert_int_eq(vfs_open("/", "/", &vnode), -ENOMEDIUM);
    ck_assert_int_eq(vfs_mount_root(), -ENOMEDIUM);
    ck_assert_int_eq(vfs_open("/", "/x", &vnode), -ENOMEDIUM);
}
END_TEST

Suite *path_suite(void)
{
    Suite *suite = suite_create("path");
    TCase *tests = tcase_create("paths");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_path_becomes_absolute, 0, sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, a_path_fits_exactly_or_not_at_all);
    tcase_add_test(tests, names_and_paths_that_are_too_long_or_empty_are_refused);
    tcase_add_test(tests, without_a_card_every_path_is_enomedium);
    suite_add_tcase(suite, tests);
    return suite;
}
