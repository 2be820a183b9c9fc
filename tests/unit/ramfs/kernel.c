/* SPDX-License-Identifier: MIT */
/*
 * kernel.c: the files that the kernel makes: devfs and procfs.
 *
 * 1. null, zero, full and random do what they have always done; a device node anywhere leads to
 *    its device, and one of a device that is not there is -ENXIO.
 * 2. A device that comes later appears in what is mounted; names are taken once.
 * 3. Each file of procfs is read in one piece or byte by byte with the same text, as of its
 * opening; it cannot be written, and its directory not changed.
 * 4. Without memory opening says so and leaves nothing behind.
 * 5. The random bytes are ChaCha20's (RFC 8439, section 2.3.2).
 */
#include "suites.h"

#include "dev/random.h"
#include "fs/devfs/device.h"
#include "fs/devfs/devfs.h"
#include "fs/devfs/nodes.h"
#include "fs/procfs/procfs.h"
#include "proc/process.h"
#include "rooted.h"
#include "site/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void build(void)
{
    struct problem problem;

    root_start(8u << 20, "");
    ck_assert_int_eq(process_start(), 0);
    devfs_register();
    procfs_register();
    ck_assert_int_eq(vfs_mkdir(NULL, "/dev", 0755), 0);
    ck_assert_int_eq(vfs_mkdir(NULL, "/proc", 0755), 0);
    ck_assert_int_eq(mount_add("devfs", NULL, "/dev", "", &problem), 0);
    ck_assert_int_eq(mount_add("procfs", NULL, "/proc", "", &problem), 0);
}

static void unbuild(void)
{
    ck_assert_int_eq(mount_remove("/dev"), 0);
    ck_assert_int_eq(mount_remove("/proc"), 0);
    root_stop();
}

static struct file *open_file(const char *path, unsigned flags)
{
    struct file *file;

    ck_assert_int_eq(file_open(NULL, path, flags, 0, &file), 0);
    return file;
}

START_TEST(devices_do_what_they_should)
{
    static const struct {
        const char *path;
        int64_t read, written;
    } cases[] = {{"/dev/null", 0, 100},
                 {"/dev/zero", 100, 100},
                 {"/dev/full", 100, -ENOSPC},
                 {"/dev/random", 100, 100},
                 {"/dev/urandom", 100, 100}};

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file *file = open_file(cases[i].path, FILE_READ_WRITE);
        uint8_t data[100], zeros[100] = {0};
        int64_t n;

        memset(data, 0x5a, sizeof data);
        n = file_read(file, data, sizeof data);
        ck_assert_int_eq(n, cases[i].read);
        if (n > 0)
            ck_assert_int_eq(memcmp(data, zeros, sizeof data) == 0, i < 3);
        ck_assert_int_eq(file_write(file, data, sizeof data), cases[i].written);
        ck_assert_int_eq(file_ioctl(file, 1, data), -ENOTTY);
        file_put(file);
    }
}
END_TEST

START_TEST(a_node_anywhere_leads_to_its_device)
{
    struct vnode_attributes wanted = {
        .type = VNODE_CHARACTER, .mode = 0666, .device = DEVICE_NUMBER(1, 7)};
    struct vnode *vnode;
    struct file *file;

    ck_assert_int_eq(vfs_create(NULL, "/full", &wanted, &vnode), 0);
    vnode_put(vnode);
    file = open_file("/full", FILE_WRITE_ONLY);
    ck_assert_int_eq(file_write(file, "x", 1), -ENOSPC);
    file_put(file);
    wanted.device = DEVICE_NUMBER(99, 99);
    ck_assert_int_eq(vfs_create(NULL, "/none", &wanted, &vnode), 0);
    vnode_put(vnode);
    ck_assert_int_eq(file_open(NULL, "/none", FILE_READ_ONLY, 0, &file), -ENXIO);
}
END_TEST

START_TEST(a_device_may_come_later)
{
    static const struct device_ops none;
    static struct device late, twice;

    late = (struct device){
        .name = "late", .type = VNODE_CHARACTER, .number = DEVICE_NUMBER(200, 1), .ops = &none};
    twice = late;
    ck_assert_int_eq(root_error("/dev/late"), -ENOENT);
    ck_assert_int_eq(device_register(&late), 0);
    devfs_announce();
    ck_assert_int_eq(root_error("/dev/late"), 0);
    ck_assert_uint_eq(root_attributes("/dev/late").device, DEVICE_NUMBER(200, 1));
    ck_assert_int_eq(device_register(&twice), -EEXIST);
}
END_TEST

