/* SPDX-License-Identifier: MIT */
/*
 * search.c: whoever looks for schedules that do harm says who is next.
 *
 * A kernel that is right is right whoever runs next. So this policy has no opinion: it keeps the
 * ready in the order in which they came, shows them one by one (`option`), and takes the one that
 * its owner was told to take (queue->choice). The scheduler asks the board (hal_board_choose), and
 * in the simulator that is who drives a search; see docs/SEARCH.md. On a board that nobody tests
 * the answer is the first, and this is fifo.c with a very short quantum.
 *
 *     queue:  A <- B <- C      A was preempted: A, B or C      A yielded: B or C (A is last)
 *
 * Invariant: option 0 is what happens if nobody interferes: who was preempted goes on, and else who
 * has waited longest. Who yielded lets all others go first: it is no option as long as anybody
 * waits who has done so since before, or two that wait for a third by yielding, to it and to each
 * other, could hold it up for ever. `sequence` tells since when; who is taken begins anew, so who
 * is preempted often is in nobody's way.
 *
 * The quantum is so short that the timer can stop a thread after a few steps wherever it is; the
 * simulator then holds the timer's interrupt back, and lets it strike where it wants to.
 *
 * It is not in the list of policies, because it is no way to share a CPU.
 */
#include "sched/policy/common.h"

#define SEARCH_QUANTUM 20000u

static void search_init(struct sched_queue *queue)
{
    policy_init_queue(queue, SEARCH_QUANTUM, 1);
    queue->choice = 0;
}

static void search_add(struct sched_queue *queue, struct sched_entity *entity, enum sched_why why,
                       uint64_t now)
{
    (void)now;
    why = policy_enter(queue, entity, why);
    entity->level = why == SCHED_YIELDED;
    policy_list_add(queue, 0, entity, why == SCHED_PREEMPTED);
}

static void search_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    policy_list_remove(queue, 0, entity);
}

static struct sched_entity *entity_of(const struct list *link)
{
    return list_entry(link, struct sched_entity, link);
}

/* Since when that one has waited who has waited longest. */
static uint64_t earliest(const struct sched_queue *queue)
{
    uint64_t first = UINT64_MAX;

    list_for_each (link, &queue->lists[0])
        if (entity_of(link)->sequence < first)
            first = entity_of(link)->sequence;
    return first;
}

static struct sched_entity *search_option(const struct sched_queue *queue, unsigned index)
{
    uint64_t first = earliest(queue);

    list_for_each (link, &queue->lists[0]) {
        struct sched_entity *entity = entity_of(link);

        if ((!entity->level || entity->sequence == first) && index-- == 0)
            return entity;
    }
    return NULL;
}

static struct sched_entity *search_take(struct sched_queue *queue, uint64_t now)
{
    struct sched_entity *entity = search_option(queue, queue->choice);

    (void)now;
    if (!entity)
        entity = search_option(queue, 0);
    queue->choice = 0;
    if (!entity)
        return NULL;
    policy_list_remove(queue, 0, entity);
    entity->sequence = queue->sequence++;
    policy_begin(entity);
    return entity;
}

const struct sched_policy policy_search = {
    .name = "search",
    .summary = "who tests the kernel says who is next",
    .init = search_init,
    .add = search_add,
    .remove = search_remove,
    .take = search_take,
    .slice = policy_slice_quantum,
    .charge = policy_charge_nothing,
    .preempts = policy_preempts_never,
    .steal = policy_steal_listed,
    .option = search_option,
};
