/* SPDX-License-Identifier: MIT */
/*
 * rr.c: round robin.
 *
 * FIFO with a quantum: who has run for one while others waited goes to the end of the queue.
 *
 *     queue:  B <- C <- D     running: A      quantum of A over:  C <- D <- A     running: B
 *
 * Invariant: the list is in the order of arrival, where the end of a quantum is a new arrival; so
 * with n ready, nobody waits longer than n - 1 quanta.
 *
 * Time sharing began with it (CTSS at MIT, 1961, had it inside each of its levels), and Stanford's
 * cs140e builds it as the first scheduler. A short quantum answers quickly and pays for many
 * switches; a very long one is FIFO. It knows no importance: a hog and an editor get the same
 * turns, and the editor gives most of its turn away.
 *
 * The quantum counts from the moment when others wait: who has run alone until now does not owe for
 * it.
 */
#include "sched/policy/common.h"

static void rr_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
}

static void rr_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                   uint64_t now)
{
    (void)now;
    (void)policy_enter(queue, entity, why);
    policy_list_add(queue, 0, entity, false);
}

static void rr_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    policy_list_remove(queue, 0, entity);
}

const struct sched_policy policy_rr = {
    .name = "rr",
    .summary = "round robin: each in turn, for a quantum",
    .init = rr_init,
    .add = rr_add,
    .remove = rr_remove,
    .take = policy_take_listed,
    .slice = policy_slice_quantum,
    .charge = policy_charge_nothing,
    .preempts = policy_preempts_never,
    .steal = policy_steal_listed,
    .foresee = policy_foresee_listed,
};
