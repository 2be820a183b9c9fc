/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: what the kernel keeps for each CPU.
 *
 * Every CPU has a run queue of its own, with the lock that guards it, a tree of the sleepers whose
 * deadlines its timer watches, and an idle thread. So what a CPU does most, it does without any
 * other. A CPU that takes the locks of several takes them in the order of their numbers, which is
 * also the order of their ranks.
 */
#pragma once

#include "lib/tree.h"
#include "sched/policy.h"
#include "sync/spinlock.h"

#include <hal/cpu.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_BACKTRACE_MAX 12u

struct thread;

struct cpu {
    /* Its own only, masked. */
    uint32_t held_ranks; /**< a bit for the rank of each spinlock that it holds */
    unsigned interrupts; /**< how deep in interrupts it is */
    uint64_t armed;      /**< the deadline the timer is set to, HAL_TIME_NEVER: none */
    uint64_t balanced;   /**< when it last looked whether others have less to do */

    /* Constant after boot. */
    unsigned id;
    struct thread *idle; /**< NULL: this CPU is not used */

    /* Guarded by lock, which is held across every switch: see run.h. */
    struct spinlock lock;
    bool reschedule;         /**< another thread should run; its own CPU also reads it without */
    struct thread *current;  /**< the same, and others by cpu_running */
    struct thread *outgoing; /**< has just left this CPU and goes on on another */
    uint64_t quantum_end;    /**< when the current thread has had its share */
    struct sched_queue queue;
    unsigned pinned;      /**< of the ready threads, those that may run nowhere else */
    uint64_t rotated;     /**< when it got the surplus of another CPU, see balance.c */
    uint32_t visitor;     /**< number of the thread that this was, 0: none */
    uint32_t arrived;     /**< number of the thread that was moved here last */
    struct tree sleepers; /**< threads with a deadline, nearest first; equal ones as they came */
    uint64_t switches;    /**< from one thread to another */
    uint64_t arrivals;    /**< threads that came from another CPU */
    uint64_t steals;      /**< of these, those that it took when it had nothing to do */

    /* Written by who holds the lock; anybody may read them, and be a moment late. */
    unsigned load;    /**< threads that run or are ready */
    unsigned movable; /**< ready threads that may run elsewhere too */

    /* Written by its own CPU before it says that it stands still. */
    unsigned stopped_depth;
    uintptr_t stopped_at[CPU_BACKTRACE_MAX]; /**< what it was in the middle of, innermost first */
} __attribute__((aligned(1024)));            /* no cache line of two CPUs, and quickly found */

/** The table of CPUs, for the functions below. */
extern struct cpu cpu_table[HAL_CPU_MAX];

/** The CPU that this runs on. Caller has interrupts masked. */
static inline struct cpu *cpu_here(void)
{
    return &cpu_table[hal_cpu_id()];
}

/** The thread that `cpu` runs, or ran a moment ago: unless the CPU stands still, or keeps to its
 * thread because it holds a spinlock, the thread may have ended since. Any context. */
static inline const struct thread *cpu_running(const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->current, __ATOMIC_ACQUIRE);
}

/** CPU number `id`, < HAL_CPU_MAX. */
static inline struct cpu *cpu_at(unsigned id)
{
    return &cpu_table[id];
}

/** Takes the lock of `cpu`. Caller has interrupts masked. */
#define cpu_lock(cpu) spinlock_acquire_masked(&(cpu)->lock)

static inline void cpu_unlock(struct cpu *cpu)
{
    spinlock_release(&cpu->lock, hal_irq_save());
}

/** A bit for each CPU that runs threads. Any context. */
uint32_t cpu_online(void);

/** Their number. */
unsigned cpu_count_online(void);

/** This CPU runs threads from now on. */
void cpu_set_online(void);

/**
 * Has all other CPUs stand still, each in its interrupt handler, and waits for that; but not long,
 * because one may be waiting masked for a lock of the caller's. If another CPU has stopped all
 * others, this one is the one that stands still. False: the caller had stopped them before.
 * Masked; any context, also in the middle of a fault.
 */
bool cpu_stop_others(void);

/** Lets them go on. Caller's cpu_stop_others was true. */
void cpu_resume_others(void);

/** True while a CPU has all others stand still. Any context. */
bool cpu_stand_still(void);

/** HAL_IRQ_IPI: stands still if another CPU wants that. */
void cpu_stop_interrupt(void);

/** True if CPU `id` stands still, and so its current thread and stopped_at can be looked at. */
bool cpu_stopped(unsigned id);
