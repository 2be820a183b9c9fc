/* SPDX-License-Identifier: MIT */
/*
 * semaphore.c: a count and a queue. While anybody waits, units never enter the count: they are
 * handed over.
 */
#include "sync/flow/semaphore.h"

#include "boot/panic.h"

#include <stdint.h>

void semaphore_init(struct semaphore *semaphore, unsigned count)
{
    spinlock_init(&semaphore->lock, LOCK_RANK_WAIT);
    semaphore->count = count;
    wait_init(&semaphore->waiters);
}

/* Caller holds the lock. */
static bool take(struct semaphore *semaphore)
{
    if (!semaphore->count)
        return false;
    __atomic_store_n(&semaphore->count, semaphore->count - 1, __ATOMIC_RELAXED);
    return true;
}

void semaphore_down(struct semaphore *semaphore)
{
    hal_irq_state_t state = spinlock_acquire(&semaphore->lock);

    if (!take(semaphore))
        wait_sleep_always(&semaphore->waiters, &semaphore->lock);
    spinlock_release(&semaphore->lock, state);
}

int semaphore_down_until(struct semaphore *semaphore, uint64_t deadline)
{
    hal_irq_state_t state = spinlock_acquire(&semaphore->lock);
    int error = 0;

    if (!take(semaphore))
        error = wait_sleep(&semaphore->waiters, &semaphore->lock, deadline);
    spinlock_release(&semaphore->lock, state);
    return error;
}

bool semaphore_try_down(struct semaphore *semaphore)
{
    hal_irq_state_t state = spinlock_acquire(&semaphore->lock);
    bool taken = take(semaphore);

    spinlock_release(&semaphore->lock, state);
    return taken;
}

void semaphore_up(struct semaphore *semaphore)
{
    hal_irq_state_t state = spinlock_acquire(&semaphore->lock);

    if (!wait_wake_one(&semaphore->waiters)) {
        kassert(semaphore->count < UINT32_MAX);
        __atomic_store_n(&semaphore->count, semaphore->count + 1, __ATOMIC_RELAXED);
    }
    spinlock_release(&semaphore->lock, state);
}

unsigned semaphore_count(const struct semaphore *semaphore)
{
    return __atomic_load_n(&semaphore->count, __ATOMIC_RELAXED);
}
