/* SPDX-License-Identifier: MIT */
/*
 * file.c: opening files, and reading and writing them at a place that moves along.
 *
 * Files and devices with places have their file's mutex held while they are read or written at it,
 * so that two threads that share an open file get what follows each other. Terminals and FIFOs
 * have no place, and reading one may take for ever, so they are not locked.
 */
#include "fs/file.h"

#include "cache/cache.h"
#include "fs/lock/filelock.h"
#include "fs/mount.h"
#include "fs/path/path.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "ipc/event/epoll.h"

#include <hal/errno.h>

/* ---- opening ---- */

static bool writes(unsigned flags)
{
    return (flags & FILE_ACCESS) != FILE_READ_ONLY;
}

static int create(struct path *path, unsigned mode, struct vnode **created)
{
    struct vnode_attributes attributes = {.type = VNODE_FILE, .mode = mode & 07777};

    if (path->slash)
        return -EISDIR;
    return path_create(path, &attributes, created);
}

/** What the last component leads to; made if it is to be. *found: without crossing mounts. */
static int find_or_create(struct path *path, unsigned flags, unsigned mode, struct vnode **found,
                          bool *created)
{
    int error;

    for (;;) {
        error = path_last(path, found);
        if (error == 0 && (flags & FILE_CREATE) && (flags & FILE_EXCLUSIVE)) {
            vnode_put(*found);
            return -EEXIST;
        }
        if (error != -ENOENT || !(flags & FILE_CREATE))
            return error;
        error = create(path, mode, found);
        *created = error == 0;
        /* Somebody else was quicker; if he has removed it again by now, all begins anew. */
        if (error != -EEXIST || (flags & FILE_EXCLUSIVE))
            return error;
    }
}

/** Walks to what is to be opened. */
static int walk(struct path *path, unsigned flags, unsigned mode, bool *created)
{
    for (;;) {
        struct vnode *found = NULL;
        int error = path_to_last(path);

        if (error || path->kind == PATH_NONE)
            return error;
        error = find_or_create(path, flags, mode, &found, created);
        if (error)
            return error;
        if (found->attributes.type != VNODE_SYMLINK) {
            vnode_put(path->at);
            path->at = found;
            mount_cross(&path->at);
            return path->slash && path->at->attributes.type != VNODE_DIRECTORY ? -ENOTDIR : 0;
        }
        error = (flags & FILE_NO_FOLLOW) && !path->slash ? -ELOOP : path_follow(path, found);
        vnode_put(found);
        if (error)
            return error;
    }
}

static int check(const struct vnode *vnode, unsigned flags, bool created)
{
    enum vnode_type type = vnode->attributes.type;

    if ((flags & FILE_DIRECTORY) && type != VNODE_DIRECTORY)
        return -ENOTDIR;
    if (type == VNODE_DIRECTORY && (writes(flags) || (flags & (FILE_CREATE | FILE_TRUNCATE))))
        return -EISDIR;
    if (type == VNODE_FILE && writes(flags) && vnode->mount && mount_is_read_only(vnode->mount))
        return -EROFS;
    if (type == VNODE_FILE && writes(flags) && vnode->attributes.read_only && !created)
        return -EACCES;
    return 0;
}

/* While files are open for writing, which may be mapped too, the mount is not made read-only. */
static int begin_writing(struct file *file)
{
    struct mount *mount = file->vnode->mount;
    uint32_t writers;

    if (file->vnode->attributes.type != VNODE_FILE || !writes(file->flags) || !mount)
        return 0;
    writers = __atomic_add_fetch(&mount->writers, 1, __ATOMIC_SEQ_CST);
    file->counted = true;
    if (writers & MOUNT_CLOSED)
        return -EROFS;
    return mount_is_read_only(mount) ? -EROFS : 0;
}

static void end_writing(struct file *file)
{
    if (file->counted)
        __atomic_sub_fetch(&file->vnode->mount->writers, 1, __ATOMIC_SEQ_CST);
}

/** The file system's part of opening `file`. */
static int prepare(struct file *file, bool created)
{
    struct vnode *vnode = file->vnode;
    int error = check(vnode, file->flags, created);

    if (!error)
        error = begin_writing(file);
    if (!error && (file->flags & FILE_TRUNCATE) && writes(file->flags) && !created &&
        vnode->attributes.type == VNODE_FILE)
        error = vfs_truncate(vnode, 0);
    if (!error && vnode->ops->open)
        error = vnode->ops->open(vnode, file);
    return error;
}

int file_open(struct vnode *base, const char *text, unsigned flags, unsigned mode,
              struct file **result)
{
    struct file *file;
    struct path path;
    bool created = false;
    int error;

    if ((flags & FILE_ACCESS) == FILE_ACCESS || ((flags & FILE_CREATE) && (flags & FILE_DIRECTORY)))
        return -EINVAL;
    file = kcalloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    file->flags = flags;
    file->references = 1;
    mutex_init(&file->mutex);
    error = path_begin(&path, base, text);
    if (error)
        goto out_free;
    error = walk(&path, flags, mode, &created);
    if (!error) {
        file->vnode = vnode_get(path.at);
        if (file->vnode->pages)
            file->error_seen = cache_errors(file->vnode->pages);
        error = prepare(file, created);
    }
    path_finish(&path);
    if (!error) {
        *result = file;
        return 0;
    }
    end_writing(file);
    vnode_put(file->vnode);
out_free:
    kfree(file);
    return error;
}

