/* SPDX-License-Identifier: MIT */
/*
 * run.h: the scheduler's inside: who runs, who could, who sleeps. For core/thread, core/sched and
 * core/sync only.
 *
 * Each thread has a home: the CPU it runs on, is ready on, or last ran on. The run lock of that CPU
 * guards the thread's state, and only who holds it makes another CPU the home. So to lock a thread
 * is to lock its home, and to look whether it still is:
 *
 *     READY    on the queue of its home; or, for a moment and not `queued`, on its way from one
 *              CPU to another, in the hands of who moves it
 *     RUNNING  the current thread of its home
 *     SLEEPING among its home's sleepers if it has a deadline
 *     ZOMBIE   never runs again
 *
 * Why a thread never runs on two CPUs. The run lock of a CPU is held across its every switch: the
 * thread that leaves takes it, the one that comes releases it. A thread that left is READY,
 * SLEEPING or a ZOMBIE as soon as it says so, but who wants to queue it, wake it or free its stack
 * has to take the same lock first, and gets it when the registers are saved. A thread that leaves
 * for another CPU is given to it by the thread that comes (`outgoing`).
 *
 * Why no wake-up is lost. A thread goes to sleep with its home's run lock, which it took while it
 * still held the lock of its wait queue; a waker that finds it on the wait queue waits for the run
 * lock, and then finds it SLEEPING. An idle CPU says so (balance.c) before it looks whether
 * somebody has threads to spare, and masks from that look until it waits; who makes a thread ready
 * there sets `reschedule` and interrupts it.
 */
#pragma once

#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/trace.h>

struct cpu;

/** Takes the run lock of this CPU; pass the result to run_unlock. Any context. */
HAL_MUST_CHECK hal_irq_state_t run_lock(void);

/** Releases that of the CPU on which the caller is now. */
void run_unlock(hal_irq_state_t state);

/** Locks the home of `thread` and returns it, for cpu_unlock. Caller has interrupts masked. */
HAL_MUST_CHECK struct cpu *run_lock_home(const struct thread *thread);

/** Has traces say what `thread` is worth now. Caller holds the run lock of its home. */
static inline void run_describe(struct thread *thread)
{
    thread->said.priority = (uint8_t)thread->entity.priority;
    thread->said.nice = (int8_t)thread->entity.nice;
}

/** Makes the queues of all CPUs ready. Boot only. */
void run_init(void);

/** Makes the calling code the idle thread of this CPU. Boot calls it once a CPU, masked. */
void run_init_cpu(struct thread *idle);

/** Makes a new thread READY, on the CPU that has least to do. Any context. */
void run_add(struct thread *thread);

/**
 * Puts the caller to sleep, from `now` on, which is hal_time_now() of a moment ago, until run_wake,
 * `deadline`, or (if `cancellable`) a cancellation.
 * Returns 0, -ETIMEDOUT or -EINTR. Caller holds the run lock of this CPU and no other, and on
 * return that of the CPU it then runs on.
 */
int run_block(uint64_t now, uint64_t deadline, bool cancellable);

/**
 * Makes a sleeping thread READY. False if it does not sleep. The caller makes sure that the thread
 * is not freed meanwhile, but not that it is there afterwards. Takes run locks. Any context.
 */
bool run_wake(struct thread *thread);

/** thread_cancel for a thread that is not freed meanwhile. Takes run locks. Any context. */
void run_cancel(struct thread *thread);

/** Ends the caller, which is a ZOMBIE from then on. Masked, without a lock. */
HAL_NORETURN void run_exit(void);

/** Waits until `thread`, which is in run_exit or about to be, is off its CPU. Masked. */
void run_await_exit(const struct thread *thread);

/** The first thing that a new thread does: it has been switched to with a run lock held. */
void run_enter(void);

/** HAL_IRQ_TIMER: wakes sleepers whose time has come and ends quanta. Of very many sleepers it
 * wakes RUN_WAKES_MOST, and then the timer strikes again. */
#define RUN_WAKES_MOST 32u
void run_timer_interrupt(void);

/** HAL_IRQ_IPI: another CPU has changed what this one's timer should be set to. */
void run_ipi_interrupt(void);

/** The end of an interrupt: switches if somebody else should run. Masked. */
void run_interrupt_exit(void);

/** The life of the idle thread. Called masked. */
HAL_NORETURN void run_idle(void);

/** ns that CPU `cpu` has been idle. Any context. */
uint64_t run_idle_time(unsigned cpu);

/* For balance.c and sched.c. The caller holds the lock of `cpu`, which is the thread's home. */

/** Puts a thread that is on no queue on that of `cpu`, and has `cpu` see to it. */
void run_enqueue(struct cpu *cpu, struct thread *thread, enum sched_why why, uint64_t now);

/** Takes a ready thread off the queue. */
void run_dequeue(struct cpu *cpu, struct thread *thread);

/** Keeps the numbers that others look at, after the queue has changed. */
void run_publish(struct cpu *cpu);

/** Counts what the running thread has run until `now` as its. */
void run_charge(struct cpu *cpu, uint64_t now);

/** Has `cpu` choose anew which thread it runs. */
void run_reschedule(struct cpu *cpu);

/* balance.c: which CPU a thread runs on. */

/**
 * Makes `thread`, which is on no queue, ready on the CPU that is best for it. Caller holds the lock
 * of its home, `home`, which is let go for a while if that is another CPU.
 */
void balance_send(struct cpu *home, struct thread *thread, enum sched_why why, uint64_t now);

/** This CPU has nothing to do from now on, or has. Caller holds its lock. */
void balance_set_idle(const struct cpu *cpu, bool idle);

/** `thread` waits on the queue of `cpu`: tells another CPU that idles, if it may go there. Caller
 * holds the lock of `cpu`, and has published. */
void balance_offer(const struct cpu *cpu, const struct thread *thread);

/** Takes a thread from the CPU that has most to do. True: there was one. Idle thread, masked. */
bool balance_pull(void);

/**
 * Gives threads to a CPU that has less to do. Timer interrupt; at most once in a while it does
 * anything at all.
 */
void balance_push(uint64_t now);
