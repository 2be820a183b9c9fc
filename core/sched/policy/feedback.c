/* SPDX-License-Identifier: MIT */
/*
 * feedback.c: the multi-level feedback queue: who is interactive is found out by watching.
 *
 * Levels with growing quanta; the first level that has somebody runs, round robin within it. All
 * begin at level 0. Who uses up its allowance there sinks by one level, where turns are rarer but
 * twice as long. So who needs the CPU for a moment only stays on top and is answered at once, and
 * who computes for hours ends at the bottom, with long turns and few switches: shortest job first,
 * without anybody having to say how long it will take.
 *
 *     level 0  (10 ms)   editor <- shell        E becomes ready on a higher level than who runs:
 *     level 1  (20 ms)   make                   E runs at once, and who ran waits at the head of
 *     level 2  (40 ms)                          its level with what is left of its allowance.
 *     ...
 *     level 7  (1.28 s)  fractal <- backup
 *
 * Who wakes up goes to the head of its level: after a boost all hogs are on level 0 too, and it
 * need not wait for a round of them. What it can take from them is limited by its allowance.
 *
 * Two rules make it honest:
 *
 *  - The allowance is used up in pieces too: it is not renewed by sleeping or yielding. Without
 * this, a hog that yields just before the end of each quantum would stay on top for ever.
 *  - Ageing: once in a while (`period`, 1 s) all are put back on level 0. So nobody starves below a
 *    stream of short jobs for longer than that and one round, and a hog that has become interactive
 *    is found out.
 *
 * Invariants: lists[l] has those of level l, in the order of their turns; the allowance left is
 * never 0 and never more than the level's quantum. The boost does not touch each entity: it hangs
 * the lists of all levels together and notes the time. An entity whose `level_since` is before that
 * time is on level 0 with a full allowance, whatever its members say; it learns of it when it is
 * next looked at. Boosts are at multiples of the period, so all CPUs have them at the same moments.
 *
 * By Corbató and others for CTSS at MIT (1962); the VAX, Unix System V, Solaris and Windows NT all
 * have had some form of it. The two rules are as the textbook by the Arpaci-Dusseaus tells them.
 */
#include "sched/policy/common.h"

#define FEEDBACK_LEVELS 8u
#define FEEDBACK_PERIOD 100u /* quanta between boosts */

static void feedback_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, FEEDBACK_PERIOD);
    if (queue->levels == 0)
        queue->levels = FEEDBACK_LEVELS;
    if (queue->levels > SCHED_LEVELS)
        queue->levels = SCHED_LEVELS;
}

/* The allowance at a level. */
static uint64_t quantum_at(const struct sched_queue *queue, uint32_t level)
{
    return queue->quantum > SCHED_FOREVER >> level ? SCHED_FOREVER : queue->quantum << level;
}

/* When the last boost was due. */
static uint64_t boost_before(const struct sched_queue *queue, uint64_t now)
{
    return queue->period == SCHED_FOREVER ? 0 : now - now % queue->period;
}

/* The level of an entity, given the last boost. */
static uint32_t level_of(const struct sched_entity *entity, uint64_t boost)
{
    return entity->level_since < boost ? 0 : entity->level;
}

static void start_at(struct sched_queue *queue, struct sched_entity *entity, uint32_t level,
                     uint64_t now)
{
    entity->level = level;
    entity->slice_left = quantum_at(queue, level);
    entity->level_since = now;
}

/* Puts all that wait on level 0, if a boost is due: those of level 0 first, then level 1, ... */
static void boost(struct sched_queue *queue, uint64_t now)
{
    struct list *top = &queue->lists[0];
    uint64_t due = boost_before(queue, now);

    if (due <= queue->boosted)
        return;
    queue->boosted = due;
    for (uint32_t level = 1; level < queue->levels; level++) {
        struct list *list = &queue->lists[level];

        if (list_empty(list))
            continue;
        list->next->prev = top->prev;
        top->prev->next = list->next;
        list->prev->next = top;
        top->prev = list->prev;
        list_init(list);
    }
    queue->occupied = !list_empty(top);
}

/* Lets the boosts up to `now` be known to the queue and to the entity. */
static void look_after(struct sched_queue *queue, struct sched_entity *entity, uint64_t now)
{
    boost(queue, now);
    if (entity->level_since < queue->boosted)
        start_at(queue, entity, 0, now);
}

static void feedback_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                         uint64_t now)
{
    bool first;

    why = policy_enter(queue, entity, why);
    if (why == SCHED_NEW)
        start_at(queue, entity, 0, now);
    look_after(queue, entity, now);
    /* A full allowance after a run: it has used up the one before, and its turn is over. */
    first = why == SCHED_WOKEN ||
            (why == SCHED_PREEMPTED &&
             (policy_used(entity) == 0 || entity->slice_left < quantum_at(queue, entity->level)));
    policy_list_add(queue, entity->level, entity, first);
}

static void feedback_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    policy_list_remove(queue, level_of(entity, queue->boosted), entity);
}

/* A boost that is due would not change who is first. */
static struct sched_entity *feedback_take(struct sched_queue *queue, uint64_t now)
{
    unsigned level;
    struct sched_entity *entity = policy_list_take(queue, &level);

    if (!entity)
        return NULL;
    look_after(queue, entity, now);
    policy_begin(entity);
    return entity;
}

/* What it has left; but from the next boost on, the quantum of level 0. */
static uint64_t feedback_slice(const struct sched_queue *queue, const struct sched_entity *running,
                               uint64_t now)
{
    uint64_t past = now - boost_before(queue, now), top = quantum_at(queue, 0);
    uint64_t left = running->slice_left;

    if (running->level_since < now - past)
        return past < top ? top - past : 0;
    if (queue->period != SCHED_FOREVER && left > queue->period - past &&
        left - (queue->period - past) > top)
        left = queue->period - past + top;
    return left;
}

static void feedback_charge(struct sched_queue *queue, struct sched_entity *running, uint64_t ns,
                            uint64_t now)
{
    uint64_t left;
    uint32_t level;

    look_after(queue, running, now);
    if (ns > now - queue->boosted)
        ns = now - queue->boosted; /* what was before the boost is forgiven */
    left = running->slice_left;
    if (ns < left) {
        running->slice_left -= ns;
        return;
    }
    level = running->level;
    while (ns >= left && level + 1 < queue->levels) {
        ns -= left;
        left = quantum_at(queue, ++level);
    }
    start_at(queue, running, level, now);
}

static bool feedback_preempts(const struct sched_queue *queue, const struct sched_entity *ready,
                              const struct sched_entity *running, uint64_t now)
{
    uint64_t boost_time = boost_before(queue, now);

    return level_of(ready, boost_time) < level_of(running, boost_time);
}

const struct sched_policy policy_feedback = {
    .name = "feedback",
    .summary = "levels: hogs sink, others stay on top; all rise from time to time",
    .init = feedback_init,
    .add = feedback_add,
    .remove = feedback_remove,
    .take = feedback_take,
    .slice = feedback_slice,
    .charge = feedback_charge,
    .preempts = feedback_preempts,
    .steal = policy_steal_listed,
    .foresee = policy_foresee_listed,
};
