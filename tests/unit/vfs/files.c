/* SPDX-License-Identifier: MIT */
/*
 * files.c: open files.
 *
 * 1. Opening makes, cuts or refuses as its flags say.
 * 2. Reads and writes move the place, and the others do not; appending is at the end, always.
 * 3. A file that is removed stays for those who have it open.
 * 4. Directories are read from a place that stays true.
 * 5. A file is closed once, by whoever puts it last.
 */
#include "suites.h"

#include "../ramfs/rooted.h"

#include "fs/path/name_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void build(void)
{
    root_start(8u << 20, "");
    root_write("/file", "0123456789");
    ck_assert_int_eq(vfs_mkdir(NULL, "/dir", 0755), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/link", "file"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/dangling", "made"), 0);
    ck_assert_int_eq(vfs_symlink(NULL, "/to_dir", "dir"), 0);
}

enum {
    R = FILE_READ_ONLY,
    W = FILE_WRITE_ONLY,
    RW = FILE_READ_WRITE,
    C = FILE_CREATE,
    X = FILE_EXCLUSIVE,
    T = FILE_TRUNCATE
};

static const struct {
    const char *path;
    unsigned flags;
    int error;
    const char *made; /* a path that is there afterwards */
} openings[] = {
    {"/file", R, 0, NULL},
    {"/file", RW, 0, NULL},
    {"/file", 3, -EINVAL, NULL},
    {"/none", R, -ENOENT, NULL},
    {"/none", W | C, 0, "/none"},
    {"/none", R | C, 0, "/none"},
    {"/none", W | C | X, 0, "/none"},
    {"/file", W | C, 0, NULL},
    {"/file", W | C | X, -EEXIST, NULL},
    {"/link", W | C, 0, NULL},
    {"/link", W | C | X, -EEXIST, NULL},
    {"/link", R | FILE_NO_FOLLOW, -ELOOP, NULL},
    {"/dangling", R, -ENOENT, NULL},
    {"/dangling", W | C, 0, "/made"},
    {"/dangling", W | C | X, -EEXIST, NULL},
    {"/dir", R, 0, NULL},
    {"/dir", R | FILE_DIRECTORY, 0, NULL},
    {"/file", R | FILE_DIRECTORY, -ENOTDIR, NULL},
    {"/dir", W, -EISDIR, NULL},
    {"/dir", RW, -EISDIR, NULL},
    {"/dir", R | C, -EISDIR, NULL},
    {"/dir", R | T, -EISDIR, NULL},
    {"/to_dir", R, 0, NULL},
    {"/to_dir/", R | FILE_NO_FOLLOW, 0, NULL},
    {"/file/", R, -ENOTDIR, NULL},
    {"/none/", W | C, -EISDIR, NULL},
    {"/none/x", W | C, -ENOENT, NULL},
    {"/file/x", W | C, -ENOTDIR, NULL},
    {"/", R, 0, NULL},
    {"/", R | C, -EISDIR, NULL},
    {"", R | C, -ENOENT, NULL},
};

START_TEST(flags_say_what_opening_does)
{
    unsigned i = (unsigned)_i / 2;
    struct file *file;

    build();
    if (_i % 2)
        name_cache_start();
    ck_assert_int_eq(file_open(NULL, openings[i].path, openings[i].flags, 0600, &file),
                     openings[i].error);
    if (openings[i].made)
        ck_assert_uint_eq(root_attributes(openings[i].made).mode, 0600);
    if (openings[i].error == 0)
        file_put(file);
    ck_assert(root_is("/file", "0123456789"));
    root_stop();
}
END_TEST

START_TEST(truncating_needs_writing)
{
    struct file *file;

    build();
    ck_assert_int_eq(file_open(NULL, "/file", R | T, 0, &file), 0);
    ck_assert_int_eq(file_truncate(file, 3), -EINVAL);
    file_put(file);
    ck_assert(root_is("/file", "0123456789"));
    ck_assert_int_eq(file_open(NULL, "/link", W | T, 0, &file), 0);
    ck_assert_uint_eq(root_attributes("/file").size, 0);
    ck_assert_int_eq(file_truncate(file, 5), 0);
    ck_assert_uint_eq(root_attributes("/file").size, 5);
    file_put(file);
    root_stop();
}
END_TEST

START_TEST(places_move_with_reads_and_writes)
{
    struct file *file, *other;
    char data[16];

    build();
    ck_assert_int_eq(file_open(NULL, "/file", RW, 0, &file), 0);
    ck_assert_int_eq(file_open(NULL, "/file", R, 0, &other), 0);
    ck_assert_int_eq(file_read(file, data, 4), 4);
    ck_assert_int_eq(memcmp(data, "0123", 4), 0);
    ck_assert_int_eq(file_write(file, "ab", 2), 2);
    ck_assert_int_eq(file_read(file, data, 2), 2);
    ck_assert_int_eq(memcmp(data, "67", 2), 0);
    ck_assert_int_eq(file_read_at(file, 0, data, 16), 10);
    ck_assert_int_eq(memcmp(data, "0123ab6789", 10), 0);
    ck_assert_int_eq(file_write_at(file, 20, "z", 1), 1);
    ck_assert_int_eq(file_read(file, data, 16), 13);
    ck_assert_int_eq(memcmp(data, "89\0\0\0\0\0\0\0\0\0\0z", 13), 0);
    ck_assert_int_eq(file_read(file, data, 16), 0);
    ck_assert_int_eq(file_read(other, data, 1), 1);
    ck_assert_int_eq(data[0], '0');
    ck_assert_int_eq(file_write(other, "x", 1), -EBADF);
    file_put(other);
    file_put(file);
    ck_assert_int_eq(file_open(NULL, "/file", W, 0, &file), 0);
    ck_assert_int_eq(file_read(file, data, 1), -EBADF);
    ck_assert_int_eq(file_write(file, "", 0), 0);
    file_put(file);
    root_stop();
}
END_TEST

