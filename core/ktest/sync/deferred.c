/* SPDX-License-Identifier: MIT */
/*
 * deferred.c: kernel timers and work queues.
 */
#include "deferred/ktimer.h"
#include "deferred/work.h"
#include "heap/heap.h"
#include "ktest/sync/crew.h"
#include "ktest/sync/tests.h"
#include "mem/frame.h"
#include "sync/flow/gate.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/time.h>

#define ITEMS 4u

/* Timers and items of a test, and what became of them. On the tester's stack. */
struct play {
    struct ktimer timers[ITEMS];
    struct work items[ITEMS];
    uint64_t deadline, at[ITEMS];
    volatile unsigned runs[ITEMS];
    char order[16];
    volatile unsigned ran, inside, most;
    unsigned together; /* how many are to be inside at a time, once at least */
    struct completion started, go, done;
    struct work_queue *queue;
};

struct numbered_timer {
    struct ktimer timer;
    struct play *play;
    unsigned number;
};

struct numbered_work {
    struct work work;
    struct play *play;
    unsigned number;
};

static void note(struct play *play, unsigned number)
{
    unsigned place = __atomic_fetch_add(&play->ran, 1, __ATOMIC_RELAXED);

    play->order[place % sizeof play->order] = (char)('0' + number);
    __atomic_fetch_add(&play->runs[number], 1, __ATOMIC_RELEASE);
}

/* ---- timers ---- */

static void timer_notes(struct ktimer *timer)
{
    struct numbered_timer *numbered = list_entry(timer, struct numbered_timer, timer);
    struct play *play = numbered->play;

    play->at[numbered->number] = hal_time_now();
    note(play, numbered->number);
    if (play->ran == ITEMS)
        completion_all(&play->done);
}

static void init_timers(struct play *play, struct numbered_timer *timers,
                        void (*function)(struct ktimer *timer))
{
    *play = (struct play){.ran = 0};
    completion_init(&play->started);
    completion_init(&play->go);
    completion_init(&play->done);
    for (unsigned i = 0; i < ITEMS; i++) {
        ktimer_init(&timers[i].timer, function);
        timers[i].play = play;
        timers[i].number = i;
    }
}

void test_timer_order(struct ktest_run *run)
{
    static const unsigned ms[ITEMS] = {9, 3, 6, 3}; /* 1 and 3 at the same time: as armed */
    struct numbered_timer timers[ITEMS];
    uint64_t start = hal_time_now();
    struct play play;

    init_timers(&play, timers, timer_notes);
    for (unsigned i = 0; i < ITEMS; i++)
        ktimer_arm(&timers[i].timer, start + ms[i] * CREW_MS);
    KTEST_EXPECT(run, ktimer_is_armed(&timers[0].timer));
    KTEST_EXPECT(run, completion_wait_until(&play.done, start + 60 * CREW_S) == 0);
    KTEST_EXPECT(run, play.order[0] == '1' && play.order[1] == '3' && play.order[2] == '2' &&
                          play.order[3] == '0');
    for (unsigned i = 0; i < ITEMS; i++) {
        KTEST_EXPECT(run, play.at[i] >= start + ms[i] * CREW_MS);
        KTEST_EXPECT(run, !ktimer_cancel(&timers[i].timer));
    }
}

void test_timer_cancel(struct ktest_run *run)
{
    struct numbered_timer timers[ITEMS];
    uint64_t now = hal_time_now();
    struct play play;

    init_timers(&play, timers, timer_notes);
    KTEST_EXPECT(run, !ktimer_cancel(&timers[0].timer)); /* it was never armed */
    ktimer_arm(&timers[0].timer, now + 5 * CREW_MS);
    ktimer_arm(&timers[1].timer, now + 5 * CREW_MS);
    ktimer_arm(&timers[2].timer, HAL_TIME_NEVER);
    ktimer_arm(&timers[1].timer, now + 8 * CREW_MS); /* later */
    KTEST_EXPECT(run, ktimer_cancel(&timers[0].timer) && ktimer_cancel(&timers[2].timer));
    thread_sleep(CREW_SETTLE);
    crew_await_count(&play.runs[1], run, 1);
    KTEST_EXPECT(run, play.runs[0] == 0 && play.runs[2] == 0);
    KTEST_EXPECT(run, play.runs[1] == 1 && play.at[1] >= now + 8 * CREW_MS);
    ktimer_arm(&timers[3].timer, 0); /* long past */
    crew_await_count(&play.runs[3], run, 1);
    (void)ktimer_cancel(&timers[3].timer); /* waits for its end */
    KTEST_EXPECT(run, play.runs[3] == 1 && ktimer_try_cancel(&timers[3].timer) == 0);
}

