/* SPDX-License-Identifier: MIT */
/*
 * basic.c: spinlocks, wait queues, and what a mutex has always done.
 */
#include "ktest/sync/crew.h"
#include "ktest/sync/tests.h"
#include "sync/mutex.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/time.h>

#define MS 1000000u
#define ACTORS 4u
#define HOUR_NS UINT64_C(3600000000000)

/* A thread of a test, and what all of them share; on the tester's stack. */
struct stage {
    struct mutex mutex;
    struct spinlock lock; /* guards queue and open */
    struct wait_queue queue;
    bool open;
    volatile unsigned value;
    char order[ACTORS];
    volatile unsigned arrived;
};

struct actor {
    struct stage *stage;
    struct thread *thread;
    unsigned number;
    volatile int result;
};

static void stage_init(struct stage *stage)
{
    *stage = (struct stage){.value = 0};
    mutex_init(&stage->mutex);
    spinlock_init(&stage->lock, LOCK_RANK_WAIT);
    wait_init(&stage->queue);
}

static void await_rest(struct ktest_run *run, const struct actor *actor)
{
    uint64_t deadline = hal_time_now() + HOUR_NS / 60;

    while (!crew_rests(actor->thread) && hal_time_now() < deadline)
        thread_sleep(MS / 10);
    KTEST_EXPECT(run, crew_rests(actor->thread));
}

/* Starts up to `n` actors; in order, if each is to sleep, or end, before the next one begins. */
static unsigned stage_start(struct ktest_run *run, struct stage *stage, struct actor *actors,
                            unsigned n, void (*part)(void *actor), bool in_order)
{
    unsigned i = 0;

    for (; i < n; i++) {
        actors[i] = (struct actor){.stage = stage, .number = i};
        if (!KTEST_EXPECT(run, thread_create("actor", part, &actors[i], &actors[i].thread) == 0))
            break;
        if (in_order)
            await_rest(run, &actors[i]);
    }
    return i;
}

static void stage_join(struct actor *actors, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        thread_join(actors[i].thread);
}

/* ---- mutex ---- */

static void part_increment(void *argument)
{
    struct stage *stage = ((struct actor *)argument)->stage;

    for (unsigned i = 0; i < 100; i++) {
        unsigned value;

        mutex_lock(&stage->mutex);
        value = stage->value;
        thread_yield(); /* whoever did not respect the mutex would count from the same value */
        stage->value = value + 1;
        mutex_unlock(&stage->mutex);
    }
}

void test_mutex_excludes(struct ktest_run *run)
{
    struct actor actors[ACTORS];
    struct stage stage;
    unsigned n;

    stage_init(&stage);
    n = stage_start(run, &stage, actors, ACTORS, part_increment, false);
    stage_join(actors, n);
    KTEST_EXPECT(run, stage.value == 100 * ACTORS);
}

static void part_lock_once(void *argument)
{
    struct actor *actor = argument;
    struct stage *stage = actor->stage;

    mutex_lock(&stage->mutex);
    actor->result = mutex_owned(&stage->mutex);
    stage->order[stage->arrived++] = (char)('0' + actor->number);
    mutex_unlock(&stage->mutex);
}

void test_mutex_order(struct ktest_run *run)
{
    struct actor actors[3];
    struct stage stage;
    unsigned n;

    stage_init(&stage);
    mutex_lock(&stage.mutex);
    n = stage_start(run, &stage, actors, 3, part_lock_once, true);
    KTEST_EXPECT(run, stage.arrived == 0);
    mutex_unlock(&stage.mutex);
    stage_join(actors, n);
    KTEST_EXPECT(run, stage.arrived == 3);
    KTEST_EXPECT(run, stage.order[0] == '0' && stage.order[1] == '1' && stage.order[2] == '2');
    KTEST_EXPECT(run, actors[0].result == 1);
}

static void part_trylock(void *argument)
{
    struct actor *actor = argument;

    actor->result = mutex_trylock(&actor->stage->mutex);
}

void test_mutex_trylock(struct ktest_run *run)
{
    struct actor actors[1];
    struct stage stage;

    stage_init(&stage);
    KTEST_EXPECT(run, mutex_trylock(&stage.mutex));
    stage_join(actors, stage_start(run, &stage, actors, 1, part_trylock, true));
    KTEST_EXPECT(run, actors[0].result == 0);
    mutex_unlock(&stage.mutex);
    KTEST_EXPECT(run, mutex_trylock(&stage.mutex));
    mutex_unlock(&stage.mutex);
}

