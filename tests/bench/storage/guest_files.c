/* SPDX-License-Identifier: MIT */
/*
 * guest_files.c: many files with long names in one directory of the kernel's.
 */
#include "guest.h"

#include "block/block.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/format.h"

#include <hal/errno.h>

#define DIRECTORY "/many"
#define PATH_MAX 128

static const char *path_of(char *path, unsigned number, bool renamed)
{
    (void)format_text(path, PATH_MAX, DIRECTORY "/" BENCH_NAME "%s", number, renamed ? ".new" : "");
    return path;
}

static void create(unsigned count)
{
    char path[PATH_MAX];

    for (unsigned i = 0; i < count; i++)
        guest_create(path_of(path, i, false));
    guest_sync();
}

static void stat_all(unsigned count)
{
    struct vnode_attributes attributes;
    struct vnode *vnode;
    char path[PATH_MAX];

    for (unsigned i = 0; i < count; i++) {
        guest_expect("finding a file", vfs_find(NULL, path_of(path, i, false), 0, &vnode));
        vfs_attributes(vnode, &attributes);
        vnode_put(vnode);
    }
}

static void list(unsigned count)
{
    struct directory_entry *entry = kmalloc(sizeof(*entry));
    struct file *file = guest_open(DIRECTORY, FILE_READ_ONLY);
    unsigned found = 0;
    int error = entry ? 0 : -ENOMEM;

    while (!error) {
        error = file_iterate(file, entry);
        if (!error)
            found++;
    }
    if (error != -ENOENT || found != count)
        guest_fail("listing a directory", error);
    file_put(file);
    kfree(entry);
}

static void rename_all(unsigned count)
{
    char from[PATH_MAX], to[PATH_MAX];

    for (unsigned i = 0; i < count; i++)
        guest_expect("renaming",
                     vfs_rename(NULL, path_of(from, i, false), path_of(to, i, true), 0));
    guest_sync();
}

static void delete_all(unsigned count)
{
    char path[PATH_MAX];

    for (unsigned i = 0; i < count; i++)
        guest_expect("deleting", vfs_unlink(NULL, path_of(path, i, true)));
    guest_sync();
}

static void measure(enum bench_files row, unsigned size, void (*work)(unsigned count))
{
    struct block_stats before, after;
    uint64_t start = guest_processor_time();

    block_read_stats(&before);
    work(bench_sizes[size]);
    bench_order.files[row][size] = guest_processor_time() - start;
    block_read_stats(&after);
    bench_order.file_flushes[row] = after.flushes - before.flushes;
}

void guest_files(void)
{
    for (unsigned size = 0; size < BENCH_SIZES; size++) {
        guest_expect("mkdir", vfs_mkdir(NULL, DIRECTORY, 0755));
        guest_sync();
        measure(FILES_CREATE, size, create);
        guest_mount_anew();
        measure(FILES_STAT, size, stat_all);
        measure(FILES_AGAIN, size, stat_all);
        guest_mount_anew();
        measure(FILES_LIST, size, list);
        measure(FILES_RENAME, size, rename_all);
        measure(FILES_DELETE, size, delete_all);
        guest_expect("rmdir", vfs_rmdir(NULL, DIRECTORY));
        guest_sync();
    }
}

void guest_leave(void)
{
    guest_expect("mkdir", vfs_mkdir(NULL, DIRECTORY, 0755));
    create(bench_order.size);
}
