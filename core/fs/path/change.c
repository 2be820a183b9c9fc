/* SPDX-License-Identifier: MIT */
/*
 * change.c: what changes directories, by path: create, link, remove, rename.
 *
 * All have the same course: walk to the directory; take its lock; look again what the name leads
 * to, for that may have changed until then; check what POSIX asks for; have the file system do it;
 * make the name cache true again; give the lock back, and only then the references.
 */
#include "fs/vfs.h"

#include "fs/path/name_cache.h"
#include "fs/path/path.h"

#include <hal/errno.h>
#include <hal/runtime.h>

/* ---- new names ---- */

/** What a new name is to lead to: one of the three. */
struct novelty {
    const struct vnode_attributes *attributes;
    const char *text; /* of a symbolic link */
    struct vnode *vnode;
};

static int call_enter(struct vnode *directory, const char *name, size_t n,
                      const struct novelty *new, struct vnode **created)
{
    const struct vnode_ops *ops = directory->ops;
    int error;

    if (new->attributes)
        return ops->create ? ops->create(directory, name, n, new->attributes, created) : -EPERM;
    if (new->text)
        return ops->symlink ? ops->symlink(directory, name, n, new->text, created) : -EPERM;
    if (!ops->link)
        return -EPERM;
    rwlock_write(&new->vnode->lock);
    error = new->vnode->attributes.links == 0 ? -ENOENT : ops->link(directory, name, n, new->vnode);
    rwlock_end_write(&new->vnode->lock);
    if (!error)
        *created = vnode_get(new->vnode);
    return error;
}

static int enter(struct vnode *directory, const char *name, size_t n, const struct novelty *new,
                 struct vnode **created)
{
    struct name_entry *old, *extra = NULL;
    int error;

    rwlock_write(&directory->lock);
    old = name_cache_remove(directory, name, n, NULL);
    error =
        directory->attributes.links == 0 ? -ENOENT : call_enter(directory, name, n, new, created);
    if (!error && (*created)->attributes.type == VNODE_DIRECTORY)
        vnode_set_parent(*created, directory);
    if (!error)
        extra = name_cache_add(directory, name, n, *created);
    rwlock_end_write(&directory->lock);
    name_cache_free(old);
    name_cache_free(extra);
    return error;
}

/** Enters the last component of `path`. `slash`: it may have a '/' behind it. */
static int enter_last(struct path *path, bool slash, const struct novelty *new,
                      struct vnode **created)
{
    struct vnode *there;
    int error;

    if (path->kind != PATH_NAME)
        return -EEXIST;
    error = path_last(path, &there);
    if (error == 0) {
        vnode_put(there);
        return -EEXIST;
    }
    if (error != -ENOENT)
        return error;
    if (path->slash && !slash)
        return -ENOENT;
    if (mount_is_read_only(path->at->mount))
        return -EROFS;
    return enter(path->at, path->name, path->length, new, created);
}

int path_create(struct path *path, const struct vnode_attributes *attributes,
                struct vnode **created)
{
    struct novelty new = {.attributes = attributes};

    return enter_last(path, attributes->type == VNODE_DIRECTORY, &new, created);
}

int vfs_create(struct vnode *base, const char *text, const struct vnode_attributes *attributes,
               struct vnode **created)
{
    struct path path;
    int error = path_begin_last(&path, base, text);

    if (error)
        return error;
    error = path_create(&path, attributes, created);
    path_finish(&path);
    return error;
}

int vfs_mkdir(struct vnode *base, const char *path, unsigned mode)
{
    struct vnode_attributes attributes = {.type = VNODE_DIRECTORY, .mode = mode & 07777};
    struct vnode *created = NULL;
    int error = vfs_create(base, path, &attributes, &created);

    if (!error)
        vnode_put(created);
    return error;
}

int vfs_symlink(struct vnode *base, const char *text, const char *target)
{
    struct novelty new = {.text = target};
    struct vnode *created;
    struct path path;
    int error;

    if (target[0] == '\0')
        return -ENOENT;
    error = path_begin_last(&path, base, text);
    if (error)
        return error;
    error = enter_last(&path, false, &new, &created);
    if (!error)
        vnode_put(created);
    path_finish(&path);
    return error;
}

static int link_to(struct path *path, struct vnode *vnode)
{
    struct novelty new = {.vnode = vnode};
    struct vnode *created;
    int error = path->at->mount == vnode->mount ? 0 : -EXDEV;

    if (!error)
        error = enter_last(path, false, &new, &created);
    if (!error)
        vnode_put(created);
    return error;
}

int vfs_link(struct vnode *base, const char *from, const char *to)
{
    struct vnode *vnode;
    struct path path;
    int error = vfs_find(base, from, VFS_NO_FOLLOW, &vnode);

    if (error)
        return error;
    error = vnode->attributes.type == VNODE_DIRECTORY ? -EPERM : path_begin_last(&path, base, to);
    if (!error) {
        error = link_to(&path, vnode);
        path_finish(&path);
    }
    vnode_put(vnode);
    return error;
}

/* ---- removal ---- */

static int check_removal(const struct path *path, const struct vnode *vnode, bool directory)
{
    bool is_directory = vnode->attributes.type == VNODE_DIRECTORY;

    if (is_directory && !directory)
        return -EISDIR;
    if (!is_directory && (directory || path->slash))
        return -ENOTDIR;
    if (__atomic_load_n(&vnode->covered_by, __ATOMIC_ACQUIRE))
        return -EBUSY;
    return mount_is_read_only(vnode->mount) ? -EROFS : 0;
}

static int call_removal(const struct path *path, struct vnode *vnode, bool directory)
{
    const struct vnode_ops *ops = path->at->ops;
    int error = -EROFS;

    if (directory && ops->rmdir)
        error = ops->rmdir(path->at, path->name, path->length, vnode);
    else if (!directory && ops->unlink)
        error = ops->unlink(path->at, path->name, path->length, vnode);
    return error;
}

/** Removes the last component of `path`. */
static int remove_last(struct path *path, bool directory)
{
    struct name_entry *old = NULL;
    struct vnode *vnode = NULL;
    int error;

    rwlock_write(&path->at->lock);
    error = path_look(path->at, path->name, path->length, &vnode);
    if (!error) {
        path_lock_below(vnode);
        error = check_removal(path, vnode, directory);
        if (!error)
            error = call_removal(path, vnode, directory);
        rwlock_end_write(&vnode->lock);
    }
    if (!error)
        old = name_cache_remove(path->at, path->name, path->length, vnode);
    rwlock_end_write(&path->at->lock);
    name_cache_free(old);
    if (!error && directory)
        name_cache_forget(vnode);
    vnode_put(vnode);
    return error;
}

int vfs_unlink(struct vnode *base, const char *text)
{
    struct path path;
    int error = path_begin_last(&path, base, text);

    if (error)
        return error;
    error = path.kind == PATH_NAME ? remove_last(&path, false) : -EISDIR;
    path_finish(&path);
    return error;
}

int vfs_rmdir(struct vnode *base, const char *text)
{
    struct path path;
    int error = path_begin_last(&path, base, text);

    if (error)
        return error;
    if (path.kind == PATH_NAME)
        error = remove_last(&path, true);
    else
        error = path.kind == PATH_DOT ? -EINVAL : path.kind == PATH_DOT_DOT ? -ENOTEMPTY : -EBUSY;
    path_finish(&path);
    return error;
}