/* Reads a file byte by byte, or in one piece. */
static size_t read_all(struct file *file, char *text, size_t size, size_t step)
{
    size_t used = 0;
    int64_t n;

    while ((n = file_read(file, text + used, size - used < step ? size - used : step)) > 0)
        used += (size_t)n;
    ck_assert_int_eq(n, 0);
    return used;
}

START_TEST(files_of_procfs_are_texts)
{
    enum { SIZE = 1 << 16 };
    char *whole = malloc(SIZE), *bytes = malloc(SIZE), path[64];
    const struct proc_file *about;
    size_t below = 0;

    for (unsigned i = 0; (about = proc_file_at(i)) != NULL; i++) {
        struct file *file, *denied;
        size_t n;

        snprintf(path, sizeof path, "/proc/%s", about->name);
        if (!about->say) {
            ck_assert_uint_gt(root_count(path), 0);
            continue;
        }
        below += strchr(about->name, '/') != NULL;
        file = open_file(path, FILE_READ_ONLY);
        n = read_all(file, whole, SIZE, SIZE);
        ck_assert_uint_lt(n, SIZE);
        if (n > 0)
            ck_assert_int_eq(whole[n - 1], '\n');
        ck_assert_int_eq(file_seek(file, 0, FILE_SET), 0);
        ck_assert_uint_eq(read_all(file, bytes, SIZE, 1),
                          n); /* time has passed, the text has not */
        ck_assert_mem_eq(whole, bytes, n);
        file_put(file);
        ck_assert_int_lt(file_open(NULL, path, FILE_READ_WRITE, 0, &denied), 0);
    }
    ck_assert_uint_eq(root_count("/proc/sys/kernel"), below);
    ck_assert_uint_ge(root_count("/proc"), 14);
    ck_assert_int_eq(vfs_mkdir(NULL, "/proc/x", 0755), -EROFS);
    ck_assert_int_eq(vfs_unlink(NULL, "/proc/stat"), -EROFS);
    free(whole);
    free(bytes);
}
END_TEST

START_TEST(mounts_are_told_with_their_options)
{
    struct problem problem;

    ck_assert_int_eq(vfs_mkdir(NULL, "/a b", 0755), 0);
    ck_assert_int_eq(mount_add("tmpfs", NULL, "/a b", "ro,size=8k", &problem), 0);
    ck_assert(root_is("/proc/mounts", "ramfs / ramfs rw 0 0\n"
                                      "devfs /dev devfs rw 0 0\n"
                                      "procfs /proc procfs ro 0 0\n"
                                      "tmpfs /a\\040b tmpfs ro,size=8k 0 0\n"));
    ck_assert_int_eq(vfs_mkdir(NULL, "/a b/c", 0755), -EROFS);
    ck_assert_int_eq(mount_remove("/a b"), 0);
    ck_assert(root_is("/proc/filesystems",
                      "nodev\tramfs\nnodev\ttmpfs\nnodev\tdevfs\nnodev\tprocfs\nnodev\tproc\n"));
}
END_TEST

START_TEST(without_memory_opening_says_so)
{
    unsigned failed = 0;
    int error = -ENOMEM;

    for (uint64_t n = 1; error; n++) {
        struct hal_fail_plan plan = {.kind = HAL_FAIL_NTH, .n = n};
        struct file *file;

        alloc_fail_set(&plan);
        error = file_open(NULL, "/proc/meminfo", FILE_READ_ONLY, 0, &file);
        alloc_fail_set(&(struct hal_fail_plan){0});
        ck_assert(error == 0 || error == -ENOMEM);
        failed += error != 0;
        if (!error)
            file_put(file);
    }
    ck_assert_uint_ge(failed, 2);
}
END_TEST

START_TEST(the_cipher_is_chacha20)
{
    static const uint8_t expected[64] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
        0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
        0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
        0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
        0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
    static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
    uint32_t key[8];
    uint8_t block[64];

    for (uint32_t i = 0; i < 8; i++)
        key[i] = 0x03020100 + i * 0x04040404;
    random_chacha20_block(key, 1, nonce, block);
    ck_assert_mem_eq(block, expected, 64);
}
END_TEST

Suite *kernel_suite(void)
{
    Suite *suite = suite_create("kernel's files");
    TCase *cases = tcase_create("kernel's files");

    tcase_add_checked_fixture(cases, build, unbuild);
    tcase_add_test(cases, devices_do_what_they_should);
    tcase_add_test(cases, a_node_anywhere_leads_to_its_device);
    tcase_add_test(cases, a_device_may_come_later);
    tcase_add_test(cases, files_of_procfs_are_texts);
    tcase_add_test(cases, mounts_are_told_with_their_options);
    tcase_add_test(cases, without_memory_opening_says_so);
    tcase_add_test(cases, the_cipher_is_chacha20);
    suite_add_tcase(suite, cases);
    return suite;
}
