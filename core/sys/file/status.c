/* SPDX-License-Identifier: MIT */
/*
 * status.c: what files are: stat in all its forms, statfs, access, readlink.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "abi/abi.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/bytes.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define STATX_BYTES 256u
#define STATX_BASIC 0x7ffu
#define STATUS_FLAGS (USER_NO_FOLLOW | USER_EMPTY_PATH | 0x800u | 0x6000u)
#define MODE_WRITE 2u
#define MODE_EXECUTE 1u

static const uint16_t type_bits[] = {
    [VNODE_FILE] = 0100000,      [VNODE_DIRECTORY] = 0040000, [VNODE_SYMLINK] = 0120000,
    [VNODE_CHARACTER] = 0020000, [VNODE_BLOCK] = 0060000,     [VNODE_FIFO] = 0010000,
};

/* major and minor in the form that C libraries take apart. */
static uint64_t device_number(uint64_t device)
{
    uint64_t major = device >> 32, minor = device & 0xffffffffu;

    return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffull) << 12 |
           (major & ~0xfffull) << 32;
}

static void read_status(struct vnode *vnode, struct file_status *status)
{
    struct vnode_attributes attributes;

    vfs_attributes(vnode, &attributes);
    *status = (struct file_status){
        .device = vnode->mount ? vnode->mount->number : 0,
        .inode = attributes.id,
        .links = attributes.links,
        .size = attributes.size,
        .blocks = attributes.blocks,
        .special = device_number(attributes.device),
        .mode = (uint32_t)type_bits[attributes.type] | (attributes.mode & 07777u),
        .uid = attributes.uid,
        .gid = attributes.gid,
        .block_bytes = HAL_PAGE_SIZE,
        .accessed = attributes.accessed,
        .modified = attributes.modified,
        .changed = attributes.changed,
    };
}

static int write_status(struct vnode *vnode, uint64_t to)
{
    struct file_status status;
    uint8_t bytes[ABI_STATUS_MAX];

    read_status(vnode, &status);
    return user_copy_out(to, bytes, abi_put_status(bytes, &status));
}

int64_t sys_newfstatat(const struct sys_args *args)
{
    struct vnode *vnode;
    int error = (uint32_t)args->value[3] & ~(uint32_t)STATUS_FLAGS ? -EINVAL : 0;

    if (!error)
        error = user_path_lookup(args->value[0], args->value[1], args->value[3], &vnode);
    if (error)
        return error;
    error = write_status(vnode, args->value[2]);
    vnode_put(vnode);
    return error;
}

int64_t sys_fstat(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int error;

    if (!file)
        return -EBADF;
    error = write_status(file->vnode, args->value[1]);
    file_put(file);
    return error;
}

/* ---- statx: the same on all processors ---- */

static void put_time(uint8_t *to, int64_t ns)
{
    struct user_time time = user_time_of(ns);

    put_le64(to, (uint64_t)time.seconds);
    put_le32(to + 8, (uint32_t)time.ns);
}

static void put_statx(uint8_t *to, const struct file_status *status)
{
    memset(to, 0, STATX_BYTES);
    put_le32(to, STATX_BASIC);
    put_le32(to + 4, status->block_bytes);
    put_le32(to + 16, (uint32_t)status->links);
    put_le32(to + 20, status->uid);
    put_le32(to + 24, status->gid);
    put_le16(to + 28, (uint16_t)status->mode);
    put_le64(to + 32, status->inode);
    put_le64(to + 40, status->size);
    put_le64(to + 48, status->blocks);
    put_time(to + 64, status->accessed);
    put_time(to + 96, status->changed);
    put_time(to + 112, status->modified);
    put_le32(to + 128, (uint32_t)(status->special >> 8 & 0xfff));
    put_le32(to + 132, (uint32_t)(status->special & 0xff));
    put_le32(to + 140, (uint32_t)status->device);
}

