/* SPDX-License-Identifier: MIT */
/*
 * flow.c: semaphores, completions, barriers, bounded queues, counters.
 */
#include "ktest/sync/crew.h"
#include "ktest/sync/tests.h"
#include "sync/flow/bounded.h"
#include "sync/flow/counter.h"
#include "sync/flow/gate.h"
#include "sync/flow/semaphore.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/time.h>

struct play {
    struct semaphore semaphore;
    struct completion completion;
    struct barrier barrier;
    struct bounded_queue queue;
    void *slots[4];
    struct counter counter;
    volatile unsigned arrived;
    char order[CREW_MAX];
    volatile unsigned last, wrong;
    unsigned rounds, members;
    unsigned in_round[2];
};

static void note(struct play *play, const struct crew_member *member)
{
    play->order[__atomic_fetch_add(&play->arrived, 1, __ATOMIC_RELAXED)] =
        (char)('0' + member->number);
}

static struct play *arrive(struct crew_member *member)
{
    crew_arrive(member);
    return member->play;
}

/* ---- semaphores ---- */

void test_semaphore_counts(struct ktest_run *run)
{
    struct semaphore semaphore;

    semaphore_init(&semaphore, 2);
    semaphore_down(&semaphore);
    KTEST_EXPECT(run, semaphore_count(&semaphore) == 1);
    KTEST_EXPECT(run, semaphore_down_until(&semaphore, 0) == 0); /* there is one: no matter when */
    KTEST_EXPECT(run, !semaphore_try_down(&semaphore));
    KTEST_EXPECT(run, semaphore_down_until(&semaphore, 0) == -ETIMEDOUT);
    semaphore_up(&semaphore);
    KTEST_EXPECT(run, semaphore_count(&semaphore) == 1);
    KTEST_EXPECT(run, semaphore_try_down(&semaphore) && semaphore_count(&semaphore) == 0);
}

static void part_down(struct crew_member *member)
{
    struct play *play = arrive(member);

    semaphore_down(&play->semaphore);
    note(play, member);
}

void test_semaphore_order(struct ktest_run *run)
{
    struct play play = {.arrived = 0};
    struct crew crew;

    semaphore_init(&play.semaphore, 0);
    if (!crew_start(&crew, run, 3, part_down, &play))
        return;
    crew_settle(&crew, run);
    KTEST_EXPECT(run, play.arrived == 0);
    for (unsigned i = 1; i <= 3; i++) {
        semaphore_up(&play.semaphore);
        KTEST_EXPECT(run, semaphore_count(&play.semaphore) == 0); /* handed over */
        KTEST_EXPECT(run, !semaphore_try_down(&play.semaphore));
        crew_settle(&crew, run);
        KTEST_EXPECT(run, play.arrived == i);
    }
    crew_join(&crew);
    KTEST_EXPECT(run, play.order[0] == '0' && play.order[1] == '1' && play.order[2] == '2');
}

static void part_down_patiently(struct crew_member *member)
{
    struct play *play = member->play;

    member->result = semaphore_down_until(&play->semaphore, hal_time_now() + 60 * CREW_S);
}

void test_semaphore_ends(struct ktest_run *run)
{
    uint64_t deadline = hal_time_now() + 3 * CREW_MS;
    struct play play = {.arrived = 0};
    struct crew crew;

    semaphore_init(&play.semaphore, 0);
    KTEST_EXPECT(run, semaphore_down_until(&play.semaphore, deadline) == -ETIMEDOUT);
    KTEST_EXPECT(run, hal_time_now() >= deadline);
    if (crew_start(&crew, run, 1, part_down_patiently, &play)) {
        crew_settle(&crew, run);
        KTEST_EXPECT(run, thread_cancel(crew.members[0].thread->id) == 0);
        crew_join(&crew);
        KTEST_EXPECT(run, crew.members[0].result == -EINTR);
    }
    semaphore_up(&play.semaphore); /* nobody waits any more: it is kept */
    KTEST_EXPECT(run, semaphore_count(&play.semaphore) == 1);
}

/* ---- completions ---- */

