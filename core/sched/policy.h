/* SPDX-License-Identifier: MIT */
/*
 * policy.h: what a scheduling policy is, apart from threads and CPUs.
 *
 * A policy decides who of those that could run goes first, and for how long. It is a data structure
 * and nothing more: it knows no thread, no CPU and no clock, takes no lock, allocates nothing and
 * calls nothing of the machine. What can run is a struct sched_entity, which lies inside the thread
 * (or in a job of `sched lab`, or in a test); where it waits is a struct sched_queue, one a CPU;
 * and time is a number that the caller passes. So the same tables run in the kernel, at the prompt
 * in virtual time, and in unit tests on the host.
 *
 * Life of an entity, as its owner (the scheduler) plays it:
 *
 *     zeroed, then priority, nice and length set
 *            |                 add(SCHED_NEW)
 *            v                                       remove, steal
 *     on a queue  <----------------------------+   ------------------>  off, to be moved:
 *            |                                 |   <------------------  add(SCHED_MOVED)
 *            | take                            |
 *            v          charge, then add(SCHED_YIELDED) or add(SCHED_PREEMPTED)
 *         running  ----------------------------+
 *            |                                 ^
 *            | charge                          | add(SCHED_WOKEN)
 *            v                                 |
 *     sleeps, or ends  ------------------------+
 *
 * Invariant: an entity is on one queue or on none; who runs is on none. queue->ready and
 * queue->weight count exactly those on it.
 *
 * What the scheduler does with it, in this order, with the queue's lock held:
 *
 *     the running R stops at `now`    charge(R, what it ran since the last charge); add(R) unless
 *                                     it sleeps; next = take(); if others are ready, a timer at
 *                                     now + slice(next)
 *     E becomes ready while R runs    charge(R); add(E); if preempts(E, R), R stops as above;
 *                                     if not, and no timer is set, one at now + slice(R)
 *     a CPU has nothing to do         E = steal(a busy CPU's queue); add(own queue, E, MOVED)
 *     nice, priority or length of a   remove(E); change it; add(E, SCHED_MOVED)
 *     ready E changes
 *     the policy changes              take all off; policy, epoch + 1 and init for each queue; add
 *                                     all as SCHED_NEW. Who sleeps or runs meanwhile is known by
 *                                     its old epoch and treated as new when it comes back.
 *
 * Times are ns. Each call takes O(log n) steps at most for n entities on the queue
 * (tests/unit/sched counts them).
 */
#pragma once

#include "lib/list.h"
#include "lib/tree.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define SCHED_LEVELS 32u           /**< lists in a queue, and priorities */
#define SCHED_NICE_MIN (-20)       /**< the largest share */
#define SCHED_NICE_MAX 19          /**< the smallest */
#define SCHED_WEIGHT_NORMAL 65536u /**< the weight of nice 0 */
#define SCHED_POOLS_FREE 64u       /**< pools of lottery that anybody may begin */
#define SCHED_POOLS (SCHED_POOLS_FREE + SCHED_NICE_MAX - SCHED_NICE_MIN + 1)
#define SCHED_POOL_ROW 8u
#define SCHED_FOREVER UINT64_MAX /**< a slice that does not end, a period that never comes */

/** What policies look at, as bits. */
enum { SCHED_BY_PRIORITY = 1, SCHED_BY_NICE = 2, SCHED_BY_LENGTH = 4 };

struct sched_policy;
struct sched_queue;

/**
 * What can run. Zero it before first use; while it is on a queue, only the policy writes to it.
 *
 * The order of the members is that of use. With very many entities most of them are in no cache,
 * and what a walk through a tree looks at, the node and its keys, is in 64 bytes; so is what a turn
 * looks at besides.
 */
struct sched_entity {
    /* The place on the queue, and what it goes by; which of them is used is the policy's business.
     * The first three are valid while its epoch is the queue's. */
    struct tree_node node;
    uint64_t vruntime;  /**< fair: run time divided by weight */
    uint64_t pass;      /**< stride: the same, by another rule for those who sleep */
    uint64_t remaining; /**< sjf, srt: what it still needs; UINT64_MAX: unknown */
    uint64_t run_time;  /**< all in all; its owner counts it, before each charge */

    struct list link;
    uint64_t run_start; /**< its run_time when it was last taken */

    /* Where it stands; valid while its epoch is the queue's. */
    uint32_t epoch;
    uint32_t
        level; /**< feedback: 0 is the first to run; lottery: its pool; search: 1 if it yielded */
    const struct sched_queue
        *home;            /**< the queue that vruntime or pass counts for; never followed */
    uint64_t base;        /**< that queue's min_vruntime at the last charge or removal */
    uint64_t sequence;    /**< order of arrival; kept by who is preempted */
    uint64_t slice_left;  /**< feedback: of its allowance at its level */
    uint64_t level_since; /**< feedback: when slice and level were last looked after */

    /* What its owner wants, set while it is on no queue. */
    uint32_t priority; /**< 0 the highest .. 31 (priority); above 31 counts as 31 */
    int32_t nice;      /**< -20 .. 19: the weight of fair, the tickets of stride and lottery */
    uint64_t length;   /**< declared length of the job, 0: unknown (sjf, srt) */
};

/**
 * Where entities wait for a CPU. Guarded by a lock of its owner.
 *
 * Before `init` the owner sets policy, epoch, quantum, levels, period and random; init replaces
 * what is 0 by the policy's own choice, and sets the rest.
 */
