/* SPDX-License-Identifier: MIT */
/*
 * origin.h: where the pages of a region come from, unless they are zeros of its own: a file, or
 * memory that forks share.
 *
 * A file's pages are those of the page cache, if it has a cache object, or the frames that its file
 * system gives out (vnode_ops.frame, for file systems that live in memory). Nothing is copied: who
 * maps a page and who reads the file see the same bytes.
 *
 * All regions of files are on lists, so that those of one file can be found when it is cut short
 * (vm_file_cut). What is behind its end then goes out of all page maps at once, and the next touch
 * is a SIGBUS.
 */
#pragma once

#include "vm/region/region.h"

#include <hal/cpu.h>

/** Zeros that several spaces share, which know them by their number in it. */
struct vm_share;

/** One with one reference, for VM_SHARED without a file; NULL: no memory. Thread context. */
struct vm_share *vm_share_create(void);

/** One reference more or less; NULL is allowed. Thread context. */
void vm_share_get(struct vm_share *share);
void vm_share_put(struct vm_share *share);

/** True if the file can be mapped. */
bool origin_has_pages(const struct file *file);

/**
 * Gets the page for address `address` of a region that has a file or a share: *word without rights,
 * which the caller owns. When it has to be read from a medium, up to `ahead` pages are read at
 * once. -ENXIO: behind the end of the file, or it cannot be read; -ENOMEM. May sleep.
 */
HAL_MUST_CHECK int origin_get(const struct vm_region *region, uintptr_t address, unsigned ahead,
                              uintptr_t *word);

/** What origin_lock has taken. */
struct origin_lock {
    bool held;              /* the lists' lock */
    struct vm_space *space; /* whose pages_lock; NULL: none */
    hal_irq_state_t outer, inner;
};

/** Keeps vm_file_cut out, for who changes where a region of `file` lies in `space`, whose
 * pages_lock is taken, too (NULL: none). No file: takes nothing. */
struct origin_lock origin_lock(const struct file *file, struct vm_space *space);
void origin_unlock(struct origin_lock lock);

/** The region is on the list of its file from now on, or no more; that may be said twice. Caller
 * holds origin_lock. */
void origin_list(struct vm_region *region);
void origin_unlist(struct vm_region *region);

/**
 * The file has `size` bytes now, fewer than before: pages behind that are taken away from who maps
 * it. Thread context that may take LOCK_RANK_MAPPED.
 */
void vm_file_cut(struct vnode *vnode, uint64_t size);

void origin_init(void);
