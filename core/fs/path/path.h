/* SPDX-License-Identifier: MIT */
/*
 * path.h: the way along a path, one component after the other.
 *
 *     /docs/../a link/file/      at: the directory reached so far
 *      ----^                     rest: what is still to go
 *
 * A symbolic link on the way is replaced by its text, in a buffer that is made when the first one
 * comes.
 */
#pragma once

#include "fs/vnode.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>

struct path {
    struct vnode *at; /**< a reference */
    const char *rest;
    char *buffer; /**< VFS_PATH_MAX bytes, or NULL: no link was met */
    unsigned links;

    /* The last component, after path_to_last. */
    enum { PATH_NONE, PATH_DOT, PATH_DOT_DOT, PATH_NAME } kind;
    const char *name; /**< not NUL-terminated */
    size_t length;
    bool slash; /**< there is a '/' behind it: it has to be a directory */
};

/** Begins at `base` (NULL: the root of all). path_finish ends it, unless this fails. */
HAL_MUST_CHECK int path_begin(struct path *path, struct vnode *base, const char *text);

void path_finish(struct path *path);

/** path_begin and path_to_last. */
HAL_MUST_CHECK int path_begin_last(struct path *path, struct vnode *base, const char *text);

/**
 * Goes up to the last component, which is left to the caller: `at` is the directory that it is in.
 * PATH_NONE: there is none, the path is that of `at` itself. -ENOTDIR if `at` is none; errors as
 * vfs.h says. May sleep.
 */
HAL_MUST_CHECK int path_to_last(struct path *path);

/**
 * What the last component leads to: *found with a reference, which is not crossed over to what is
 * mounted on it, nor is a link followed.
 */
HAL_MUST_CHECK int path_last(struct path *path, struct vnode **found);

/**
 * Goes on from the last component, which is the symbolic link `link`: path_to_last goes to where
 * its text leads.
 */
HAL_MUST_CHECK int path_follow(struct path *path, struct vnode *link);

/** Finds `name` in `directory`, in the cache of names or else in the file system. */
HAL_MUST_CHECK int path_lookup(struct vnode *directory, const char *name, size_t n,
                               struct vnode **found);

/** The same, by a caller who holds the lock of the directory. */
HAL_MUST_CHECK int path_look(struct vnode *directory, const char *name, size_t n,
                             struct vnode **found);

/** Takes the lock of a vnode whose directory's the caller holds. May sleep. */
void path_lock_below(struct vnode *vnode);

/** As vfs_create, for the last component. change.c's. */
HAL_MUST_CHECK int path_create(struct path *path, const struct vnode_attributes *attributes,
                               struct vnode **created);