struct sched_queue {
    const struct sched_policy *policy;
    uint32_t epoch;  /**< counts changes of policy; the same in all queues that exchange entities */
    uint32_t levels; /**< feedback: how many, up to 32 (8) */
    uint64_t quantum; /**< the unit of slices: see each policy (10 ms; fair: 1 ms) */
    uint64_t period;  /**< feedback: between boosts (100 quanta); fair: target latency (8 quanta) */
    uint64_t random;  /**< lottery: the state of its random numbers */
    unsigned choice;  /**< search: which of its options the next take takes */

    unsigned ready;  /**< entities on it */
    uint64_t weight; /**< the sum of theirs */

    uint64_t min_vruntime; /**< fair, stride: where the last in the race is; never goes back */
    uint64_t step;         /**< fair, stride: virtual times are level if these bits are the same */
    uint64_t round_own;    /**< fair: the weight of who was taken last; 0: nobody */
    uint64_t round_rest;   /**< fair: that of all others then */
    uint64_t round_share;  /**< fair: the slice that came out */
    uint64_t sequence;     /**< the next arrival's */
    uint64_t boosted;      /**< feedback: when all were last put on level 0 */
    uint32_t occupied;     /**< bit i: lists[i] is not empty */
    struct sched_entity *yielded; /**< lottery: stays out of the next draw; or NULL */
    struct list lists[SCHED_LEVELS];
    struct tree tree;

    /* lottery: see there. */
    uint64_t vacant; /**< bit i: pools[i] is one of the free ones, and empty */
    unsigned drawn;  /**< the pool that won last */
    unsigned joined; /**< the one that was joined last */
    uint64_t row_tickets[SCHED_POOLS / SCHED_POOL_ROW];
    uint64_t pool_tickets[SCHED_POOLS];
    struct list pools[SCHED_POOLS];
};

/** Why an entity comes to a queue. */
enum sched_why {
    SCHED_NEW,     /**< it has just been made */
    SCHED_WOKEN,   /**< it slept */
    SCHED_YIELDED, /**< it ran and gave way of its own will: others go first, if they may at all */
    SCHED_PREEMPTED, /**< it ran and was stopped: by the end of its slice, or for another one */
    SCHED_MOVED,     /**< it was ready on another queue, or was changed in some way */
};

/** A policy. All is called with the queue's lock held, in any context, and never sleeps. */
struct sched_policy {
    const char *name;
    const char *summary; /**< one line for people */
    bool cooperative;    /**< its slices never end: equals run until they give way */
    unsigned goes_by;    /**< SCHED_BY_ of what it looks at of an entity */

    /** Makes an empty queue (see struct sched_queue for what is set before). */
    void (*init)(struct sched_queue *queue);

    /** `entity`, which is on no queue, becomes ready. Who runs has been charged up to `now`. */
    void (*add)(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                uint64_t now);

    /** `entity`, which is on `queue`, leaves it without having run. */
    void (*remove)(struct sched_queue *queue, struct sched_entity *entity);

    /** Takes off the one that shall run now; NULL: the queue is empty. */
    struct sched_entity *(*take)(struct sched_queue *queue, uint64_t now);

    /**
     * How long `running` may run from `now` on while others are ready. 0: it has had its share;
     * SCHED_FOREVER: until it gives way, or another one preempts it.
     */
    uint64_t (*slice)(const struct sched_queue *queue, const struct sched_entity *running,
                      uint64_t now);

    /** `running`, taken from `queue`, has run for `ns` up to `now`; its run_time has them. */
    void (*charge)(struct sched_queue *queue, struct sched_entity *running, uint64_t ns,
                   uint64_t now);

    /**
     * Should `ready`, just added, run at once instead of `running`? Both have this queue's epoch;
     * `running` is charged up to `now`.
     */
    bool (*preempts)(const struct sched_queue *queue, const struct sched_entity *ready,
                     const struct sched_entity *running, uint64_t now);

    /**
     * Takes one off for another CPU; NULL: the queue is empty. In lists, the last of the first
     * list: of those that are most urgent, it would have to wait longest here. In trees, the first.
     * If it cannot be moved after all, adding it as SCHED_MOVED puts it back where it was.
     */
    struct sched_entity *(*steal)(struct sched_queue *queue);

    /**
     * After a take: tells whom the next one would give, and whom probably the one after it; NULL:
     * nobody, or that would cost more than a step. So they can be fetched from memory before their
     * turns come. `lottery` tells whose turns will come at some time. NULL instead of the function:
     * nobody can know.
     */
    void (*foresee)(const struct sched_queue *queue, struct sched_entity *coming[2]);

    /**
     * NULL but for `search`, which does not choose itself: number `index` of those that the next
     * take may take, or NULL behind the last. Before a take, the owner of the queue writes to
     * queue->choice which of them it shall be.
     */
    struct sched_entity *(*option)(const struct sched_queue *queue, unsigned index);
};

/** The policy called `name`, or NULL; `search` too, which is not in the list. Any context. */
const struct sched_policy *policy_find(const char *name);

/** Policy number `index`, from 0 on, or NULL behind the last. Any context. */
const struct sched_policy *policy_at(unsigned index);

/**
 * The weight of a nice level: SCHED_WEIGHT_NORMAL for 0, and a factor of 1.25 for each step, so
 * that of two hogs one step apart one gets 5/9 of the CPU. Beyond -20 and 19 as at the ends. Any
 * context.
 */
uint64_t policy_weight(int32_t nice);
