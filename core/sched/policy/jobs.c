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
 * Invariant: the order is that of (remaining, sequence), so equals go by arrival, and who was
 * preempted goes before equals that came later. Those that need the same form a bunch (../bunch.h).
 * A length of 0 is an unknown one and counts as longer than all others.
 *
 * Why the shortest? Of two jobs side by side, let the shorter one go first: it gains what the
 * longer one takes, the longer one loses only what the shorter one takes. So no order has a smaller
 * mean time to completion (Smith, 1956); with arrivals at any time and preemption, srt is the best
 * (Schrage, 1968).
 *
 * The price: a long job starves while shorter ones keep coming. That is the documented property
 * here, and tests show it. And who knows the length before? In a batch system the user says it, and
 * may lie. There a job was ended when its time was up; here (srt) it counts as one of unknown
 * length from then on, which came last.
 */
#include "sched/bunch.h"
#include "sched/policy/common.h"

#define UNKNOWN UINT64_MAX

static int compare(const void *key, const struct tree_node *node)
{
    const struct sched_entity *a = key, *b = bunch_of_node(node);

    return a->remaining < b->remaining ? -1 : a->remaining > b->remaining;
}

/*
 * Puts `entity` where it belongs in the bunch of `leader`. Only who was preempted has not come
 * last; and before it stand only those that were preempted too, on the other CPUs of this queue.
 */
static void stand_in_line(struct sched_queue *queue, struct sched_entity *entity,
                          struct sched_entity *leader)
{
    struct sched_entity *place = leader;

    if (bunch_last(leader)->sequence < entity->sequence) {
        list_insert_before(&entity->link, &leader->link);
        return;
    }
    while (place->sequence < entity->sequence)
        place = bunch_next(place);
    bunch_add_before(queue, entity, leader, place);
}

static void jobs_init(struct sched_queue *queue)
{
    policy_init_queue(queue, POLICY_QUANTUM, 1);
}

static void jobs_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                     uint64_t now)
{
    struct sched_entity *leader;

    (void)now;
    if (policy_enter(queue, entity, why) == SCHED_NEW)
        entity->remaining = entity->length == 0 ? UNKNOWN : entity->length;
    leader = bunch_find(queue, entity, entity, compare);
    if (leader)
        stand_in_line(queue, entity, leader);
}

static void jobs_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    bunch_remove(queue, entity);
    policy_leave(queue, entity);
}

static struct sched_entity *jobs_steal(struct sched_queue *queue)
{
    struct sched_entity *first = bunch_first(queue);

    if (first)
        jobs_remove(queue, first);
    return first;
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
    (void)now;
    if (running->remaining == UNKNOWN)
        return;
    if (running->remaining >= ns) {
        running->remaining -= ns;
        return;
    }
    running->remaining = UNKNOWN; /* it said less than the truth */
    running->sequence = queue->sequence++;
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
    .foresee = bunch_foresee,
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
    .foresee = bunch_foresee,
};
