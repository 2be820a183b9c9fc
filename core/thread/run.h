/* SPDX-License-Identifier: MIT */
/*
 * run.h: the scheduler's inside: who runs, who could, who sleeps. For core/thread and core/sync
 * only.
 *
 * One run lock guards all of it. It is held across every switch: the thread that leaves takes it
 * and the one that comes releases it, so no CPU can pick a thread whose registers are not saved
 * yet.
 */
#pragma once

#include "thread/thread.h"

#include <hal/cpu.h>

/** Takes the run lock; pass the result to run_unlock. Any context. */
HAL_MUST_CHECK hal_irq_state_t run_lock(void);
void run_unlock(hal_irq_state_t state);

/** Makes the calling code the idle thread of this CPU. Boot calls it once a CPU, masked. */
void run_init_cpu(struct thread *idle);

/** Adds a new thread, which becomes READY. Caller holds the run lock. */
void run_add(struct thread *thread);

/**
 * Puts the caller to sleep until run_wake, `deadline`, or (if `cancellable`) a cancellation.
 * Returns 0, -ETIMEDOUT or -EINTR. Caller holds the run lock and no other.
 */
int run_block(uint64_t deadline, bool cancellable);

/** Makes a sleeping thread READY. False if it does not sleep. Takes the run lock. Any context. */
bool run_wake(struct thread *thread);

/** As run_wake, with a reason that its sleep returns. Caller holds the run lock. */
bool run_wake_locked(struct thread *thread, int reason);

/** Ends the caller, which is a ZOMBIE from then on. Caller holds the run lock. */
HAL_NORETURN void run_exit(void);

/** The first thing that a new thread does: it has been switched to with the run lock held. */
void run_enter(void);

/** HAL_IRQ_TIMER: wakes sleepers whose time has come and ends quanta. */
void run_timer_interrupt(void);

/** The end of an interrupt: switches if somebody else should run. Masked. */
void run_interrupt_exit(void);

/** The life of the idle thread. Called masked. */
HAL_NORETURN void run_idle(void);

/** ns that CPU `cpu` has been idle. Any context. */
uint64_t run_idle_time(unsigned cpu);
