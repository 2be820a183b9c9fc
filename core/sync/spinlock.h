/* SPDX-License-Identifier: MIT */
/*
 * spinlock.h: mutual exclusion for a few instructions, also against interrupts.
 *
 * While a CPU holds any spinlock its interrupts are masked and its thread neither sleeps nor is
 * preempted. Locks have ranks, and a CPU takes them in rising rank only: with one order for all,
 * nobody waits in a circle. A CPU that takes a lock out of its rank, or one that it holds already,
 * or releases one that it does not hold, ends in a panic that names the lock and the places.
 *
 * The functions are macros that add the place of the call.
 */
#pragma once

#include "sync/check/class.h"

#include <hal/cpu.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stdint.h>

/** The order of all spinlocks: lower ranks are taken first. */
enum lock_rank {
    LOCK_RANK_NONE,
    LOCK_RANK_NAMES,  /**< names in directories; the table of mounts */
    LOCK_RANK_VNODES, /**< lists of all vnodes, and of all cached names */
    LOCK_RANK_DEVICE, /**< drivers: block queue, gpio, tty */
    LOCK_RANK_WORK,   /**< work queues */
    LOCK_RANK_FUTEX,  /**< who waits for user words */
    LOCK_RANK_MAPPED, /**< the lists of who maps which file */
    LOCK_RANK_SPACE,  /**< page maps of user memory */
    LOCK_RANK_PAGES,  /**< the lists of all cached pages */
    LOCK_RANK_POLL,   /**< who waits for files to become ready */
    LOCK_RANK_WAIT,   /**< wait queues and the locks built on them */
    LOCK_RANK_DIRTY,  /**< which objects have dirty pages */
    LOCK_RANK_TIMER,  /**< kernel timers */
    LOCK_RANK_THREAD, /**< table of threads */
    LOCK_RANK_CHAIN,  /**< who waits for whom */
    LOCK_RANK_RUN,    /**< run queue and sleepers of CPU 0; those of the others follow */
    LOCK_RANK_RUN_LAST = LOCK_RANK_RUN + HAL_CPU_MAX - 1,
    LOCK_RANK_CACHES, /**< the list of object caches */
    LOCK_RANK_HEAP,
    LOCK_RANK_FRAME,
    LOCK_RANK_CONSOLE, /**< output of the console */
    LOCK_RANK_LOG,
    LOCK_RANK_TRACE,
    LOCK_RANKS /**< how many there are */
};

struct spinlock {
    uint32_t next;  /**< the ticket that the next to come takes */
    uint32_t owner; /**< the ticket that holds the lock; == next when free */
    uint8_t rank;
    uint8_t holder; /**< CPU + 1 of the holder, 0 when free; for the checks */
    uint16_t class; /**< its number; 0: none */
};

/** Makes a free spinlock of that rank, whose class is this line. Any context. */
#define spinlock_init(lock, rank) spinlock_init_class(lock, rank, LOCK_CLASS(LOCK_SPIN, #lock))

/** Masks interrupts and takes `lock`; pass the result to spinlock_release. Any context. */
#define spinlock_acquire(lock) spinlock_acquire_at(lock, LOCK_SITE())

/** The same where they are masked already. */
#define spinlock_acquire_masked(lock) spinlock_acquire_masked_at(lock, LOCK_SITE())

/** Releases `lock`, which this CPU holds. */
#define spinlock_release(lock, state) spinlock_release_at(lock, state, LOCK_SITE())

void spinlock_init_class(struct spinlock *lock, enum lock_rank rank,
                         const struct lock_class *class);
void spinlock_acquire_masked_at(struct spinlock *lock, const struct lock_site *site);
void spinlock_release_at(struct spinlock *lock, hal_irq_state_t state,
                         const struct lock_site *site);

HAL_MUST_CHECK static inline hal_irq_state_t spinlock_acquire_at(struct spinlock *lock,
                                                                 const struct lock_site *site)
{
    hal_irq_state_t state = hal_irq_save();

    spinlock_acquire_masked_at(lock, site);
    return state;
}

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

/**
 * How long a CPU may wait for a spinlock before that is a panic, which names the lock, who holds it
 * and since where. 0, as at power-on: for ever. Boot only.
 */
void spinlock_set_patience(uint64_t ns);

/**
 * Panics, naming the place `site`, if the caller may not sleep: in an interrupt, or while this CPU
 * holds a spinlock other than `released` (NULL: any), which is about to be released. Any context.
 */
void spinlock_check_sleep(const struct spinlock *released, const struct lock_site *site);

/** A spinlock that a CPU holds or waits for, as far as it is known: for `locks`, and a panic. */
struct spinlock_hold {
    const struct spinlock *lock; /**< may be gone by now; NULL: none */
    uint16_t class;
    const struct lock_site *site;
    uint64_t since; /**< hal_time_now, or 0 unless lock_timing */
};

/**
 * Which spinlock of rank `rank` CPU `cpu` holds, as of this moment; lock is NULL for none. Needs
 * the checks. Any context.
 */
struct spinlock_hold spinlock_hold_of(unsigned cpu, enum lock_rank rank);

/**
 * Puts into words, number by number from 0 on, what CPU `cpu` has to do with spinlocks: "waits for
 * NAME, at PLACE", known without the checks too, and "holds NAME, since PLACE"; "" for a number
 * that there is nothing to say of. False past the last number. Any context.
 */
HAL_MUST_CHECK bool spinlock_text_of(unsigned cpu, unsigned number, char *text, size_t size);
