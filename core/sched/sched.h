/* SPDX-License-Identifier: MIT */
/*
 * sched.h: the scheduler as a whole: which policy it follows, and what its CPUs have done.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stdint.h>

#define SCHED_POLICY_DEFAULT "fair"

/** Gives each CPU an empty queue of the default policy. Boot only. */
void scheduler_init(void);

/**
 * Follows the policy called `name` from now on, on all CPUs. Threads keep their nice levels,
 * priorities and lengths; what the old policy knew of them is forgotten.
 *
 * Returns 0, or -ENOENT: there is none of that name. Thread context.
 */
HAL_MUST_CHECK int scheduler_set_policy(const char *name);

/** The name of the policy. Any context. */
const char *scheduler_policy_name(void);

/** True if a thread that never gives way may keep its CPU from its equals. Any context. */
bool scheduler_is_cooperative(void);

/** Writes the names of all policies, with spaces between them. */
void scheduler_list_policies(char *text, uint32_t bytes);

struct sched_cpu_info {
    bool online;
    unsigned ready;    /**< threads that wait for it */
    uint32_t running;  /**< number of the thread that runs */
    uint64_t switches; /**< from one thread to another */
    uint64_t arrivals; /**< threads that came from another CPU */
    uint64_t steals;   /**< of these, those that it took when it had nothing to do */
    uint64_t idle;     /**< ns */
};

/** What CPU `cpu` < HAL_CPU_MAX is doing. Any context. */
void scheduler_read_cpu(unsigned cpu, struct sched_cpu_info *info);
