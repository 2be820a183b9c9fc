/* SPDX-License-Identifier: MIT */
/*
 * stride.c: proportional shares by counting strides.
 *
 * Everybody walks along a line; who is furthest behind takes the next step, for a quantum. A step
 * is the shorter, the more weight one has: so with twice the weight it takes twice as many steps,
 * and gets twice as much of the CPU, to keep up.
 *
 *     weights 3, 2, 1 and strides 2, 3, 6:      pass of A  0 2 2 2 4 4 6     who ran:
 *     after 6 steps all stand at 6 again,               B  0 0 3 3 3 6 6     A B C A B A
 *     A after 3, B after 2, C after 1                   C  0 0 0 6 6 6 6
 *
 * Invariant: of those that compete, the passes lie within one step of each other, so at any moment
 * each has had its share up to one quantum. Lottery scheduling has the same shares, but only by
 * chance and in the long run: both are by Waldspurger (1994 and 1995, with Weihl), and this is the
 * one that he came to.
 *
 * Passes are compared in steps of a 16th of a quantum or less; who is in the same step stands in
 * one bunch (../bunch.h), first come first.
 *
 * A stride here is not for a whole quantum but for what was really run: who gives way early has
 * made a smaller step. Tickets are the weights of the nice levels.
 *
 * Who sleeps, or moves to another CPU, keeps its distance from the last in the race (`base` is
 * where that one stood): so sleeping neither earns nor loses anything, and nobody can save up time
 * to block others later. Who yields goes behind the first of those who wait, wherever it stood: it
 * gives the rest of its claim away, or it would be its turn again at once. There is no preemption:
 * who wakes up waits for the end of a quantum, and with n ready for up to n of them. That is the
 * price, and where fair.c does better.
 */
#include "sched/bunch.h"
#include "sched/policy/common.h"

/* `key` is who is added; its home is the queue already. */
static int compare(const void *key, const struct tree_node *node)
{
    const struct sched_entity *entity = key;

    return policy_compare(entity->home, entity->pass, bunch_of_node(node)->pass);
}

static void stride_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
}

/* Moves the mark of the last in the race to `pass`, or to the first who waits if that is less. */
static void advance(struct sched_queue *queue, uint64_t pass)
{
    const struct sched_entity *first = bunch_first(queue);

    if (first && policy_before(first->pass, pass))
        pass = first->pass;
    queue->min_vruntime = policy_later(queue->min_vruntime, pass);
}

static void stride_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                       uint64_t now)
{
    const struct sched_entity *first = bunch_first(queue);

    (void)now;
    why = policy_enter(queue, entity, why);
    if (why == SCHED_NEW)
        entity->pass = queue->min_vruntime;
    else if (why == SCHED_WOKEN || entity->home != queue)
        entity->pass = queue->min_vruntime + (entity->pass - entity->base);
    if (why == SCHED_YIELDED && first && policy_compare(queue, entity->pass, first->pass) < 0)
        entity->pass = first->pass;
    entity->home = queue;
    bunch_add(queue, entity, entity, compare);
}

static void stride_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    bunch_remove(queue, entity);
    policy_leave(queue, entity);
    entity->base = queue->min_vruntime;
}

static struct sched_entity *stride_steal(struct sched_queue *queue)
{
    struct sched_entity *first = bunch_first(queue);

    if (first)
        stride_remove(queue, first);
    return first;
}

static struct sched_entity *stride_take(struct sched_queue *queue, uint64_t now)
{
    struct sched_entity *entity = stride_steal(queue);

    (void)now;
    if (entity)
        policy_begin(entity);
    return entity;
}

static void stride_charge(struct sched_queue *queue, struct sched_entity *running, uint64_t ns,
                          uint64_t now)
{
    (void)now;
    running->pass += policy_virtual(ns, policy_usual_weight(running->nice));
    advance(queue, running->pass);
    running->base = queue->min_vruntime;
}

const struct sched_policy policy_stride = {
    .name = "stride",
    .summary = "shares by weight, exact to a quantum",
    .goes_by = SCHED_BY_NICE,
    .init = stride_init,
    .add = stride_add,
    .remove = stride_remove,
    .take = stride_take,
    .slice = policy_slice_quantum,
    .charge = stride_charge,
    .preempts = policy_preempts_never,
    .steal = stride_steal,
    .foresee = bunch_foresee,
};
