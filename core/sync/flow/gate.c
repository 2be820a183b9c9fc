/* SPDX-License-Identifier: MIT */
/*
 * gate.c: completions and barriers. The last thing that either does with its memory when it lets
 * somebody through is to release the spinlock, which who is let through takes first.
 */
#include "sync/flow/gate.h"

#include "boot/panic.h"

#include <stdint.h>

/* ---- completions ---- */

void completion_init(struct completion *completion)
{
    spinlock_init(&completion->lock, LOCK_RANK_WAIT);
    completion->done = 0;
    wait_init(&completion->waiters);
}

static void set_done(struct completion *completion, unsigned done)
{
    __atomic_store_n(&completion->done, done, __ATOMIC_RELAXED);
}

/* Caller holds the lock. */
static bool pass(struct completion *completion)
{
    if (!completion->done)
        return false;
    if (completion->done < UINT32_MAX)
        set_done(completion, completion->done - 1);
    return true;
}

void completion_wait(struct completion *completion)
{
    hal_irq_state_t state = spinlock_acquire(&completion->lock);

    if (!pass(completion))
        wait_sleep_always(&completion->waiters, &completion->lock);
    spinlock_release(&completion->lock, state);
}

int completion_wait_until(struct completion *completion, uint64_t deadline)
{
    hal_irq_state_t state = spinlock_acquire(&completion->lock);
    int error = 0;

    if (!pass(completion))
        error = wait_sleep(&completion->waiters, &completion->lock, deadline);
    spinlock_release(&completion->lock, state);
    return error;
}

void completion_one(struct completion *completion)
{
    hal_irq_state_t state = spinlock_acquire(&completion->lock);

    if (!wait_wake_one(&completion->waiters) && completion->done < UINT32_MAX - 1)
        set_done(completion, completion->done + 1);
    spinlock_release(&completion->lock, state);
}

void completion_all(struct completion *completion)
{
    hal_irq_state_t state = spinlock_acquire(&completion->lock);

    set_done(completion, UINT32_MAX);
    wait_wake_all(&completion->waiters);
    spinlock_release(&completion->lock, state);
}

bool completion_is_done(const struct completion *completion)
{
    return __atomic_load_n(&completion->done, __ATOMIC_RELAXED) > 0;
}

/* ---- barriers ---- */

void barrier_init(struct barrier *barrier, unsigned needed)
{
    kassert(needed > 0);
    spinlock_init(&barrier->lock, LOCK_RANK_WAIT);
    barrier->needed = needed;
    barrier->arrived = 0;
    barrier->round = 0;
    wait_init(&barrier->waiters);
}

bool barrier_wait(struct barrier *barrier)
{
    hal_irq_state_t state = spinlock_acquire(&barrier->lock);
    uint64_t round = barrier->round;
    bool last = ++barrier->arrived == barrier->needed;

    if (last) {
        barrier->arrived = 0;
        barrier->round++;
        wait_wake_all(&barrier->waiters);
    }
    while (barrier->round == round)
        wait_sleep_always(&barrier->waiters, &barrier->lock);
    spinlock_release(&barrier->lock, state);
    return last;
}
