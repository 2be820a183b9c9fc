/* SPDX-License-Identifier: MIT */
/*
 * rooted.c: see rooted.h.
 */
#include "rooted.h"

#include "../fake_hal.h"
#include "fs/ramfs/ramfs.h"
#include "heap/heap.h"
#include "mem/frame.h"
#include "mem/reclaim.h"

#include "../../marks.h"
#include <stdlib.h>
#include <string.h>

static struct heap_stats blocks_before;

void root_start(uint64_t ram_bytes, const char *options)
{
    struct problem problem;

    fake_kernel_start_with(ram_bytes, "checks=1");
    ramfs_register();
    heap_read_stats(&blocks_before);
    ck_assert_int_eq(mount_add("ramfs", NULL, "/", options, &problem), 0);
}

void root_stop(void)
{
    struct heap_stats blocks;

    ck_assert_int_eq(mount_remove("/"), 0);
    heap_read_stats(&blocks);
    ck_assert_uint_eq(blocks.live_blocks, blocks_before.live_blocks);
}

struct vnode *root_find(const char *path)
{
    struct vnode *vnode = NULL;

    ck_assert_int_eq(vfs_find(NULL, path, VFS_NO_FOLLOW, &vnode), 0);
    return vnode;
}

int root_error(const char *path)
{
    struct vnode *vnode = NULL;
    int error = vfs_find(NULL, path, VFS_NO_FOLLOW, &vnode);

    vnode_put(vnode);
    return error;
}

void root_write(const char *path, const char *text)
{
    struct file *file;

    ck_assert_int_eq(
        file_open(NULL, path, FILE_WRITE_ONLY | FILE_CREATE | FILE_TRUNCATE, 0644, &file), 0);
    ck_assert_int_eq(file_write(file, text, strlen(text)), (int64_t)strlen(text));
    file_put(file);
}

bool root_is(const char *path, const char *text)
{
    char data[256];
    struct file *file;
    int64_t n;

    ck_assert_int_eq(file_open(NULL, path, FILE_READ_ONLY, 0, &file), 0);
    n = file_read(file, data, sizeof data);
    file_put(file);
    return n == (int64_t)strlen(text) && memcmp(data, text, (size_t)n) == 0;
}

struct vnode_attributes root_attributes(const char *path)
{
    struct vnode *vnode = root_find(path);
    struct vnode_attributes attributes;

    vfs_attributes(vnode, &attributes);
    vnode_put(vnode);
    return attributes;
}

unsigned root_count(const char *path)
{
    struct directory_entry *entry = malloc(sizeof *entry);
    struct vnode *directory = root_find(path);
    uint64_t position = 0;
    unsigned count = 0;

    while (vfs_iterate(directory, &position, entry) == 0)
        count++;
    vnode_put(directory);
    free(entry);
    return count;
}

uint32_t root_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

struct file_system_status root_status(void)
{
    struct vnode *root = vfs_root();
    struct file_system_status now, clean;

    ck_assert_int_eq(root->mount->type->status(root->mount, &now), 0);
    vnode_put(root);
    memset(&clean, 0, sizeof clean); /* padding too */
    clean.block_bytes = now.block_bytes;
    clean.blocks = now.blocks;
    clean.free_blocks = now.free_blocks;
    clean.files = now.files;
    clean.free_files = now.free_files;
    clean.magic = now.magic;
    return clean;
}
