/* SPDX-License-Identifier: MIT */
/*
 * cpio.c: archives unpacked into a ramfs.
 *
 *  1. Every type of file arrives with its mode, owner, time, device, text and content, however the
 *     bytes come in.
 *  2. Names of one file are hard links; the data may stand with the first, the last or any.
 *  3. Archives behind each other, with zeros between, are all unpacked; inode numbers mean nothing
 *     across them, and later files replace earlier ones.
 *  4. A wrong sum is found, and a right one is not complained of.
 *  5. An archive that is cut anywhere is refused with a reason, and nothing leaks.
 *  6. What is no archive, or a damaged one, is refused with a reason that names what is wrong.
 *  7. A want of memory at any allocation, a full tree, and a source that fails end it with their
 *     error and a reason.
 */
#include "archive.h"

#include "../fake_hal.h"
#include "../ramfs/rooted.h"
#include "site/fail.h"

#include "../../marks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct archive archive;
static struct cpio_totals totals;
static struct problem problem;

static void build(void)
{
    root_start(8u << 20, "size=1m");
}

static void unbuild(void)
{
    archive_free(&archive);
    root_stop();
}

static void add_file(const char *name, const char *data)
{
    archive_add(&archive, &(struct archive_entry){.name = name, .mode = 0100644, .data = data});
}

static int unpack(void)
{
    return archive_unpack(&archive, archive.size, 0, &totals, &problem);
}

static void check_sample(void)
{
    struct vnode_attributes a = root_attributes("/bin/tool");
    struct vnode *link = root_find("/etc/link");
    char text[16];

    ck_assert(a.mode == 04755 && a.uid == 3 && a.modified == INT64_C(2000000000000));
    ck_assert(root_is("/bin/tool", "a tool") && root_is("/etc/link", "a tool"));
    ck_assert(root_is("/bin/empty", ""));
    a = root_attributes("/bin");
    ck_assert(a.mode == 0755 && a.uid == 1 && a.gid == 2 && a.modified == INT64_C(1000000000000));
    a = root_attributes("/");
    ck_assert(a.mode == 0700 && a.modified == INT64_C(100000000000));
    a = root_attributes("/dev/null");
    ck_assert(a.type == VNODE_CHARACTER && a.device == DEVICE_NUMBER(1, 3) && a.mode == 0666);
    a = root_attributes("/dev/card");
    ck_assert(a.type == VNODE_BLOCK && a.device == DEVICE_NUMBER(179, 1));
    ck_assert(root_attributes("/dev/pipe").type == VNODE_FIFO);
    ck_assert_uint_eq(root_attributes("/etc/first").links, 3);
    ck_assert(root_is("/etc/first", "shared") && root_is("/etc/second", "shared"));
    ck_assert_int_eq(vfs_readlink(link, text, sizeof text), 11);
    ck_assert_int_eq(root_attributes("/etc/link").modified, INT64_C(3000000000000));
    vnode_put(link);
}

START_TEST(every_type_arrives)
{
    static const size_t steps[] = {0, 1, 3, 110, 511};

    archive_sample(&archive, _i % 2);
    ck_assert_int_eq(archive_unpack(&archive, archive.size, steps[_i], &totals, &problem), 0);
    ck_assert_str_eq(problem.what, "");
    ck_assert_uint_eq(totals.entries, 13);
    ck_assert_uint_eq(totals.bytes, 12);
    check_sample();
    /* And once more over itself. */
    ck_assert_int_eq(unpack(), 0);
    check_sample();
}
END_TEST

START_TEST(large_files_arrive)
{
    static char data[300000], back[300000];
    struct vnode *file;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 % 251);
    archive_add(
        &archive,
        &(struct archive_entry){
            .name = "big", .mode = 0100644, .data = data, .size = sizeof data, .summed = true});
    archive_end(&archive);
    ck_assert_int_eq(unpack(), 0);
    file = root_find("/big");
    ck_assert_int_eq(vfs_read(file, 0, back, sizeof back), sizeof back);
    ck_assert_mem_eq(data, back, sizeof back);
    vnode_put(file);
}
END_TEST

