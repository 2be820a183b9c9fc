/* SPDX-License-Identifier: MIT */
/*
 * filelock.h: locks that programs put on files, which bind only those who ask for locks as well.
 *
 * There are two kinds, which know nothing of each other: those of bytes (fcntl) and those of whole
 * files (flock). A lock has an owner. That is an open file, for flock and for fcntl's newer locks;
 * or, for fcntl's older ones, which POSIX has, a table of descriptors, so all threads of a process
 * own them, a fork owns none, and they go when the process closes any descriptor of the file.
 *
 *     owner A   [== read ==)   [ write )          An owner's locks of one file do not overlap: a
 *     owner B        [== read ==)                 new one takes the place of what it covers.
 *
 * Who has to wait for a lock of bytes that POSIX has, and would wait in a circle, gets -EDEADLK.
 *
 * All may sleep.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct vnode;

/** As fcntl numbers them. */
enum filelock_type { FILELOCK_READ, FILELOCK_WRITE, FILELOCK_NOTHING };

enum filelock_kind { FILELOCK_BYTES, FILELOCK_FILE };

struct filelock_range {
    enum filelock_kind kind;
    enum filelock_type type; /**< FILELOCK_NOTHING: unlock */
    uint64_t first, last;    /**< bytes, both of them in it; last UINT64_MAX: all that may come */
    const void *owner;       /**< only its address counts */
    uint32_t pid;            /**< for those who ask who has it */
    bool of_process;         /**< POSIX's: looks for circles */
};

/** Readies all this. Boot. */
void filelock_start(void);

/**
 * Locks or unlocks. 0; -EAGAIN: somebody else's is in the way, and `wait` is false; -EDEADLK;
 * -EINTR; -ENOLCK: no memory. After an error nothing has changed.
 */
HAL_MUST_CHECK int filelock_set(struct vnode *vnode, const struct filelock_range *range, bool wait);

/** True, and *found: a lock of somebody else that is in the way of `range`. */
HAL_MUST_CHECK bool filelock_find(struct vnode *vnode, const struct filelock_range *range,
                                  struct filelock_range *found);

/** The locks of `owner` on the file go. Costs next to nothing if the file has no locks. */
void filelock_release(struct vnode *vnode, const void *owner);
