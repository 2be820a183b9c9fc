/* SPDX-License-Identifier: MIT */
/*
 * content.c: what is in files of a ramfs.
 *
 * 1. Whatever is written and cut, anywhere, reads as in a plain array of bytes.
 * 2. A hole takes no memory and reads as zeros; blocks are counted by the page.
 * 3. Offsets that no file can have are refused, and nothing changes.
 * 4. A file that was removed lives as long as somebody has it open.
 */
#include "suites.h"

#include "rooted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL_BYTES (40 * 4096u)
#define STEPS 4000u

static uint8_t model[MODEL_BYTES];
static size_t model_size;

static void build(void)
{
    root_start(8u << 20, "");
    memset(model, 0, sizeof model);
    model_size = 0;
}

static void write_both(struct vnode *file, uint64_t *random)
{
    static uint8_t data[3 * 4096];
    size_t offset = root_random(random) % (MODEL_BYTES - sizeof data);
    size_t n = 1 + root_random(random) % (root_random(random) % 4 ? 300 : sizeof data - 1);

    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)root_random(random);
    ck_assert_int_eq(vfs_write(file, offset, data, n), (int64_t)n);
    memcpy(model + offset, data, n);
    if (offset + n > model_size)
        model_size = offset + n;
}

static void cut_both(struct vnode *file, uint64_t *random)
{
    size_t size = root_random(random) % MODEL_BYTES;

    ck_assert_int_eq(vfs_truncate(file, size), 0);
    if (size < model_size)
        memset(model + size, 0, model_size - size);
    model_size = size;
}

static void compare_part(struct vnode *file, uint64_t *random)
{
    static uint8_t data[3 * 4096];
    size_t offset = root_random(random) % MODEL_BYTES, n = 1 + root_random(random) % sizeof data;
    size_t there = offset < model_size ? model_size - offset : 0;

    if (n < there)
        there = n;
    ck_assert_int_eq(vfs_read(file, offset, data, n), (int64_t)there);
    ck_assert_mem_eq(data, model + offset, there);
}

START_TEST(content_is_as_in_an_array)
{
    uint64_t random = (uint64_t)_i + 1;
    struct vnode *file;

    root_write("/file", "");
    file = root_find("/file");
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned what = root_random(&random) % 16;

        if (what == 0)
            cut_both(file, &random);
        else if (what < 6)
            write_both(file, &random);
        else
            compare_part(file, &random);
        ck_assert_uint_eq(file->attributes.size, model_size);
    }
    vnode_put(file);
}
END_TEST

START_TEST(holes_take_no_memory)
{
    struct vnode *file;
    uint8_t data[100], zeros[100] = {0};

    root_write("/file", "x");
    file = root_find("/file");
    ck_assert_uint_eq(file->attributes.blocks, 8);
    ck_assert_int_eq(vfs_write(file, UINT64_C(1) << 62, "end", 3), 3);
    ck_assert_uint_eq(file->attributes.size, (UINT64_C(1) << 62) + 3);
    ck_assert_uint_eq(file->attributes.blocks, 16);
    ck_assert_int_eq(vfs_read(file, UINT64_C(1) << 40, data, 100), 100);
    ck_assert_mem_eq(data, zeros, 100);
    ck_assert_int_eq(vfs_truncate(file, 0), 0);
    ck_assert_uint_eq(file->attributes.blocks, 0);
    ck_assert_int_eq(vfs_truncate(file, 5000), 0);
    ck_assert_int_eq(vfs_read(file, 0, data, 100), 100);
    ck_assert_mem_eq(data, zeros, 100); /* the x is gone for good */
    vnode_put(file);
}
END_TEST

START_TEST(offsets_that_cannot_be_are_refused)
{
    struct vnode *file;

    root_write("/file", "abc");
    file = root_find("/file");
    ck_assert_int_eq(vfs_write(file, UINT64_MAX - 1, "xy", 2), -EFBIG);
    ck_assert_int_eq(vfs_write(file, INT64_MAX, "x", 1), -EFBIG);
    ck_assert_int_eq(vfs_truncate(file, UINT64_MAX), -EFBIG);
    ck_assert(root_is("/file", "abc"));
    vnode_put(file);
}
END_TEST

START_TEST(a_removed_file_lives_while_it_is_open)
{
    struct file_system_status before = root_status(), now;
    struct file *file;
    char data[8];

    ck_assert_int_eq(file_open(NULL, "/f", FILE_READ_WRITE | FILE_CREATE, 0600, &file), 0);
    ck_assert_int_eq(file_write(file, "still", 5), 5);
    ck_assert_int_eq(vfs_unlink(NULL, "/f"), 0);
    ck_assert_int_eq(root_error("/f"), -ENOENT);
    ck_assert_uint_eq(file->vnode->attributes.links, 0);
    ck_assert_int_eq(file_write(file, " here", 3), 3);
    ck_assert_int_eq(file_read_at(file, 0, data, sizeof data), 8);
    ck_assert_mem_eq(data, "still he", 8);
    root_write("/f", "another");
    file_put(file);
    ck_assert(root_is("/f", "another"));
    ck_assert_int_eq(vfs_unlink(NULL, "/f"), 0);
    now = root_status();
    ck_assert_mem_eq(&before, &now, sizeof now);
}
END_TEST

Suite *content_suite(void)
{
    Suite *suite = suite_create("content");
    TCase *cases = tcase_create("content");

    tcase_add_checked_fixture(cases, build, root_stop);
    tcase_add_loop_test(cases, content_is_as_in_an_array, 0, 8);
    tcase_add_test(cases, holes_take_no_memory);
    tcase_add_test(cases, offsets_that_cannot_be_are_refused);
    tcase_add_test(cases, a_removed_file_lives_while_it_is_open);
    suite_add_tcase(suite, cases);
    return suite;
}
