/* SPDX-License-Identifier: MIT */
/*
 * waits.h: which thread waits for which: for a mutex, an rwlock, or the end of another thread.
 *
 * Each such wait is noted on the stack of the thread that waits, and all are in one list. The owner
 * of a mutex that somebody waits for, what that owner waits for itself, and so on, is the owner
 * chain: what a scheduler needs that lends an urgent waiter's priority to whom it waits for
 * (waits_set_hooks).
 *
 * With the checks on, a thread that begins to wait first follows all chains from the lock on:
 *
 *     A waits for lock 1 --> held by B, which waits for lock 2 --> held by A
 *
 * If one leads back to itself, then none of these threads will ever run again. That is certain, and
 * a bug of the kernel, so it is a panic, which names each thread, what it waits for and where that
 * was taken. A wait that has a deadline ends by itself and is no part of a circle.
 */
#pragma once

#include "lib/list.h"
#include "sync/check/class.h"

struct thread;

enum wait_for { WAIT_FOR_MUTEX, WAIT_FOR_READ, WAIT_FOR_WRITE, WAIT_FOR_END };

/** A wait, on the stack of the thread that waits. */
struct lock_wait {
    struct list link; /**< in the list of all */
    struct thread *thread;
    enum wait_for what;
    const void *object; /**< the mutex or rwlock; the thread whose end is waited for */
    uint16_t class;     /**< of the lock */
    bool timed;         /**< it has a deadline */
    bool over;          /**< it was granted: the thread is on its way */
    const struct lock_site *site;
};

/**
 * Readies this, and switches the checks on or off as `checks` says, or the boot word `lockchecks=`.
 * Boot only, after thread_init.
 */
void waits_start(bool checks);

/**
 * The calling thread is about to wait as `wait` says, whose members from `what` on the caller has
 * set. Panics if that is a deadlock (with the checks on). Caller holds the spinlock that guards
 * `object`, if one does, and no lock above LOCK_RANK_TIMER. Returns hal_time_now().
 */
uint64_t waits_begin(struct lock_wait *wait);

/** The wait is granted: `wait` is no longer in anybody's way. Caller as above; any thread. For a
 * mutex, waits_pass does this. */
void waits_grant(struct lock_wait *wait);

/** The calling thread does not wait any more, since `now`. Caller as above. */
void waits_end(struct lock_wait *wait, uint64_t now);

/** Copies the wait number `index` in the order of their beginnings; false: there are not so many.
 * `thread` gets the number of who waits. Any context. */
HAL_MUST_CHECK bool waits_at(unsigned index, struct lock_wait *wait, uint32_t *thread);

/** How many there are. Any context. */
unsigned waits_count(void);

/**
 * What a scheduler does about threads that are in the way of others.
 *
 * waits: `waiter` has begun to wait for a mutex of `owner`. Called for each owner along the chain,
 * nearest first. counts: who waits for `owner` has changed in another way: it gave up a mutex or
 * was given one that others wait for, or one of them gave up waiting; what is lent to it now,
 * waits_each tells. This is called along the chain too. Both are called with LOCK_RANK_CHAIN held,
 * so that the threads stay, and may take the locks of higher ranks.
 */
struct waits_hooks {
    void (*waits)(struct thread *owner, struct thread *waiter);
    void (*counts)(struct thread *owner);
};

/**
 * Sets the hooks, which must stay; NULL: none. Returns those before. What is waited for already
 * they are not told; waits_recount does that. Any context that may take LOCK_RANK_CHAIN.
 */
const struct waits_hooks *waits_set_hooks(const struct waits_hooks *hooks);

/** True if there are hooks. Any context. */
bool waits_has_hooks(void);

/** A mutex's wait has begun, whose owner is `owner`: calls the hook along the chain. */
void waits_lend(struct lock_wait *wait, struct thread *owner);

/**
 * `owner` gives up a mutex that others wait for, and `next` owns it from now on; NULL: nobody, they
 * are all late. Grants the wait of `next` and calls the hook for both. Caller holds the mutex's
 * spinlock.
 */
void waits_pass(struct thread *owner, struct thread *next);

/** A thread gave up waiting for a mutex of `owner`: calls the hook along the chain. Caller holds
 * the mutex's spinlock. */
void waits_return(struct thread *owner);

/** What `waiter` lends has changed: calls the hook along the chain of those it waits for. Any
 * context that may take LOCK_RANK_CHAIN; the thread stays meanwhile. */
void waits_recount(struct thread *waiter);

/**
 * Calls visit(waiter, context) for each thread that waits for a mutex which `owner` owns: for the
 * hooks, which are called with LOCK_RANK_CHAIN held. `visit` may take locks of higher ranks.
 */
void waits_each(const struct thread *owner, void (*visit)(struct thread *waiter, void *context),
                void *context);
