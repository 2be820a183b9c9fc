/* SPDX-License-Identifier: MIT */
/*
 * space.h: the memory of a process: which user addresses mean what.
 *
 * A space is a line of regions that do not overlap. A region is a range of pages with one right and
 * one origin: zeros of its own, zeros that forks share, or a file. Nothing is loaded when a region
 * is made; the first touch of a page is a fault, and vm_fault finds what belongs there:
 *
 *     0x400000  r-x  a file, private        pages of the page cache, the same for all who map it
 *     0x5c0000  rw-  the file, private      the same until it is written to: then a copy of its own
 *     0x5d2000  rw-  zeros, the break       a frame of zeros for each page that is touched
 *        ...
 *     0x7ffdf000 rw- zeros, grows down      a touch right below it makes it larger
 *
 * Which frame each page has is in the space's page map (map.h), and that is the truth. The
 * processor's tables (hal_aspace) are filled from it, and may forget at any time; the kernel itself
 * reaches user memory through the page map alone (copy.h).
 *
 * A call that fails has changed nothing that anybody can see. Unmapping needs memory only to punch
 * a hole in a region; ending a space needs none.
 *
 * Changes of a space exclude each other and faults; faults of several threads run side by side. A
 * space is locked before a file system is, so nobody who holds a vnode's lock touches user memory.
 *
 * Not here: swapping, huge pages, locking in memory, pages that differ between threads.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct hal_aspace;
struct vm_space;
struct vnode;

/** How vm_map maps: one of the first two, and any of the others. */
enum {
    VM_PRIVATE = 1,         /**< writes are the space's own */
    VM_SHARED = 2,          /**< writes are seen by all who map it, and reach the file */
    VM_FIXED = 4,           /**< exactly at `hint`; what was mapped there goes */
    VM_FIXED_NOREPLACE = 8, /**< exactly at `hint`, or -EEXIST */
    VM_GROWS_DOWN = 16      /**< private and anonymous: a stack */
};

/** What vm_remap may do. */
enum { VM_REMAP_MAY_MOVE = 1, VM_REMAP_FIXED = 2 };

/** What vm_advise is told. */
enum vm_advice {
    VM_WILL_NEED, /**< a hint */
    VM_DONT_NEED  /**< pages go; the next touch finds zeros, or what the file holds */
};

/** An empty space with one reference. 0 or -ENOMEM. Thread context. */
HAL_MUST_CHECK int vm_space_create(struct vm_space **space);

/** One more reference. Any context. */
struct vm_space *vm_space_get(struct vm_space *space);

/** One less; the last one ends it, and nobody runs user code in it then. NULL is allowed. May
 * sleep. */
void vm_space_put(struct vm_space *space);

/**
 * A copy with one reference: private memory is copied, at once if there is little of it, else when
 * one of both writes to it; shared memory is the same. `alone`: nobody runs user code in `from`
 * meanwhile (else each page is kept from changing while it is copied). 0 or -ENOMEM. May sleep.
 */
HAL_MUST_CHECK int vm_space_fork(struct vm_space *from, bool alone, struct vm_space **to);

/** For hal_user_run. Any context. */
struct hal_aspace *vm_space_aspace(struct vm_space *space);

/**
 * What limits a space, and where it puts things: bytes, and UINT64_MAX for no limit. Set before
 * user code runs, or while the caller is its only thread.
 */
struct vm_limits {
    uint64_t bytes; /**< all regions together */
    uint64_t data;  /**< from the start of the break to its end */
    uint64_t stack; /**< to which a region that grows may grow */
    uintptr_t top;  /**< mappings lie below this, as high as they fit: a seed may lower it */
    bool strict;    /**< what may be written may not be executed */
};
void vm_read_limits(struct vm_space *space, struct vm_limits *limits);
void vm_set_limits(struct vm_space *space, const struct vm_limits *limits);

/**
 * Makes `bytes` bytes (rounded up to pages) usable for `access` (HAL_USER_ bits; 0: nothing, but
 * the addresses are taken), from `hint` on, if that is free, or else as high as they fit. `file`
 * NULL: zeros; else its bytes from `offset` on, for which the region keeps a reference. A page that
 * may be used at all may be read.
 *
 * The address; -EINVAL (no bytes, not aligned, not in user addresses), -ENOMEM (no room, a limit),
 * -EEXIST, -EACCES (the file was not opened for it; `strict`), -ENODEV (a file that cannot be
 * mapped), -EOVERFLOW. May sleep.
 */
