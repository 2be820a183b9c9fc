/* SPDX-License-Identifier: MIT */
/*
 * machine_cpu.h: the inline part of <hal/cpu.h> in the simulator: the soft interrupt mask.
 *
 * Masking is a flag, and what is raised is a word of bits; see hal-sim/board/cpu.c. Here is only
 * the usual case, in which nothing is pending and the clock is the host's. Included by <hal/cpu.h>.
 *
 * The flag belongs to a CPU, a CPU is a host thread, and code that is not masked may be interrupted
 * after any instruction and go on as another thread. So the flag lies in the thread's own storage,
 * and is read and written by one instruction that is relative to %fs: it acts on the CPU that
 * executes it, and there is no moment at which an address of it is held. (Written in C, the
 * compiler may work out the address once and keep it.) Then
 *
 *   hal_irq_masked   is right when it reads, and an answer of true stays right: a masked context
 *                    is not moved. False may be a moment old, but says "this context is unmasked",
 *                    which a move does not change.
 *   hal_irq_save     between its look at the flag and its write a move does no harm: the context is
 *                    unmasked before and after it. From the write on it stays where it is.
 *   hal_irq_restore  writes on the CPU it is on, being masked. If it is moved before it has looked
 *                    at the pending bits, then an interrupt did that, and the CPU that it left took
 *                    all that was pending; and the CPU that continues it took all of its own before
 *                    it returned to here unmasked. Bits that come later bring a signal. So the look
 *                    may be at the bits of a CPU that is no longer this one: at worst it is for
 *                    nothing.
 */
#pragma once

#include <hal/cpu.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a host thread knows of the CPU that it plays. */
struct hal_cpu_face {
    _Atomic uint32_t *pending; /**< lines that were raised, and requests of the host; never NULL */
    bool masked;
    bool in_host; /**< see hal-sim/board/machine.h */
    uint8_t id;
};

extern _Thread_local struct hal_cpu_face hal_cpu_face_here
    __attribute__((visibility("hidden"), tls_model("initial-exec")));

/** Where it lies from %fs: a constant of the process, so it may be kept. */
static inline uintptr_t hal_cpu_face_offset(void)
{
    uintptr_t offset;

    __asm__("movq hal_cpu_face_here@gottpoff(%%rip), %0" : "=r"(offset));
    return offset;
}

/** Reads a member of one byte, and writes a constant to one: an instruction each. */
#define HAL_CPU_FACE_GET(member) \
    ({ \
        uint8_t face_value; \
        __asm__ volatile("movb %%fs:%c2(%1), %0" \
                         : "=q"(face_value) \
                         : "r"(hal_cpu_face_offset()), \
                           "i"(offsetof(struct hal_cpu_face, member))); \
        face_value; \
    })
#define HAL_CPU_FACE_SET(member, constant) \
    __asm__ volatile("movb %0, %%fs:%c2(%1)" \
                     : \
                     : "i"(constant), "r"(hal_cpu_face_offset()), \
                       "i"(offsetof(struct hal_cpu_face, member)) \
                     : "memory")

/** The pending bits of the CPU that runs this, or, when it is unmasked, ran it a moment ago. */
static inline _Atomic uint32_t *hal_cpu_pending(void)
{
    _Atomic uint32_t *pending;

    __asm__ volatile("movq %%fs:%c2(%1), %0"
                     : "=r"(pending)
                     : "r"(hal_cpu_face_offset()), "i"(offsetof(struct hal_cpu_face, pending)));
    return pending;
}

/** The rest of an interrupt point at a change of the mask. Unmasked. */
void hal_cpu_point(void);

/** The same, and returns `result`. */
HAL_MUST_CHECK void *hal_cpu_point_with(void *result);

/** With the virtual clock a bit is always set: every unmasked call is an interrupt point. */
static inline void hal_cpu_check(void)
{
    if (__builtin_expect(*hal_cpu_pending() != 0, 0))
        hal_cpu_point();
}

static inline bool hal_irq_masked(void)
{
    return HAL_CPU_FACE_GET(masked);
}

static inline hal_irq_state_t hal_irq_save(void)
{
    bool before = hal_irq_masked();

    if (!before) {
        hal_cpu_check();
        HAL_CPU_FACE_SET(masked, 1);
    }
    return before;
}

static inline void hal_irq_restore(hal_irq_state_t state)
{
    if (!state) {
        HAL_CPU_FACE_SET(masked, 0);
        hal_cpu_check();
    }
}

static inline bool hal_irq_try_mask(void)
{
    if (__builtin_expect(hal_irq_masked() || *hal_cpu_pending() != 0, 0))
        return false;
    HAL_CPU_FACE_SET(masked, 1);
    return true;
}

static inline void hal_irq_end_mask(void)
{
    HAL_CPU_FACE_SET(masked, 0);
    hal_cpu_check();
}

static inline void *hal_irq_end_mask_with(void *result)
{
    HAL_CPU_FACE_SET(masked, 0);
    return __builtin_expect(*hal_cpu_pending() != 0, 0) ? hal_cpu_point_with(result) : result;
}

static inline unsigned hal_cpu_id(void)
{
    return HAL_CPU_FACE_GET(id);
}