void test_mutex_cancel(struct ktest_run *run)
{
    struct actor actors[1];
    struct stage stage;
    unsigned n;

    stage_init(&stage);
    mutex_lock(&stage.mutex);
    n = stage_start(run, &stage, actors, 1, part_lock_once, true);
    if (n == 1)
        KTEST_EXPECT(run, thread_cancel(actors[0].thread->id) == 0);
    thread_sleep(5 * MS);
    KTEST_EXPECT(run, stage.arrived == 0);
    mutex_unlock(&stage.mutex);
    stage_join(actors, n);
    KTEST_EXPECT(run, stage.arrived == 1 && actors[0].result == 1);
}

/* ---- wait queues ---- */

static void part_wait(void *argument)
{
    struct actor *actor = argument;
    struct stage *stage = actor->stage;
    hal_irq_state_t irq = spinlock_acquire(&stage->lock);

    actor->result = wait_sleep(&stage->queue, &stage->lock, hal_time_now() + HOUR_NS);
    stage->order[stage->arrived++] = (char)('0' + actor->number);
    spinlock_release(&stage->lock, irq);
}

static void stage_wake(struct stage *stage, bool all)
{
    hal_irq_state_t irq = spinlock_acquire(&stage->lock);

    if (all)
        wait_wake_all(&stage->queue);
    else
        (void)wait_wake_one(&stage->queue);
    spinlock_release(&stage->lock, irq);
}

void test_wait_order(struct ktest_run *run)
{
    struct actor actors[3];
    struct stage stage;
    unsigned n;

    stage_init(&stage);
    n = stage_start(run, &stage, actors, 3, part_wait, true);
    for (unsigned i = 0; i < n; i++) {
        KTEST_EXPECT(run, stage.arrived == i);
        stage_wake(&stage, false);
        await_rest(run, &actors[i]);
    }
    stage_wake(&stage, true); /* if one was missed, it is not waited for in vain */
    stage_join(actors, n);
    KTEST_EXPECT(run, stage.order[0] == '0' && stage.order[1] == '1' && stage.order[2] == '2');
    KTEST_EXPECT(run, actors[0].result == 0);
}

void test_wait_all(struct ktest_run *run)
{
    struct actor actors[ACTORS];
    struct stage stage;
    unsigned n;

    stage_init(&stage);
    n = stage_start(run, &stage, actors, ACTORS, part_wait, true);
    KTEST_EXPECT(run, stage.arrived == 0);
    stage_wake(&stage, true);
    stage_join(actors, n);
    KTEST_EXPECT(run, stage.arrived == ACTORS);
}

void test_wait_timeout(struct ktest_run *run)
{
    struct stage stage;
    hal_irq_state_t irq;
    uint64_t deadline;
    int result;

    stage_init(&stage);
    irq = spinlock_acquire(&stage.lock);
    deadline = hal_time_now() + 5 * MS;
    result = wait_sleep(&stage.queue, &stage.lock, deadline);
    KTEST_EXPECT(run, spinlock_held(&stage.lock));
    spinlock_release(&stage.lock, irq);
    KTEST_EXPECT(run, result == -ETIMEDOUT);
    KTEST_EXPECT(run, hal_time_now() >= deadline);
    KTEST_EXPECT(run, list_empty(&stage.queue.waiters));
}

void test_wait_cancel(struct ktest_run *run)
{
    struct actor actors[1];
    struct stage stage;
    unsigned n;

    stage_init(&stage);
    n = stage_start(run, &stage, actors, 1, part_wait, true);
    if (n == 1)
        KTEST_EXPECT(run, thread_cancel(actors[0].thread->id) == 0);
    stage_join(actors, n);
    KTEST_EXPECT(run, actors[0].result == -EINTR);
    KTEST_EXPECT(run, list_empty(&stage.queue.waiters));
}

/* ---- spinlocks ---- */

void test_spinlock_masks(struct ktest_run *run)
{
    struct spinlock outer, inner;
    bool masked_outer, masked_inner, held;
    hal_irq_state_t a, b;

    spinlock_init(&outer, LOCK_RANK_DEVICE);
    spinlock_init(&inner, LOCK_RANK_WAIT);
    KTEST_EXPECT(run, !hal_irq_masked());
    a = spinlock_acquire(&outer);
    b = spinlock_acquire(&inner);
    held = spinlock_held(&outer) && spinlock_held(&inner);
    masked_inner = hal_irq_masked();
    spinlock_release(&inner, b);
    masked_outer = hal_irq_masked();
    spinlock_release(&outer, a);
    KTEST_EXPECT(run, held && masked_inner && masked_outer);
    KTEST_EXPECT(run, !hal_irq_masked());
    KTEST_EXPECT(run, !spinlock_held(&outer));
}
