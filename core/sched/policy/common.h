/* SPDX-License-Identifier: MIT */
/*
 * common.h: what the policies share: counting who comes and goes, and virtual time. For the files
 * of this folder, ../policy.c and ../search.c only.
 *
 * Every add goes through policy_enter and every take, remove and steal through policy_leave, so
 * that ready and weight are right whatever the policy does in between.
 */
#pragma once

#include "sched/policy.h"

#define POLICY_QUANTUM 10000000u /* 10 ms, unless the owner of the queue says otherwise */

extern const struct sched_policy policy_fifo, policy_rr, policy_priority, policy_stride,
    policy_lottery, policy_feedback, policy_fair, policy_sjf, policy_srt, policy_search;

#define POLICY_STEPS 16u /* at least, in a quantum */

/**
 * The bits of a virtual time that count where it is compared: all but those that are less than a
 * step, which is a power of two and a 16th of a quantum at most. Who is in the same step is level.
 */
static inline uint64_t policy_step(uint64_t quantum)
{
    uint64_t most = quantum / POLICY_STEPS;

    return most == 0 ? UINT64_MAX : UINT64_MAX << (63 - __builtin_clzll(most));
}

/** Sets all of a queue but what its owner chose; a choice of 0 becomes the one given. */
static inline void policy_init_queue(struct sched_queue *queue, uint64_t quantum,
                                     uint64_t quanta_a_period)
{
    if (queue->quantum == 0)
        queue->quantum = quantum;
    if (queue->period == 0)
        queue->period = queue->quantum > SCHED_FOREVER / quanta_a_period
                            ? SCHED_FOREVER
                            : queue->quantum * quanta_a_period;
    queue->ready = 0;
    queue->weight = 0;
    queue->min_vruntime = 0;
    queue->step = policy_step(queue->quantum);
    queue->round_own = 0;
    queue->sequence = 0;
    queue->boosted = 0;
    queue->occupied = 0;
    queue->yielded = NULL;
    for (unsigned i = 0; i < SCHED_LEVELS; i++)
        list_init(&queue->lists[i]);
    tree_init(&queue->tree);
}

/** policy_weight, at once for the usual level. */
static inline uint64_t policy_usual_weight(int32_t nice)
{
    return nice == 0 ? SCHED_WEIGHT_NORMAL : policy_weight(nice);
}

/** Counts an entity in. Returns why it comes: SCHED_NEW too if what it knows is out of date. */
static inline enum sched_why policy_enter(struct sched_queue *queue, struct sched_entity *entity,
                                          enum sched_why why)
{
    if (entity->epoch != queue->epoch)
        why = SCHED_NEW;
    if (why != SCHED_PREEMPTED)
        entity->sequence = queue->sequence++;
    entity->epoch = queue->epoch;
    queue->ready++;
    queue->weight += policy_usual_weight(entity->nice);
    return why;
}

/** Counts an entity out. */
static inline void policy_leave(struct sched_queue *queue, const struct sched_entity *entity)
{
    queue->ready--;
    queue->weight -= policy_usual_weight(entity->nice);
}

/** A turn on a CPU begins. */
static inline void policy_begin(struct sched_entity *entity)
{
    entity->run_start = entity->run_time;
}

/** What it has run since it was taken. */
static inline uint64_t policy_used(const struct sched_entity *entity)
{
    return entity->run_time - entity->run_start;
}

/* ---- lists ---- */

static inline void policy_list_add(struct sched_queue *queue, unsigned level,
                                   struct sched_entity *entity, bool first)
{
    if (first)
        list_add_head(&queue->lists[level], &entity->link);
    else
        list_add_tail(&queue->lists[level], &entity->link);
    queue->occupied |= 1u << level;
}

static inline void policy_list_remove(struct sched_queue *queue, unsigned level,
                                      struct sched_entity *entity)
{
    list_remove(&entity->link);
    if (list_empty(&queue->lists[level]))
        queue->occupied &= ~(1u << level);
    policy_leave(queue, entity);
}

