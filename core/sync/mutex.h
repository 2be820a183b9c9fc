/* SPDX-License-Identifier: MIT */
/*
 * mutex.h: mutual exclusion for threads, which sleep while they wait; and conditions, on which the
 * owner of a mutex waits for what others will do under it.
 *
 * Handed over: unlocking makes the longest waiter the owner before it runs, so nobody overtakes.
 * Only the owner unlocks, and it does not lock again; both are checked always, and so is that the
 * caller may sleep. With the checks on, also: that locks are taken in one order (check/order.h) and
 * that nobody waits in a circle (check/waits.h). Each is a panic, or an error in the log, that
 * names the mutex and the places.
 *
 * The functions are macros that add the place of the call.
 */
#pragma once

#include "sync/wait.h"

struct thread;
struct lock_wait;

struct mutex {
    struct spinlock lock; /**< guards the members below */
    uint16_t class;       /**< its number; constant */
    struct thread *owner; /**< NULL: free. Atomic, for those who only look */
    struct wait_queue waiters;
    unsigned waiting; /**< threads in mutex_lock that sleep, or have just been woken */
};

/** Makes a free mutex, whose class is this line. Any context. */
#define mutex_init(mutex) mutex_init_class(mutex, LOCK_CLASS(LOCK_MUTEX, #mutex))

/** Takes it. May sleep. The owner must not take it again. Not cut short by thread_cancel. */
#define mutex_lock(mutex) mutex_lock_at(mutex, LOCK_SITE())

/**
 * As mutex_lock, but gives up at `deadline` of hal_time_now: 0, or -ETIMEDOUT, and it is not the
 * caller's. A free mutex is taken whatever the deadline. May sleep.
 */
#define mutex_lock_until(mutex, deadline) mutex_lock_until_at(mutex, deadline, LOCK_SITE())

/** Takes it if it is free, and says whether. Thread context, also with spinlocks of lower rank. */
#define mutex_trylock(mutex) mutex_trylock_at(mutex, LOCK_SITE())

/** Caller is the owner. */
#define mutex_unlock(mutex) mutex_unlock_at(mutex, LOCK_SITE())

void mutex_init_class(struct mutex *mutex, const struct lock_class *class);
void mutex_lock_at(struct mutex *mutex, const struct lock_site *site);
HAL_MUST_CHECK int mutex_lock_until_at(struct mutex *mutex, uint64_t deadline,
                                       const struct lock_site *site);
HAL_MUST_CHECK bool mutex_trylock_at(struct mutex *mutex, const struct lock_site *site);
void mutex_unlock_at(struct mutex *mutex, const struct lock_site *site);

/** True if the calling thread owns it. For assertions. */
bool mutex_owned(struct mutex *mutex);

/** Who owns it at this moment, or NULL: only the address is of use. Any context. */
static inline struct thread *mutex_owner(const struct mutex *mutex)
{
    return __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED);
}

/**
 * Something that a mutex guards and that threads wait for. After Mesa: who was woken has the mutex
 * again, but others may have had it in between, so the condition is looked at in a loop:
 *
 *     mutex_lock(&m);
 *     while (nothing_to_eat)
 *         condition_wait(&food);
 *     ...
 *     mutex_unlock(&m);
 */
struct condition {
    struct mutex *mutex; /**< whose spinlock guards the queue */
    struct wait_queue waiters;
};

/** `mutex` is what guards it; it stays as long as the condition. Any context. */
void condition_init(struct condition *condition, struct mutex *mutex);

/**
 * Unlocks the mutex, sleeps until signalled, and locks it again. Unlocking and sleeping are one
 * step. Caller owns the mutex. May sleep. Not cut short by thread_cancel.
 */
#define condition_wait(condition) condition_wait_at(condition, LOCK_SITE())

/**
 * As condition_wait, until `deadline` at most: 0, -ETIMEDOUT, or -EINTR when the thread was
 * cancelled. The mutex is the caller's again in any case, however long that takes.
 */
#define condition_wait_until(condition, deadline) \
    condition_wait_until_at(condition, deadline, LOCK_SITE())

void condition_wait_at(struct condition *condition, const struct lock_site *site);
HAL_MUST_CHECK int condition_wait_until_at(struct condition *condition, uint64_t deadline,
                                           const struct lock_site *site);

/**
 * Wakes who has waited longest, if anybody waits. Any context that may take LOCK_RANK_WAIT; whether
 * the caller owns the mutex decides who sees the condition first, not whether a wake-up is lost.
 */
void condition_signal(struct condition *condition);

/** Wakes all that wait. Context as above. */
void condition_broadcast(struct condition *condition);
