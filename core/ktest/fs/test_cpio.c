/* SPDX-License-Identifier: MIT */
/*
 * test_cpio.c: a small archive, unpacked on the machine (tests/unit/cpio has all the rest).
 *
 * A directory, and a file in it with two names, the second of which has the data.
 */
#include "fs/cpio/cpio.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "ktest/fs/tests.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define PLACE "/docs" /* of the standard card */
#define NUMBER "00000000"
#define ZEROS NUMBER NUMBER NUMBER NUMBER

static const char archive[] =
    /* inode, mode, uid, gid, links, mtime, size, devices, bytes of the name, sum; name; data */
    "070701"
    "00000001"
    "000041ED" NUMBER NUMBER "00000002"
    "00000010" NUMBER ZEROS "00000002" NUMBER "d\0"
    "070701"
    "00000002"
    "000081A4" NUMBER NUMBER "00000002"
    "00000020" NUMBER ZEROS "00000004" NUMBER "d/a\0\0\0"
    "070701"
    "00000002"
    "000081A4" NUMBER NUMBER "00000002"
    "00000020"
    "00000004" ZEROS "00000004" NUMBER "d/b\0\0\0"
    "text"
    "070701" NUMBER NUMBER NUMBER NUMBER "00000001" NUMBER NUMBER ZEROS "0000000B" NUMBER
    "TRAILER!!!\0\0\0\0";

static int64_t give(void *context, void *data, size_t n)
{
    size_t *at = context;

    if (n > sizeof(archive) - 1 - *at)
        n = sizeof(archive) - 1 - *at;
    memcpy(data, archive + *at, n);
    *at += n;
    return (int64_t)n;
}

static void unpack(struct ktest_run *run, struct vnode *base)
{
    size_t at = 0;
    struct cpio_source source = {give, &at};
    struct cpio_totals totals;
    struct problem problem;
    struct file *file;
    char text[8];

    if (!KTEST_EXPECT(run, cpio_unpack(&source, base, &totals, &problem) == 0))
        return;
    KTEST_EXPECT(run, totals.entries == 3 && totals.bytes == 4);
    if (KTEST_EXPECT(run, file_open(base, "d/a", FILE_READ_ONLY, 0, &file) == 0)) {
        KTEST_EXPECT(run, file_read(file, text, sizeof(text)) == 4 && memcmp(text, "text", 4) == 0);
        KTEST_EXPECT(run, file->vnode->attributes.links == 2);
        file_put(file);
    }
}

void test_cpio_unpack(struct ktest_run *run)
{
    struct problem problem;
    struct vnode *base;
    int error = mount_add("ramfs", NULL, PLACE, "size=64k", &problem);

    if (error == -ENOENT || error == -ENOMEDIUM) {
        run->skipped = "not the standard card";
        return;
    }
    if (!KTEST_EXPECT(run, error == 0))
        return;
    if (KTEST_EXPECT(run, vfs_find(NULL, PLACE, 0, &base) == 0)) {
        unpack(run, base);
        vnode_put(base);
    }
    KTEST_EXPECT(run, mount_remove(PLACE) == 0);
}
