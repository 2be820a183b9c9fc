/* SPDX-License-Identifier: MIT */
/*
 * rr.c: round robin: first come, first served, and back to the end after a quantum.
 */
#include "sched/policy/policies.h"

static void rr_init(struct sched_queue *queue)
{
    list_init(&queue->lists[0]);
    queue->ready = 0;
}

static void rr_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                   uint64_t now)
{
    (void)why;
    (void)now;
    list_add_tail(&queue->lists[0], &entity->link);
    queue->ready++;
}

static void rr_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    list_remove(&entity->link);
    queue->ready--;
}

static struct sched_entity *rr_take(struct sched_queue *queue, uint64_t now)
{
    struct list *link = list_take_head(&queue->lists[0]);

    (void)now;
    if (!link)
        return NULL;
    queue->ready--;
    return list_entry(link, struct sched_entity, link);
}

static uint64_t rr_slice(const struct sched_queue *queue, const struct sched_entity *entity,
                         uint64_t now)
{
    (void)entity;
    (void)now;
    return queue->quantum;
}

static void rr_charge(struct sched_queue *queue, struct sched_entity *entity, uint64_t ns,
                      uint64_t now)
{
    (void)queue;
    (void)entity;
    (void)ns;
    (void)now;
}

static bool rr_preempts(const struct sched_queue *queue, const struct sched_entity *ready,
                        const struct sched_entity *running, uint64_t now)
{
    (void)queue;
    (void)ready;
    (void)running;
    (void)now;
    return false;
}

/* The last, which would have to wait longest here. */
static struct sched_entity *rr_steal(struct sched_queue *queue)
{
    struct sched_entity *entity;

    if (list_empty(&queue->lists[0]))
        return NULL;
    entity = list_entry(queue->lists[0].prev, struct sched_entity, link);
    rr_remove(queue, entity);
    return entity;
}

const struct sched_policy sched_policy_rr = {
    .name = "rr",
    .init = rr_init,
    .add = rr_add,
    .remove = rr_remove,
    .take = rr_take,
    .slice = rr_slice,
    .charge = rr_charge,
    .preempts = rr_preempts,
    .steal = rr_steal,
};
