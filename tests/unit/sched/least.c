/* SPDX-License-Identifier: MIT */
/*
 * least.c: the worked example of docs/SCHEDULING.md, from which it is compared line by line: a
 * policy that takes whoever has run least so far.
 */
#include "sched/policy/common.h"

extern const struct sched_policy policy_least;

static struct sched_entity *entity_of(const struct tree_node *node)
{
    return tree_entry(node, struct sched_entity, node);
}

static int compare(const void *key, const struct tree_node *node)
{
    const struct sched_entity *a = key, *b = entity_of(node);

    return a->run_time < b->run_time ? -1 : a->run_time > b->run_time;
}

static void least_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
}

static void least_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                      uint64_t now)
{
    (void)now;
    (void)policy_enter(queue, entity, why);
    tree_insert(&queue->tree, &entity->node, entity, compare);
}

static void least_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    tree_remove(&queue->tree, &entity->node);
    policy_leave(queue, entity);
}

static struct sched_entity *least_steal(struct sched_queue *queue)
{
    struct tree_node *first = tree_first(&queue->tree);

    if (!first)
        return NULL;
    least_remove(queue, entity_of(first));
    return entity_of(first);
}

static struct sched_entity *least_take(struct sched_queue *queue, uint64_t now)
{
    struct sched_entity *entity = least_steal(queue);

    (void)now;
    if (entity)
        policy_begin(entity);
    return entity;
}

const struct sched_policy policy_least = {
    .name = "least",
    .summary = "who has run least so far",
    .init = least_init,
    .add = least_add,
    .remove = least_remove,
    .take = least_take,
    .slice = policy_slice_quantum,
    .charge = policy_charge_nothing,
    .preempts = policy_preempts_never,
    .steal = least_steal,
};