START_TEST(seeking_goes_where_it_may)
{
    struct file *file;

    build();
    ck_assert_int_eq(file_open(NULL, "/file", R, 0, &file), 0);
    ck_assert_int_eq(file_seek(file, 3, FILE_SET), 3);
    ck_assert_int_eq(file_seek(file, 3, FILE_CURRENT), 6);
    ck_assert_int_eq(file_seek(file, -7, FILE_CURRENT), -EINVAL);
    ck_assert_int_eq(file_seek(file, -1, FILE_END), 9);
    ck_assert_int_eq(file_seek(file, 100, FILE_END), 110);
    ck_assert_int_eq(file_seek(file, -1, FILE_SET), -EINVAL);
    ck_assert_int_eq(file_seek(file, INT64_MAX, FILE_CURRENT), -EOVERFLOW);
    ck_assert_int_eq(file_seek(file, 0, FILE_CURRENT), 110);
    ck_assert_int_eq(file_seek(file, 0, (enum file_whence)7), -EINVAL);
    ck_assert_int_eq(file_ioctl(file, 1, NULL), -ENOTTY);
    file_put(file);
    root_stop();
}
END_TEST

START_TEST(appending_is_at_the_end)
{
    struct file *one, *two;

    build();
    ck_assert_int_eq(file_open(NULL, "/log", W | C | FILE_APPEND, 0644, &one), 0);
    ck_assert_int_eq(file_open(NULL, "/log", W | FILE_APPEND, 0, &two), 0);
    ck_assert_int_eq(file_write(one, "a", 1), 1);
    ck_assert_int_eq(file_write(two, "b", 1), 1);
    ck_assert_int_eq(file_write(one, "c", 1), 1);
    ck_assert_int_eq(file_seek(one, 0, FILE_SET), 0);
    ck_assert_int_eq(file_write(one, "d", 1), 1);
    ck_assert_int_eq(file_write_at(two, 0, "e", 1), 1);
    ck_assert_int_eq(file_seek(one, 0, FILE_CURRENT), 4);
    ck_assert(root_is("/log", "abcde"));
    file_put(two);
    file_put(one);
    root_stop();
}
END_TEST

START_TEST(a_removed_file_stays_for_who_has_it)
{
    struct file_system_status before, after;
    struct file *file;
    char data[16];

    build();
    if (_i)
        name_cache_start();
    ck_assert_int_eq(vfs_unlink(NULL, "/link"), 0);
    before = root_status();
    root_write("/doomed", "still here");
    ck_assert_int_eq(file_open(NULL, "/doomed", RW, 0, &file), 0);
    ck_assert_int_eq(vfs_unlink(NULL, "/doomed"), 0);
    ck_assert_int_eq(root_error("/doomed"), -ENOENT);
    root_write("/doomed", "another");
    ck_assert_int_eq(file_read(file, data, 16), 10);
    ck_assert_int_eq(memcmp(data, "still here", 10), 0);
    ck_assert_int_eq(file_write(file, "!", 1), 1);
    ck_assert(root_is("/doomed", "another"));
    ck_assert_int_eq(vfs_unlink(NULL, "/doomed"), 0);
    ck_assert_int_eq(file_get(file) == file, 1);
    file_put(file);
    ck_assert_int_eq(file_read_at(file, 0, data, 16), 11);
    file_put(file);
    after = root_status();
    ck_assert_int_eq(memcmp(&before, &after, sizeof before), 0);
    root_stop();
}
END_TEST

START_TEST(directories_are_read_from_their_place)
{
    struct directory_entry *entry = malloc(sizeof *entry);
    struct file *file;
    unsigned count = 0;
    char path[32];

    build();
    for (unsigned i = 0; i < 50; i++) {
        snprintf(path, sizeof path, "/dir/%u", i);
        root_write(path, "");
    }
    ck_assert_int_eq(file_open(NULL, "/dir", R, 0, &file), 0);
    while (file_iterate(file, entry) == 0) {
        snprintf(path, sizeof path, "/dir/%.8s", entry->name);
        ck_assert_int_eq(vfs_unlink(NULL, path), 0);
        count++;
    }
    ck_assert_uint_eq(count, 50);
    ck_assert_int_eq(file_seek(file, 0, FILE_SET), 0);
    ck_assert_int_eq(file_iterate(file, entry), -ENOENT);
    ck_assert_int_eq(file_read(file, path, 1), -EISDIR);
    file_put(file);
    ck_assert_int_eq(file_open(NULL, "/file", R, 0, &file), 0);
    ck_assert_int_eq(file_iterate(file, entry), -ENOTDIR);
    ck_assert_int_eq(file_sync(file), 0);
    file_put(file);
    free(entry);
    root_stop();
}
END_TEST

Suite *file_suite(void)
{
    Suite *suite = suite_create("file");
    TCase *tests = tcase_create("files");

    tcase_add_loop_test(tests, flags_say_what_opening_does, 0,
                        2 * sizeof openings / sizeof openings[0]);
    tcase_add_test(tests, truncating_needs_writing);
    tcase_add_test(tests, places_move_with_reads_and_writes);
    tcase_add_test(tests, seeking_goes_where_it_may);
    tcase_add_test(tests, appending_is_at_the_end);
    tcase_add_loop_test(tests, a_removed_file_stays_for_who_has_it, 0, 2);
    tcase_add_test(tests, directories_are_read_from_their_place);
    suite_add_tcase(suite, tests);
    return suite;
}
