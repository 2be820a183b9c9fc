/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: the processors: masking interrupts, waiting, who am I, waking the others.
 *
 * A CPU takes interrupts only while they are unmasked. Masking belongs to the CPU and is part of
 * the context that runs on it: a context that was switched away from finds its own mask again when
 * it is switched to. On entry to every function of upcall.h interrupts are masked.
 *
 * Only core/sync, the allocators' caches of each CPU and the interrupt paths call the masking
 * functions; everybody else takes a lock.
 *
 * Masking and asking for the CPU's number are a few instructions, and every lock and allocation
 * needs them: their bodies are the backend's, inline, in <hal/machine_cpu.h>.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

/** An earlier mask. Opaque: only hal_irq_restore reads it. Saves nest like brackets. */
typedef uintptr_t hal_irq_state_t;

/**
 * Masks interrupts on this CPU and returns how they were before.
 *
 * Any context. After it returns no hal_upcall_interrupt starts on this CPU until they are unmasked.
 */
HAL_MUST_CHECK static inline hal_irq_state_t hal_irq_save(void);

/**
 * Puts the mask back as the matching hal_irq_save found it.
 *
 * Any context. When that unmasks, an interrupt that waited is taken before or soon after this
 * returns, and so another thread may have run in between. An interrupt that arrived while masked
 * is never lost; several arrivals on one line may be taken as one.
 */
static inline void hal_irq_restore(hal_irq_state_t state);

/**
 * Masks interrupts if that is a matter of a few instructions: they are unmasked, and nothing waits
 * to be taken. False: it is not, and nothing has changed; hal_irq_save will do. Any context.
 */
HAL_MUST_CHECK static inline bool hal_irq_try_mask(void);

/** Unmasks them after a hal_irq_try_mask that returned true. As hal_irq_restore. */
static inline void hal_irq_end_mask(void);

/**
 * The same as the last step of a function that returns `result`: then nothing has to be saved in
 * case an interrupt is taken here.
 */
HAL_MUST_CHECK static inline void *hal_irq_end_mask_with(void *result);

/** Unmasks interrupts on this CPU, as the last step of starting a context. */
void hal_irq_unmask(void);

/** True while interrupts are masked on this CPU. Any context. */
static inline bool hal_irq_masked(void);

/**
 * Waits for an interrupt without burning the processor.
 *
 * Called masked, and returns masked. Unmasking and waiting are one step: an interrupt that is
 * already pending, or comes at any moment after the call, is taken and ends the wait, so a wake-up
 * between the caller's last check and the wait is not missed. The interrupt has been handled when
 * this returns. It may return without any interrupt.
 */
void hal_cpu_idle(void);

/**
 * The body of every loop that polls: gives way to a sibling processor, and lets simulated time
 * pass.
 *
 * Any context. Does not change the mask. If interrupts are unmasked, pending ones may be taken.
 * A loop that waits for another CPU, a device or the time, and does not call this, may hang.
 */
void hal_cpu_relax(void);

/** The number of the CPU this runs on, 0 .. hal_cpu_count() - 1. Stable only while masked. */
static inline unsigned hal_cpu_id(void);

/** How many CPUs the machine has, 1 .. HAL_CPU_MAX of <hal/machine.h>. Constant. Any context. */
unsigned hal_cpu_count(void);

/**
 * Starts CPU `cpu`, which then enters hal_upcall_cpu, masked, on a stack that the backend gives it.
 *
 * Thread context. -EINVAL: no such CPU, or CPU 0. -EBUSY: it runs already. -ENOSYS: this machine
 * cannot. A CPU that was never started stays parked and costs the host nothing.
 */
HAL_MUST_CHECK int hal_cpu_start(unsigned cpu);

/**
 * Raises HAL_IRQ_IPI on CPU `cpu`, which may be the caller's own.
 *
 * Any context. What the sender wrote before is visible to the receiver's handler. Several may be
 * taken as one. A number that is not a started CPU's is ignored.
 */
void hal_cpu_ipi(unsigned cpu);

/**
 * Stops at a breakpoint, exactly as if the instruction were compiled in: hal_upcall_fault is called
 * with HAL_FAULT_BREAKPOINT, and when that returns true, execution goes on after the call.
 *
 * Any context.
 */
void hal_cpu_breakpoint(void);

/**
 * Watches this CPU from now on, until the next call; 0: no more. At power-on nobody is watched.
 *
 * If interrupts then stay masked for longer than about `ns` while the CPU is not in hal_cpu_idle,
 * hal_upcall_fault is called with HAL_FAULT_STALL on top of whatever the CPU does, masked or not;
 * and again after the same time, if it returned true. About: up to twice as long. An idle CPU is
 * not woken for it. To find out, the backend may raise HAL_IRQ_IPI. Thread context; `ns` is at
 * least a millisecond. A backend whose machine cannot interrupt masked code does nothing.
 */
void hal_cpu_watch(uint64_t ns);

#include <hal/machine_cpu.h>