static void part_await(struct crew_member *member)
{
    struct play *play = arrive(member);

    completion_wait(&play->completion);
    note(play, member);
}

void test_completion_one(struct ktest_run *run)
{
    struct play play = {.arrived = 0};
    struct crew crew;

    completion_init(&play.completion);
    completion_one(&play.completion); /* before anybody waits: it is kept */
    KTEST_EXPECT(run, completion_is_done(&play.completion));
    if (!crew_start(&crew, run, 3, part_await, &play))
        return;
    crew_settle(&crew, run);
    KTEST_EXPECT(run, play.arrived == 1 && !completion_is_done(&play.completion));
    completion_one(&play.completion);
    completion_one(&play.completion);
    crew_join(&crew);
    KTEST_EXPECT(run, play.arrived == 3 && !completion_is_done(&play.completion));
}

void test_completion_all(struct ktest_run *run)
{
    struct play play = {.arrived = 0};
    struct crew crew;

    completion_init(&play.completion);
    if (!crew_start(&crew, run, 3, part_await, &play))
        return;
    crew_settle(&crew, run);
    KTEST_EXPECT(run, play.arrived == 0);
    completion_all(&play.completion);
    crew_join(&crew);
    KTEST_EXPECT(run, play.arrived == 3);
    completion_wait(&play.completion); /* from now on nobody waits */
    completion_wait(&play.completion);
    KTEST_EXPECT(run, completion_is_done(&play.completion));
}

static void part_await_patiently(struct crew_member *member)
{
    struct play *play = member->play;

    member->result = completion_wait_until(&play->completion, hal_time_now() + 60 * CREW_S);
}

void test_completion_ends(struct ktest_run *run)
{
    struct play play = {.arrived = 0};
    struct crew crew;

    completion_init(&play.completion);
    KTEST_EXPECT(run,
                 completion_wait_until(&play.completion, hal_time_now() + CREW_MS) == -ETIMEDOUT);
    if (!crew_start(&crew, run, 1, part_await_patiently, &play))
        return;
    crew_settle(&crew, run);
    KTEST_EXPECT(run, thread_cancel(crew.members[0].thread->id) == 0);
    crew_join(&crew);
    KTEST_EXPECT(run, crew.members[0].result == -EINTR);
}

/* ---- barriers ---- */

static void part_rounds(struct crew_member *member)
{
    struct play *play = member->play;

    for (unsigned round = 0; round < play->rounds; round++) {
        __atomic_add_fetch(&play->in_round[round % 2], 1, __ATOMIC_RELAXED);
        crew_dawdle(member);
        if (barrier_wait(&play->barrier)) {
            play->last++; /* one of them only */
            play->wrong += play->in_round[round % 2] != play->members;
            play->in_round[round % 2] = 0;
        }
        (void)barrier_wait(&play->barrier); /* until that was done */
    }
}

void test_barrier_rounds(struct ktest_run *run)
{
    struct play play = {.rounds = ktest_size(50), .members = 4};
    struct crew crew;

    barrier_init(&play.barrier, play.members);
    if (!crew_play(&crew, run, play.members, part_rounds, &play))
        return;
    KTEST_EXPECT(run, play.last == play.rounds);
    KTEST_EXPECT(run, play.wrong == 0);
    barrier_init(&play.barrier, 1);
    KTEST_EXPECT(run, barrier_wait(&play.barrier) && barrier_wait(&play.barrier));
}

/* ---- bounded queues ---- */

void test_bounded_order(struct ktest_run *run)
{
    struct bounded_queue queue;
    void *slots[3], *item = NULL;
    int values[4];

    bounded_queue_init(&queue, slots, 3);
    KTEST_EXPECT(run, bounded_queue_try_get(&queue, &item) == -EAGAIN);
    for (unsigned round = 0; round < 5; round++) { /* so that it goes round the slots */
        for (unsigned i = 0; i < 3; i++)
            KTEST_EXPECT(run, bounded_queue_try_put(&queue, &values[i]) == 0);
        KTEST_EXPECT(run, bounded_queue_try_put(&queue, &values[3]) == -EAGAIN);
        KTEST_EXPECT(run, bounded_queue_count(&queue) == 3);
        for (unsigned i = 0; i < 2; i++)
            KTEST_EXPECT(run, bounded_queue_get(&queue, &item, 0) == 0 && item == &values[i]);
        KTEST_EXPECT(run, bounded_queue_try_get(&queue, &item) == 0 && item == &values[2]);
    }
    KTEST_EXPECT(run, bounded_queue_get(&queue, &item, hal_time_now() + CREW_MS) == -ETIMEDOUT);
}

