/* SPDX-License-Identifier: MIT */
/*
 * descriptor.h: the open files of a process, by small numbers.
 *
 *     0 -> file, 1 -> file, 2 -> file, 3 free, 4 -> file, closed by exec
 *
 * Several descriptors may stand for the same open file (dup), also in several processes (fork), and
 * then share its place. A table may be shared by processes (CLONE_FILES).
 *
 * Thread context unless it says otherwise.
 */
#pragma once

#include "sync/spinlock.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DESCRIPTORS_MAX 4096u /**< of a table */

struct file;

struct descriptor_table {
    uint32_t references;  /**< changed atomically */
    uint32_t owners;      /**< the processes among them; changed atomically */
    struct spinlock lock; /**< guards the rest */
    unsigned room;        /**< a multiple of 64 */
    struct file **files;  /**< NULL: free */
    uint64_t *closing;    /**< a bit for each: exec closes it */
};

/** An empty table with one reference, for a process, or NULL. */
struct descriptor_table *descriptor_table_create(void);

/** A table with the same files, for a process as well; or NULL. */
struct descriptor_table *descriptor_table_copy(struct descriptor_table *from);

/** One more process has the table; or one that had it has it no more, as descriptor_table_put. */
struct descriptor_table *descriptor_table_share(struct descriptor_table *table);
void descriptor_table_leave(struct descriptor_table *table);

/** True if more than one process has it. */
bool descriptor_table_is_shared(const struct descriptor_table *table);

/** A reference for who looks at it. */
struct descriptor_table *descriptor_table_get(struct descriptor_table *table);

/** One reference less; the last one closes all. NULL is allowed. May sleep. */
void descriptor_table_put(struct descriptor_table *table);

/** Closes those that exec closes. The caller's process alone has the table. May sleep. */
void descriptor_close_on_exec(struct descriptor_table *table);

/** The file, with a reference for the caller, or NULL. */
struct file *descriptor_file(struct descriptor_table *table, unsigned number);

/**
 * Makes the least free number that is at least `least` and below `limit` stand for `file`, which
 * keeps the caller's reference. The number; -EMFILE; -ENOMEM; then the reference is the caller's.
 * NULL: nothing is added, but there is room for it now.
 */
HAL_MUST_CHECK int descriptor_add(struct descriptor_table *table, struct file *file, unsigned least,
                                  unsigned limit, bool closing);

/**
 * Makes `number`, < DESCRIPTORS_MAX, stand for `file`, as above; what it stood for is closed. 0 or
 * -ENOMEM. May sleep.
 */
HAL_MUST_CHECK int descriptor_set(struct descriptor_table *table, struct file *file,
                                  unsigned number, bool closing);

/** Makes it free, and lets go of the file and of the process's locks on it. False: it was free. May
 * sleep. */
bool descriptor_close(struct descriptor_table *table, unsigned number);

/** Makes it free, and gives back the file with its reference; NULL: it was free. */
struct file *descriptor_take(struct descriptor_table *table, unsigned number);

/** Whether exec closes it: 0, 1, or -EBADF. */
HAL_MUST_CHECK int descriptor_is_closing(struct descriptor_table *table, unsigned number);
HAL_MUST_CHECK int descriptor_set_closing(struct descriptor_table *table, unsigned number,
                                          bool closing);

/** The first number at least `number` that is taken, or -EBADF. */
HAL_MUST_CHECK int descriptor_next(struct descriptor_table *table, unsigned number);
