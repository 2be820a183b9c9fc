/* SPDX-License-Identifier: MIT */
/*
 * wait.h: wait queues: threads that sleep until somebody says that a condition may have changed.
 *
 * The condition is guarded by a spinlock of the caller's, which is also the queue's lock. To wait:
 *
 *     state = spinlock_acquire(&lock);
 *     while (!condition)
 *         error = wait_sleep(&queue, &lock, deadline);
 *     spinlock_release(&lock, state);
 *
 * Releasing the lock and going to sleep are one step: no wake-up in between is missed.
 *
 * Of the three ends that a sleep can have, being woken, the deadline and a cancellation, exactly
 * one happens, whichever comes first, and the sleeper learns which. In particular a wake-up is
 * never lost on a thread whose sleep has ended otherwise: wait_wake_one passes on to the next. So 0
 * from wait_sleep means that a waker chose this thread, and a lock or a unit may be handed over by
 * it.
 */
#pragma once

#include "lib/list.h"
#include "sync/spinlock.h"

#include <hal/time.h>

struct thread;

struct wait_queue {
    struct list waiters; /**< in the order of their arrival; guarded by the caller's lock */
};

void wait_init(struct wait_queue *queue);

/**
 * int wait_sleep(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline)
 *
 * Sleeps until woken or until `deadline` (hal_time_now; HAL_TIME_NEVER: no limit; one that has
 * passed: gives others a turn and returns).
 *
 * Caller holds `lock`, and holds it again on return; interrupts stay masked for the caller.
 * Returns 0 when woken (look at the condition again), -ETIMEDOUT, or -EINTR when the thread was
 * cancelled (thread_cancel), also before. May sleep, so the caller holds no other spinlock.
 */
#define wait_sleep(queue, lock, deadline) wait_sleep_at(queue, lock, deadline, true, LOCK_SITE())

/** As wait_sleep, but not cut short by thread_cancel. Returns 0 or -ETIMEDOUT. */
#define wait_sleep_firmly(queue, lock, deadline) \
    wait_sleep_at(queue, lock, deadline, false, LOCK_SITE())

/** As wait_sleep without a limit, and not cut short by thread_cancel. */
#define wait_sleep_always(queue, lock) wait_sleep_always_at(queue, lock, LOCK_SITE())

HAL_MUST_CHECK int wait_sleep_at(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline,
                                 bool cancellable, const struct lock_site *site);
/** As wait_sleep_at, from `now` on, which is hal_time_now() of a moment ago. */
HAL_MUST_CHECK int wait_sleep_since_at(struct wait_queue *queue, struct spinlock *lock,
                                       uint64_t now, uint64_t deadline, bool cancellable,
                                       const struct lock_site *site);
void wait_sleep_always_at(struct wait_queue *queue, struct spinlock *lock,
                          const struct lock_site *site);

/**
 * Wakes the thread that has waited longest and returns it; NULL if nobody waits. Caller holds the
 * queue's lock. Any context. The thread may end soon: only its address is of use.
 */
struct thread *wait_wake_one(struct wait_queue *queue);

/** Wakes all. Caller holds the queue's lock. Any context. */
void wait_wake_all(struct wait_queue *queue);

/**
 * The thread that has waited longest, which may have been woken otherwise meanwhile; NULL if there
 * is none. It stays while the caller holds the queue's lock. Any context.
 */
struct thread *wait_first(const struct wait_queue *queue);

/**
 * Takes `thread` off its queue and wakes it. False: its sleep had ended otherwise before. Caller
 * holds the lock of the queue that it waits in. Any context.
 */
HAL_MUST_CHECK bool wait_wake_thread(struct thread *thread);

/** True if nobody waits, not even one whose sleep has ended. Caller holds the queue's lock. */
static inline bool wait_empty(const struct wait_queue *queue)
{
    return list_empty(&queue->waiters);
}
