/* SPDX-License-Identifier: MIT */
/*
 * spinlock.c: ticket locks: who comes takes the next number and waits until it is called, so that
 * nobody starves. Ranks are kept as one bit each in the CPU that holds them.
 */
#include "sync/spinlock.h"

#include "boot/panic.h"
#include "thread/cpu.h"

#include <hal/kstate.h>

static KSTATE unsigned bypass; /* atomic: number + 1 of the CPU for which spinlock_bypass is on */

void spinlock_bypass(bool on)
{
    __atomic_store_n(&bypass, on ? hal_cpu_id() + 1 : 0, __ATOMIC_RELAXED);
}

static KSTATE bool shared; /* atomic: there are other CPUs */

void spinlock_share(void)
{
    __atomic_store_n(&shared, true, __ATOMIC_RELEASE);
}

/* The caller is masked: without other CPUs nobody can come between, and one step need not be one.
 */
static uint32_t take_ticket(struct spinlock *lock)
{
    if (__atomic_load_n(&shared, __ATOMIC_RELAXED))
        return __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    return lock->next++;
}

static bool bypassed(void)
{
    unsigned by = __atomic_load_n(&bypass, __ATOMIC_RELAXED);

    return by != 0 && by == hal_cpu_id() + 1;
}

void spinlock_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock){.rank = (uint8_t)rank};
}

hal_irq_state_t spinlock_acquire(struct spinlock *lock)
{
    hal_irq_state_t state = hal_irq_save();
    struct cpu *cpu = cpu_here();
    uint32_t ticket;

    if (bypassed())
        return state;
    /* Only locks of lower ranks may be held: with one order for all, nobody waits in a circle. */
    kassert(cpu->held_ranks >> lock->rank == 0);
    ticket = take_ticket(lock);
    while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
        hal_cpu_relax();
    lock->holder = (uint8_t)(hal_cpu_id() + 1);
    cpu->held_ranks |= 1u << lock->rank;
    return state;
}

void spinlock_release(struct spinlock *lock, hal_irq_state_t state)
{
    if (bypassed()) {
        hal_irq_restore(state);
        return;
    }
    kassert(spinlock_held(lock));
    cpu_here()->held_ranks &= ~(1u << lock->rank);
    lock->holder = 0;
    __atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
    hal_irq_restore(state);
}

bool spinlock_held(const struct spinlock *lock)
{
    return hal_irq_masked() && lock->holder == hal_cpu_id() + 1;
}
