/* SPDX-License-Identifier: MIT */
/*
 * mutex.c: a mutex is an owner and a queue. Unlocking makes the longest waiter the owner before it
 * runs, so a thread that unlocks and locks again cannot overtake.
 */
#include "sync/mutex.h"

#include "boot/panic.h"
#include "thread/thread.h"

void mutex_init(struct mutex *mutex)
{
    spinlock_init(&mutex->lock, LOCK_RANK_WAIT);
    mutex->owner = NULL;
    wait_init(&mutex->waiters);
}

void mutex_lock(struct mutex *mutex)
{
    struct thread *self = thread_current();
    hal_irq_state_t state = spinlock_acquire(&mutex->lock);

    kassert(mutex->owner != self);
    if (!mutex->owner)
        mutex->owner = self;
    while (mutex->owner != self)
        wait_sleep_always(&mutex->waiters, &mutex->lock);
    spinlock_release(&mutex->lock, state);
}

bool mutex_trylock(struct mutex *mutex)
{
    hal_irq_state_t state = spinlock_acquire(&mutex->lock);
    bool taken = !mutex->owner;

    if (taken)
        mutex->owner = thread_current();
    spinlock_release(&mutex->lock, state);
    return taken;
}

void mutex_unlock(struct mutex *mutex)
{
    hal_irq_state_t state = spinlock_acquire(&mutex->lock);

    kassert(mutex->owner == thread_current());
    mutex->owner = wait_wake_one(&mutex->waiters);
    spinlock_release(&mutex->lock, state);
}

bool mutex_owned(struct mutex *mutex)
{
    hal_irq_state_t state = spinlock_acquire(&mutex->lock);
    bool owned = mutex->owner == thread_current();

    spinlock_release(&mutex->lock, state);
    return owned;
}
