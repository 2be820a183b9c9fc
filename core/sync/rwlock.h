/* SPDX-License-Identifier: MIT */
/*
 * rwlock.h: a lock that many readers hold together, or one writer alone.
 *
 * Fair to both: who comes is served in the order of arrival, and readers that stand next to each
 * other in the queue are let in together. A reader that finds a writer waiting waits behind it, so
 * readers that keep coming do not starve a writer; and what a writer leaves goes to those who came
 * first, so writers do not starve readers.
 *
 *     held by readers r r     queue: W r r W r      the next: W alone, then r r together, then W
 *
 * For that reason a thread that reads must not begin to read again: a writer may have come in
 * between, and each would wait for the other. With the checks on it is a panic. The checks are
 * those of a mutex; see mutex.h. None of this is cut short by thread_cancel.
 *
 * The functions are macros that add the place of the call.
 */
#pragma once

#include "sync/wait.h"

struct thread;

struct rwlock {
    struct spinlock lock; /**< guards the members below */
    uint16_t class;       /**< its number; constant */
    unsigned readers;     /**< that hold it */
    struct thread *writer;
    struct wait_queue waiters;
};

/** Makes a free lock, whose class is this line. Any context. */
#define rwlock_init(rwlock) rwlock_init_class(rwlock, LOCK_CLASS(LOCK_RWLOCK, #rwlock))

/** Takes it for reading. May sleep. */
#define rwlock_read(rwlock) rwlock_take_at(rwlock, true, LOCK_SITE())

/** Takes it for writing. May sleep. */
#define rwlock_write(rwlock) rwlock_take_at(rwlock, false, LOCK_SITE())

/**
 * As rwlock_write, under others of the same class, whose order among themselves is the caller's
 * affair: it is not by address, and is not checked. May sleep.
 */
#define rwlock_write_nested(rwlock) rwlock_take_nested_at(rwlock, LOCK_SITE())

/** As rwlock_read and rwlock_write, but these give up at `deadline` of hal_time_now: 0 or
 * -ETIMEDOUT. May sleep. */
#define rwlock_read_until(rwlock, deadline) \
    rwlock_take_until_at(rwlock, true, deadline, LOCK_SITE())
#define rwlock_write_until(rwlock, deadline) \
    rwlock_take_until_at(rwlock, false, deadline, LOCK_SITE())

/** Takes it if nobody is in the way, not even one who waits; says whether. Thread context. */
#define rwlock_try_read(rwlock) rwlock_try_at(rwlock, true, LOCK_SITE())
#define rwlock_try_write(rwlock) rwlock_try_at(rwlock, false, LOCK_SITE())

/** Ends what the caller's rwlock_read or rwlock_write began. */
#define rwlock_end_read(rwlock) rwlock_end_at(rwlock, true, LOCK_SITE())
#define rwlock_end_write(rwlock) rwlock_end_at(rwlock, false, LOCK_SITE())

void rwlock_init_class(struct rwlock *rwlock, const struct lock_class *class);
void rwlock_take_at(struct rwlock *rwlock, bool shared, const struct lock_site *site);
void rwlock_take_nested_at(struct rwlock *rwlock, const struct lock_site *site);
HAL_MUST_CHECK int rwlock_take_until_at(struct rwlock *rwlock, bool shared, uint64_t deadline,
                                        const struct lock_site *site);
HAL_MUST_CHECK bool rwlock_try_at(struct rwlock *rwlock, bool shared, const struct lock_site *site);
void rwlock_end_at(struct rwlock *rwlock, bool shared, const struct lock_site *site);