/* Takes its time, and arms itself before and after. */
static void timer_dawdles(struct ktimer *timer)
{
    struct numbered_timer *numbered = list_entry(timer, struct numbered_timer, timer);

    ktimer_arm(timer, hal_time_now());
    completion_all(&numbered->play->started);
    thread_sleep(10 * CREW_MS);
    note(numbered->play, numbered->number);
    ktimer_arm(timer, hal_time_now());
}

void test_timer_cancel_waits(struct ktest_run *run)
{
    struct numbered_timer timers[ITEMS];
    struct play play;

    init_timers(&play, timers, timer_dawdles);
    ktimer_arm(&timers[0].timer, hal_time_now());
    completion_wait(&play.started);
    KTEST_EXPECT(run, ktimer_try_cancel(&timers[0].timer) == -EBUSY || play.runs[0] > 0);
    (void)ktimer_cancel(&timers[0].timer);
    KTEST_EXPECT(run, play.runs[0] >= 1); /* it was waited for */
    play.ran = play.runs[0];
    thread_sleep(CREW_SETTLE);
    KTEST_EXPECT(run, play.runs[0] == play.ran); /* and that was the end */
}

/* Runs three times; then it cancels itself, which does not wait for itself. */
static void timer_repeats(struct ktimer *timer)
{
    struct numbered_timer *numbered = list_entry(timer, struct numbered_timer, timer);
    struct play *play = numbered->play;

    note(play, numbered->number);
    ktimer_arm(timer, timer->node.time + CREW_MS);
    if (play->ran == 3) {
        (void)ktimer_cancel(timer);
        completion_all(&play->done);
    }
}

void test_timer_again(struct ktest_run *run)
{
    struct numbered_timer timers[ITEMS];
    uint64_t start = hal_time_now();
    struct play play;

    init_timers(&play, timers, timer_repeats);
    ktimer_arm(&timers[0].timer, start + CREW_MS);
    KTEST_EXPECT(run, completion_wait_until(&play.done, start + 60 * CREW_S) == 0);
    thread_sleep(CREW_SETTLE);
    KTEST_EXPECT(run, play.runs[0] == 3 && !ktimer_is_armed(&timers[0].timer));
}

/* ---- very many timers ---- */

struct many {
    struct ktimer timer;
    struct crowd *crowd;
};

struct crowd {
    uint64_t last;   /* the deadline of the one before */
    unsigned before; /* how many came before their time, or out of order */
    unsigned ran;
};

static void timer_of_many(struct ktimer *timer)
{
    struct crowd *crowd = list_entry(timer, struct many, timer)->crowd;

    crowd->before += timer->node.time < crowd->last || hal_time_now() < timer->node.time;
    crowd->last = timer->node.time;
    __atomic_fetch_add(&crowd->ran, 1, __ATOMIC_RELEASE);
}

/* As many as asked for, or as half of the memory holds. */
static unsigned fitting(unsigned wanted)
{
    struct frame_stats stats;
    uint64_t room;

    frame_read_stats(&stats);
    room = stats.free * HAL_PAGE_SIZE / 2 / sizeof(struct many);
    return room < wanted ? (unsigned)room : wanted;
}

void test_timer_many(struct ktest_run *run)
{
    unsigned n = fitting(ktest_size(20000)), cancelled = 0;
    uint64_t now = hal_time_now(), random = 12345;
    struct crowd crowd = {.ran = 0};
    struct many *all = kcalloc(n, sizeof *all);

    KTEST_REQUIRE(run, n > 0 && all != NULL);
    for (unsigned i = 0; i < n; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        all[i].crowd = &crowd;
        ktimer_init(&all[i].timer, timer_of_many);
        /* Within ten seconds, in a minute; every fourth much later. */
        ktimer_arm(&all[i].timer, now + 60 * CREW_S + (random >> 20) % (10 * CREW_S) +
                                      (i % 4 ? 0 : 3600 * CREW_S));
    }
    KTEST_EXPECT(run, ktimer_count() >= n);
    for (unsigned i = 0; i < n; i += 4)
        cancelled += ktimer_cancel(&all[i].timer);
    KTEST_EXPECT(run, cancelled == (n + 3) / 4);
    for (unsigned i = 0; i < n; i++)
        if (i % 4 == 1) /* some of the rest are wanted now after all */
            ktimer_arm(&all[i].timer, now + i);
    crew_await_count(&crowd.ran, run, (n + 2) / 4);
    for (unsigned i = 0; i < n; i++)
        cancelled += ktimer_cancel(&all[i].timer);
    KTEST_EXPECT(run, crowd.before == 0);
    KTEST_EXPECT(run, crowd.ran > 0 && crowd.ran + cancelled == n);
    kfree(all);
}

