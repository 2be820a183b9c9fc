/* SPDX-License-Identifier: MIT */
/*
 * fair.c: completely fair scheduling: everybody's virtual run time grows at the same rate.
 *
 * On an ideal machine n equal threads would run at the same time, each at 1/n of the speed. A real
 * one can only see to it that nobody gets far from that: it keeps for each the time that it has
 * run, divided by its weight, and always runs the one that has least of it.
 *
 *     vruntime    10   12   13        19
 *     waiting     B    C    D    A running, 14; when A has run up to its slice, B is first
 *
 * Weights come from nice levels, 1.25 for each step: a hog of nice 0 beside one of nice 5 gets
 * 65536 / (65536 + 21475) = 75 % of the CPU.
 *
 * How long may the first one run? Each shall have a turn within the target latency (`period`, 8
 * ms), so a slice is the share of it that its weight has; but no less than the granularity
 * (`quantum`, 1 ms), or a crowd would do nothing but switch. With 3 equal ones a slice is 2.67 ms;
 * with 20 it is 1 ms, and the round takes 20 ms.
 *
 * Who sleeps falls behind in virtual time. If that counted in full, it could come back after an
 * hour and keep the CPU for one. So a sleeper comes back at no less than min_vruntime (where the
 * last in the race stands) less a bonus of half the target latency: enough to be first and to
 * preempt a hog at once, which is what a person at the keyboard wants, and too little to be missed
 * by others. Preempting takes a lead of one granularity, lest two that are level take turns all the
 * time.
 *
 * Who moves to another CPU keeps its distance from min_vruntime, since two CPUs' virtual times have
 * nothing to do with each other; `base` is what it was where it came from. Who yields goes behind
 * the first of those who wait, wherever it stood.
 *
 * Who is ahead is not told to the nanosecond: virtual times are compared in steps of a 16th of a
 * granularity or less, and who is in the same step stands in one bunch (../bunch.h), first come
 * first. That gives nobody more than a step, and many threads that are about even make no large
 * tree.
 *
 * Invariants: the order is that of the steps, within one by arrival; min_vruntime never goes back,
 * and is at most what the first bunch's leader has, unless that one came with a bonus. Nobody
 * starves: who waits stands still while all others move on, and must be the first some time.
 *
 * Weighted fair queueing of packets (Demers, Keshav and Shenker, 1989) has the same idea; for
 * threads it is best known from Linux, whose scheduler from 2007 to 2023 was Ingo Molnar's CFS,
 * after Con Kolivas had shown that fairness alone makes a desktop pleasant.
 */
#include "sched/bunch.h"
#include "sched/policy/common.h"

#define FAIR_GRANULARITY 1000000u /* 1 ms */
#define FAIR_PERIOD 8u            /* granularities in the target latency */

/* `key` is who is added; its home is the queue already. */
static int compare(const void *key, const struct tree_node *node)
{
    const struct sched_entity *entity = key;

    return policy_compare(entity->home, entity->vruntime, bunch_of_node(node)->vruntime);
}

static void fair_init(struct sched_queue *queue)
{
    policy_init_queue(queue, FAIR_GRANULARITY, FAIR_PERIOD);
}

/* Moves the mark of the last in the race to `vruntime`, or to the first who waits if that is less.
 */
static void advance(struct sched_queue *queue, uint64_t vruntime)
{
    const struct sched_entity *first = bunch_first(queue);

    if (first && policy_before(first->vruntime, vruntime))
        vruntime = first->vruntime;
    queue->min_vruntime = policy_later(queue->min_vruntime, vruntime);
}

/*
 * Where a sleeper continues. It has at most the bonus; and if it comes from another queue, where
 * nobody can say how far the race has gone on meanwhile, it owes the target latency at most.
 */
static uint64_t place_woken(const struct sched_queue *queue, const struct sched_entity *entity)
{
    uint64_t least = queue->min_vruntime - queue->period / 2;
    uint64_t most = queue->min_vruntime + queue->period;
    uint64_t vruntime = entity->vruntime;

    if (entity->home != queue) {
        vruntime = queue->min_vruntime + (vruntime - entity->base);
        if (policy_before(most, vruntime))
            vruntime = most;
    }
    return policy_later(vruntime, least);
}