START_TEST(the_data_of_links_may_stand_anywhere)
{
    static const char *const names[] = {"a", "b", "c"};

    for (int i = 0; i < 3; i++)
        archive_add(&archive, &(struct archive_entry){.name = names[i],
                                                      .mode = 0100644,
                                                      .inode = 5,
                                                      .links = 3,
                                                      .data = i == _i ? "text" : NULL});
    /* The same number, but not the same type: no link. */
    archive_add(&archive,
                &(struct archive_entry){.name = "p", .mode = 010644, .inode = 5, .links = 3});
    archive_end(&archive);
    ck_assert_int_eq(unpack(), 0);
    for (int i = 0; i < 3; i++) {
        char path[3] = {'/', names[i][0]};

        ck_assert(root_is(path, "text"));
        ck_assert_uint_eq(root_attributes(path).links, 3);
    }
    ck_assert_uint_eq(root_attributes("/p").links, 1);
}
END_TEST

START_TEST(archives_may_follow_each_other)
{
    struct archive_entry shared = {
        .name = "x", .mode = 0100644, .inode = 9, .links = 2, .data = "first"};

    archive_add_bytes(&archive, NULL, 8);
    archive_add(&archive, &shared);
    add_file("changes", "to a directory");
    archive_end(&archive);
    archive_add_bytes(&archive, NULL, 512 - archive.size % 512);
    shared.name = "y";
    shared.data = "second";
    archive_add(&archive, &shared);
    archive_add(&archive, &(struct archive_entry){.name = "changes", .mode = 040755});
    add_file("changes/in it", "new");
    archive_end(&archive);
    archive_end(&archive);
    archive_add_bytes(&archive, NULL, 1000);
    ck_assert_int_eq(unpack(), 0);
    ck_assert(root_is("/x", "first") && root_is("/y", "second"));
    ck_assert_uint_eq(root_attributes("/x").links, 1);
    ck_assert(root_is("/changes/in it", "new"));
    ck_assert_uint_eq(totals.entries, 5);
}
END_TEST

START_TEST(a_wrong_sum_is_found)
{
    archive_add(&archive,
                &(struct archive_entry){
                    .name = "f", .mode = 0100644, .data = "text", .summed = true, .wrong = 1});
    archive_end(&archive);
    ck_assert_int_eq(unpack(), -EINVAL);
    ck_assert_ptr_nonnull(strstr(problem.what, "sum"));
}
END_TEST

START_TEST(an_archive_that_is_cut_is_refused)
{
    archive_sample(&archive, false);
    for (size_t size = 0; size < archive.size; size++) {
        ck_assert_int_eq(archive_unpack(&archive, size, 0, &totals, &problem), -EINVAL);
        ck_assert_str_ne(problem.what, "");
    }
    ck_assert_int_eq(unpack(), 0);
    check_sample();
}
END_TEST

