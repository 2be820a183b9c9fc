/* SPDX-License-Identifier: MIT */
/*
 * mount.c: mount and umount2.
 *
 * Programs name file systems as Linux does: vfat is our fat32, and devtmpfs our devfs. Of
 * mount's flags two count, read-only and remount; those that say how careful to be with times,
 * device files and programs are taken, and change nothing, because nobody asks for them here.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "block/block.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "proc/process.h"
#include "vm/copy.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define WORD_BYTES 32u
#define DEVICES "/dev/"

enum {
    MOUNT_READ_ONLY = 1,
    MOUNT_REMOUNT = 32,
    MOUNT_OTHERS = 0x1000 | 0x2000 | 0xe0000 /* bind, move, and who sees what is mounted */
};

static const struct {
    const char *linux_name, *name;
} kinds[] = {{"vfat", "fat32"}, {"msdos", "fat32"}, {"devtmpfs", "devfs"}};

/* What mount is asked for. */
struct request {
    char source[VFS_PATH_MAX], target[VFS_PATH_MAX];
    char type[WORD_BYTES], options[MOUNT_OPTIONS_MAX + 1];
    unsigned flags;
};

static bool may_mount(void)
{
    return process_credentials(process_current()).effective_uid == 0;
}

/* A string of the program's; 0 gives "". -EFAULT; -EINVAL: too long. */
static int read_text(uint64_t address, char *to, size_t size)
{
    int64_t length;

    to[0] = '\0';
    if (!address)
        return 0;
    length = vm_copy_string_in(process_current()->space, to, (uintptr_t)address, size);
    if (length < 0)
        return (int)length;
    return (uint64_t)length < size ? 0 : -EINVAL;
}

/* Where the directory at the user's path is, as an absolute path without links. */
static int read_directory(uint64_t address, char *to, size_t size)
{
    struct user_path path;
    struct vnode *vnode;
    int error = user_path_begin(&path, (uint64_t)USER_THIS_DIRECTORY, address, 0);

    if (error)
        return error;
    error = user_path_find(&path, 0, &vnode);
    user_path_finish(&path);
    if (error)
        return error;
    error = vnode->attributes.type == VNODE_DIRECTORY ? vfs_path_of(vnode, to, size) : -ENOTDIR;
    vnode_put(vnode);
    return error;
}

/* Puts "ro" before the other options. */
static int add_read_only(char *options)
{
    size_t length = string_length(options);

    if (length + 4 > MOUNT_OPTIONS_MAX)
        return -EINVAL;
    memmove(options + 3, options, length + 1);
    memcpy(options, "ro,", 3);
    if (length == 0)
        options[2] = '\0';
    return 0;
}

static int read_request(const struct sys_args *args, struct request *request)
{
    int error = read_text(args->value[0], request->source, sizeof(request->source));

    request->flags = (unsigned)args->value[3];
    if (!error)
        error = read_directory(args->value[1], request->target, sizeof(request->target));
    if (!error)
        error = read_text(args->value[2], request->type, sizeof(request->type));
    if (!error)
        error = read_text(args->value[4], request->options, sizeof(request->options));
    if (!error && (request->flags & MOUNT_READ_ONLY))
        error = add_read_only(request->options);
    return error;
}

/* The kind of file system with that name, ours or Linux's; NULL: there is none. */
static const struct file_system *find_kind(const char *name)
{
    const struct file_system *kind = file_system_next(NULL);

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (string_equal(name, kinds[i].linux_name))
            name = kinds[i].name;
    }
    while (kind && !string_equal(kind->name, name))
        kind = file_system_next(kind);
    return kind;
}

static int mount_new(const struct request *request)
{
    const struct file_system *kind = find_kind(request->type);
    const struct block_device *device = NULL;
    const char *name = request->source;
    struct problem problem;

    if (!kind)
        return -ENODEV;
    if (string_starts_with(name, DEVICES))
        name += sizeof(DEVICES) - 1;
    if (kind->needs_device) {
        device = block_find(name);
        if (!device)
            return -ENXIO;
    }
    problem_clear(&problem);
    return mount_add(kind->name, device, request->target, request->options, &problem);
}

static int change_options(struct mount *mount, const char *options)
{
    struct problem problem;

    problem_clear(&problem);
    if (!mount->type->remount)
        return -ENOTSUP;
    return mount->type->remount(mount, options[0] ? options : "rw", &problem);
}

/* Changes the options of what is mounted exactly there. */
static int remount(const struct request *request)
{
    char *path = kmalloc(VFS_PATH_MAX);
    struct mount *mount = NULL;
    struct vnode *root;
    int error = path ? -EAGAIN : -ENOMEM;

    for (unsigned i = 0; error == -EAGAIN; i++) {
        mount = mount_at(i, &root, path, VFS_PATH_MAX);
        if (!mount)
            error = -EINVAL;
        else if (path[0] != '/') /* it could not be put together */
            error = -ENOMEM;
        else if (string_equal(path, request->target))
            error = change_options(mount, request->options);
        if (mount)
            vnode_put(root);
    }
    kfree(path);
    return error;
}

int64_t sys_mount(const struct sys_args *args)
{
    struct request *request;
    int error;

    if (!may_mount())
        return -EPERM;
    if (args->value[3] & MOUNT_OTHERS)
        return -EINVAL;
    request = kmalloc(sizeof(*request));
    if (!request)
        return -ENOMEM;
    error = read_request(args, request);
    if (!error)
        error = request->flags & MOUNT_REMOUNT ? remount(request) : mount_new(request);
    kfree(request);
    return error;
}

#define UNMOUNT_FLAGS 0xfu
#define UNMOUNT_LATER 2u

/* By force or not: what is in use stays mounted. */
int64_t sys_umount2(const struct sys_args *args)
{
    char *path;
    int error;

    if (args->value[1] & ~(uint64_t)UNMOUNT_FLAGS)
        return -EINVAL;
    if (!may_mount())
        return -EPERM;
    if (args->value[1] & UNMOUNT_LATER)
        return -ENOTSUP;
    path = kmalloc(VFS_PATH_MAX);
    if (!path)
        return -ENOMEM;
    error = read_directory(args->value[0], path, VFS_PATH_MAX);
    if (!error)
        error = mount_remove(path);
    kfree(path);
    return error;
}
