/* SPDX-License-Identifier: MIT */
/*
 * machine_cpu.h: the inline part of <hal/cpu.h> on the Pi: the I bit of DAIF, and the CPU's number
 * from its affinity register. Included by <hal/cpu.h>.
 *
 * Source: Arm Architecture Reference Manual for A-profile, DAIF and MPIDR_EL1.
 */
#pragma once

#include <hal/cpu.h>

#include <stdbool.h>
#include <stdint.h>

static inline hal_irq_state_t hal_irq_save(void)
{
    hal_irq_state_t state;

    __asm__ volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(state)::"memory");
    return state;
}

static inline void hal_irq_restore(hal_irq_state_t state)
{
    __asm__ volatile("msr daif, %0" ::"r"(state) : "memory");
}

static inline bool hal_irq_masked(void)
{
    uint64_t state;

    __asm__ volatile("mrs %0, daif" : "=r"(state));
    return (state & (1u << 7)) != 0;
}

static inline bool hal_irq_try_mask(void)
{
    if (hal_irq_masked())
        return false;
    __asm__ volatile("msr daifset, #2" ::: "memory");
    return true;
}

static inline void hal_irq_end_mask(void)
{
    __asm__ volatile("msr daifclr, #2" ::: "memory");
}

static inline void *hal_irq_end_mask_with(void *result)
{
    hal_irq_end_mask();
    return result;
}

static inline unsigned hal_cpu_id(void)
{
    uint64_t affinity;

    __asm__ volatile("mrs %0, mpidr_el1" : "=r"(affinity));
    return (unsigned)affinity & 3u;
}
