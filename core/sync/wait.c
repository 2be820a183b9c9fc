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

#include <hal/errno.h>

void wait_init(struct wait_queue *queue)
{
    list_init(&queue->waiters);
}

static int sleep_in(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline,
                    bool cancellable)
{
    struct thread *self = thread_current();
    hal_irq_state_t masked;
    int reason;

    kassert(spinlock_held(lock));
    list_add_tail(&queue->waiters, &self->wait_link);
    masked = run_lock();
    /* From here to the switch the run lock keeps wakers from missing this thread. */
    spinlock_release(lock, masked);
    reason = run_block(deadline, cancellable);
    run_unlock(masked);
    /* Interrupts have been masked all the way; the caller still has the state from before. */
    masked = spinlock_acquire(lock);
    list_remove(&self->wait_link);
    return reason;
}

int wait_sleep(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline)
{
    return sleep_in(queue, lock, deadline, true);
}

void wait_sleep_always(struct wait_queue *queue, struct spinlock *lock)
{
    (void)sleep_in(queue, lock, HAL_TIME_NEVER, false);
}

struct thread *wait_wake_one(struct wait_queue *queue)
{
    struct list *link;

    while ((link = list_take_head(&queue->waiters))) {
        struct thread *thread = list_entry(link, struct thread, wait_link);

        if (run_wake(thread))
            return thread;
    }
    return NULL;
}

void wait_wake_all(struct wait_queue *queue)
{
    while (wait_wake_one(queue))
        continue;
}
