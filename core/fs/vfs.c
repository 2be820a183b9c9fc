/* SPDX-License-Identifier: MIT */
/*
 * vfs.c: vnodes, and the way from a path to one of them.
 *
 * "." and ".." are resolved in the path's text before any directory is looked at, which is right as
 * long as there are no symbolic links, and needs no parent pointers on the medium to be true.
 */
#include "fs/vfs.h"

#include "fs/root.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "sync/spinlock.h"

#include <hal/errno.h>
#include <hal/kstate.h>

static KSTATE struct vnodes {
    struct spinlock lock;
    struct list all; /* that there are; its links are NULL until the first comes */
} vnodes;

static hal_irq_state_t lock_vnodes(void)
{
    vnodes.lock.rank = LOCK_RANK_DEVICE; /* the lock is all zeros at power-on: free */
    return spinlock_acquire(&vnodes.lock);
}

void vnode_init(struct vnode *vnode, const struct vnode_ops *ops,
                const struct vnode_attributes *attributes)
{
    hal_irq_state_t state;

    vnode->ops = ops;
    vnode->attributes = *attributes;
    vnode->references = 1;
    state = lock_vnodes();
    if (!vnodes.all.next)
        list_init(&vnodes.all);
    list_add_tail(&vnodes.all, &vnode->link);
    spinlock_release(&vnodes.lock, state);
}

void vnode_finish(struct vnode *vnode)
{
    hal_irq_state_t state = lock_vnodes();

    list_remove(&vnode->link);
    spinlock_release(&vnodes.lock, state);
}

const struct vnode *vnode_peek(const struct vnode *vnode)
{
    const struct list *next = vnode ? vnode->link.next : vnodes.all.next;

    return next && next != &vnodes.all ? list_entry(next, const struct vnode, link) : NULL;
}

struct vnode *vnode_get(struct vnode *vnode)
{
    __atomic_add_fetch(&vnode->references, 1, __ATOMIC_RELAXED);
    return vnode;
}

bool vnode_unreference(struct vnode *vnode)
{
    return __atomic_sub_fetch(&vnode->references, 1, __ATOMIC_ACQ_REL) == 0;
}

void vnode_put(struct vnode *vnode)
{
    if (vnode && vnode_unreference(vnode))
        vnode->ops->release(vnode);
}

/** How long the first component of `path` is. */
static size_t component_length(const char *path)
{
    size_t n = 0;

    while (path[n] && path[n] != '/')
        n++;
    return n;
}

static size_t skip_slashes(const char *path)
{
    size_t n = 0;

    while (path[n] == '/')
        n++;
    return n;
}

static bool component_is(const char *component, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (component[i] != name[i])
            return false;
    }
    return name[n] == '\0';
}

/** A path in the making: "" for the root, otherwise "/a/b". */
struct path {
    char *text;
    size_t size;
    size_t used;
};

static int path_push(struct path *path, const char *component, size_t n)
{
    if (n + 2 > path->size - path->used)
        return -ENAMETOOLONG;
    path->text[path->used++] = '/';
    for (size_t i = 0; i < n; i++)
        path->text[path->used++] = component[i];
    return 0;
}

static void path_pop(struct path *path)
{
    while (path->used > 0 && path->text[--path->used] != '/')
        continue;
}

static int path_append(struct path *path, const char *more)
{
    int error = 0;

    for (more += skip_slashes(more); *more && !error; more += skip_slashes(more)) {
        size_t n = component_length(more);

        if (component_is(more, n, ".."))
            path_pop(path);
        else if (!component_is(more, n, "."))
            error = path_push(path, more, n);
        more += n;
    }
    return error;
}

int vfs_normalise(const char *base, const char *path, char *to, size_t size)
{
    struct path result = {.text = to, .size = size};
    int error = 0;

    if (size < 2)
        return -ENAMETOOLONG;
    if (path[0] != '/')
        error = path_append(&result, base);
    if (!error)
        error = path_append(&result, path);
    if (error)
        return error;
    if (result.used == 0)
        to[result.used++] = '/';
    to[result.used] = '\0';
    return 0;
}

/** Goes from `*vnode` to its entry `name`, and gives back the reference to where it was. */
static int step(struct vnode **vnode, const char *name, size_t n)
{
    struct vnode *next = NULL;
    int error;

    if ((*vnode)->attributes.type != VNODE_DIRECTORY)
        return -ENOTDIR;
    if (n > VFS_NAME_MAX)
        return -ENAMETOOLONG;
    error = (*vnode)->ops->lookup(*vnode, name, n, &next);
    if (error)
        return error;
    vnode_put(*vnode);
    *vnode = next;
    return 0;
}

/** True for a path that only a directory can have: "dir/" or "dir/." */
static bool means_directory(const char *path)
{
    size_t n = string_length(path);

    if (n > 0 && path[n - 1] == '.')
        n--;
    return n > 0 && path[n - 1] == '/';
}

static int walk(const char *path, struct vnode **found)
{
    struct vnode *vnode = root_get();
    int error = 0;

    if (!vnode)
        return -ENOMEDIUM;
    for (path += skip_slashes(path); *path && !error; path += skip_slashes(path)) {
        size_t n = component_length(path);

        error = step(&vnode, path, n);
        path += n;
    }
    if (error)
        vnode_put(vnode);
    else
        *found = vnode;
    return error;
}

int vfs_open(const char *base, const char *path, struct vnode **vnode)
{
    char *absolute;
    int error;

    if (path[0] == '\0')
        return -ENOENT;
    absolute = kmalloc(VFS_PATH_MAX);
    if (!absolute)
        return -ENOMEM;
    error = vfs_normalise(base, path, absolute, VFS_PATH_MAX);
    if (!error)
        error = walk(absolute, vnode);
    kfree(absolute);
    if (!error && means_directory(path) && (*vnode)->attributes.type != VNODE_DIRECTORY) {
        vnode_put(*vnode);
        error = -ENOTDIR;
    }
    return error;
}

int64_t vfs_read(struct vnode *vnode, uint64_t offset, void *data, size_t n)
{
    if (vnode->attributes.type == VNODE_DIRECTORY)
        return -EISDIR;
    return vnode->ops->read(vnode, offset, data, n);
}

int vfs_iterate(struct vnode *directory, uint64_t *position, struct directory_entry *entry)
{
    if (directory->attributes.type != VNODE_DIRECTORY)
        return -ENOTDIR;
    return directory->ops->iterate(directory, position, entry);
}
