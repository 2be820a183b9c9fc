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
 * has waited longest. Who yielded is no option while there is another, or two threads that wait for
 * a third by yielding could hold it up for ever.
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
    policy_list_add(queue, 0, entity, why == SCHED_PREEMPTED);
    if (why == SCHED_YIELDED)
        queue->yielded = entity;
}

static void search_remove(struct sched_queue *queue, struct sched_entity *entity)
{
    policy_list_remove(queue, 0, entity);
    if (queue->yielded == entity)
        queue->yielded = NULL;
}

static struct sched_entity *search_option(const struct sched_queue *queue, unsigned index)
{
    const struct list *head = &queue->lists[0];

    for (const struct list *link = head->next; link != head; link = link->next) {
        struct sched_entity *entity = list_entry(link, struct sched_entity, link);

        if ((entity != queue->yielded || queue->ready == 1) && index-- == 0)
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
    queue->yielded = NULL;
    if (!entity)
        return NULL;
    policy_list_remove(queue, 0, entity);
    policy_begin(entity);
    return entity;
}

static struct sched_entity *search_steal(struct sched_queue *queue)
{
    struct sched_entity *entity = policy_steal_listed(queue);

    if (entity && queue->yielded == entity)
        queue->yielded = NULL;
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
    .steal = search_steal,
    .option = search_option,
};
