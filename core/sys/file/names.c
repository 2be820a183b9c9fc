/* SPDX-License-Identifier: MIT */
/*
 * names.c: names come, go and change: directories, links, renaming, and the attributes that can be
 * set by name.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "dev/clock.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "proc/process.h"

#include <hal/errno.h>

#define MODE_TYPE 0170000u
#define TIME_NOW 0x3fffffff
#define TIME_OMIT 0x3ffffffe
#define NOBODY 0xffffffffu

int64_t sys_mkdirat(const struct sys_args *args)
{
    struct user_path path;
    int error = user_path_begin(&path, args->value[0], args->value[1], 0);

    if (error)
        return error;
    error = vfs_mkdir(path.base, path.text, user_mode(args->value[2]));
    user_path_finish(&path);
    return error;
}

/* The type that a mode's upper bits say. -EINVAL. */
static int type_of_mode(uint64_t mode, enum vnode_type *type)
{
    switch (mode & MODE_TYPE) {
    case 0:
    case 0100000:
        *type = VNODE_FILE;
        return 0;
    case 0010000:
        *type = VNODE_FIFO;
        return 0;
    case 0020000:
        *type = VNODE_CHARACTER;
        return 0;
    case 0060000:
        *type = VNODE_BLOCK;
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t sys_mknodat(const struct sys_args *args)
{
    uint64_t device = args->value[3];
    struct vnode_attributes attributes = {
        .mode = (uint16_t)user_mode(args->value[2]),
        .device = DEVICE_NUMBER(device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00)),
    };
    struct user_path path;
    struct vnode *created;
    int error = type_of_mode(args->value[2], &attributes.type);

    if (!error)
        error = user_path_begin(&path, args->value[0], args->value[1], 0);
    if (error)
        return error;
    error = vfs_create(path.base, path.text, &attributes, &created);
    if (!error)
        vnode_put(created);
    user_path_finish(&path);
    return error;
}

int64_t sys_unlinkat(const struct sys_args *args)
{
    uint32_t flags = (uint32_t)args->value[2];
    struct user_path path;
    int error;

    if (flags & ~(uint32_t)USER_REMOVE_DIRECTORY)
        return -EINVAL;
    error = user_path_begin(&path, args->value[0], args->value[1], 0);
    if (error)
        return error;
    error = flags ? vfs_rmdir(path.base, path.text) : vfs_unlink(path.base, path.text);
    user_path_finish(&path);
    return error;
}

/* Two paths, made to begin at the same directory. */
static int begin_two(const struct sys_args *args, struct user_path *from, struct user_path *to)
{
    int error = user_path_begin(from, args->value[0], args->value[1], 0);

    if (error)
        return error;
    error = user_path_begin(to, args->value[2], args->value[3], 0);
    if (!error && from->base != to->base) {
        error = user_path_make_absolute(from);
        if (!error)
            error = user_path_make_absolute(to);
        if (error)
            user_path_finish(to);
    }
    if (error)
        user_path_finish(from);
    return error;
}

int64_t sys_renameat2(const struct sys_args *args)
{
    struct user_path from, to;
    int error;

    if (args->value[4] & ~(uint64_t)VFS_RENAME_NO_REPLACE)
        return -EINVAL;
    error = begin_two(args, &from, &to);
    if (error)
        return error;
    error = vfs_rename(from.base, from.text, to.text, (unsigned)args->value[4]);
    user_path_finish(&to);
    user_path_finish(&from);
    return error;
}

int64_t sys_linkat(const struct sys_args *args)
{
    struct user_path from, to;
    int error;

    if (args->value[4] & ~(uint64_t)(USER_FOLLOW | USER_EMPTY_PATH))
        return -EINVAL;
    error = begin_two(args, &from, &to);
    if (error)
        return error;
    error = vfs_link(from.base, from.text, to.text);
    user_path_finish(&to);
    user_path_finish(&from);
    return error;
}

int64_t sys_symlinkat(const struct sys_args *args)
{
    struct user_path text, path;
    int error = user_path_begin(&text, (uint64_t)USER_THIS_DIRECTORY, args->value[0], 0);

    if (error)
        return error;
    error = user_path_begin(&path, args->value[1], args->value[2], 0);
    if (!error) {
        error = vfs_symlink(path.base, path.text, text.text);
        user_path_finish(&path);
    }
    user_path_finish(&text);
    return error;
}

/* ---- attributes ---- */

/* Sets them, of what `descriptor` and `address` mean. */
static int64_t set_at(uint64_t descriptor, uint64_t address, unsigned flags,
                      const struct vnode_attributes *attributes, unsigned which)
{
    struct vnode *vnode;
    int error = user_path_lookup(descriptor, address, flags, &vnode);

    if (error)
        return error;
    error = vfs_set_attributes(vnode, attributes, which);
    vnode_put(vnode);
    return error;
}

/* The same of an open file. */
static int64_t set_of(uint64_t descriptor, const struct vnode_attributes *attributes,
                      unsigned which)
{
    struct file *file = user_file(descriptor);
    int error;

    if (!file)
        return -EBADF;
    error = vfs_set_attributes(file->vnode, attributes, which);
    file_put(file);
    return error;
}

int64_t sys_fchmodat(const struct sys_args *args)
{
    struct vnode_attributes attributes = {.mode = args->value[2] & 07777};

    return set_at(args->value[0], args->value[1], 0, &attributes, VNODE_SET_MODE);
}

int64_t sys_fchmod(const struct sys_args *args)
{
    struct vnode_attributes attributes = {.mode = args->value[1] & 07777};

    return set_of(args->value[0], &attributes, VNODE_SET_MODE);
}

/* What of an owner is to be set; -1 leaves one as it is. 0: nothing. */
static unsigned read_owner(struct vnode *vnode, uint64_t uid, uint64_t gid,
                           struct vnode_attributes *attributes)
{
    vfs_attributes(vnode, attributes);
    if ((uint32_t)uid != NOBODY)
        attributes->uid = (uint32_t)uid;
    if ((uint32_t)gid != NOBODY)
        attributes->gid = (uint32_t)gid;
    return (uint32_t)uid == NOBODY && (uint32_t)gid == NOBODY ? 0 : VNODE_SET_OWNER;
}

static int set_owner(struct vnode *vnode, uint64_t uid, uint64_t gid)
{
    struct vnode_attributes attributes;
    unsigned which = read_owner(vnode, uid, gid, &attributes);

    return which ? vfs_set_attributes(vnode, &attributes, which) : 0;
}

int64_t sys_fchownat(const struct sys_args *args)
{
    struct vnode *vnode;
    int error = user_path_lookup(args->value[0], args->value[1], args->value[4], &vnode);

    if (error)
        return error;
    error = set_owner(vnode, args->value[2], args->value[3]);
    vnode_put(vnode);
    return error;
}

int64_t sys_fchown(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int error;

    if (!file)
        return -EBADF;
    error = set_owner(file->vnode, args->value[1], args->value[2]);
    file_put(file);
    return error;
}

/* One of the two times of utimensat: *ns, and `bit` in *which unless it is to stay. */
static int read_one_time(const struct user_time *time, unsigned bit, int64_t *ns, unsigned *which)
{
    if (time->ns == TIME_OMIT)
        return 0;
    *which |= bit;
    if (time->ns == TIME_NOW) {
        *ns = wall_now() * WALL_NS;
        return 0;
    }
    if (time->ns < 0 || time->ns >= WALL_NS)
        return -EINVAL;
    if (__builtin_mul_overflow(time->seconds, WALL_NS, ns) ||
        __builtin_add_overflow(*ns, time->ns, ns))
        return -EINVAL;
    return 0;
}

int64_t sys_utimensat(const struct sys_args *args)
{
    struct user_time times[2] = {{0, TIME_NOW}, {0, TIME_NOW}};
    struct vnode_attributes attributes = {.mode = 0};
    unsigned which = 0;
    int error = args->value[2] ? user_copy_in(times, args->value[2], sizeof(times)) : 0;

    if (!error)
        error = read_one_time(&times[0], VNODE_SET_ACCESSED, &attributes.accessed, &which);
    if (!error)
        error = read_one_time(&times[1], VNODE_SET_MODIFIED, &attributes.modified, &which);
    if (error)
        return error;
    if (!args->value[1]) /* futimens */
        return set_of(args->value[0], &attributes, which);
    return set_at(args->value[0], args->value[1], (unsigned)args->value[3], &attributes, which);
}

int64_t sys_truncate(const struct sys_args *args)
{
    struct user_path path;
    struct file *file;
    int error = user_path_begin(&path, (uint64_t)USER_THIS_DIRECTORY, args->value[0], 0);

    if (error)
        return error;
    error = args->value[1] > INT64_MAX ? -EINVAL
                                       : file_open(path.base, path.text, FILE_WRITE_ONLY, 0, &file);
    user_path_finish(&path);
    if (error)
        return error;
    error = file_truncate(file, args->value[1]);
    file_put(file);
    return error;
}
