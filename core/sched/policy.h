/* SPDX-License-Identifier: MIT */
/*
 * policy.h: what a scheduling policy is: the order in which the threads that are ready on one CPU
 * get it, and for how long each.
 *
 * A policy is a table of functions over two data structures: a queue, of which each CPU has one,
 * and an entity, of which each thread has one. It knows nothing of threads, CPUs and locks. The
 * scheduler (thread/run.c) asks it what to do next, and does it.
 *
 * The entity of the thread that runs is on no queue. All functions are called with the queue's lock
 * held, allocate nothing, and take O(log n) steps at most.
 */
#pragma once

#include "lib/list.h"
#include "lib/tree.h"

#include <stdbool.h>
#include <stdint.h>

#define SCHED_LEVELS 32u /**< of priority */

/** What a policy knows of a thread; of the policy of its queue, unless it says otherwise. */
struct sched_entity {
    struct list link;
    struct tree_node node;
    uint64_t run_time;  /**< ns it has run, all in all; counted by the scheduler */
    uint64_t vruntime;  /**< fair */
    uint64_t pass;      /**< stride */
    uint64_t remaining; /**< shortest remaining time */
    uint64_t slice_left;
    uint32_t level; /**< feedback */
    uint64_t level_since;
    uint32_t priority; /**< 0 highest .. 31; set from outside */
    int32_t nice;      /**< -20 .. 19; set from outside */
    uint64_t length;   /**< declared length of the job in ns, 0: unknown; set from outside */
    uint64_t sequence; /**< breaks ties: order of arrival in the queue */
};

struct sched_queue {
    const struct sched_policy *policy;
    unsigned ready;  /**< entities on the queue */
    uint64_t weight; /**< their sum */
    uint64_t min_vruntime;
    uint64_t sequence;
    uint64_t quantum; /**< ns; set from outside */
    struct list lists[SCHED_LEVELS];
    struct tree tree;
    uint64_t random;
};

/** Why an entity comes to a queue. */
enum sched_why {
    SCHED_NEW,       /**< it has never been on a queue of this policy */
    SCHED_WOKEN,     /**< it slept */
    SCHED_YIELDED,   /**< it ran, and gives way */
    SCHED_PREEMPTED, /**< it ran, and has to give way */
    SCHED_MOVED      /**< it was on another CPU's queue */
};

struct sched_policy {
    const char *name;

    /** Makes an empty queue of `queue`, of which only policy and quantum are set. */
    void (*init)(struct sched_queue *queue);

    /** `entity` has become ready. */
    void (*add)(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                uint64_t now);

    /** `entity`, which is on the queue, leaves it. */
    void (*remove)(struct sched_queue *queue, struct sched_entity *entity);

    /** Takes the next to run off the queue; NULL: it is empty. */
    struct sched_entity *(*take)(struct sched_queue *queue, uint64_t now);

    /** How many ns `entity` may run from `now` on while others are ready; UINT64_MAX: until it
     * gives way. */
    uint64_t (*slice)(const struct sched_queue *queue, const struct sched_entity *entity,
                      uint64_t now);

    /** `entity`, which is on no queue, has run for `ns` until `now`. */
    void (*charge)(struct sched_queue *queue, struct sched_entity *entity, uint64_t ns,
                   uint64_t now);

    /** True if `ready`, which was just added, should run at once instead of `running`. */
    bool (*preempts)(const struct sched_queue *queue, const struct sched_entity *ready,
                     const struct sched_entity *running, uint64_t now);

    /** Takes one off the queue that another CPU is to run; NULL: none. */
    struct sched_entity *(*steal)(struct sched_queue *queue);
};

/** The policy called `name`, or NULL. */
const struct sched_policy *sched_policy_find(const char *name);

/** Policy number `index`, or NULL behind the last. */
const struct sched_policy *sched_policy_at(unsigned index);
