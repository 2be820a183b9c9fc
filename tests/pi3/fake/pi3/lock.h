/* SPDX-License-Identifier: MIT */
/*
 * lock.h: takes the place of the backend's own on the host: one thread, but taking twice is
 * noticed.
 */
#pragma once

#include <hal/cpu.h>

#include <stdbool.h>
#include <stdint.h>

struct lock {
    uint8_t held;
};

HAL_MUST_CHECK static inline hal_irq_state_t lock_take(struct lock *lock)
{
    if (lock->held) {
        __builtin_trap();
    }
    lock->held = 1;
    return 0;
}

HAL_MUST_CHECK static inline bool lock_try(struct lock *lock, hal_irq_state_t *state)
{
    if (lock->held) {
        return false;
    }
    *state = lock_take(lock);
    return true;
}

static inline void lock_release(struct lock *lock, hal_irq_state_t state)
{
    (void)state;
    lock->held = 0;
}
