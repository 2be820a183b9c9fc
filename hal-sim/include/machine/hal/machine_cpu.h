/* SPDX-License-Identifier: MIT */
/*
 * machine_cpu.h: the inline part of <hal/cpu.h> in the simulator: the soft interrupt mask.
 *
 * Masking is a flag, and what is raised is a word of bits; see hal-sim/board/cpu.c. Here is only
 * the usual case, in which nothing is pending and the clock is the host's. Included by <hal/cpu.h>.
 *
 * Whoever sets a pending bit also sees to it that the CPU's host thread sets a second flag, "look":
 * it does so itself, or gets a signal that does. A signal that has not come yet will interrupt what
 * it finds. (Two bytes, because a load that overlaps a narrower store just made has to wait for it,
 * and so does changing a bit.)
 *
 * The flags belong to a CPU, a CPU is a host thread, and code that is not masked may be interrupted
 * after any instruction and go on as another thread. So they lie in the thread's own storage, and
 * are read, or changed, by one instruction that is relative to %fs: it acts on the CPU that
 * executes it, and there is no moment at which an address of them is held. (Written in C, the
 * compiler may work out the address once and keep it.) Then
 *
 *   hal_irq_masked   is right when it reads, and an answer of true stays right: a masked context
 *                    is not moved. False may be a moment old, but says "this context is unmasked",
 *                    which a move does not change.
 *   hal_irq_save     between its look at the flag and its write a move does no harm: the context is
 *                    unmasked before and after it. From the write on it stays where it is.
 *   hal_irq_restore  writes on the CPU it is on, being masked. If it is moved before it has looked
 *                    at the second flag, then an interrupt did that, and the CPU that it left took
 *                    all that was pending; and the CPU that continues it took all of its own before
 *                    it returned to here unmasked. Bits that come later bring a signal. So it may
 *                    be the flag of another CPU than before: at worst the look is for nothing.
 */
#pragma once

#include <hal/cpu.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a host thread knows of the CPU that it plays. */
struct hal_cpu_face {
    struct cpu *cpu; /**< see hal-sim/board/cpu.h; never NULL */
    bool masked;
    bool look;    /**< there may be pending bits; with the virtual clock always set */
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

/** Whether a flag is set: one comparison. */
#define HAL_CPU_FACE_IS(member) \
    ({ \
        bool face_clear; \
        __asm__ volatile("cmpb $0, %%fs:%c2(%1)" \
                         : "=@ccz"(face_clear) \
                         : "r"(hal_cpu_face_offset()), \
                           "i"(offsetof(struct hal_cpu_face, member))); \
        !face_clear; \
    })

/** The rest of an interrupt point at a change of the mask. Unmasked. */
void hal_cpu_point(void);

/** The same, and returns `result`. */
HAL_MUST_CHECK void *hal_cpu_point_with(void *result);

/** With the virtual clock every change of the mask by unmasked code is an interrupt point. */
static inline void hal_cpu_check(void)
{
    if (__builtin_expect(HAL_CPU_FACE_IS(look), 0))
        hal_cpu_point();
}

static inline bool hal_irq_masked(void)
{
    return HAL_CPU_FACE_IS(masked);
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

static inline void hal_irq_end_mask(void)
{
    HAL_CPU_FACE_SET(masked, 0);
    hal_cpu_check();
}

static inline void hal_irq_restore(hal_irq_state_t state)
{
    if (!state)
        hal_irq_end_mask();
}

static inline bool hal_irq_try_mask(void)
{
    if (__builtin_expect(hal_irq_masked(), 0) || __builtin_expect(HAL_CPU_FACE_IS(look), 0))
        return false;
    HAL_CPU_FACE_SET(masked, 1);
    return true;
}

static inline void *hal_irq_end_mask_with(void *result)
{
    HAL_CPU_FACE_SET(masked, 0);
    return __builtin_expect(HAL_CPU_FACE_IS(look), 0) ? hal_cpu_point_with(result) : result;
}

static inline unsigned hal_cpu_id(void)
{
    unsigned id;

    __asm__ volatile("movzbl %%fs:%c2(%1), %0"
                     : "=r"(id)
                     : "r"(hal_cpu_face_offset()), "i"(offsetof(struct hal_cpu_face, id)));
    return id;
}
