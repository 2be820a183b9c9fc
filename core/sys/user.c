/* SPDX-License-Identifier: MIT */
/*
 * user.c: the memory, files and paths of the program that makes a system call.
 *
 * One path is the kernel's own: "/proc/self/exe" is what the program was loaded from.
 */
#include "sys/user.h"

#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/bytes.h"
#include "lib/string.h"
#include "proc/process.h"
#include "vm/copy.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define NS_PER_SECOND 1000000000
#define NS_PER_US 1000
#define SELF "/proc/self/exe"
#define SECONDS_MAX 4000000000 /* 126 years: far, and no sum overflows */

int user_copy_in(void *to, uint64_t from, size_t n)
{
    return vm_copy_in(process_current()->space, to, (uintptr_t)from, n);
}

int user_copy_out(uint64_t to, const void *from, size_t n)
{
    return vm_copy_out(process_current()->space, (uintptr_t)to, from, n);
}

int user_copy_out_optional(uint64_t to, const void *from, size_t n)
{
    return to ? user_copy_out(to, from, n) : 0;
}

struct user_time user_time_of(int64_t ns)
{
    struct user_time time = {ns / NS_PER_SECOND, ns % NS_PER_SECOND};

    if (time.ns < 0) {
        time.ns += NS_PER_SECOND;
        time.seconds--;
    }
    return time;
}

void user_put_usage(uint8_t to[USER_USAGE_BYTES], const struct process_times *times)
{
    memset(to, 0, USER_USAGE_BYTES);
    put_le64(to, times->user / NS_PER_SECOND);
    put_le64(to + 8, times->user % NS_PER_SECOND / NS_PER_US);
    put_le64(to + 16, times->system / NS_PER_SECOND);
    put_le64(to + 24, times->system % NS_PER_SECOND / NS_PER_US);
}

int user_read_time(uint64_t from, uint64_t *ns)
{
    struct user_time time;
    int error = user_copy_in(&time, from, sizeof(time));

    if (error)
        return error;
    if (time.seconds < 0 || time.ns < 0 || time.ns >= NS_PER_SECOND)
        return -EINVAL;
    if (time.seconds > SECONDS_MAX)
        time.seconds = SECONDS_MAX;
    *ns = (uint64_t)time.seconds * NS_PER_SECOND + (uint64_t)time.ns;
    return 0;
}

struct file *user_file(uint64_t descriptor)
{
    return descriptor_file(process_current()->files, (unsigned)descriptor);
}

/* ---- paths ---- */

struct vnode *user_directory(void)
{
    struct process *process = process_current();
    struct vnode *directory;

    mutex_lock(&process->mutex);
    directory = process->directory ? vnode_get(process->directory) : NULL;
    mutex_unlock(&process->mutex);
    return directory;
}

/* The vnode that relative paths begin at. */
static int find_base(struct user_path *path, uint64_t descriptor)
{
    struct file *file;

    if ((int32_t)descriptor == USER_THIS_DIRECTORY) {
        path->base = user_directory();
        return 0;
    }
    file = user_file(descriptor);
    if (!file)
        return -EBADF;
    path->base = vnode_get(file->vnode);
    file_put(file);
    if (path->text[0] && path->base->attributes.type != VNODE_DIRECTORY)
        return -ENOTDIR;
    return 0;
}

/* The kernel's own path. */
static void replace_self(struct user_path *path)
{
    struct process *process = process_current();

    if (!string_equal(path->text, SELF))
        return;
    mutex_lock(&process->mutex);
    if (process->program)
        path->self = string_copy(path->text, VFS_PATH_MAX, process->program);
    mutex_unlock(&process->mutex);
}

int user_path_begin(struct user_path *path, uint64_t descriptor, uint64_t address, unsigned flags)
{
    int64_t length;
    int error = 0;

    *path = (struct user_path){.text = kmalloc(VFS_PATH_MAX)};
    if (!path->text)
        return -ENOMEM;
    length =
        vm_copy_string_in(process_current()->space, path->text, (uintptr_t)address, VFS_PATH_MAX);
    if (length < 0)
        error = (int)length;
    else if (length >= VFS_PATH_MAX)
        error = -ENAMETOOLONG;
    else if (length == 0 && !(flags & USER_EMPTY_PATH))
        error = -ENOENT;
    if (!error && path->text[0] != '/')
        error = find_base(path, descriptor);
    if (error) {
        user_path_finish(path);
        return error;
    }
    path->own_file = length == 0;
    replace_self(path);
    return 0;
}

void user_path_finish(struct user_path *path)
{
    kfree(path->text);
    vnode_put(path->base);
    path->text = NULL;
    path->base = NULL;
}

int user_path_find(const struct user_path *path, unsigned flags, struct vnode **found)
{
    if (path->own_file) {
        *found = path->base ? vnode_get(path->base) : vfs_root();
        return *found ? 0 : -ENOENT;
    }
    return vfs_find(path->base, path->text, flags & USER_NO_FOLLOW ? VFS_NO_FOLLOW : 0, found);
}

int user_path_lookup(uint64_t descriptor, uint64_t address, uint64_t flags, struct vnode **found)
{
    struct user_path path;
    int error = user_path_begin(&path, descriptor, address, (unsigned)flags);

    if (error)
        return error;
    error = user_path_find(&path, (unsigned)flags, found);
    user_path_finish(&path);
    return error;
}

int user_path_make_absolute(struct user_path *path)
{
    size_t length = string_length(path->text) + 1, n;
    char *text;
    int error;

    if (path->text[0] == '/')
        return 0;
    text = kmalloc(2 * VFS_PATH_MAX);
    if (!text)
        return -ENOMEM;
    string_copy(text, VFS_PATH_MAX, "/");
    error = path->base ? vfs_path_of(path->base, text, VFS_PATH_MAX) : 0;
    if (error) {
        kfree(text);
        return error;
    }
    n = string_length(text);
    if (text[n - 1] != '/')
        text[n++] = '/';
    memcpy(text + n, path->text, length);
    kfree(path->text);
    path->text = text;
    return 0;
}

/* ---- small things ---- */

unsigned user_mode(uint64_t mode)
{
    struct process *process = process_current();
    unsigned mask;

    mutex_lock(&process->mutex);
    mask = process->umask;
    mutex_unlock(&process->mutex);
    return (unsigned)mode & 07777 & ~mask;
}

unsigned user_file_limit(void)
{
    struct process *process = process_current();
    uint64_t limit;

    mutex_lock(&process->mutex);
    limit = process->limits[PROCESS_LIMIT_FILES].soft;
    mutex_unlock(&process->mutex);
    return limit < DESCRIPTORS_MAX ? (unsigned)limit : DESCRIPTORS_MAX;
}
