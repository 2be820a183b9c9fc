/* SPDX-License-Identifier: MIT */
/*
 * bunch.h: an ordered queue in which many may be level: a tree of rings.
 *
 * With 100,000 entities, a tree of them all is 17 levels deep, and each level is a look into
 * another thread's memory, which no cache has kept. But most of them are about even. So those with
 * the same key form a bunch: one of them, the leader, has its node in the tree, and the others
 * stand behind it in a ring, in the order of their turns. Then the tree has a node for each key
 * only, and stays where the caches are:
 *
 *            [ B ]                 B leads: B -> F -> A -> (B)
 *           /     \
 *        [ D ]   [ C ]             D is alone; C leads: C -> E -> (C)
 *
 * When a leader leaves, the next in its ring takes its place in the tree; nothing else changes. So
 * joining a bunch and taking the first of all cost a few steps however many there are.
 *
 * An entity leads if its node is in the tree, and its link is in a ring, alone or not, as long as
 * it is on the queue. What the key is, and where in its bunch one stands, is the policy's affair.
 */
#pragma once

#include "sched/policy.h"

static inline struct sched_entity *bunch_of_node(const struct tree_node *node)
{
    return tree_entry(node, struct sched_entity, node);
}

static inline struct sched_entity *bunch_next(const struct sched_entity *entity)
{
    return list_entry(entity->link.next, struct sched_entity, link);
}

/** The last of the bunch that `leader` leads. */
static inline struct sched_entity *bunch_last(const struct sched_entity *leader)
{
    return list_entry(leader->link.prev, struct sched_entity, link);
}

/** The leader of the first bunch, or NULL. */
static inline struct sched_entity *bunch_first(const struct sched_queue *queue)
{
    const struct tree_node *first = tree_first(&queue->tree);

    return first ? bunch_of_node(first) : NULL;
}

/**
 * Finds the bunch that `entity`, which is nowhere, belongs to, and returns who leads it; NULL:
 * there was none, and `entity` is one by itself now.
 */
static inline struct sched_entity *bunch_find(struct sched_queue *queue,
                                              struct sched_entity *entity, const void *key,
                                              tree_compare *compare)
{
    struct tree_node *node = tree_insert_new(&queue->tree, &entity->node, key, compare);

    if (!node) {
        list_init(&entity->link);
        return NULL;
    }
    tree_node_init(&entity->node);
    return bunch_of_node(node);
}

/** Adds `entity` as the last of the bunch that `leader` leads. */
static inline void bunch_join(struct sched_entity *entity, struct sched_entity *leader)
{
    tree_node_init(&entity->node);
    list_insert_before(&entity->link, &leader->link);
}

/** Adds `entity` as the last of its bunch. */
static inline void bunch_add(struct sched_queue *queue, struct sched_entity *entity,
                             const void *key, tree_compare *compare)
{
    struct sched_entity *leader = bunch_find(queue, entity, key, compare);

    if (leader)
        bunch_join(entity, leader);
}

/** Adds `entity`, for which bunch_find has given `leader`, before `place`, one of that bunch. */
static inline void bunch_add_before(struct sched_queue *queue, struct sched_entity *entity,
                                    struct sched_entity *leader, struct sched_entity *place)
{
    list_insert_before(&entity->link, &place->link);
    if (place == leader)
        tree_replace(&queue->tree, &leader->node, &entity->node);
}

static inline void bunch_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    struct sched_entity *heir = bunch_next(entity);

    if (tree_linked(&entity->node)) {
        if (heir != entity)
            tree_replace(&queue->tree, &entity->node, &heir->node);
        else
            tree_remove(&queue->tree, &entity->node);
    }
    list_remove(&entity->link);
}

/** foresee: the first two of the first bunch. */
static inline void bunch_foresee(const struct sched_queue *queue, struct sched_entity *coming[2])
{
    coming[0] = bunch_first(queue);
    coming[1] = coming[0] ? bunch_next(coming[0]) : NULL;
    if (coming[1] == coming[0])
        coming[1] = NULL;
}