/* ---- work queues ---- */

static void work_notes(struct work *work)
{
    struct numbered_work *numbered = list_entry(work, struct numbered_work, work);
    struct play *play = numbered->play;
    uint64_t deadline = hal_time_now() + CREW_PATIENCE;

    crew_note_most(&play->most, __atomic_add_fetch(&play->inside, 1, __ATOMIC_RELAXED));
    do
        thread_sleep(CREW_MS);
    while (__atomic_load_n(&play->most, __ATOMIC_RELAXED) < play->together &&
           hal_time_now() < deadline);
    note(numbered->play, numbered->number);
    __atomic_sub_fetch(&numbered->play->inside, 1, __ATOMIC_RELAXED);
}

static bool init_work(struct ktest_run *run, struct play *play, struct numbered_work *items,
                      unsigned threads, void (*function)(struct work *work))
{
    *play = (struct play){.ran = 0};
    completion_init(&play->started);
    completion_init(&play->go);
    for (unsigned i = 0; i < ITEMS; i++) {
        work_init(&items[i].work, function);
        items[i].play = play;
        items[i].number = i;
    }
    return KTEST_EXPECT(run, work_queue_create("ktest", threads, &play->queue) == 0);
}

void test_work_runs(struct ktest_run *run)
{
    struct numbered_work items[ITEMS];
    struct play play;

    if (!init_work(run, &play, items, 1, work_notes))
        return;
    for (unsigned i = 0; i < ITEMS; i++)
        KTEST_EXPECT(run, work_submit(play.queue, &items[i].work));
    KTEST_EXPECT(run, !work_submit(play.queue, &items[ITEMS - 1].work)); /* it is pending */
    work_await(&items[1].work);
    KTEST_EXPECT(run, play.runs[0] == 1 && play.runs[1] == 1);
    work_queue_destroy(play.queue); /* runs the rest */
    KTEST_EXPECT(run, play.ran == ITEMS && play.most == 1);
    for (unsigned i = 0; i < ITEMS; i++)
        KTEST_EXPECT(run, play.order[i] == (char)('0' + i));
}

/* Is submitted while it runs, and must not run twice at a time. */
static void work_again(struct work *work)
{
    struct numbered_work *numbered = list_entry(work, struct numbered_work, work);

    completion_all(&numbered->play->started);
    if (numbered->play->runs[numbered->number] < 2) {
        (void)work_submit(numbered->play->queue, work);
        (void)work_submit(numbered->play->queue, work);
    }
    work_notes(work);
}

void test_work_alone(struct ktest_run *run)
{
    struct numbered_work items[ITEMS];
    struct play play;

    if (!init_work(run, &play, items, 3, work_again))
        return;
    (void)work_submit(play.queue, &items[0].work);
    completion_wait(&play.started);
    (void)work_submit(play.queue, &items[0].work);
    work_await(&items[0].work);
    KTEST_EXPECT(run, play.runs[0] == 3 && play.most == 1);
    work_queue_destroy(play.queue);
    KTEST_EXPECT(run, play.runs[0] == 3);
}

static void work_waits(struct work *work)
{
    struct numbered_work *numbered = list_entry(work, struct numbered_work, work);

    completion_all(&numbered->play->started);
    completion_wait(&numbered->play->go);
    thread_sleep(5 * CREW_MS);
    note(numbered->play, numbered->number);
}

void test_work_cancel(struct ktest_run *run)
{
    struct numbered_work items[ITEMS];
    struct play play;

    if (!init_work(run, &play, items, 1, work_waits))
        return;
    KTEST_EXPECT(run, !work_cancel(&items[0].work)); /* it was never submitted */
    (void)work_submit(play.queue, &items[0].work);
    (void)work_submit(play.queue, &items[1].work);
    completion_wait(&play.started);
    KTEST_EXPECT(run, work_cancel(&items[1].work)); /* it is behind the one that runs */
    (void)work_submit(play.queue, &items[0].work);  /* once more */
    completion_all(&play.go);
    KTEST_EXPECT(run, work_cancel(&items[0].work));
    KTEST_EXPECT(run, play.runs[0] == 1); /* the first time was waited for */
    work_queue_destroy(play.queue);
    KTEST_EXPECT(run, play.runs[0] == 1 && play.runs[1] == 0);
}

