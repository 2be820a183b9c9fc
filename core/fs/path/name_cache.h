/* SPDX-License-Identifier: MIT */
/*
 * name_cache.h: which vnode a name in a directory leads to, or that it leads to none, as far as
 * that was asked lately.
 *
 * What is in the cache is true: who changes a directory changes the cache under the same lock of
 * the directory. It keeps the vnodes that it knows, and so what these know.
 */
#pragma once

#include "fs/vnode.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

/** An entry that has left the cache. It may be the last to keep a vnode, so it is freed later. */
struct name_entry;

/** Readies the cache and makes it known to reclaim. Until then nothing is cached. Boot. */
void name_cache_start(void);

/** 0 and *found with a reference; -ENOENT: there is no such name; -EAGAIN: not known. Any context
 * but an interrupt. */
HAL_MUST_CHECK int name_cache_find(struct vnode *directory, const char *name, size_t n,
                                   struct vnode **found);

/**
 * `name` leads to `vnode`, or, if that is NULL, to none. Without memory nothing is entered. Returns
 * what had to leave for it, for name_cache_free, or NULL. Caller holds the lock of the directory,
 * shared or not. May sleep.
 */
HAL_MUST_CHECK struct name_entry *name_cache_add(struct vnode *directory, const char *name,
                                                 size_t n, struct vnode *vnode);

/**
 * `name`, which led to `vnode` (NULL: to none, and is about to be entered), will not any more.
 * Caller holds the lock of the directory. Returns what name_cache_free frees, without that lock.
 */
HAL_MUST_CHECK struct name_entry *name_cache_remove(struct vnode *directory, const char *name,
                                                    size_t n, struct vnode *vnode);

/** Frees what the others return. NULL is allowed. Caller holds no vnode's lock. May sleep. */
void name_cache_free(struct name_entry *entry);

/** Forgets all names in a directory that has been removed. Caller holds no vnode's lock. */
void name_cache_forget(struct vnode *directory);

/** Forgets all names of a mount (NULL: of all). May sleep. */
void name_cache_forget_mount(const struct mount *mount);

struct name_cache_stats {
    uint64_t entries, limit;              /**< now */
    uint64_t hits, negative_hits, misses; /**< since power-on */
    uint64_t evicted;
};

/** Any context. */
void name_cache_read_stats(struct name_cache_stats *stats);
