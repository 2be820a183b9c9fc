/* SPDX-License-Identifier: MIT */
/*
 * directory.c: the directory in which a process is, and its mask for the rights of new files.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "proc/process.h"

#include <hal/errno.h>

/* Uses up the reference to `directory`. */
static int64_t go_to(struct vnode *directory)
{
    struct process *process = process_current();
    struct vnode *old;

    if (directory->attributes.type != VNODE_DIRECTORY) {
        vnode_put(directory);
        return -ENOTDIR;
    }
    mutex_lock(&process->mutex);
    old = process->directory;
    process->directory = directory;
    mutex_unlock(&process->mutex);
    vnode_put(old);
    return 0;
}

int64_t sys_chdir(const struct sys_args *args)
{
    struct vnode *directory;
    int error = user_path_lookup((uint64_t)USER_THIS_DIRECTORY, args->value[0], 0, &directory);

    return error ? error : go_to(directory);
}

int64_t sys_fchdir(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int64_t result;

    if (!file)
        return -EBADF;
    result = go_to(vnode_get(file->vnode));
    file_put(file);
    return result;
}

int64_t sys_getcwd(const struct sys_args *args)
{
    struct vnode *directory = user_directory();
    char *text = kmalloc(VFS_PATH_MAX);
    int64_t bytes = text ? 0 : -ENOMEM;

    if (!bytes) {
        string_copy(text, VFS_PATH_MAX, "/");
        bytes = directory ? vfs_path_of(directory, text, VFS_PATH_MAX) : 0;
    }
    if (!bytes) {
        size_t n = string_length(text) + 1;

        bytes = n > args->value[1] ? -ERANGE : user_copy_out(args->value[0], text, n);
        bytes = bytes ? bytes : (int64_t)n;
    }
    kfree(text);
    vnode_put(directory);
    return bytes;
}

int64_t sys_umask(const struct sys_args *args)
{
    struct process *process = process_current();
    unsigned old;

    mutex_lock(&process->mutex);
    old = process->umask;
    process->umask = (unsigned)args->value[0] & 0777;
    mutex_unlock(&process->mutex);
    return old;
}