void test_work_flush(struct ktest_run *run)
{
    struct numbered_work items[ITEMS];
    struct play play;

    if (!init_work(run, &play, items, 2, work_notes))
        return;
    work_queue_flush(play.queue); /* of nothing */
    play.together = 2;
    for (unsigned i = 0; i < ITEMS; i++)
        (void)work_submit(play.queue, &items[i].work);
    work_queue_flush(play.queue);
    KTEST_EXPECT(run, play.ran == ITEMS && play.inside == 0);
    KTEST_EXPECT(run, play.most == 2);
    work_queue_destroy(play.queue);
}

struct noted_work {
    struct delayed_work work;
    struct completion done;
    uint64_t at;
};

static void delayed_notes(struct work *work)
{
    struct noted_work *noted = list_entry(work, struct noted_work, work.work);

    noted->at = hal_time_now();
    completion_all(&noted->done);
}

void test_work_delayed(struct ktest_run *run)
{
    uint64_t start = hal_time_now();
    struct noted_work soon = {.at = 0}, late = {.at = 0};
    struct work_queue *queue;

    completion_init(&soon.done);
    completion_init(&late.done);
    delayed_work_init(&soon.work, delayed_notes);
    delayed_work_init(&late.work, delayed_notes);
    KTEST_REQUIRE(run, work_queue_create("ktest", 1, &queue) == 0);
    delayed_work_submit(queue, &soon.work, start + 5 * CREW_MS);
    delayed_work_submit(queue, &late.work, start + 3600 * CREW_S);
    KTEST_EXPECT(run, completion_wait_until(&soon.done, start + CREW_PATIENCE) == 0);
    work_queue_flush(queue);
    KTEST_EXPECT(run, soon.at >= start + 5 * CREW_MS);
    KTEST_EXPECT(run, !delayed_work_cancel(&soon.work) && delayed_work_cancel(&late.work));
    work_queue_destroy(queue);
}

struct tireless_work {
    struct delayed_work work;
    struct work_queue *queue;
    struct completion started;
    bool tired;    /* atomic */
    unsigned runs; /* atomic */
};

static unsigned runs_of(const struct tireless_work *tireless)
{
    return __atomic_load_n(&tireless->runs, __ATOMIC_RELAXED);
}

/* Submits itself again and again, as what is to be done from time to time does. */
static void tireless_runs(struct work *work)
{
    struct tireless_work *tireless = list_entry(work, struct tireless_work, work.work);

    __atomic_fetch_add(&tireless->runs, 1, __ATOMIC_RELAXED);
    completion_all(&tireless->started);
    thread_sleep(CREW_MS);
    if (!__atomic_load_n(&tireless->tired, __ATOMIC_RELAXED))
        delayed_work_submit(tireless->queue, &tireless->work, hal_time_now() + CREW_MS);
}

void test_work_comes_back(struct ktest_run *run)
{
    struct tireless_work tireless = {.runs = 0};
    unsigned runs;

    completion_init(&tireless.started);
    delayed_work_init(&tireless.work, tireless_runs);
    KTEST_REQUIRE(run, work_queue_create("ktest", 1, &tireless.queue) == 0);
    delayed_work_submit(tireless.queue, &tireless.work, 0);
    completion_wait(&tireless.started);
    (void)delayed_work_cancel(&tireless.work); /* while it runs, and before it submits itself */
    runs = runs_of(&tireless);
    thread_sleep(CREW_SETTLE);
    KTEST_EXPECT(run, runs_of(&tireless) == runs);
    delayed_work_submit(tireless.queue, &tireless.work, 0); /* it can be used again */
    crew_await_count(&tireless.runs, run, runs + 2);
    __atomic_store_n(&tireless.tired, true, __ATOMIC_RELAXED);
    thread_sleep(CREW_SETTLE);
    work_queue_destroy(tireless.queue);
}

void test_work_refusal(struct ktest_run *run)
{
    struct work_queue *queue;

    KTEST_EXPECT(run, work_queue_create("ktest", 0, &queue) == -EINVAL && queue == NULL);
    KTEST_EXPECT(run, work_queue_create("ktest", WORK_THREADS_MAX + 1, &queue) == -EINVAL);
}
