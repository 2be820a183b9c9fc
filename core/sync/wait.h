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
 */
#pragma once

#include "lib/list.h"
#include "sync/spinlock.h"

#include <hal/time.h>

struct wait_queue {
    struct list waiters; /**< in the order of their arrival; guarded by the caller's lock */
};

void wait_init(struct wait_queue *queue);

/**
 * Sleeps until woken or until `deadline` (hal_time_now; HAL_TIME_NEVER: no limit).
 *
 * Caller holds `lock`, and holds it again on return; interrupts stay masked for the caller.
 * Returns 0 when woken (look at the condition again), -ETIMEDOUT, or -EINTR when the thread was
 * cancelled (thread_cancel). May sleep, so the caller holds no other spinlock.
 */
HAL_MUST_CHECK int wait_sleep(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline);

/** As wait_sleep without a limit, and not cut short by thread_cancel. */
void wait_sleep_always(struct wait_queue *queue, struct spinlock *lock);

struct thread;

/**
 * Wakes the thread that has waited longest and returns it; NULL if nobody waits. Caller holds the
 * queue's lock. Any context. The thread may end soon: only its address is of use.
 */
struct thread *wait_wake_one(struct wait_queue *queue);

/** Wakes all. Caller holds the queue's lock. Any context. */
void wait_wake_all(struct wait_queue *queue);
