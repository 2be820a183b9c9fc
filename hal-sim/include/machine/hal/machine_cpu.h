/* SPDX-License-Identifier: MIT */
/*
 * machine_cpu.h: the inline part of <hal/cpu.h> in the simulator: the soft interrupt mask.
 *
 * Masking is a flag, and what is raised is a word of bits; see hal-sim/board/cpu.c. Here is only
 * the usual case, in which nothing is pending and the clock is the host's. Included by <hal/cpu.h>.
 */
#pragma once

#include <hal/cpu.h>

#include <stdbool.h>
#include <stdint.h>

/** The part of a simulated CPU that core's inline functions touch. */
struct hal_cpu_face {
    _Atomic uint32_t pending; /**< lines that were raised, and requests of the host */
    volatile bool masked;
    bool points; /**< every unmasked call is an interrupt point (virtual clock) */
    uint8_t id;
};

/** CPU 0's: the simulator's state begins with it. */
extern struct hal_cpu_face hal_cpu_face_0 __asm__("machine") __attribute__((visibility("hidden")));

/** The CPU that this host thread plays. */
static inline struct hal_cpu_face *hal_cpu_face(void)
{
    return &hal_cpu_face_0;
}

/** The rest of an interrupt point at a change of the mask. Unmasked. */
void hal_cpu_point(void);

/** The same, and returns `result`. */
HAL_MUST_CHECK void *hal_cpu_point_with(void *result);

static inline void hal_cpu_check(const struct hal_cpu_face *cpu)
{
    if (__builtin_expect(cpu->points || cpu->pending, 0))
        hal_cpu_point();
}

static inline hal_irq_state_t hal_irq_save(void)
{
    bool before = hal_cpu_face()->masked;

    if (!before) {
        hal_cpu_check(hal_cpu_face());
        hal_cpu_face()->masked = true;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
    return before;
}

static inline void hal_irq_restore(hal_irq_state_t state)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (!state) {
        hal_cpu_face()->masked = false;
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        hal_cpu_check(hal_cpu_face());
    }
}

static inline bool hal_irq_try_mask(void)
{
    struct hal_cpu_face *cpu = hal_cpu_face();

    if (__builtin_expect(cpu->masked || cpu->points || cpu->pending, 0))
        return false;
    cpu->masked = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return true;
}

static inline void hal_irq_end_mask(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    hal_cpu_face()->masked = false;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(hal_cpu_face()->pending, 0))
        hal_cpu_point();
}

static inline void *hal_irq_end_mask_with(void *result)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    hal_cpu_face()->masked = false;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return __builtin_expect(hal_cpu_face()->pending, 0) ? hal_cpu_point_with(result) : result;
}

static inline bool hal_irq_masked(void)
{
    return hal_cpu_face()->masked;
}

static inline unsigned hal_cpu_id(void)
{
    return hal_cpu_face()->id;
}
