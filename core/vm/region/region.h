/* SPDX-License-Identifier: MIT */
/*
 * region.h: spaces and regions from the inside: what the files of this folder have in common.
 *
 * Two locks guard a space. `lock` is for threads: who changes regions holds it to write, who
 * handles a fault to read. `pages_lock`, a spinlock, guards the page map and the processor's
 * tables; so copying from and to a page that is there takes this lock only. To change a region of
 * a file also takes the lock of the list of all of them (origin.h), because cutting a file short
 * takes its pages away from spaces whose `lock` it must not wait for:
 *
 *     space->lock --> a file system's locks --> mapped files --> space->pages_lock --> cache,
 * frames
 *
 * Invariants, with `lock` held: regions do not overlap, are not empty, are whole pages in user
 * addresses; a word of the page map lies in a region, and allows no more than it does; whatever the
 * processor's tables allow, the word does too, and they lead to its frame.
 */
#pragma once

#include "lib/list.h"
#include "lib/tree.h"
#include "sync/rwlock.h"
#include "vm/page/map.h"
#include "vm/space.h"

#include <hal/aspace.h>

#define VM_REGIONS_MAX 16384u          /* of a space */
#define VM_GUARD (256 * HAL_PAGE_SIZE) /* kept free below a region that grows down */
#define VM_BREAK 256u                  /* a flag of a region: it is the break */

struct vm_share;

struct vm_region {
    struct tree_node link;
    uintptr_t start, end;
    unsigned access, flags;
    struct file *file;      /* a reference, or NULL */
    struct vm_share *share; /* of VM_SHARED without a file: a reference, or NULL */
    uint64_t offset;        /* of `start` in the file or share, bytes */
    struct vm_space *space;
    struct list mapped; /* of a file: among all those; origin.c's */

    /* How many pages of zeros or copies are made at once, guarded by pages_lock: see fault.c. */
    uint32_t batch;
    uint64_t latest, beyond; /* pages: the last ones that were made are these and up to this one */
};

struct vm_space {
    uint32_t references; /* changed atomically */
    struct rwlock lock;  /* guards what follows */
    struct tree regions;
    size_t region_count;
    uint64_t mapped; /* bytes */
    struct vm_limits limits;
    uintptr_t break_start, break_end;

    struct spinlock pages_lock; /* guards what follows */
    struct page_map map;
    struct hal_aspace aspace;
    uint64_t resident, faults, loads;
    uint32_t cuts; /* how often a file's pages were taken away */
    uint64_t hand; /* the page that reclaim looks at next */

    struct list link; /* among all spaces; reclaim.c's */
};

/* --- region.c: caller holds the space's lock, to write where a region changes --- */

/** The region that `address` lies in, or else the next one; or NULL. */
struct vm_region *vm_region_from(const struct vm_space *space, uintptr_t address);

/** The region that `address` lies in, or NULL. */
struct vm_region *vm_region_find(const struct vm_space *space, uintptr_t address);

/** The neighbours; NULL: none. */
struct vm_region *vm_region_next(const struct vm_region *region);
struct vm_region *vm_region_before(const struct vm_region *region);

/** A region like `model`, in no space, with references of its own; NULL: no memory. No lock. */
struct vm_region *vm_region_create(const struct vm_region *model);

/** Frees it, and gives its references back; it is in no space. NULL is allowed. May sleep. */
void vm_region_free(struct vm_region *region);

/** Makes it part of the space. */
void vm_region_insert(struct vm_space *space, struct vm_region *region);

/** Takes it out again; not its pages. */
void vm_region_remove(struct vm_region *region);

/** It begins and ends there from now on, at the same place of its file. */
void vm_region_set(struct vm_region *region, uintptr_t start, uintptr_t end);

/** Cuts `region` at `address`, which is inside it: *spare, made like it, is what is behind. */
void vm_region_split(struct vm_region *region, uintptr_t address, struct vm_region **spare);

/** Joins those in the range, and the two around it, that can be one. May sleep. */
void vm_region_join(struct vm_space *space, uintptr_t start, uintptr_t end);

/** True if no hole is in the range. */
bool vm_region_covers(const struct vm_space *space, uintptr_t start, uintptr_t end);

/** True if nothing is mapped there, and no region that grows is right above. */
bool vm_range_free(const struct vm_space *space, uintptr_t start, uintptr_t end);

/** The highest free place for so many bytes; 0: none. */
uintptr_t vm_range_find(const struct vm_space *space, size_t bytes);

/** True if these are whole pages of user addresses, 1 or more; *end is behind them. */
bool vm_range_valid(uintptr_t start, size_t bytes, uintptr_t *end);

/* --- fault.c: caller holds the space's lock to write --- */

/** Takes all pages in the range away. May sleep. */
void vm_pages_drop(struct vm_space *space, uintptr_t start, uintptr_t end);

/** Frees tables of the page map that are empty by now. */
void vm_pages_trim(struct vm_space *space, uintptr_t start, uintptr_t end);

/** The word of page `number`, or 0. Caller holds pages_lock. */
static inline uintptr_t vm_word(const struct vm_space *space, uint64_t number)
{
    const uintptr_t *word = page_map_find(&space->map, number);

    return word ? *word : 0;
}

/** Has the processor forget these pages. Caller holds pages_lock. */
static inline void vm_hide(struct vm_space *space, uint64_t first, uint64_t end)
{
    hal_aspace_unmap(&space->aspace, (uintptr_t)(first * HAL_PAGE_SIZE), (size_t)(end - first));
}

/** Has the processor trap when these pages, mapped for `access`, are written to. As above. */
static inline void vm_stop_writes(struct vm_space *space, uint64_t first, uint64_t end,
                                  unsigned access)
{
    access &= ~(unsigned)HAL_USER_WRITE;
    if (access)
        hal_aspace_protect(&space->aspace, (uintptr_t)(first * HAL_PAGE_SIZE),
                           (size_t)(end - first), access);
    else
        vm_hide(space, first, end);
}

/* --- reclaim.c: the space is asked when frames are short; or no more. Any context --- */

void vm_reclaim_add(struct vm_space *space);
void vm_reclaim_remove(struct vm_space *space);
void vm_reclaim_init(void);

/* --- map.c: caller holds the space's lock to write --- */

/** What vm_unmap_locked may need: *spare, or NULL if it needs nothing. 0 or -ENOMEM. */
HAL_MUST_CHECK int vm_unmap_reserve(struct vm_space *space, uintptr_t start, uintptr_t end,
                                    struct vm_region **spare);

/** Takes regions and their pages in the range away; not the tables of the page map. May sleep. */
void vm_unmap_locked(struct vm_space *space, uintptr_t start, uintptr_t end,
                     struct vm_region **spare);

/** True if so many bytes more are within the limits, and one or two regions more. */
bool vm_may_add(const struct vm_space *space, uint64_t bytes);

/** Private zeros there, where nothing is, to be read and written. 0 or -ENOMEM. */
HAL_MUST_CHECK int vm_map_zeros(struct vm_space *space, uintptr_t start, uintptr_t end,
                                unsigned flags);

/** 0, or -EACCES: the region may not get that right. */
HAL_MUST_CHECK int vm_check_access(const struct vm_space *space, const struct vm_region *region,
                                   unsigned access);
