/* SPDX-License-Identifier: MIT */
/*
 * test_lend.c: priority inheritance. All play on one CPU, so that one thread keeps another from it.
 *
 *  1. The inversion of the Mars Pathfinder is bounded: the urgent thread has the mutex before the
 *     one in the middle, which needs no mutex and never gives way, has given up.
 *  2. What is lent goes along a chain of three, and follows a change of who lends.
 *  3. It ends with the mutex, and when the wait ends by its deadline; along the chain as well.
 *  4. Who is handed a mutex that an urgent thread still waits for is lent to at once.
 *  5. Under fair, an owner of the least share runs with that of who waits for it.
 */
#include "ktest/sync/crew.h"
#include "ktest/tests.h"
#include "sched/policy.h"
#include "sched/sched.h"
#include "sync/mutex.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/time.h>

#define ACTORS 5u
#define NONE 2u                      /* instead of the number of a mutex */
#define WORK_NS (10 * CREW_MS)       /* what an owner has to do before it unlocks */
#define MIDDLE_PATIENCE (5 * CREW_S) /* until a thread in the middle gives up */
#define TIMED_WAIT_NS (2 * CREW_S)

struct stage;

/* Takes mutex `first`, waits for its cue, works, takes `second`, and gives them back; then it waits
 * for its end. */
struct actor {
    struct stage *stage;
    struct thread *thread;
    unsigned first, second;
    bool cued;       /* waits for its cue between the two */
    bool timed;      /* gives up after TIMED_WAIT_NS */
    bool on;         /* atomic: has begun */
    unsigned done;   /* atomic: has given all back */
    uint64_t waited; /* ns, for the first one */
    int result;
    struct completion cue, end;
};

struct stage {
    struct mutex mutexes[2];
    struct actor actors[ACTORS];
    unsigned started;
    bool stop;          /* atomic: for those in the middle */
    bool gave_up;       /* atomic: one of them */
    const char *policy; /* as it was before */
};

static uint64_t run_time_of(const struct thread *thread)
{
    struct thread_info info;

    return thread_read_info(thread->id, &info) == 0 ? info.run_time : 0;
}

static void work(const struct actor *actor)
{
    uint64_t start = run_time_of(actor->thread);

    while (run_time_of(actor->thread) - start < WORK_NS)
        hal_cpu_relax();
}

static int take(struct actor *actor, unsigned number)
{
    struct mutex *mutex = &actor->stage->mutexes[number];

    if (actor->timed)
        return mutex_lock_until(mutex, hal_time_now() + TIMED_WAIT_NS);
    mutex_lock(mutex);
    return 0;
}

/* The piece itself: both mutexes are free for others when it returns. */
static void perform(struct actor *actor)
{
    uint64_t start = hal_time_now();

    actor->result = take(actor, actor->first);
    actor->waited = hal_time_now() - start;
    if (actor->result)
        return;
    if (actor->cued) {
        completion_wait(&actor->cue);
        work(actor);
    }
    if (actor->second != NONE) {
        mutex_lock(&actor->stage->mutexes[actor->second]);
        mutex_unlock(&actor->stage->mutexes[actor->second]);
    }
    mutex_unlock(&actor->stage->mutexes[actor->first]);
}

static void part_actor(void *argument)
{
    struct actor *actor = argument;

    __atomic_store_n(&actor->on, true, __ATOMIC_RELEASE);
    perform(actor);
    __atomic_store_n(&actor->done, 1, __ATOMIC_RELEASE);
    completion_wait(&actor->end);
}

/* Needs no mutex, and never gives way. */
static void part_middle(void *argument)
{
    struct actor *actor = argument;
    uint64_t deadline = hal_time_now() + MIDDLE_PATIENCE;

    __atomic_store_n(&actor->on, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&actor->stage->stop, __ATOMIC_ACQUIRE)) {
        hal_cpu_relax();
        if (hal_time_now() > deadline) {
            __atomic_store_n(&actor->stage->gave_up, true, __ATOMIC_RELEASE);
            break;
        }
    }
    __atomic_store_n(&actor->done, 1, __ATOMIC_RELEASE);
}

/* This thread goes to CPU 0, where it is the most important one under `policy`. */
static bool stage_begin(struct stage *stage, struct ktest_run *run, const char *policy)
{
    struct thread *self = thread_current();

    *stage = (struct stage){.policy = scheduler_policy_name()};
    mutex_init(&stage->mutexes[0]);
    mutex_init(&stage->mutexes[1]);
    return KTEST_EXPECT(run, thread_set_affinity(self, 1) == 0) &&
           KTEST_EXPECT(run, thread_set_priority(self, 1) == 0) &&
           KTEST_EXPECT(run, thread_set_nice(self, SCHED_NICE_MIN) == 0) &&
           KTEST_EXPECT(run, scheduler_set_policy(policy) == 0);
}

static void stage_end(struct stage *stage, struct ktest_run *run)
{
    struct thread *self = thread_current();

    __atomic_store_n(&stage->stop, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < stage->started; i++) {
        completion_all(&stage->actors[i].cue);
        completion_all(&stage->actors[i].end);
    }
    for (unsigned i = 0; i < stage->started; i++)
        thread_join(stage->actors[i].thread);
    KTEST_EXPECT(run, scheduler_set_policy(stage->policy) == 0);
    KTEST_EXPECT(run, thread_set_nice(self, 0) == 0);
    KTEST_EXPECT(run, thread_set_priority(self, SCHED_LEVELS / 2) == 0);
    KTEST_EXPECT(run, thread_set_affinity(self, UINT32_MAX) == 0);
}

