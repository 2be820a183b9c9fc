/* SPDX-License-Identifier: MIT */
/*
 * vfs.c: what is done with vnodes, once they have been found, and finding them.
 */
#include "fs/vfs.h"

#include "fs/path/path.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

static KSTATE vfs_cut_hook *cut_hook;

void vfs_set_cut_hook(vfs_cut_hook *hook)
{
    cut_hook = hook;
}

/** Goes along the whole path: to what is at its end in `path->at`. */
static int walk(struct path *path, unsigned flags)
{
    for (;;) {
        struct vnode *next;
        int error = path_to_last(path);

        if (error || path->kind == PATH_NONE)
            return error;
        error = path_last(path, &next);
        if (error)
            return error;
        if (next->attributes.type == VNODE_SYMLINK && (path->slash || !(flags & VFS_NO_FOLLOW))) {
            error = path_follow(path, next);
            vnode_put(next);
            if (error)
                return error;
            continue;
        }
        vnode_put(path->at);
        path->at = next;
        mount_cross(&path->at);
        return path->slash && path->at->attributes.type != VNODE_DIRECTORY ? -ENOTDIR : 0;
    }
}

int vfs_find(struct vnode *base, const char *text, unsigned flags, struct vnode **found)
{
    struct path path;
    int error = path_begin(&path, base, text);

    if (error)
        return error;
    error = walk(&path, flags);
    if (!error)
        *found = vnode_get(path.at);
    path_finish(&path);
    return error;
}

void vfs_attributes(struct vnode *vnode, struct vnode_attributes *attributes)
{
    rwlock_read(&vnode->lock);
    *attributes = vnode->attributes;
    rwlock_end_read(&vnode->lock);
}

int64_t vfs_readlink(struct vnode *vnode, char *text, size_t n)
{
    int64_t length;

    if (vnode->attributes.type != VNODE_SYMLINK || !vnode->ops->readlink)
        return -EINVAL;
    rwlock_read(&vnode->lock);
    length = vnode->ops->readlink(vnode, text, n);
    rwlock_end_read(&vnode->lock);
    return length;
}

int64_t vfs_read(struct vnode *vnode, uint64_t offset, void *data, size_t n)
{
    int64_t done;

    if (vnode->attributes.type == VNODE_DIRECTORY)
        return -EISDIR;
    if (!vnode->ops->read)
        return -EINVAL;
    if (n == 0)
        return 0;
    rwlock_read(&vnode->lock);
    done = vnode->ops->read(vnode, offset, data, n);
    rwlock_end_read(&vnode->lock);
    return done;
}

/** What keeps a file from being changed. */
static int check_change(const struct vnode *vnode)
{
    if (vnode->attributes.type == VNODE_DIRECTORY)
        return -EISDIR;
    return vnode->attributes.type == VNODE_FILE && mount_is_read_only(vnode->mount) ? -EROFS : 0;
}

int64_t vfs_write(struct vnode *vnode, uint64_t offset, const void *data, size_t n)
{
    int64_t done = check_change(vnode);

    if (done || n == 0)
        return done;
    if (!vnode->ops->write)
        return -EINVAL;
    rwlock_write(&vnode->lock);
    done = vnode->ops->write(vnode, offset, data, n);
    rwlock_end_write(&vnode->lock);
    return done;
}

void vfs_cut(struct vnode *vnode, uint64_t size)
{
    if (cut_hook)
        cut_hook(vnode, size);
}

/* `more`: it is not made smaller. */
static int set_size(struct vnode *vnode, uint64_t size, bool more)
{
    int error = check_change(vnode);

    if (error)
        return error;
    if (vnode->attributes.type != VNODE_FILE || !vnode->ops->truncate)
        return -EINVAL;
    rwlock_write(&vnode->lock);
    if (!more || size > vnode->attributes.size) {
        error = vnode->ops->truncate(vnode, size);
        if (!error)
            vfs_cut(vnode, size);
    }
    rwlock_end_write(&vnode->lock);
    return error;
}

int vfs_truncate(struct vnode *vnode, uint64_t size)
{
    return set_size(vnode, size, false);
}

int vfs_extend(struct vnode *vnode, uint64_t size)
{
    return set_size(vnode, size, true);
}

int vfs_set_attributes(struct vnode *vnode, const struct vnode_attributes *attributes,
                       unsigned which)
{
    int error;

    if (!vnode->ops->set_attributes)
        return -EPERM; /* also what has no mount: lines of GPIO */
    if (mount_is_read_only(vnode->mount))
        return -EROFS;
    rwlock_write(&vnode->lock);
    error = vnode->ops->set_attributes(vnode, attributes, which);
    rwlock_end_write(&vnode->lock);
    return error;
}

int vfs_iterate(struct vnode *directory, uint64_t *position, struct directory_entry *entry)
{
    int error;

    if (directory->attributes.type != VNODE_DIRECTORY)
        return -ENOTDIR;
    rwlock_read(&directory->lock);
    error = directory->ops->iterate(directory, position, entry);
    rwlock_end_read(&directory->lock);
    return error;
}

/* ---- where a directory is ---- */

/** A text that grows from its end to its beginning. */
struct backwards {
    char *text;
    size_t at;
};

static int put_name(struct backwards *to, const char *name)
{
    size_t n = string_length(name);

    if (n + 1 > to->at)
        return -ERANGE;
    to->at -= n;
    memcpy(to->text + to->at, name, n);
    to->text[--to->at] = '/';
    return 0;
}

/** Looks through `parent` for the name of the directory with that id. */
static int put_name_of(struct backwards *to, struct vnode *parent, uint64_t id,
                       struct directory_entry *entry)
{
    uint64_t position = 0;
    int error;

    do {
        error = vfs_iterate(parent, &position, entry);
    } while (!error && entry->attributes.id != id);
    return error ? error : put_name(to, entry->name);
}

/** Goes from `*at` to its parent, writing its name. -EAGAIN: it was the root of all. */
static int climb(struct vnode **at, struct backwards *to, struct directory_entry *entry)
{
    struct vnode *parent = vnode_parent(*at);
    int error;

    if (!parent) {
        parent = mount_covered((*at)->mount);
        error = parent ? 0 : -EAGAIN;
    } else {
        error = put_name_of(to, parent, (*at)->attributes.id, entry);
    }
    if (!error) {
        vnode_put(*at);
        *at = parent;
    } else {
        vnode_put(parent);
    }
    return error;
}

int vfs_path_of(struct vnode *directory, char *text, size_t size)
{
    struct directory_entry *entry = kmalloc(sizeof(*entry));
    struct backwards to = {.text = text, .at = size};
    struct vnode *at = vnode_get(directory);
    int error = !entry ? -ENOMEM : size < 2 ? -ERANGE : 0;

    if (!error)
        text[--to.at] = '\0';
    while (!error)
        error = climb(&at, &to, entry);
    if (error == -EAGAIN) {
        error = 0;
        if (to.at == size - 1)
            text[--to.at] = '/';
        memmove(text, text + to.at, size - to.at);
    }
    vnode_put(at);
    kfree(entry);
    return error;
}