int64_t sys_statx(const struct sys_args *args)
{
    uint8_t bytes[STATX_BYTES];
    struct file_status status;
    struct vnode *vnode;
    int error = (uint32_t)args->value[2] & ~(uint32_t)STATUS_FLAGS ? -EINVAL : 0;

    if (!error)
        error = user_path_lookup(args->value[0], args->value[1], args->value[2], &vnode);
    if (error)
        return error;
    read_status(vnode, &status);
    vnode_put(vnode);
    put_statx(bytes, &status);
    return user_copy_out(args->value[4], bytes, sizeof(bytes));
}

/* ---- file systems ---- */

/* Linux's struct statfs. */
struct user_statfs {
    int64_t magic, block_bytes;
    uint64_t blocks, free_blocks, available_blocks, files, free_files;
    uint32_t id[2];
    int64_t name_max, fragment_bytes, flags, spare[4];
};

static int write_statfs(const struct vnode *vnode, uint64_t to)
{
    struct file_system_status status;
    struct user_statfs user;
    int error;

    if (!vnode->mount || !vnode->mount->type->status)
        return -ENOSYS;
    memset(&status, 0, sizeof(status));
    error = vnode->mount->type->status(vnode->mount, &status);
    if (error)
        return error;
    memset(&user, 0, sizeof(user));
    user.magic = status.magic;
    user.block_bytes = user.fragment_bytes = (int64_t)status.block_bytes;
    user.blocks = status.blocks;
    user.free_blocks = user.available_blocks = status.free_blocks;
    user.files = status.files;
    user.free_files = status.free_files;
    user.id[0] = status.id;
    user.name_max = status.name_max;
    return user_copy_out(to, &user, sizeof(user));
}

int64_t sys_statfs(const struct sys_args *args)
{
    struct vnode *vnode;
    int error = user_path_lookup((uint64_t)USER_THIS_DIRECTORY, args->value[0], 0, &vnode);

    if (error)
        return error;
    error = write_statfs(vnode, args->value[1]);
    vnode_put(vnode);
    return error;
}

int64_t sys_fstatfs(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int error;

    if (!file)
        return -EBADF;
    error = write_statfs(file->vnode, args->value[1]);
    file_put(file);
    return error;
}

/* ---- rights and links ---- */

/* Everybody is root, who may all but execute what nobody may, and write what cannot be. */
static int check_access(struct vnode *vnode, unsigned mode)
{
    struct vnode_attributes attributes;

    vfs_attributes(vnode, &attributes);
    if ((mode & MODE_WRITE) && vnode->mount && mount_is_read_only(vnode->mount))
        return -EROFS;
    if ((mode & MODE_EXECUTE) && attributes.type == VNODE_FILE && !(attributes.mode & 0111))
        return -EACCES;
    return 0;
}

int64_t sys_faccessat(const struct sys_args *args)
{
    struct vnode *vnode;
    int error = args->value[2] > 7
                    ? -EINVAL
                    : user_path_lookup(args->value[0], args->value[1], args->value[3], &vnode);

    if (error)
        return error;
    error = check_access(vnode, (unsigned)args->value[2]);
    vnode_put(vnode);
    return error;
}

int64_t sys_readlinkat(const struct sys_args *args)
{
    uint32_t asked = (uint32_t)args->value[3];
    size_t room = asked < VFS_PATH_MAX ? asked : VFS_PATH_MAX;
    struct user_path path;
    struct vnode *vnode;
    int64_t length = user_path_begin(&path, args->value[0], args->value[1], USER_EMPTY_PATH), error;

    if (length)
        return length;
    if ((int32_t)asked <= 0)
        length = -EINVAL;
    else if (path.self)
        length = (int64_t)string_length(path.text);
    else
        length = user_path_find(&path, USER_NO_FOLLOW, &vnode);
    if (length == 0) {
        length = vfs_readlink(vnode, path.text, VFS_PATH_MAX);
        vnode_put(vnode);
    }
    if (length > 0) {
        length = (size_t)length < room ? length : (int64_t)room;
        error = user_copy_out(args->value[2], path.text, (size_t)length);
        length = error ? error : length;
    }
    user_path_finish(&path);
    return length;
}
