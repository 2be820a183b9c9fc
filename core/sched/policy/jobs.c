/* SPDX-License-Identifier: MIT */
/*
 * jobs.c: sjf, the shortest job first, and srt, the shortest remaining time: for jobs that say how
 * long they will take.
 *
 * sjf: the shortest of the waiting jobs is next and keeps the CPU until it ends, sleeps or yields.
 * srt: the same by what each still needs; and who becomes ready and needs less than what the
 * running one has left takes the CPU at once.
 *
 *     ready: C (2 left) < B (5) < D (unknown)      running: A, 3 left
 *     sjf:  A goes on to its end                   srt: C, if it has just come, preempts A
 *
 * Invariant: the tree is ordered by (remaining, sequence), so equals go by arrival, and who was
 * preempted goes before equals that came later. A length of 0 is an unknown one and counts as
 * longer than all others.
 *
 * Why the shortest? Of two jobs side by side, let the shorter one go first: it gains what the
 * longer one takes, the longer one loses only what the shorter one takes. So no order has a smaller
 * mean time to completion (Smith, 1956); with arrivals at any time and preemption, srt is the best
 * (Schrage, 1968).
 *
 * The price: a long job starves while shorter ones keep coming. That is the documented property
 * here, and tests show it. And who knows the length before? In a batch system the user says it, and
 * may lie. There a job was ended when its time was up; here (srt) it counts as one of unknown
 * length from then on.
 */
#include "sched/policy/common.h"

#define UNKNOWN UINT64_MAX

static struct sched_entity *entity_of(const struct tree_node *node)
{
    return tree_entry(node, struct sched_entity, node);
}

static int compare(const void *key, const struct tree_node *node)
{
    const struct sched_entity *a = key, *b = entity_of(node);

    if (a->remaining != b->remaining)
        return a->remaining < b->remaining ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void jobs_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
}

static void jobs_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                     uint64_t now)
{
    (void)now;
    if (policy_enter(queue, entity, why) == SCHED_NEW)
        entity->remaining = entity->length == 0 ? UNKNOWN : entity->length;
    tree_insert(&queue->tree, &entity->node, entity, compare);
}

static void jobs_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    tree_remove(&queue->tree, &entity->node);
    policy_leave(queue, entity);
}

static struct sched_entity *jobs_steal(struct sched_queue *queue)
{
    struct tree_node *first = tree_first(&queue->tree);

    if (!first)
        return NULL;
    jobs_remove(queue, entity_of(first));
    return entity_of(first);
}

static struct sched_entity *jobs_take(struct sched_queue *queue, uint64_t now)
{
    struct sched_entity *entity = jobs_steal(queue);

    (void)now;
    if (entity)
        policy_begin(entity);
    return entity;
}

static void srt_charge(struct sched_queue *queue, struct sched_entity *running, uint64_t ns,
                       uint64_t now)
{
    (void)queue, (void)now;
    if (running->remaining == UNKNOWN)
        return;
    if (running->remaining >= ns)
        running->remaining -= ns;
    else
        running->remaining = UNKNOWN; /* it said less than the truth */
}

static bool srt_preempts(const struct sched_queue *queue, const struct sched_entity *ready,
                         const struct sched_entity *running, uint64_t now)
{
    (void)queue, (void)now;
    return ready->remaining < running->remaining;
}

const struct sched_policy policy_sjf = {
    .name = "sjf",
    .summary = "shortest declared job first, until it gives way",
    .cooperative = true,
    .goes_by = SCHED_BY_LENGTH,
    .init = jobs_init,
    .add = jobs_add,
    .remove = jobs_remove,
    .take = jobs_take,
    .slice = policy_slice_forever,
    .charge = policy_charge_nothing,
    .preempts = policy_preempts_never,
    .steal = jobs_steal,
};

const struct sched_policy policy_srt = {
    .name = "srt",
    .summary = "shortest remaining time first, preemptive",
    .cooperative = true,
    .goes_by = SCHED_BY_LENGTH,
    .init = jobs_init,
    .add = jobs_add,
    .remove = jobs_remove,
    .take = jobs_take,
    .slice = policy_slice_forever,
    .charge = srt_charge,
    .preempts = srt_preempts,
    .steal = jobs_steal,
};