/** Takes the first entity of the first list that has one, and tells which list; or NULL. */
static inline struct sched_entity *policy_list_take(struct sched_queue *queue, unsigned *level)
{
    struct sched_entity *entity;

    if (queue->occupied == 0)
        return NULL;
    *level = (unsigned)__builtin_ctz(queue->occupied);
    entity = list_entry(queue->lists[*level].next, struct sched_entity, link);
    policy_list_remove(queue, *level, entity);
    return entity;
}

/* ---- operations that several tables have ---- */

/** take: the first entity of the first list that has one. */
static inline struct sched_entity *policy_take_listed(struct sched_queue *queue, uint64_t now)
{
    unsigned level;
    struct sched_entity *entity = policy_list_take(queue, &level);

    (void)now;
    if (entity)
        policy_begin(entity);
    return entity;
}

/** foresee: the first two of the first list that has one. */
static inline void policy_foresee_listed(const struct sched_queue *queue,
                                         struct sched_entity *coming[2])
{
    const struct list *head;

    coming[0] = coming[1] = NULL;
    if (queue->occupied == 0)
        return;
    head = &queue->lists[__builtin_ctz(queue->occupied)];
    coming[0] = list_entry(head->next, struct sched_entity, link);
    if (head->next->next != head)
        coming[1] = list_entry(head->next->next, struct sched_entity, link);
}

/** steal: the last entity of the first list that has one. */
static inline struct sched_entity *policy_steal_listed(struct sched_queue *queue)
{
    struct sched_entity *entity;
    unsigned level;

    if (queue->occupied == 0)
        return NULL;
    level = (unsigned)__builtin_ctz(queue->occupied);
    entity = list_entry(queue->lists[level].prev, struct sched_entity, link);
    policy_list_remove(queue, level, entity);
    return entity;
}

/** slice: it runs until it gives way. */
static inline uint64_t policy_slice_forever(const struct sched_queue *queue,
                                            const struct sched_entity *running, uint64_t now)
{
    (void)queue, (void)running, (void)now;
    return SCHED_FOREVER;
}

/** slice: a whole quantum from the moment when others wait, whoever it is. */
static inline uint64_t policy_slice_quantum(const struct sched_queue *queue,
                                            const struct sched_entity *running, uint64_t now)
{
    (void)running, (void)now;
    return queue->quantum;
}

/** charge: nothing depends on it. */
static inline void policy_charge_nothing(struct sched_queue *queue, struct sched_entity *running,
                                         uint64_t ns, uint64_t now)
{
    (void)queue, (void)running, (void)ns, (void)now;
}

/** preempts: never. */
static inline bool policy_preempts_never(const struct sched_queue *queue,
                                         const struct sched_entity *ready,
                                         const struct sched_entity *running, uint64_t now)
{
    (void)queue, (void)ready, (void)running, (void)now;
    return false;
}

/* ---- virtual time ---- */

/*
 * Virtual time is run time divided by weight: of two entities with weights 2 and 1, the first may
 * run twice as long while their virtual times stay together. It counts in ns of nice 0 and may wrap
 * around (after decades), so two of them are compared by the sign of their difference.
 */

/** ns of run time in virtual time. The product of the rest and 2^16 cannot pass 64 bits. */
static inline uint64_t policy_virtual(uint64_t ns, uint64_t weight)
{
    if (weight == SCHED_WEIGHT_NORMAL) /* without dividing */
        return ns;
    return ns / weight * SCHED_WEIGHT_NORMAL + ns % weight * SCHED_WEIGHT_NORMAL / weight;
}

static inline bool policy_before(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

/** How far `a` is behind `b`, where less than a step does not count. */
static inline int64_t policy_distance(const struct sched_queue *queue, uint64_t a, uint64_t b)
{
    return (int64_t)((a & queue->step) - (b & queue->step));
}

/** The same, as an order: negative, 0 or positive. */
static inline int policy_compare(const struct sched_queue *queue, uint64_t a, uint64_t b)
{
    int64_t distance = policy_distance(queue, a, b);

    return (distance > 0) - (distance < 0);
}

/** The later of two virtual times. */
static inline uint64_t policy_later(uint64_t a, uint64_t b)
{
    return policy_before(a, b) ? b : a;
}
