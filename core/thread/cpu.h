/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: what the kernel keeps for each CPU.
 */
#pragma once

#include <hal/machine.h>

#include <stdbool.h>
#include <stdint.h>

struct thread;

/** Each member is read and written by its own CPU only, masked, unless it says otherwise. */
struct cpu {
    uint32_t held_ranks;    /**< a bit for the rank of each spinlock that it holds */
    unsigned interrupts;    /**< how deep in interrupts it is */
    bool reschedule;        /**< another thread should run; looked at when an interrupt ends */
    struct thread *current; /**< guarded by the run lock */
    struct thread *idle;    /**< constant after boot */
    uint64_t quantum_end; /**< when the current thread has had its share; guarded by the run lock */
    uint64_t armed;       /**< the deadline the timer is set to, HAL_TIME_NEVER: none */
};

/** The CPU that this runs on. Caller has interrupts masked. */
struct cpu *cpu_here(void);

/** CPU number `id`. */
struct cpu *cpu_at(unsigned id);