/* Starts an actor, which stands where `script` says, and waits until it rests. NULL: no memory. */
static struct actor *enter(struct stage *stage, struct ktest_run *run, const struct actor *script,
                           unsigned priority, int nice)
{
    struct actor *actor = &stage->actors[stage->started];
    bool middle = script->first == NONE;
    unsigned turns = 0;

    *actor = *script;
    actor->stage = stage;
    completion_init(&actor->cue);
    completion_init(&actor->end);
    if (!KTEST_EXPECT(run, thread_create("actor", middle ? part_middle : part_actor, actor,
                                         &actor->thread) == 0))
        return NULL;
    stage->started++;
    KTEST_EXPECT(run, thread_set_priority(actor->thread, priority) == 0);
    KTEST_EXPECT(run, thread_set_nice(actor->thread, nice) == 0);
    while (!middle &&
           (!__atomic_load_n(&actor->on, __ATOMIC_ACQUIRE) || !crew_rests(actor->thread)) &&
           turns++ < 20000)
        thread_sleep(CREW_MS / 10);
    return actor;
}

static bool counts_as(const struct actor *actor, unsigned priority)
{
    struct thread_info info;

    return thread_read_info(actor->thread->id, &info) == 0 && info.priority == priority;
}

/* One who owns, one who waits, and `middle` who keep the owner from the CPU. */
static uint64_t play_inversion(struct ktest_run *run, const char *policy, unsigned middle)
{
    static const struct actor owns = {.first = 0, .second = NONE, .cued = true};
    static const struct actor waits = {.first = 0, .second = NONE};
    static const struct actor loops = {.first = NONE};
    struct actor *low, *high = NULL;
    uint64_t waited = UINT64_MAX;
    struct stage stage;

    if (!stage_begin(&stage, run, policy))
        return 0;
    low = enter(&stage, run, &owns, 20, SCHED_NICE_MAX);
    if (low)
        high = enter(&stage, run, &waits, 5, -10);
    for (unsigned i = 0; high && i < middle; i++)
        (void)enter(&stage, run, &loops, 10, 0);
    if (high) {
        completion_one(&low->cue);
        crew_await_count(&high->done, run, 1);
        waited = high->waited;
    }
    KTEST_EXPECT(run, !__atomic_load_n(&stage.gave_up, __ATOMIC_ACQUIRE));
    stage_end(&stage, run);
    return waited;
}

void test_lend_inversion(struct ktest_run *run)
{
    KTEST_EXPECT(run, play_inversion(run, "priority", 1) < MIDDLE_PATIENCE);
}

void test_lend_fair(struct ktest_run *run)
{
    /* Of nice 19 beside three of nice 0, WORK_NS would take 209 times as long: more than 2 s. */
    KTEST_EXPECT(run, play_inversion(run, "fair", 3) < CREW_S);
}

/* A owns mutex 0; B owns 1 and waits for 0; C waits for 1: one that gives up, then one that does
 * not. */
static void play_chain(struct ktest_run *run, struct stage *stage)
{
    static const struct actor first = {.first = 0, .second = NONE, .cued = true};
    static const struct actor second = {.first = 1, .second = 0};
    static const struct actor timed = {.first = 1, .second = NONE, .timed = true};
    static const struct actor third = {.first = 1, .second = NONE};
    struct actor *a = enter(stage, run, &first, 20, 0);
    struct actor *b = enter(stage, run, &second, 15, 0), *c, *d;

    KTEST_REQUIRE(run, a && b && counts_as(a, 15) && counts_as(b, 15));
    KTEST_REQUIRE(run, (c = enter(stage, run, &timed, 4, 0)) != NULL);
    KTEST_EXPECT(run, counts_as(a, 4) && counts_as(b, 4));
    crew_await_count(&c->done, run, 1);
    KTEST_EXPECT(run, c->result != 0 && counts_as(a, 15) && counts_as(b, 15));
    KTEST_REQUIRE(run, (d = enter(stage, run, &third, 6, 0)) != NULL);
    KTEST_EXPECT(run, counts_as(a, 6) && counts_as(b, 6));
    KTEST_EXPECT(run, thread_set_priority(d->thread, 3) == 0);
    KTEST_EXPECT(run, counts_as(a, 3) && counts_as(b, 3));
    completion_one(&a->cue);
    crew_await_count(&d->done, run, 1);
    crew_await_count(&a->done, run, 1);
    crew_await_count(&b->done, run, 1);
    KTEST_EXPECT(run, counts_as(a, 20) && counts_as(b, 15) && counts_as(d, 3));
}

void test_lend_chain(struct ktest_run *run)
{
    struct stage stage;

    if (!stage_begin(&stage, run, "priority"))
        return;
    play_chain(run, &stage);
    stage_end(&stage, run);
}

static void play_handover(struct ktest_run *run, struct stage *stage)
{
    static const struct actor owns = {.first = 0, .second = NONE, .cued = true};
    static const struct actor waits = {.first = 0, .second = NONE};
    struct actor *a = enter(stage, run, &owns, 2, 0);
    struct actor *b = enter(stage, run, &owns, 20, 0);
    struct actor *c = enter(stage, run, &waits, 7, 0);

    KTEST_REQUIRE(run, a && b && c);
    KTEST_EXPECT(run, counts_as(a, 2) && counts_as(b, 20));
    completion_one(&a->cue);
    crew_await_count(&a->done, run, 1);
    KTEST_EXPECT(run, counts_as(a, 2) && counts_as(b, 7));
    completion_one(&b->cue);
    crew_await_count(&c->done, run, 1);
    crew_await_count(&b->done, run, 1);
    KTEST_EXPECT(run, counts_as(b, 20) && counts_as(c, 7));
}

void test_lend_handover(struct ktest_run *run)
{
    struct stage stage;

    if (!stage_begin(&stage, run, "priority"))
        return;
    play_handover(run, &stage);
    stage_end(&stage, run);
}