HAL_MUST_CHECK int64_t vm_map(struct vm_space *space, uintptr_t hint, size_t bytes, unsigned access,
                              unsigned flags, struct file *file, uint64_t offset);

/** Nothing is mapped there any more. -EINVAL, -ENOMEM (a hole in the middle of a region). May
 * sleep. */
HAL_MUST_CHECK int vm_unmap(struct vm_space *space, uintptr_t start, size_t bytes);

/** Those pages, all of them mapped, are for `access` now. -EINVAL, -ENOMEM (or not mapped),
 * -EACCES. May sleep. */
HAL_MUST_CHECK int vm_protect(struct vm_space *space, uintptr_t start, size_t bytes,
                              unsigned access);

/**
 * Makes the `bytes` bytes at `start`, of one region, `new_bytes` long: where they are, or elsewhere
 * with VM_REMAP_MAY_MOVE; with VM_REMAP_FIXED at `new_start`, where nothing of the old may be. The
 * address; -EINVAL, -EFAULT (not mapped, or more than one region), -ENOMEM. May sleep.
 */
HAL_MUST_CHECK int64_t vm_remap(struct vm_space *space, uintptr_t start, size_t bytes,
                                size_t new_bytes, unsigned flags, uintptr_t new_start);

/** The break begins, empty, at `start` (rounded up to a page). While no user code runs. */
void vm_place_break(struct vm_space *space, uintptr_t start);

/** Moves the end of the break to `end`, if it can: where it is now, as Linux's brk. May sleep. */
uintptr_t vm_set_break(struct vm_space *space, uintptr_t end);

/** -EINVAL, -ENOMEM: not all of it is mapped. May sleep. */
HAL_MUST_CHECK int vm_advise(struct vm_space *space, uintptr_t start, size_t bytes,
                             enum vm_advice advice);

/**
 * What was written to shared mappings of files there is known to the page cache, and with `wait` on
 * the medium, when this returns. -EINVAL, -ENOMEM: not all of it is mapped; the first error. May
 * sleep.
 */
HAL_MUST_CHECK int vm_sync(struct vm_space *space, uintptr_t start, size_t bytes, bool wait);

/**
 * User code wanted to do `access`, one HAL_USER_ bit, at `address`: makes that possible. 0: let it
 * try again. -EFAULT: nothing is mapped there (SIGSEGV, SEGV_MAPERR); -EACCES: not for that
 * (SEGV_ACCERR); -ENXIO: behind the end of the file, or it cannot be read (SIGBUS); -ENOMEM. May
 * sleep.
 */
HAL_MUST_CHECK int vm_fault(struct vm_space *space, uintptr_t address, unsigned access);

/** What vm_fault calls when memory is short, with no lock of its own held: 0: try again; -ENOMEM.
 */
typedef int vm_short_hook(void);

/** From now on it calls that. Boot. */
void vm_set_short_hook(vm_short_hook *hook);

struct vm_region_info {
    uintptr_t start, end;
    unsigned access;   /**< HAL_USER_ bits */
    unsigned flags;    /**< VM_PRIVATE or VM_SHARED, VM_GROWS_DOWN */
    struct file *file; /**< a reference for the caller; NULL: none */
    uint64_t offset;   /**< of `start` in the file */
    bool is_break;
};

/** The region that `address` lies in, or else the next one. False: there is none. May sleep. */
HAL_MUST_CHECK bool vm_region_at(struct vm_space *space, uintptr_t address,
                                 struct vm_region_info *info);

/** True for those of `pages` pages (up to 64; a bit each) that a touch of would not have to load.
 */
uint64_t vm_resident(struct vm_space *space, uintptr_t start, unsigned pages);

/** How many pages have a frame, shared ones too. Any context. */
uint64_t vm_resident_pages(struct vm_space *space);

struct vm_usage {
    uint64_t mapped;   /**< bytes of all regions */
    uint64_t resident; /**< pages with a frame, shared ones too */
    uint64_t faults;   /**< calls of vm_fault that went well */
    uint64_t loads;    /**< of these, that had to load a page or copy one */
    uintptr_t break_start, break_end;
};
void vm_read_usage(struct vm_space *space, struct vm_usage *usage);

/** Two addresses with the same key are the same memory: for futexes. */
struct vm_key {
    const void *object; /**< the space, the file's vnode, or what forks share */
    uint64_t offset;    /**< bytes in it */
};

/** -EFAULT. May sleep. */
HAL_MUST_CHECK int vm_key_of(struct vm_space *space, uintptr_t address, struct vm_key *key);

/** Readies all this. Boot. */
void vm_init(void);