static uint64_t place(const struct sched_queue *queue, const struct sched_entity *entity,
                      enum sched_why why)
{
    const struct sched_entity *first = bunch_first(queue);
    uint64_t vruntime = entity->vruntime;

    if (why == SCHED_NEW)
        return queue->min_vruntime;
    if (why == SCHED_WOKEN)
        return place_woken(queue, entity);
    if (entity->home != queue)
        vruntime = queue->min_vruntime + (vruntime - entity->base);
    if (why == SCHED_YIELDED && first && policy_distance(queue, vruntime, first->vruntime) < 0)
        vruntime = first->vruntime;
    return vruntime;
}

static void fair_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                     uint64_t now)
{
    struct sched_entity *first;

    (void)now;
    why = policy_enter(queue, entity, why);
    entity->vruntime = place(queue, entity, why);
    entity->home = queue;
    first = bunch_first(queue);
    if (first && policy_distance(queue, entity->vruntime, first->vruntime) == 0)
        bunch_join(entity, first); /* most often, and with no tree to be walked */
    else
        bunch_add(queue, entity, entity, compare);
}

static void fair_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    bunch_remove(queue, entity);
    policy_leave(queue, entity);
    entity->base = queue->min_vruntime;
}

static struct sched_entity *fair_steal(struct sched_queue *queue)
{
    struct sched_entity *first = bunch_first(queue);

    if (first)
        fair_remove(queue, first);
    return first;
}

/* The part of a round that a weight of `own` has among `total`. */
static uint64_t share_of(const struct sched_queue *queue, uint64_t own, uint64_t total)
{
    /* In 1/65536 of the round: a weight has 23 bits, so this cannot pass 64. */
    uint64_t part = own * 65536 / total;
    uint64_t share = queue->period / 65536 * part + queue->period % 65536 * part / 65536;

    return share > queue->quantum ? share : queue->quantum;
}

static struct sched_entity *fair_take(struct sched_queue *queue, uint64_t now)
{
    struct sched_entity *entity = fair_steal(queue);
    uint64_t own;

    (void)now;
    if (!entity)
        return NULL;
    own = policy_usual_weight(entity->nice);
    if (queue->round_rest != queue->weight || queue->round_own != own) {
        queue->round_rest = queue->weight;
        queue->round_own = own;
        queue->round_share = share_of(queue, own, own + queue->weight);
    }
    policy_begin(entity);
    return entity;
}

/* What is left of its share. While nobody comes and goes, there is nothing to be divided. */
static uint64_t fair_slice(const struct sched_queue *queue, const struct sched_entity *running,
                           uint64_t now)
{
    uint64_t own = policy_usual_weight(running->nice), used = policy_used(running), share;

    (void)now;
    if (queue->round_rest == queue->weight && queue->round_own == own)
        share = queue->round_share;
    else
        share = share_of(queue, own, own + queue->weight);
    return used < share ? share - used : 0;
}

static void fair_charge(struct sched_queue *queue, struct sched_entity *running, uint64_t ns,
                        uint64_t now)
{
    (void)now;
    running->vruntime += policy_virtual(ns, policy_usual_weight(running->nice));
    advance(queue, running->vruntime);
    running->base = queue->min_vruntime;
}

static bool fair_preempts(const struct sched_queue *queue, const struct sched_entity *ready,
                          const struct sched_entity *running, uint64_t now)
{
    (void)now;
    return policy_before(ready->vruntime + queue->quantum, running->vruntime);
}

const struct sched_policy policy_fair = {
    .name = "fair",
    .summary = "shares by weight, and who slept goes first",
    .goes_by = SCHED_BY_NICE,
    .init = fair_init,
    .add = fair_add,
    .remove = fair_remove,
    .take = fair_take,
    .slice = fair_slice,
    .charge = fair_charge,
    .preempts = fair_preempts,
    .steal = fair_steal,
    .foresee = bunch_foresee,
};
