/* SPDX-License-Identifier: MIT */
/*
 * rename.c: rename: the one operation with two directories.
 *
 * A directory must not move into itself, or what is below it would hang together but belong to
 * nothing any more. Whether the new place is below the directory can be seen by climbing from it to
 * the root; and so that the answer stays true, only one file or directory of a mount moves from one
 * directory to another at a time: the mount's rename lock.
 *
 *     mv /a/b /a/b/c/d     /a/b/c -> /a/b -> stop: that is what moves
 */
#include "fs/vfs.h"

#include "fs/path/name_cache.h"
#include "fs/path/path.h"

#include <hal/errno.h>
#include <hal/runtime.h>

struct renaming {
    struct path from, to;
    struct vnode *vnode;    /* a reference */
    struct vnode *replaced; /* a reference, or NULL */
    struct name_entry *extra[4];
    bool two; /* directories */
};

/** True if `vnode` is `below` or an ancestor of it. Caller holds the rename lock. */
static bool contains(const struct vnode *vnode, const struct vnode *below)
{
    while (below && below != vnode)
        below = below->parent;
    return below != NULL;
}

static void lock_directories(struct vnode *a, struct vnode *b)
{
    bool a_first = contains(a, b) || (!contains(b, a) && a->attributes.id < b->attributes.id);

    rwlock_write(a_first ? &a->lock : &b->lock);
    rwlock_write_nested(a_first ? &b->lock : &a->lock);
}

static void lock(struct renaming *r)
{
    if (r->two) {
        mutex_lock(&r->from.at->mount->rename);
        lock_directories(r->from.at, r->to.at);
    } else {
        rwlock_write(&r->from.at->lock);
    }
}

static void unlock(struct renaming *r)
{
    rwlock_end_write(&r->from.at->lock);
    if (r->two) {
        rwlock_end_write(&r->to.at->lock);
        mutex_unlock(&r->from.at->mount->rename);
    }
}

/** Finds both, and what can be said of the new name and of the old one by itself. */
static int look(struct renaming *r, unsigned flags)
{
    int error = path_look(r->from.at, r->from.name, r->from.length, &r->vnode);

    if (error)
        return error;
    if (r->vnode->attributes.type != VNODE_DIRECTORY && (r->from.slash || r->to.slash))
        return -ENOTDIR;
    error = path_look(r->to.at, r->to.name, r->to.length, &r->replaced);
    if (error && error != -ENOENT)
        return error;
    if (r->to.at->attributes.links == 0)
        return -ENOENT;
    if (r->replaced && (flags & VFS_RENAME_NO_REPLACE))
        return -EEXIST;
    return 0;
}

/** What POSIX says of two that are not the same. */
static int check(struct renaming *r)
{
    bool directory = r->vnode->attributes.type == VNODE_DIRECTORY;

    if (directory && r->two && contains(r->vnode, r->to.at))
        return -EINVAL;
    if (r->replaced && r->two && contains(r->replaced, r->from.at))
        return -ENOTEMPTY;
    if (r->replaced && directory && r->replaced->attributes.type != VNODE_DIRECTORY)
        return -ENOTDIR;
    if (r->replaced && !directory && r->replaced->attributes.type == VNODE_DIRECTORY)
        return -EISDIR;
    if (r->vnode->covered_by || (r->replaced && r->replaced->covered_by))
        return -EBUSY;
    if (mount_is_read_only(r->from.at->mount) || !r->from.at->ops->rename)
        return -EROFS;
    return 0;
}

static bool same_name(const struct renaming *r)
{
    return !r->two && r->from.length == r->to.length &&
           memcmp(r->from.name, r->to.name, r->to.length) == 0;
}

/** The cache forgets what is about to be wrong. */
static void forget(struct renaming *r)
{
    r->extra[0] = name_cache_remove(r->from.at, r->from.name, r->from.length, r->vnode);
    r->extra[1] = name_cache_remove(r->to.at, r->to.name, r->to.length, NULL);
    if (r->replaced)
        r->extra[2] = name_cache_remove(r->to.at, r->to.name, r->to.length, r->replaced);
}

static int call(struct renaming *r)
{
    int error;

    forget(r);
    error = r->from.at->ops->rename(r->from.at, r->from.name, r->from.length, r->vnode, r->to.at,
                                    r->to.name, r->to.length, r->replaced);
    if (error)
        return error;
    if (r->two && r->vnode->attributes.type == VNODE_DIRECTORY)
        vnode_set_parent(r->vnode, r->to.at);
    r->extra[3] = name_cache_add(r->to.at, r->to.name, r->to.length, r->vnode);
    return 0;
}

/** Caller holds the locks of both directories. */
static int rename_locked(struct renaming *r, unsigned flags)
{
    int error = look(r, flags);

    if (error)
        return error;
    if (r->replaced == r->vnode) {
        /* Two names of one file stay as they are (POSIX); but "a" may become "A". */
        if (same_name(r) || !r->from.at->mount->folds_names)
            return 0;
        vnode_put(r->replaced);
        r->replaced = NULL;
    }
    error = check(r);
    if (error || !r->replaced)
        return error ? error : call(r);
    path_lock_below(r->replaced);
    error = __atomic_load_n(&r->replaced->covered_by, __ATOMIC_ACQUIRE) ? -EBUSY : call(r);
    rwlock_end_write(&r->replaced->lock);
    return error;
}

static int rename_paths(struct renaming *r, unsigned flags)
{
    int error;

    if (r->from.kind != PATH_NAME || r->to.kind != PATH_NAME)
        return -EBUSY;
    if (r->from.at->mount != r->to.at->mount)
        return -EXDEV;
    r->two = r->from.at != r->to.at;
    lock(r);
    error = rename_locked(r, flags);
    unlock(r);
    for (unsigned i = 0; i < sizeof(r->extra) / sizeof(r->extra[0]); i++)
        name_cache_free(r->extra[i]);
    if (!error && r->replaced && r->replaced->attributes.type == VNODE_DIRECTORY)
        name_cache_forget(r->replaced);
    vnode_put(r->replaced);
    vnode_put(r->vnode);
    return error;
}

int vfs_rename(struct vnode *base, const char *from, const char *to, unsigned flags)
{
    struct renaming r = {.two = false};
    int error = path_begin_last(&r.from, base, from);

    if (error)
        return error;
    error = path_begin_last(&r.to, base, to);
    if (!error) {
        error = rename_paths(&r, flags);
        path_finish(&r.to);
    }
    path_finish(&r.from);
    return error;
}
