/* SPDX-License-Identifier: MIT */
/*
 * lab.h: `sched lab`: a mix of jobs under a policy, in virtual time.
 *
 * A job arrives, needs a CPU for a while, and ends; that is the job scheduling problem of
 * textbooks. The policies are those of the kernel, the very same tables (sched/policy.h), but their
 * time is a number that goes from one event to the next, so an hour takes no time at all. There is
 * one queue for all CPUs.
 *
 * Times are in units, as in textbooks: quantum=4 and a job of 24 may be milliseconds or days.
 * Inside, a unit is 10^6 (a millisecond, as far as the policies can tell), so thousandths can be
 * asked for and fractions of them are computed with.
 *
 * What happens at the same moment happens in this order: jobs end; jobs arrive, in the order of the
 * line; free CPUs take jobs, CPU 0 first; slices end, and those CPUs take the next jobs. So who
 * arrives just when a quantum ends stands in the queue before the job whose quantum it was. A slice
 * ends also while nobody waits, and the job is taken again, as in textbooks; the kernel sets no
 * timer then.
 *
 * Pure: no threads, no allocation, no output but by the caller's function. All of it is in struct
 * lab, which the caller supplies; it has some KiB.
 */
#pragma once

#include "sched/policy.h"

#include <hal/compiler.h>

#include <stddef.h>

#define LAB_JOBS 16u
#define LAB_NAME 6u /**< bytes of a job's name */
#define LAB_CPUS 4u
#define LAB_UNIT UINT64_C(1000000)
#define LAB_TIME_MAX (1000000 * LAB_UNIT) /**< of an arrival, a run time, a quantum, a period */
#define LAB_TURNS_MAX 100000u             /**< turns on a CPU in one run: then it is given up */
#define LAB_COLUMNS 72u                   /**< of the chart, beside the labels */

enum lab_state { LAB_ABSENT, LAB_READY, LAB_RUNNING, LAB_ENDED };

struct lab_job {
    /* From the line. */
    char name[LAB_NAME + 1];
    uint64_t arrival, length;
    int32_t rank; /**< nice, or the priority */

    /* While it runs; the times are valid at the end. */
    struct sched_entity entity;
    enum lab_state state;
    uint64_t left;
    uint64_t first; /**< when it got a CPU for the first time */
    uint64_t end;
};

/** `job` had CPU `cpu` from `from` to `to`. Turns of a CPU come in order, and adjoining ones of the
 * same job as one. */
typedef void lab_turn(void *context, unsigned cpu, unsigned job, uint64_t from, uint64_t to);

struct lab {
    /* From the line. */
    const struct sched_policy *policy;
    uint64_t quantum;
    uint64_t period; /**< 0: the policy's choice */
    uint32_t levels; /**< 0: the policy's choice */
    uint64_t seed;
    unsigned cpus;
    bool turns; /**< list the turns too */
    unsigned count;
    struct lab_job jobs[LAB_JOBS];

    /* The run. */
    struct sched_queue queue;
    uint64_t now;
    uint64_t busy;     /**< of all CPUs */
    unsigned switches; /**< turns, where adjoining ones of the same job are one */
    unsigned taken;    /**< turns, as the policy gave them */
    struct lab_cpu {
        struct lab_job *running; /**< NULL: idle */
        uint64_t since;          /**< up to when it is charged */
        uint64_t slice_end;      /**< SCHED_FOREVER: none */
        struct lab_job *last;    /**< whose turn is not told yet; NULL: none */
        uint64_t from, to;       /**< that turn */
    } cpu[LAB_CPUS];
    lab_turn *turn;
    void *context;

    /* The chart. */
    struct lab_chart {
        uint64_t column; /**< of time */
        unsigned tick;   /**< columns between two times on the axis */
        char symbols[LAB_JOBS];
        char rows[LAB_CPUS][LAB_COLUMNS + 1];
        uint64_t shares[LAB_CPUS][LAB_JOBS]; /**< of the column that is being filled */
        unsigned at[LAB_CPUS];               /**< that column */
    } chart;
};

/**
 * Reads words[0 .. count): a policy, options and jobs. Returns 0; or -EINVAL, with a sentence in
 * `error`.
 */
HAL_MUST_CHECK int lab_read(struct lab *lab, char *const *words, unsigned count, char *error,
                            size_t size);

/**
 * Runs all jobs to their ends and tells each turn (NULL: nobody is told). The same lab runs in the
 * same way each time. Returns 0, or -E2BIG after LAB_TURNS_MAX turns.
 */
HAL_MUST_CHECK int lab_run(struct lab *lab, lab_turn *turn, void *context);

/**
 * Runs all jobs and gives the report, line by line (79 columns at most, no newline), to
 * print(context, line). Returns as lab_run does; then nothing was printed.
 */
HAL_MUST_CHECK int lab_report(struct lab *lab, void (*print)(void *context, const char *line),
                              void *context);

/** Writes a time in units with up to three decimals. `size` 24 is always enough. */
void lab_format_time(char *to, size_t size, uint64_t time);
