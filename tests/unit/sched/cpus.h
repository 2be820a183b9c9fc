/* SPDX-License-Identifier: MIT */
/*
 * cpus.h: CPUs in virtual time, for tests of scheduling policies on the host.
 *
 * A task runs in bursts with pauses between them and is driven through a policy as policy.h says
 * that a scheduler does it, on 1 .. 4 CPUs with a queue each; a CPU with nothing to do steals. At
 * one moment, first the bursts end, then pauses end and tasks arrive, then slices end; so who
 * arrives at the end of a slice is in the queue before the one whose slice it was.
 */
#pragma once

#include "sched/policy.h"

#include <stddef.h>

#define CPUS_MAX 4u
#define CPUS_TASKS 64u
#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)
#define NEVER UINT64_MAX

enum task_state { TASK_ABSENT, TASK_READY, TASK_RUNNING, TASK_PAUSING, TASK_ENDED };

struct task {
    struct sched_entity entity;

    /* What it does: set before cpus_run. */
    uint64_t arrival;
    uint64_t burst; /**< runs so long, then pauses or yields; NEVER: a hog */
    uint64_t pause; /**< 0: it yields instead */
    uint64_t work;  /**< ends when it has run so long; NEVER: does not end */
    unsigned cpu;   /**< where it arrives; later, where it was last */

    /* What became of it. */
    enum task_state state;
    uint64_t burst_left;
    uint64_t ready_at; /**< when it last became ready, or when it stopped running */
    uint64_t wake_at;
    uint64_t longest_wait; /**< from ready_at to a CPU */
    uint64_t slowest_wake; /**< the same, for waits that began by waking */
    bool woken;
    unsigned turns; /**< how often it got a CPU */
    uint64_t first_run, end;
};

struct cpus {
    const struct sched_policy *policy;
    unsigned count;
    uint64_t now;
    struct sched_queue queues[CPUS_MAX];
    struct task *running[CPUS_MAX];
    uint64_t since[CPUS_MAX];     /**< up to when the running one is charged */
    uint64_t slice_end[CPUS_MAX]; /**< NEVER: nobody waits */
    struct task tasks[CPUS_TASKS];
    unsigned total;
    uint64_t switches, steals;
    char story[4096]; /**< "A 0-10, B 10-13, ...": the turns in ms, task 0 being A, until full */
    size_t told;
    uint64_t turn_start[CPUS_MAX];
};

/** Empty queues under the policy called `policy`, with its own choice of quantum for 0. */
void cpus_init(struct cpus *cpus, const char *policy, unsigned count, uint64_t quantum);

/** A task that arrives at 0 on CPU 0 and computes for ever; the caller may change it. */
struct task *cpus_add(struct cpus *cpus);

/** As cpus_add, with its nice level. */
struct task *cpus_add_hog(struct cpus *cpus, int nice);

/** As cpus_add: runs for `burst`, pauses for `pause`, and so on. */
struct task *cpus_add_sleeper(struct cpus *cpus, uint64_t burst, uint64_t pause);

/** As cpus_add: arrives, runs for `work` ms in all, which it declares, and ends. */
struct task *cpus_add_job(struct cpus *cpus, uint64_t arrival_ms, uint64_t work_ms);

/** Runs until `until`, or until all have ended. */
void cpus_run(struct cpus *cpus, uint64_t until);

/** Parts per 10,000 of `whole` that `part` is. */
uint64_t cpus_share(uint64_t part, uint64_t whole);