static const struct {
    const char *what; /* in the reason */
    const char *bytes;
    size_t n;
} junk[] = {
    {"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8},
    {"xz",
     "\xfd"
     "7zXZ\x00\x00",
     7},
    {"zstd", "\x28\xb5\x2f\xfd\x00\x00\x00", 7},
    {"old kind", "0707070000000000000000", 22},
    {"binary", "\xc7\x71\x00\x00\x00\x00\x00\x00", 8},
    {"No cpio header", "#!/bin/sh\n", 10},
    {"too early", "070701", 6},
    {"empty", "", 0},
    {"empty", "\0\0\0\0\0", 5},
};

START_TEST(what_is_no_archive_is_refused)
{
    archive_add_bytes(&archive, junk[_i].bytes, junk[_i].n);
    ck_assert_int_eq(unpack(), -EINVAL);
    ck_assert_msg(strstr(problem.what, junk[_i].what), "%s", problem.what);
}
END_TEST

static const struct {
    const char *what;
    struct archive_entry entry;
} bad[] = {
    {"out of the tree", {.name = "../x", .mode = 0100644}},
    {"out of the tree", {.name = "a/..", .mode = 040755}},
    {"out of the tree", {.name = "a/../../x", .mode = 040755}},
    {"No directory", {.name = "no/such", .mode = 0100644}},
    {"No directory", {.name = "file/in", .mode = 0100644}},
    {"Cannot make", {.name = "sock", .mode = 0140755}},
    {"Cannot make", {.name = "nothing", .mode = 0}},
    {"Cannot make", {.name = "link", .mode = 0120777}},
    {"Cannot make", {.name = "link", .mode = 0120777, .data = "a\0b", .size = 3}},
    {"Cannot make", {.name = ".", .mode = 0100644}},
    {"Cannot make", {.name = "dir", .mode = 0100644}}, /* it is not empty */
};

START_TEST(entries_that_cannot_be_are_refused)
{
    root_write("/file", "");
    ck_assert_int_eq(vfs_mkdir(NULL, "/dir", 0755), 0);
    root_write("/dir/file", "");
    archive_add(&archive, &bad[_i].entry);
    archive_end(&archive);
    ck_assert_int_lt(unpack(), 0);
    ck_assert_msg(strstr(problem.what, bad[_i].what), "%s", problem.what);
    ck_assert(root_is("/dir/file", ""));
}
END_TEST

START_TEST(a_damaged_header_is_refused)
{
    unsigned refused = 0;

    archive_sample(&archive, false);
    for (size_t i = 0; i < 110; i++) {
        uint8_t was = archive.bytes[i];

        archive.bytes[i] = 'g';
        ck_assert_int_eq(unpack(), -EINVAL);
        ck_assert_str_ne(problem.what, "");
        archive.bytes[i] = was;
        refused++;
    }
    ck_assert_uint_eq(refused, 110);
    memcpy(archive.bytes + 94, "FFFFFFFF", 8); /* the name's length */
    ck_assert_int_eq(unpack(), -EINVAL);
    memcpy(archive.bytes + 94, "00000003", 8);
    ck_assert_int_eq(unpack(), -EINVAL);
}
END_TEST

START_TEST(a_want_of_memory_is_reported)
{
    unsigned failed = 0;
    int error = -ENOMEM;

    archive_sample(&archive, false);
    for (uint64_t n = 1; error; n++) {
        struct hal_fail_plan plan = {.kind = HAL_FAIL_NTH, .n = n};

        alloc_fail_set(&plan);
        error = unpack();
        alloc_fail_set(&(struct hal_fail_plan){0});
        ck_assert(error == 0 || error == -ENOMEM);
        ck_assert_int_eq(problem.what[0] == '\0', error == 0);
        failed += error != 0;
    }
    ck_assert_uint_ge(failed, 20);
    check_sample();
}
END_TEST

START_TEST(a_full_tree_is_reported)
{
    static char data[2 << 20];

    archive_add(&archive, &(struct archive_entry){
                              .name = "big", .mode = 0100644, .data = data, .size = sizeof data});
    archive_end(&archive);
    ck_assert_int_eq(unpack(), -ENOSPC);
    ck_assert_ptr_nonnull(strstr(problem.what, "big"));
}
END_TEST

static int64_t fail_to_give(void *context, void *data, size_t n)
{
    (void)context, (void)data, (void)n;
    return -EIO;
}

START_TEST(a_source_that_fails_is_reported)
{
    struct cpio_source source = {fail_to_give, NULL};

    ck_assert_int_eq(cpio_unpack(&source, NULL, &totals, &problem), -EIO);
    ck_assert_str_ne(problem.what, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpio");
    TCase *cases = tcase_create("cpio");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(cases, build, unbuild);
    tcase_add_loop_test(cases, every_type_arrives, 0, 5);
    tcase_add_test(cases, large_files_arrive);
    tcase_add_loop_test(cases, the_data_of_links_may_stand_anywhere, 0, 3);
    tcase_add_test(cases, archives_may_follow_each_other);
    tcase_add_test(cases, a_wrong_sum_is_found);
    tcase_add_test(cases, an_archive_that_is_cut_is_refused);
    tcase_add_loop_test(cases, what_is_no_archive_is_refused, 0, sizeof junk / sizeof junk[0]);
    tcase_add_loop_test(cases, entries_that_cannot_be_are_refused, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(cases, a_damaged_header_is_refused);
    tcase_add_test(cases, a_want_of_memory_is_reported);
    tcase_add_test(cases, a_full_tree_is_reported);
    tcase_add_test(cases, a_source_that_fails_is_reported);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
