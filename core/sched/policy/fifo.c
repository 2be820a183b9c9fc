/* SPDX-License-Identifier: MIT */
/*
 * fifo.c: first in, first out; cooperative.
 *
 * Who has waited longest goes next, and keeps the CPU until it sleeps, ends or yields. There is no
 * slice and nobody preempts anybody.
 *
 *     queue:  B <- C <- D     running: A      A yields:  C <- D <- A     running: B
 *
 * Invariant: the list is in the order of arrival.
 *
 * This is the oldest rule of all: how batches were worked off in the 1950s, and how kernels without
 * preemption still do it, Brown's Weenix and Reenix among them. Nobody can be interrupted halfway,
 * so code between two yields needs no lock on one CPU. The price: one long job makes all behind it
 * wait (the convoy effect), and one loop that never yields stops everybody. Starvation is thus
 * possible, but only by who refuses to give way, never by the queue.
 *
 * Who is preempted all the same, because the scheduler had reasons of its own, did not ask for it:
 * it goes back to the head.
 */
#include "sched/policy/common.h"

static void fifo_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
}

static void fifo_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                     uint64_t now)
{
    (void)now;
    why = policy_enter(queue, entity, why);
    policy_list_add(queue, 0, entity, why == SCHED_PREEMPTED);
}

static void fifo_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    policy_list_remove(queue, 0, entity);
}

const struct sched_policy policy_fifo = {
    .name = "fifo",
    .summary = "first come first served, until it gives way",
    .cooperative = true,
    .init = fifo_init,
    .add = fifo_add,
    .remove = fifo_remove,
    .take = policy_take_listed,
    .slice = policy_slice_forever,
    .charge = policy_charge_nothing,
    .preempts = policy_preempts_never,
    .steal = policy_steal_listed,
    .foresee = policy_foresee_listed,
};
