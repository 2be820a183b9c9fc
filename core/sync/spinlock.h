/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h: mutual exclusion for a few instructions, also against interrupts.
 *
 * While a CPU holds any spinlock its interrupts are masked and its thread neither sleeps nor is
 * preempted. Locks have ranks, and a CPU takes them in rising rank only; acquire checks it.
 */
#pragma once

#include <hal/cpu.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stdint.h>

/** The order of all spinlocks: lower ranks are taken first. */
enum lock_rank {
    LOCK_RANK_NONE,
    LOCK_RANK_DEVICE, /**< drivers: block queue, gpio, tty */
    LOCK_RANK_WAIT,   /**< wait queues and the locks built on them */
    LOCK_RANK_THREAD, /**< table of threads */
    LOCK_RANK_RUN,    /**< run queue and sleepers of CPU 0; those of the others follow */
    LOCK_RANK_RUN_LAST = LOCK_RANK_RUN + HAL_CPU_MAX - 1,
    LOCK_RANK_CACHES, /**< the list of object caches */
    LOCK_RANK_HEAP,
    LOCK_RANK_FRAME,
    LOCK_RANK_CONSOLE, /**< output of the console */
    LOCK_RANK_LOG,
    LOCK_RANK_TRACE
};

struct spinlock {
    uint32_t next;  /**< the ticket that the next to come takes */
    uint32_t owner; /**< the ticket that holds the lock; == next when free */
    uint8_t rank;
    uint8_t holder; /**< CPU + 1 of the holder, 0 when free; for the checks */
};

/** A spinlock of all zeros with a rank set is free. Any context. */
void spinlock_init(struct spinlock *lock, enum lock_rank rank);

/** Masks interrupts and takes `lock`; pass the result to spinlock_release. Any context. */
HAL_MUST_CHECK hal_irq_state_t spinlock_acquire(struct spinlock *lock);

void spinlock_release(struct spinlock *lock, hal_irq_state_t state);

/** Other CPUs will take locks from now on. Thread context, before the first of them is started. */
void spinlock_share(void);

/**
 * While on, acquire and release only mask on this CPU: for the debug shell, which looks at a kernel
 * that stands still, maybe in the middle of what a lock guards. The other CPUs have been stopped;
 * one that could not be waits for a lock, and goes on waiting. Masked.
 */
void spinlock_bypass(bool on);

/** True if this CPU holds `lock`. For assertions. */
bool spinlock_held(const struct spinlock *lock);
