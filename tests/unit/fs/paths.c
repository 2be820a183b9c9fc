/* SPDX-License-Identifier: MIT */
/*
 * paths.c: paths through directories, and back to their texts.
 *
 * 1. "." stays and ".." goes up, to the directory that it really is in; at the root it stays.
 * 2. A relative path starts at its base; an absolute one does not.
 * 3. A directory knows its path; what does not fit is -ERANGE and writes nothing outside.
 * 4. A name or path that is too long, or empty, is an error of its own.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "image.h"

#include <hal/errno.h>

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *path, *result; /* of a directory, from /dir/sub */
} cases[] = {
    {"/", "/"},
    {".", "/dir/sub"},
    {"..", "/dir"},
    {"../..", "/"},
    {"../../..", "/"},
    {"/..", "/"},
    {"../other", "/dir/other"},
    {"/dir", "/dir"},
    {"/dir/", "/dir"},
    {"//dir///sub//", "/dir/sub"},
    {"/dir/./sub/.", "/dir/sub"},
    {"/dir/sub/..", "/dir"},
    {"/DIR/Sub", "/dir/sub"},
    {"../other/../sub/../../dir/sub", "/dir/sub"},
    {"a b \u00fc\u65e5", "/dir/sub/a b \u00fc\u65e5"},
};

static const char *const wrong[] = {"nothing",           "...", "..b", "nothing/..",
                                    "../nothing/../sub", ".b"};

static struct image image;

static void enter(uint8_t *slot, const char *name, uint32_t cluster)
{
    image_entry(slot, name, IMAGE_DIRECTORY, cluster, 0);
    slot[12] = 0x08; /* in lower case */
    image_chain(&image, cluster, 1);
}

/* /dir with /dir/sub and /dir/other, and in /dir/sub one with a long name. */
static void build(void)
{
    static const uint16_t units[] = {'a', ' ', 'b', ' ', 0xfc, 0x65e5};
    uint8_t *slots;

    image_build(&image, 100);
    enter(image_cluster(&image, IMAGE_ROOT), "DIR        ", 10);
    slots = image_cluster(&image, 10);
    enter(slots, "SUB        ", 11);
    enter(slots + 32, "OTHER      ", 12);
    slots = image_cluster(&image, 11);
    slots += 32 * image_long(slots, units, 6, "AB~1       ");
    enter(slots, "AB~1       ", 13);
    ck_assert_int_eq(image_mount(&image), 0);
}

static void unbuild(void)
{
    image_free(&image);
}

static void check_path(struct vnode *directory, const char *result)
{
    size_t need = strlen(result) + 1;
    char text[64];

    for (size_t size = 0; size <= sizeof text; size++) {
        /* On the heap: under a sanitizer a byte too many ends the test. */
        char *to = malloc(size + 1);

        to[size] = 'x';
        ck_assert_int_eq(vfs_path_of(directory, to, size), size < need ? -ERANGE : 0);
        ck_assert_int_eq(to[size], 'x');
        if (size >= need)
            ck_assert_str_eq(to, result);
        free(to);
    }
}

START_TEST(a_path_leads_to_a_directory_that_knows_its_path)
{
    struct vnode *base = image_open("/dir/sub"), *found;

    ck_assert_int_eq(vfs_find(base, cases[_i].path, 0, &found), 0);
    check_path(found, cases[_i].result);
    vnode_put(found);
    vnode_put(base);
    ck_assert_int_eq(vfs_unmount_root(), 0);
}
END_TEST

START_TEST(dots_are_looked_up_in_directories_that_are_there)
{
    struct vnode *base = image_open("/dir/sub"), *found;

    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_int_eq(vfs_find(base, wrong[i], 0, &found), -ENOENT);
    vnode_put(base);
    ck_assert_int_eq(vfs_unmount_root(), 0);
}
END_TEST

START_TEST(names_and_paths_that_are_too_long_or_empty_are_refused)
{
    struct vnode *vnode;
    char *path = malloc(2 * VFS_PATH_MAX);

    ck_assert_int_eq(vfs_find(NULL, "", 0, &vnode), -ENOENT);
    memset(path, 'x', 2 * VFS_PATH_MAX);
    path[VFS_NAME_MAX] = '\0';
    ck_assert_int_eq(vfs_find(NULL, path, 0, &vnode), -ENOENT);
    path[VFS_NAME_MAX] = 'x';
    path[VFS_NAME_MAX + 1] = '\0';
    ck_assert_int_eq(vfs_find(NULL, path, 0, &vnode), -ENAMETOOLONG);
    path[VFS_NAME_MAX + 1] = 'x';
    path[2 * VFS_PATH_MAX - 1] = '\0';
    ck_assert_int_eq(vfs_find(NULL, path, 0, &vnode), -ENAMETOOLONG);
    memset(path, '/', VFS_PATH_MAX);
    path[VFS_PATH_MAX] = '\0';
    ck_assert_int_eq(vfs_find(NULL, path, 0, &vnode), -ENAMETOOLONG);
    path[VFS_PATH_MAX - 1] = '\0';
    ck_assert_int_eq(vfs_find(NULL, path, 0, &vnode), 0);
    vnode_put(vnode);
    ck_assert_int_eq(vfs_unmount_root(), 0);
    free(path);
}
END_TEST

START_TEST(without_a_card_every_path_is_enomedium)
{
    struct vnode *vnode;

    fake_kernel_start(4u << 20);
    ck_assert_int_eq(vfs_find(NULL, "/", 0, &vnode), -ENOMEDIUM);
    ck_assert_int_eq(vfs_mount_root(), -ENOMEDIUM);
    ck_assert_int_eq(vfs_find(NULL, "/x", 0, &vnode), -ENOMEDIUM);
}
END_TEST

Suite *path_suite(void)
{
    Suite *suite = suite_create("path");
    TCase *tests = tcase_create("paths");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_add_loop_test(tests, a_path_leads_to_a_directory_that_knows_its_path, 0,
                        sizeof cases / sizeof cases[0]);
    tcase_add_test(tests, dots_are_looked_up_in_directories_that_are_there);
    tcase_add_test(tests, names_and_paths_that_are_too_long_or_empty_are_refused);
    tcase_add_test(tests, without_a_card_every_path_is_enomedium);
    suite_add_tcase(suite, tests);
    return suite;
}
