/* SPDX-License-Identifier: MIT */
/*
 * walk.h: everything in a tree of directories, one after the other, in the order of the names.
 *
 * A directory is read whole when it is entered, so what is removed or entered during the walk does
 * not confuse it. Its entries are kept on the heap and not on the stack: trees can be deep.
 */
#pragma once

#include "fs/vfs.h"

#include <hal/compiler.h>

#include <stdbool.h>

/** A file or directory, when the walk comes to it and, a directory, when the walk leaves it. */
struct walk_entry {
    const char *path;   /**< from the path that the walk began with */
    const char *suffix; /**< the same without that path: "" or "/a/b" */
    const char *name;
    const struct vnode_attributes *attributes; /**< as its directory was read */
    struct vnode *directory;                   /**< that it is in; NULL: the beginning */
    unsigned depth;                            /**< 0: the beginning */
    uint64_t last;                             /**< a bit for each depth: no more follow there */
    bool leaving;
};

/** 0: go on; WALK_SKIP: do not enter this directory, nor leave it; an error ends the walk. */
#define WALK_SKIP 1
typedef int walk_visit(const struct walk_entry *entry, void *context);

/** The directory at `path` cannot be read. */
typedef void walk_failed(const char *path, int error, void *context);

/**
 * Walks through what is at `path`; symbolic links are not followed. A directory that cannot be read
 * is told to `failed` and skipped. Returns 0, what `visit` returned, or an error of the beginning.
 * -EINTR: cancelled. May sleep.
 */
HAL_MUST_CHECK int walk_tree(struct vnode *base, const char *path, walk_visit *visit,
                             walk_failed *failed, void *context);