int file_of_vnode(struct vnode *vnode, unsigned flags, struct file **result)
{
    struct file *file = kcalloc(1, sizeof(*file));

    if (!file)
        return -ENOMEM;
    file->flags = flags;
    file->references = 1;
    mutex_init(&file->mutex);
    file->vnode = vnode_get(vnode);
    *result = file;
    return 0;
}

struct file *file_get(struct file *file)
{
    __atomic_add_fetch(&file->references, 1, __ATOMIC_RELAXED);
    return file;
}

void file_put(struct file *file)
{
    if (!file || __atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    epoll_forget(file);
    filelock_release(file->vnode, file);
    if (file->vnode->ops->close)
        file->vnode->ops->close(file->vnode, file);
    end_writing(file);
    vnode_put(file->vnode);
    kfree(file);
}

/* ---- reading and writing ---- */

static bool has_places(const struct file *file)
{
    enum vnode_type type = file->vnode->attributes.type;

    return type == VNODE_FILE || type == VNODE_BLOCK || type == VNODE_DIRECTORY;
}

int64_t file_read_at(struct file *file, uint64_t offset, void *data, size_t n)
{
    if ((file->flags & FILE_ACCESS) == FILE_WRITE_ONLY)
        return -EBADF;
    if (file->vnode->ops->file_read)
        return file->vnode->ops->file_read(file, offset, data, n);
    return vfs_read(file->vnode, offset, data, n);
}

/** Writes at the end, wherever that is when the lock has been taken. *offset: where that was. */
static int64_t append(struct vnode *vnode, uint64_t *offset, const void *data, size_t n)
{
    int64_t done;

    if (mount_is_read_only(vnode->mount))
        return -EROFS;
    if (!vnode->ops->write)
        return -EINVAL;
    rwlock_write(&vnode->lock);
    *offset = vnode->attributes.size;
    done = n == 0 ? 0 : vnode->ops->write(vnode, *offset, data, n);
    rwlock_end_write(&vnode->lock);
    return done;
}

/** Writes at *offset, or where appending puts it. */
static int64_t write_at(struct file *file, uint64_t *offset, const void *data, size_t n)
{
    if (!writes(file->flags))
        return -EBADF;
    if (file->vnode->ops->file_write)
        return file->vnode->ops->file_write(file, *offset, data, n);
    if ((file->flags & FILE_APPEND) && file->vnode->attributes.type == VNODE_FILE)
        return append(file->vnode, offset, data, n);
    return vfs_write(file->vnode, *offset, data, n);
}

int64_t file_write_at(struct file *file, uint64_t offset, const void *data, size_t n)
{
    return write_at(file, &offset, data, n);
}

int64_t file_read(struct file *file, void *data, size_t n)
{
    int64_t done;

    if (!has_places(file))
        return file_read_at(file, 0, data, n);
    mutex_lock(&file->mutex);
    if (file->vnode->pages)
        cache_read_ahead(file->vnode->pages, &file->ahead, &file->window, file->offset, n);
    done = file_read_at(file, file->offset, data, n);
    if (done > 0)
        file->offset += (uint64_t)done;
    mutex_unlock(&file->mutex);
    return done;
}

int64_t file_write(struct file *file, const void *data, size_t n)
{
    uint64_t offset = 0;
    int64_t done;

    if (!has_places(file))
        return write_at(file, &offset, data, n);
    mutex_lock(&file->mutex);
    offset = file->offset;
    done = write_at(file, &offset, data, n);
    if (done > 0)
        file->offset = offset + (uint64_t)done;
    mutex_unlock(&file->mutex);
    return done;
}

int64_t file_seek(struct file *file, int64_t distance, enum file_whence whence)
{
    struct vnode_attributes attributes;
    int64_t place = 0;

    if (!has_places(file))
        return -ESPIPE;
    vfs_attributes(file->vnode, &attributes);
    mutex_lock(&file->mutex);
    if (whence == FILE_CURRENT)
        place = (int64_t)file->offset;
    else if (whence == FILE_END)
        place = (int64_t)attributes.size;
    else if (whence != FILE_SET)
        place = -EINVAL;
    if (place >= 0 && __builtin_add_overflow(place, distance, &place))
        place = -EOVERFLOW;
    else if (place < 0)
        place = -EINVAL;
    if (place >= 0)
        file->offset = (uint64_t)place;
    mutex_unlock(&file->mutex);
    return place;
}

int file_truncate(struct file *file, uint64_t size)
{
    return writes(file->flags) ? vfs_truncate(file->vnode, size) : -EINVAL;
}

int file_sync(struct file *file)
{
    struct vnode *vnode = file->vnode;
    int error = vnode->ops->sync ? vnode->ops->sync(vnode) : 0;
    int earlier = 0;

    if (vnode->pages) {
        mutex_lock(&file->mutex);
        earlier = cache_error_since(vnode->pages, &file->error_seen);
        mutex_unlock(&file->mutex);
    }
    return error ? error : earlier;
}

int file_iterate(struct file *file, struct directory_entry *entry)
{
    int error;

    mutex_lock(&file->mutex);
    error = vfs_iterate(file->vnode, &file->offset, entry);
    mutex_unlock(&file->mutex);
    return error;
}

int file_ioctl(struct file *file, unsigned request, void *argument)
{
    if (!file->vnode->ops->ioctl)
        return -ENOTTY;
    return file->vnode->ops->ioctl(file, request, argument);
}
