/* SPDX-License-Identifier: MIT */
/*
 * place.c: places in files, lists of directories, and getting what was written onto the medium.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/devfs/devfs.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/bytes.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define LISTING_MAX 32768u

int64_t sys_lseek(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    uint32_t whence = (uint32_t)args->value[2];
    int64_t result = -EINVAL;

    if (!file)
        return -EBADF;
    if (whence <= FILE_END)
        result = file_seek(file, (int64_t)args->value[1], (enum file_whence)whence);
    file_put(file);
    return result;
}

static int64_t sync_file(uint64_t descriptor)
{
    struct file *file = user_file(descriptor);
    enum vnode_type type;
    int error = -EINVAL;

    if (!file)
        return -EBADF;
    type = file->vnode->attributes.type;
    if (type != VNODE_CHARACTER && type != VNODE_FIFO)
        error = file_sync(file);
    file_put(file);
    return error;
}

int64_t sys_fsync(const struct sys_args *args)
{
    return sync_file(args->value[0]);
}

int64_t sys_fdatasync(const struct sys_args *args)
{
    return sync_file(args->value[0]);
}

int64_t sys_sync(const struct sys_args *args)
{
    (void)args;
    (void)!mount_sync_all();
    (void)!devfs_sync_disks();
    return 0;
}

int64_t sys_ftruncate(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int error = -EINVAL;

    if (!file)
        return -EBADF;
    if (args->value[1] <= INT64_MAX && file->vnode->attributes.type == VNODE_FILE)
        error = file_truncate(file, args->value[1]);
    file_put(file);
    return error;
}

/* ---- directories ---- */

/* Linux's struct linux_dirent64: number, place of the next, length, type, name. */
#define ENTRY_NAME 19u

static const uint8_t entry_types[] = {
    [VNODE_FILE] = 8,      [VNODE_DIRECTORY] = 4, [VNODE_SYMLINK] = 10,
    [VNODE_CHARACTER] = 2, [VNODE_BLOCK] = 6,     [VNODE_FIFO] = 1,
};

/* "." and "..", which programs see at places 0 and 1, before those of the file system. */
static void make_dots(struct vnode *directory, uint64_t place, struct directory_entry *entry)
{
    struct vnode *parent = place == 1 ? vnode_parent(directory) : NULL;

    string_copy(entry->name, sizeof(entry->name), place == 0 ? "." : "..");
    entry->attributes.type = VNODE_DIRECTORY;
    entry->attributes.id = parent ? parent->attributes.id : directory->attributes.id;
    vnode_put(parent);
}

/* The entry at *place, which goes on. */
static int next_entry(struct vnode *directory, uint64_t *place, struct directory_entry *entry)
{
    uint64_t inner;
    int error;

    if (*place < 2) {
        make_dots(directory, *place, entry);
        *place += 1;
        return 0;
    }
    inner = *place - 2;
    error = vfs_iterate(directory, &inner, entry);
    if (!error)
        *place = inner + 2;
    return error;
}

static size_t entry_bytes(const struct directory_entry *entry)
{
    return (ENTRY_NAME + string_length(entry->name) + 1 + 7) / 8 * 8;
}

static void put_entry(uint8_t *to, const struct directory_entry *entry, uint64_t next)
{
    size_t bytes = entry_bytes(entry);

    memset(to, 0, bytes);
    put_le64(to, entry->attributes.id);
    put_le64(to + 8, next);
    put_le16(to + 16, (uint16_t)bytes);
    to[18] = entry_types[entry->attributes.type];
    memcpy(to + ENTRY_NAME, entry->name, string_length(entry->name));
}

/* Fills `listing` from the file's place on, which moves: how many bytes. */
static int64_t list(struct file *file, uint8_t *listing, size_t room)
{
    struct directory_entry *entry = kmalloc(sizeof(*entry));
    int error = entry ? 0 : -ENOMEM;
    size_t used = 0;

    while (!error) {
        uint64_t place = file->offset;

        error = next_entry(file->vnode, &place, entry);
        if (!error && entry_bytes(entry) > room - used)
            error = -EINVAL;
        if (!error) {
            put_entry(listing + used, entry, place);
            used += entry_bytes(entry);
            file->offset = place;
        }
    }
    kfree(entry);
    return used > 0 || error == -ENOENT ? (int64_t)used : error;
}

/* From the file's place on into the program's memory. */
static int64_t list_to(struct file *file, uint64_t to, uint8_t *listing, size_t room)
{
    uint64_t before;
    int64_t result;
    int error;

    mutex_lock(&file->mutex);
    before = file->offset;
    result = list(file, listing, room);
    mutex_unlock(&file->mutex);
    error = result > 0 ? user_copy_out(to, listing, (size_t)result) : 0;
    if (!error)
        return result;
    mutex_lock(&file->mutex);
    file->offset = before;
    mutex_unlock(&file->mutex);
    return error;
}

int64_t sys_getdents64(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    uint32_t asked = (uint32_t)args->value[2];
    size_t room = asked < LISTING_MAX ? asked : LISTING_MAX;
    uint8_t *listing = kmalloc(room);
    int64_t result = -ENOTDIR;

    if (!file || !listing)
        result = file ? -ENOMEM : -EBADF;
    else if (file->vnode->attributes.type == VNODE_DIRECTORY)
        result = list_to(file, args->value[1], listing, room);
    kfree(listing);
    file_put(file);
    return result;
}
