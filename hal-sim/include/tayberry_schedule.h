/* SPDX-License-Identifier: MIT */
/*
 * tayberry_schedule.h: deciding who runs when, for those who look for schedules that do harm.
 *
 * With the virtual clock an interrupt strikes only at an *interrupt point*: a call of the HAL. The
 * points are counted from power-on, and the same in every build. The timer can strike at those only
 * where interrupts are unmasked; each of these has a number, and the masked ones after it are
 * counted apart: position 4711.2 is the second masked point after point 4711. So what interrupt
 * handlers and the scheduler do in between does not shift the numbers. What is decided at them is
 * the *schedule*: whether the timer stops the thread that runs, which of the ready threads goes on
 * (with the kernel's policy `search`, boot word sched=search), and which CPU is played. Usually the
 * seed decides all that, with tb_schedule_set one of these strategies:
 *
 *   steps      nothing happens that does not have to, but for a list of steps: "at point 4711
 *              thread 7 runs instead". So a schedule is a few lines, which can be written down,
 *              enumerated, and shortened.
 *   chance     at each point, once in a while, somebody else runs
 *   priority   each thread has a random priority, the highest runs, and at a few random points the
 *              one that runs falls below all others: PCT, of Burckhardt, Kothari, Musuvathi and
 *              Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs"
 *              (2010). A bug that needs d such points in n threads and k points is found with a
 *              chance of at least 1/(n k^(d-1)) a run, whatever else the program does.
 *
 * What a run did beyond what had to happen is a list of steps again, with which it can be repeated.
 */
#pragma once

#include "tayberry_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tb_machine;

enum tb_strategy {
    TB_BY_SEED = 0, /**< as without a schedule */
    TB_BY_STEPS,
    TB_BY_CHANCE,
    TB_BY_PRIORITY
};

enum tb_step_kind {
    TB_STEP_PREEMPT = 1, /**< the timer stops the thread that runs, and thread `to` runs */
    TB_STEP_CHOOSE,      /**< when one has to be chosen, it is thread `to` */
    TB_STEP_CPU,         /**< CPU `to` is played from here on */
    TB_STEP_TURN         /**< when a CPU has to be chosen, it is CPU `to` */
};

struct tb_step {
    uint64_t point; /**< a position */
    uint32_t kind;  /**< an enum tb_step_kind */
    uint32_t to;    /**< preempt: 0 is whoever has waited longest */
};

/** A position is the number of a point times 65,536, plus the count of masked points after it. */
#define TB_POINT(number) ((uint64_t)(number) << 16)
#define TB_POINT_NUMBER(position) ((position) >> 16)
#define TB_POINT_MASKED 0xffffu

#define TB_CHANGES_MAX 16u
#define TB_STEPS_MAX 65536u

/** Set `size` to sizeof(struct tb_schedule); zero means the default in every member. */
struct tb_schedule {
    size_t size;
    enum tb_strategy strategy;
    uint64_t seed;    /**< chance, priority: of the decisions; tb_config's decides the rest */
    uint64_t from;    /**< chance, priority: nothing is decided before this position */
    uint64_t points;  /**< priority: changes lie in this many points; default 10,000 */
    unsigned changes; /**< priority: how many, up to TB_CHANGES_MAX */
    uint64_t spacing; /**< chance: points from one decision to the next, on average; default 100 */
    const struct tb_step *steps; /**< steps: in the order of their points; copied */
    size_t step_count;           /**< up to TB_STEPS_MAX */
};

/**
 * From the next power-on (or reboot) on, schedules are made so; NULL: by the seed. Virtual clock
 * only: -ENOTSUP. -EBUSY: the power is on. -EINVAL: a bad value, or steps that are not in order.
 */
TB_API int tb_schedule_set(struct tb_machine *machine, const struct tb_schedule *schedule);

/** The position of the last interrupt point. Virtual clock, between runs. */
TB_API uint64_t tb_schedule_points(const struct tb_machine *machine);

/**
 * Copies the first `n` steps that were made since power-on and returns how many there were; that
 * many up to TB_STEPS_MAX are kept. TB_BY_STEPS with this list gives the same run. By the seed:
 * none are noted.
 */
TB_API size_t tb_schedule_steps(const struct tb_machine *machine, struct tb_step *steps, size_t n);

/** What a sink is told: a point, or a decision. */
struct tb_moment {
    uint64_t point; /**< its position */
    uint64_t time;
    uint32_t cpu;
    uint32_t working;        /**< CPUs that have something to do, as bits */
    uint32_t kind;           /**< 0: a point; else a decision, an enum tb_step_kind */
    bool masked;             /**< a point: the timer could not strike here */
    bool timer;              /**< a point: it is armed or due, so somebody may wait */
    bool alternative;        /**< a decision: it was not the usual one */
    bool preempts;           /**< a decision: the usual thread runs, so any other preempts it */
    uint32_t to;             /**< a decision: the thread, or the CPU */
    const uint32_t *threads; /**< preempt, choose: among whom, the usual one first */
    size_t thread_count;
};

/** Called with each decision, and at each point from position `from` on (UINT64_MAX: at none), on
 * the thread that runs the guest. Must not call the library, except tb_thread_on_cpu and
 * tb_callers. NULL ends it. Virtual clock. */
typedef void tb_schedule_sink(void *context, const struct tb_moment *moment);
TB_API void tb_schedule_set_sink(struct tb_machine *machine, tb_schedule_sink *sink, void *context,
                                 uint64_t from);

/** In a sink: the return addresses on the guest's stack, innermost first, as offsets in the file
 * tb_code_file; returns how many. */
TB_API size_t tb_callers(const struct tb_machine *machine, uintptr_t *callers, size_t n);

/** The number of the thread that CPU `cpu` runs, and its name; 0: none. In a sink, or between runs.
 */
TB_API uint32_t tb_thread_on_cpu(const struct tb_machine *machine, unsigned cpu, char *name,
                                 size_t bytes);

#ifdef __cplusplus
}
#endif
