/* SPDX-License-Identifier: MIT */
/*
 * wait.c: wait queues, on top of the scheduler's two primitives: block and ready.
 *
 * A thread whose time is up, or that was cancelled, is made ready by the scheduler, which must not
 * touch the queue (its lock comes before the run lock in rank). Such a thread stays linked until it
 * runs and unlinks itself; wakers skip it.
 */
#include "sync/wait.h"

#include "boot/panic.h"
#include "thread/run.h"
#include "thread/thread.h"

void wait_init(struct wait_queue *queue)
{
    list_init(&queue->waiters);
}

static int sleep_in(struct wait_queue *queue, struct spinlock *lock, uint64_t now,
                    uint64_t deadline, bool cancellable, const struct lock_site *site)
{
    struct thread *self = thread_current();
    hal_irq_state_t masked;
    int reason;

    spinlock_check_sleep(lock, site);
    kassert(spinlock_held(lock));
    list_add_tail(&queue->waiters, &self->wait_link);
    self->sleeps_at = site;
    masked = run_lock();
    /* From here to the switch the run lock keeps wakers from missing this thread. */
    spinlock_release(lock, masked);
    reason = run_block(now, deadline, cancellable);
    run_unlock(masked);
    /* Interrupts have been masked all the way; the caller still has the state from before. */
    spinlock_acquire_masked_at(lock, site);
    list_remove(&self->wait_link);
    self->sleeps_at = NULL;
    return reason;
}

int wait_sleep_since_at(struct wait_queue *queue, struct spinlock *lock, uint64_t now,
                        uint64_t deadline, bool cancellable, const struct lock_site *site)
{
    return sleep_in(queue, lock, now, deadline, cancellable, site);
}

int wait_sleep_at(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline,
                  bool cancellable, const struct lock_site *site)
{
    return sleep_in(queue, lock, hal_time_now(), deadline, cancellable, site);
}

void wait_sleep_always_at(struct wait_queue *queue, struct spinlock *lock,
                          const struct lock_site *site)
{
    (void)sleep_in(queue, lock, hal_time_now(), HAL_TIME_NEVER, false, site);
}

struct thread *wait_first(const struct wait_queue *queue)
{
    return wait_empty(queue) ? NULL : list_entry(queue->waiters.next, struct thread, wait_link);
}

bool wait_wake_thread(struct thread *thread)
{
    list_remove(&thread->wait_link);
    return run_wake(thread);
}

struct thread *wait_wake_one(struct wait_queue *queue)
{
    struct thread *first;

    while ((first = wait_first(queue)))
        if (wait_wake_thread(first))
            return first;
    return NULL;
}

void wait_wake_all(struct wait_queue *queue)
{
    while (wait_wake_one(queue))
        continue;
}
