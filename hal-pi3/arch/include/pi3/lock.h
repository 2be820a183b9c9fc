/* SPDX-License-Identifier: MIT */
/*
 * lock.h: the backend's own lock: short sections, interrupts masked, any CPU.
 */
#pragma once

#include <hal/cpu.h>

#include <stdbool.h>
#include <stdint.h>

struct lock {
    uint8_t held; /**< zero-initialised is free */
};

/** Masks interrupts and takes `lock`. What it returns belongs to the matching lock_release. */
HAL_MUST_CHECK static inline hal_irq_state_t lock_take(struct lock *lock)
{
    hal_irq_state_t state = hal_irq_save();
    while (__atomic_test_and_set(&lock->held, __ATOMIC_ACQUIRE)) {
        hal_cpu_relax();
    }
    return state;
}

/** The same without waiting: false, and nothing has happened, when somebody has it. */
HAL_MUST_CHECK static inline bool lock_try(struct lock *lock, hal_irq_state_t *state)
{
    *state = hal_irq_save();
    if (!__atomic_test_and_set(&lock->held, __ATOMIC_ACQUIRE)) {
        return true;
    }
    hal_irq_restore(*state);
    return false;
}

static inline void lock_release(struct lock *lock, hal_irq_state_t state)
{
    __atomic_clear(&lock->held, __ATOMIC_RELEASE);
    hal_irq_restore(state);
}
