/* SPDX-License-Identifier: MIT */
/*
 * path.c: from a path to a vnode.
 *
 * Only the directory that is looked into is locked, and only for reading, and not even that if the
 * cache knows the name. So walks meet only where they go the same way.
 */
#include "fs/path/path.h"

#include "fs/mount.h"
#include "fs/path/name_cache.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

static size_t component_length(const char *path)
{
    size_t n = 0;

    while (path[n] && path[n] != '/')
        n++;
    return n;
}

static const char *skip_slashes(const char *path)
{
    while (*path == '/')
        path++;
    return path;
}

int path_begin(struct path *path, struct vnode *base, const char *text)
{
    *path = (struct path){.rest = text};
    if (text[0] == '\0')
        return -ENOENT;
    if (string_length(text) >= VFS_PATH_MAX)
        return -ENAMETOOLONG;
    path->at = base && text[0] != '/' ? vnode_get(base) : vfs_root();
    return path->at ? 0 : -ENOMEDIUM;
}

void path_finish(struct path *path)
{
    vnode_put(path->at);
    kfree(path->buffer);
}

int path_look(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    int error = name_cache_find(directory, name, n, found);

    if (error != -EAGAIN)
        return error;
    error = directory->ops->lookup(directory, name, n, found);
    if (!error && (*found)->attributes.type == VNODE_DIRECTORY)
        vnode_set_parent(*found, directory);
    return error;
}

int path_lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    struct name_entry *extra = NULL;
    int error = name_cache_find(directory, name, n, found);

    if (error != -EAGAIN)
        return error;
    *found = NULL;
    rwlock_read(&directory->lock);
    error = path_look(directory, name, n, found);
    /* Who is still in a directory that was removed does not keep it by asking. */
    if ((error == 0 || error == -ENOENT) && directory->attributes.links > 0)
        extra = name_cache_add(directory, name, n, error ? NULL : *found);
    rwlock_end_read(&directory->lock);
    name_cache_free(extra);
    return error;
}

void path_lock_below(struct vnode *vnode)
{
    if (vnode->attributes.type == VNODE_DIRECTORY)
        rwlock_write_nested(&vnode->lock);
    else
        rwlock_write(&vnode->lock);
}

/** From a directory to its parent, also if that is on another mount. At the root of all it stays.
 */
static void go_up(struct path *path)
{
    struct vnode *up = vnode_parent(path->at);

    while (!up) {
        struct vnode *covered = mount_covered(path->at->mount);

        if (!covered)
            return;
        vnode_put(path->at);
        path->at = covered;
        up = vnode_parent(covered);
    }
    vnode_put(path->at);
    path->at = up;
    mount_cross(&path->at);
}

/** The text of a link is put before the rest, which is moved to the end of the buffer. */
static int insert_link(struct path *path, struct vnode *link)
{
    size_t rest = string_length(path->rest) + 1;
    size_t room = VFS_PATH_MAX - rest;
    int64_t n;

    memmove(path->buffer + room, path->rest, rest);
    path->rest = path->buffer + room;
    n = vfs_readlink(link, path->buffer, room);
    if (n < 0)
        return (int)n;
    if ((uint64_t)n > room)
        return -ENAMETOOLONG;
    if (n == 0)
        return -ENOENT;
    memmove(path->buffer + room - n, path->buffer, (size_t)n);
    path->rest = path->buffer + room - n;
    return 0;
}

/* Goes to where the link leads by itself. -EAGAIN: its text says where. */
static int jump(struct path *path, struct vnode *link)
{
    struct vnode *to;
    int error = link->ops->follow ? link->ops->follow(link, &to) : -EAGAIN;

    if (error)
        return error;
    vnode_put(path->at);
    path->at = to;
    return 0;
}

int path_follow(struct path *path, struct vnode *link)
{
    int error;

    if (++path->links > VFS_LINKS_MAX)
        return -ELOOP;
    error = jump(path, link);
    if (error != -EAGAIN)
        return error;
    if (!path->buffer) {
        path->buffer = kmalloc(VFS_PATH_MAX);
        if (!path->buffer)
            return -ENOMEM;
    }
    error = insert_link(path, link);
    if (!error && path->rest[0] == '/') {
        vnode_put(path->at);
        path->at = vfs_root();
        error = path->at ? 0 : -ENOMEDIUM;
    }
    return error;
}

static int enter(struct path *path, const char *name, size_t n)
{
    struct vnode *next = NULL;
    int error = path_lookup(path->at, name, n, &next);

    if (error)
        return error;
    if (next->attributes.type == VNODE_SYMLINK) {
        error = path_follow(path, next);
        vnode_put(next);
        return error;
    }
    vnode_put(path->at);
    path->at = next;
    mount_cross(&path->at);
    return 0;
}

/** Sets the members that tell of the component at `rest`, and moves `rest` behind it. */
static void take_component(struct path *path)
{
    path->name = skip_slashes(path->rest);
    path->length = component_length(path->name);
    path->rest = path->name + path->length;
    path->slash = path->rest[0] == '/';
    path->kind = PATH_NAME;
    if (path->length == 0)
        path->kind = PATH_NONE;
    else if (path->name[0] == '.' && path->length == 1)
        path->kind = PATH_DOT;
    else if (path->name[0] == '.' && path->name[1] == '.' && path->length == 2)
        path->kind = PATH_DOT_DOT;
}

int path_to_last(struct path *path)
{
    for (;;) {
        int error = 0;

        take_component(path);
        if (path->kind == PATH_NONE)
            return 0;
        if (path->at->attributes.type != VNODE_DIRECTORY)
            return -ENOTDIR;
        if (path->length > VFS_NAME_MAX)
            return -ENAMETOOLONG;
        if (*skip_slashes(path->rest) == '\0')
            return 0;
        if (path->kind == PATH_DOT_DOT)
            go_up(path);
        else if (path->kind == PATH_NAME)
            error = enter(path, path->name, path->length);
        if (error)
            return error;
    }
}

int path_last(struct path *path, struct vnode **found)
{
    if (path->kind == PATH_NAME)
        return path_lookup(path->at, path->name, path->length, found);
    if (path->kind == PATH_DOT_DOT)
        go_up(path);
    *found = vnode_get(path->at);
    return 0;
}

int path_begin_last(struct path *path, struct vnode *base, const char *text)
{
    int error = path_begin(path, base, text);

    if (error)
        return error;
    error = path_to_last(path);
    if (error)
        path_finish(path);
    return error;
}
