/* SPDX-License-Identifier: MIT */
/*
 * room.c: making room in files, and what a program says that it will do with them.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"

#include <hal/errno.h>

#define ADVICE_MOST 5u

static bool has_no_places(const struct file *file)
{
    enum vnode_type type = file->vnode->attributes.type;

    return type == VNODE_FIFO || type == VNODE_CHARACTER;
}

/* The file is as long as that at least: what is new is zeros. */
static int make_room(struct file *file, uint64_t offset, uint64_t bytes)
{
    enum vnode_type type = file->vnode->attributes.type;

    if ((file->flags & FILE_ACCESS) == FILE_READ_ONLY)
        return -EBADF;
    if (type == VNODE_FIFO)
        return -ESPIPE;
    if (type != VNODE_FILE)
        return -ENODEV;
    if (bytes > INT64_MAX - offset)
        return -EFBIG;
    return vfs_extend(file->vnode, offset + bytes);
}

/* The plain kind alone: no holes, nothing behind the end. */
int64_t sys_fallocate(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int error = -EINVAL;

    if (!file)
        return -EBADF;
    if (args->value[2] <= INT64_MAX && args->value[3] - 1 < INT64_MAX)
        error =
            (uint32_t)args->value[1] ? -ENOTSUP : make_room(file, args->value[2], args->value[3]);
    file_put(file);
    return error;
}

/* The page cache sees by itself what is read one after the other. */
int64_t sys_fadvise64(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int error = 0;

    if (!file)
        return -EBADF;
    if (file->vnode->attributes.type == VNODE_FIFO)
        error = -ESPIPE;
    else if ((int64_t)args->value[2] < 0 || (uint32_t)args->value[3] > ADVICE_MOST)
        error = -EINVAL;
    file_put(file);
    return error;
}

int64_t sys_readahead(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int error = 0;

    if (!file)
        return -EBADF;
    if ((file->flags & FILE_ACCESS) == FILE_WRITE_ONLY)
        error = -EBADF;
    else if (has_no_places(file) || file->vnode->attributes.type == VNODE_DIRECTORY)
        error = -EINVAL;
    file_put(file);
    return error;
}

int64_t sys_syncfs(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int error = 0;

    if (!file)
        return -EBADF;
    if (file->vnode->mount)
        error = mount_sync_all();
    file_put(file);
    return error;
}