static void part_put(struct crew_member *member)
{
    struct play *play = arrive(member);
    uint64_t patience = member->number == 1 ? 2 * CREW_MS : 60 * CREW_S;

    member->result = bounded_queue_put(&play->queue, member, hal_time_now() + patience);
}

void test_bounded_full(struct ktest_run *run)
{
    struct play play = {.arrived = 0};
    struct crew crew;
    void *item = NULL;

    bounded_queue_init(&play.queue, play.slots, 1);
    KTEST_EXPECT(run, bounded_queue_put(&play.queue, &play, 0) == 0);
    if (!crew_start(&crew, run, 3, part_put, &play))
        return;
    crew_await_end(&crew, run, 1);
    crew_settle(&crew, run);
    KTEST_EXPECT(run, crew.members[1].result == -ETIMEDOUT);
    KTEST_EXPECT(run, thread_cancel(crew.members[2].thread->id) == 0);
    crew_await_end(&crew, run, 2);
    KTEST_EXPECT(run, crew.members[2].result == -EINTR);
    KTEST_EXPECT(run, bounded_queue_try_get(&play.queue, &item) == 0 && item == &play);
    crew_join(&crew);
    KTEST_EXPECT(run, crew.members[0].result == 0);
    KTEST_EXPECT(run, bounded_queue_try_get(&play.queue, &item) == 0 && item == &crew.members[0]);
}

/* Even members put, odd ones get. */
static void part_put_or_get(struct crew_member *member)
{
    struct play *play = member->play;
    void *item = NULL;

    member->result = 1;
    while (member->result >= 0)
        member->result = member->number % 2
                             ? bounded_queue_get(&play->queue, &item, HAL_TIME_NEVER)
                             : bounded_queue_put(&play->queue, member, HAL_TIME_NEVER);
}

void test_bounded_close(struct ktest_run *run)
{
    struct play play = {.arrived = 0};
    struct crew crew;
    void *item = NULL;

    bounded_queue_init(&play.queue, play.slots, 4);
    KTEST_EXPECT(run, bounded_queue_try_put(&play.queue, &play) == 0);
    bounded_queue_close(&play.queue);
    KTEST_EXPECT(run, bounded_queue_try_put(&play.queue, &play) == -ECANCELED);
    KTEST_EXPECT(run, bounded_queue_get(&play.queue, &item, 0) == 0 && item == &play);
    KTEST_EXPECT(run, bounded_queue_get(&play.queue, &item, HAL_TIME_NEVER) == -ECANCELED);

    bounded_queue_init(&play.queue, play.slots, 2);
    if (!crew_start(&crew, run, 4, part_put_or_get, &play))
        return;
    thread_sleep(CREW_MS);
    bounded_queue_close(&play.queue);
    crew_join(&crew);
    for (unsigned i = 0; i < 4; i++)
        KTEST_EXPECT(run, crew.members[i].result == -ECANCELED);
    KTEST_EXPECT(run, bounded_queue_count(&play.queue) == 0);
}

/* ---- counters ---- */

static void part_count(struct crew_member *member)
{
    struct play *play = member->play;

    for (unsigned i = 0; i < play->rounds; i++)
        counter_add(&play->counter, member->number % 2 ? -1 : 3);
}

void test_counter_sum(struct ktest_run *run)
{
    struct play play = {.rounds = ktest_size(1000)};
    struct crew crew;

    counter_init(&play.counter);
    if (crew_play(&crew, run, 4, part_count, &play))
        KTEST_EXPECT(run, counter_sum(&play.counter) == 4 * (int64_t)play.rounds);
}
