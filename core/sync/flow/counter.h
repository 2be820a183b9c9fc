/* SPDX-License-Identifier: MIT */
/*
 * counter.h: a number that all CPUs count up and down without a lock: each has a part of its own,
 * in a cache line of its own, and the value is the sum of the parts.
 *
 * A part may be negative where one CPU takes what another gave. The sum is exact when nobody counts
 * meanwhile; otherwise it misses some of what happens during the call, and nothing else.
 */
#pragma once

#include <hal/cpu.h>
#include <hal/machine.h>

#include <stdalign.h>

struct counter {
    struct {
        alignas(64) int64_t value; /**< written by that CPU only, masked */
    } cpu[HAL_CPU_MAX];
};

/** Adds `n`, which may be negative. Any context. */
static inline void counter_add(struct counter *counter, int64_t n)
{
    /* Masked, so that neither an interrupt nor a switch comes between reading and writing. */
    hal_irq_state_t state = hal_irq_save();
    int64_t *value = &counter->cpu[hal_cpu_id()].value;

    __atomic_store_n(value, *value + n, __ATOMIC_RELAXED);
    hal_irq_restore(state);
}

/** The sum. Any context. */
static inline int64_t counter_sum(const struct counter *counter)
{
    int64_t sum = 0;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        sum += __atomic_load_n(&counter->cpu[cpu].value, __ATOMIC_RELAXED);
    return sum;
}

/** Sets it to 0. Nobody counts meanwhile. Any context. */
static inline void counter_init(struct counter *counter)
{
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        __atomic_store_n(&counter->cpu[cpu].value, 0, __ATOMIC_RELAXED);
}
