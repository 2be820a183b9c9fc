/* SPDX-License-Identifier: MIT */
/*
 * priority.c: strict priority; FIFO within a level.
 *
 * Of all that are ready, one with the highest priority runs (0 is the highest, 31 the lowest).
 * Who becomes ready with a higher one takes the CPU at once. Among equals the rule is that of
 * fifo.c: no slice, until it sleeps or yields.
 *
 *     lists[0]:  (none)
 *     lists[1]:  B <- C        running: A of 1. Then X of 0 becomes ready and runs; A waits before
 *     lists[7]:  D             B, where it was: to be preempted is not to have had one's turn.
 *
 * Invariants: nobody waits with a higher priority than who runs; bit i of `occupied` says whether
 * lists[i] has an entity, so the first list is found by counting zeros, in one instruction.
 *
 * It is the rule of real-time systems (POSIX calls it SCHED_FIFO): when priorities are given by
 * rate, and the load stays below 69 %, all deadlines of periodic work are met (Liu and Layland,
 * 1973). For all else it is dangerous: D above starves as long as A or B or C has work, and a yield
 * gives way to equals only. That is the documented property here, and tests show it. And a lock
 * held by D stops A, while C keeps D from ever giving it back: priority inversion, which made the
 * Mars Pathfinder reboot itself in 1997. The cure is not here: the mutex lends its owner the
 * waiter's priority.
 */
#include "sched/policy/common.h"

static unsigned level_of(const struct sched_entity *entity)
{
    return entity->priority < SCHED_LEVELS ? entity->priority : SCHED_LEVELS - 1;
}

static void priority_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
}

static void priority_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                         uint64_t now)
{
    (void)now;
    why = policy_enter(queue, entity, why);
    policy_list_add(queue, level_of(entity), entity, why == SCHED_PREEMPTED);
}

static void priority_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    policy_list_remove(queue, level_of(entity), entity);
}

static bool priority_preempts(const struct sched_queue *queue, const struct sched_entity *ready,
                              const struct sched_entity *running, uint64_t now)
{
    (void)queue, (void)now;
    return level_of(ready) < level_of(running);
}

const struct sched_policy policy_priority = {
    .name = "priority",
    .summary = "strict priority, first come first served within a level",
    .cooperative = true,
    .goes_by = SCHED_BY_PRIORITY,
    .init = priority_init,
    .add = priority_add,
    .remove = priority_remove,
    .take = policy_take_listed,
    .slice = policy_slice_forever,
    .charge = policy_charge_nothing,
    .preempts = priority_preempts,
    .steal = policy_steal_listed,
    .foresee = policy_foresee_listed,
};
