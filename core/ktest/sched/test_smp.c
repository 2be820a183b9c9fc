/* SPDX-License-Identifier: MIT */
/*
 * test_smp.c: threads on several CPUs. Each test uses as many CPUs as there are, and with one of
 * them it still has to hold, unless it says why it cannot be run.
 *
 *  1. Threads of different CPUs run at the same moment, and each CPU has its own timer.
 *  2. A thread runs where it may, and nowhere else, from the moment on when that is said.
 *  3. What waits for one CPU is fetched by another that has nothing to do, and busy ones share.
 *  4. Creating, joining, cancelling, sleeping and waking by many at a time loses nobody.
 *  5. The policy can be changed meanwhile.
 */
#include "heap/heap.h"
#include "ktest/tests.h"
#include "mem/frame.h"
#include "mem/reclaim.h"
#include "sched/policy.h"
#include "sched/sched.h"
#include "sync/mutex.h"
#include "sync/wait.h"
#include "thread/cpu.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define MS 1000000u
#define S 1000000000u
#define PATIENCE_NS (20ull * S) /* after which a test gives up instead of hanging */
#define CREW_MAX (2 * HAL_CPU_MAX)
#define LOOPS_MAX (1u << 20) /* turns of a loop that should be interrupted long before */

/* What the threads of a test share; on the tester's stack. */
struct crew {
    bool stop;      /* atomic */
    unsigned count; /* atomic */
    unsigned wrong; /* atomic: expectations that did not hold */
    uint32_t seen;  /* atomic: a bit for each CPU that a thread found itself on */
    uint32_t ready; /* atomic: a bit for each thread that is at a certain point */
    struct mutex mutex;
    struct spinlock lock; /* guards turn */
    struct wait_queue queue;
    unsigned turn;
};

struct hand {
    struct crew *crew;
    struct thread *thread;
    unsigned number;
    unsigned cpu; /* where it is to run */
};

static unsigned here(void)
{
    hal_irq_state_t state = hal_irq_save();
    unsigned cpu = hal_cpu_id();

    hal_irq_restore(state);
    return cpu;
}

/* The CPUs that are in use, by number. Returns how many. */
static unsigned list_cpus(unsigned *cpus)
{
    unsigned n = 0;

    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        if (cpu_online() >> id & 1)
            cpus[n++] = id;
    return n;
}

static void add(unsigned *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static unsigned read(const unsigned *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static bool stopped(const struct crew *crew)
{
    return __atomic_load_n(&crew->stop, __ATOMIC_ACQUIRE);
}

static void crew_init(struct crew *crew)
{
    *crew = (struct crew){.count = 0};
    mutex_init(&crew->mutex);
    spinlock_init(&crew->lock, LOCK_RANK_WAIT);
    wait_init(&crew->queue);
}

/* Starts `n` threads; number i is meant for CPU i modulo the number of CPUs. */
static unsigned crew_start(struct ktest_run *run, struct crew *crew, struct hand *hands, unsigned n,
                           void (*part)(void *hand))
{
    unsigned cpus[HAL_CPU_MAX], have = list_cpus(cpus), i = 0;

    for (; i < n; i++) {
        hands[i] = (struct hand){.crew = crew, .number = i, .cpu = cpus[i % have]};
        if (!KTEST_EXPECT(run, thread_create("hand", part, &hands[i], &hands[i].thread) == 0))
            break;
    }
    return i;
}

static void crew_join(struct hand *hands, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        thread_join(hands[i].thread);
}

static void crew_run(struct ktest_run *run, struct crew *crew, unsigned n, void (*part)(void *))
{
    struct hand hands[CREW_MAX];

    n = crew_start(run, crew, hands, n, part);
    crew_join(hands, n);
    KTEST_EXPECT(run, crew->wrong == 0);
}

/* ---- at the same moment ---- */

/* Masked, nothing but another processor can change what it sees. */
static void part_meet(void *argument)
{
    struct hand *hand = argument;
    struct crew *crew = hand->crew;
    uint32_t all = cpu_online();
    uint64_t deadline = hal_time_now() + PATIENCE_NS;
    hal_irq_state_t state;

    if (thread_set_affinity(thread_current(), 1u << hand->cpu) != 0)
        add(&crew->wrong);
    /* Until all are there: who is about to start the others may be ready behind this one. */
    add(&crew->count);
    while (__atomic_load_n(&crew->count, __ATOMIC_RELAXED) < cpu_count_online() &&
           hal_time_now() < deadline)
        thread_sleep(MS / 10);
    state = hal_irq_save();
    __atomic_or_fetch(&crew->ready, 1u << hal_cpu_id(), __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&crew->ready, __ATOMIC_ACQUIRE) != all && hal_time_now() < deadline)
        hal_cpu_relax();
    if (__atomic_load_n(&crew->ready, __ATOMIC_ACQUIRE) != all)
        add(&crew->wrong);
    hal_irq_restore(state);
}

void test_smp_parallel(struct ktest_run *run)
{
    struct crew crew;

    crew_init(&crew);
    crew_run(run, &crew, cpu_count_online(), part_meet);
    KTEST_EXPECT(run, crew.ready == cpu_online());
}

static void part_timer(void *argument)
{
    struct hand *hand = argument;

    if (thread_set_affinity(thread_current(), 1u << hand->cpu) != 0)
        add(&hand->crew->wrong);
    for (unsigned i = 1; i <= 8; i++) {
        uint64_t start = hal_time_now();

        if (thread_sleep(i * MS) != 0 || hal_time_now() - start < i * MS || here() != hand->cpu)
            add(&hand->crew->wrong);
    }
}

void test_smp_timers(struct ktest_run *run)
{
    struct crew crew;

    crew_init(&crew);
    crew_run(run, &crew, 2 * cpu_count_online(), part_timer);
}

/* ---- affinity ---- */

void test_smp_affinity(struct ktest_run *run)
{
    unsigned cpus[HAL_CPU_MAX], n = list_cpus(cpus);
    struct thread *self = thread_current();

    for (unsigned round = 0; round < 50; round++) {
        unsigned cpu = cpus[round % n];

        KTEST_EXPECT(run, thread_set_affinity(self, 1u << cpu) == 0);
        KTEST_EXPECT(run, here() == cpu);
        thread_yield();
        KTEST_EXPECT(run, here() == cpu);
        if (round % 8 == 0)
            thread_sleep(MS);
        KTEST_EXPECT(run, here() == cpu);
    }
    KTEST_EXPECT(run, thread_set_affinity(self, 0) == -EINVAL);
    KTEST_EXPECT(run, thread_set_affinity(self, 1u << 31) == -EINVAL);
    KTEST_EXPECT(run, thread_set_affinity(self, UINT32_MAX) == 0);
}

static void part_watch_place(void *argument)
{
    struct hand *hand = argument;

    while (!stopped(hand->crew)) {
        __atomic_store_n(&hand->cpu, here(), __ATOMIC_RELEASE);
        add(&hand->crew->count);
        hal_cpu_relax();
    }
}

/* Moves a thread that runs all the time from CPU to CPU. */
void test_smp_affinity_of_another(struct ktest_run *run)
{
    unsigned cpus[HAL_CPU_MAX], n = list_cpus(cpus);
    struct hand hand;
    struct crew crew;

    if (ktest_skip_cooperative(run))
        return;
    crew_init(&crew);
    if (crew_start(run, &crew, &hand, 1, part_watch_place) == 0)
        return;
    for (unsigned round = 0; round < 12; round++) {
        uint64_t deadline = hal_time_now() + PATIENCE_NS;
        unsigned cpu = cpus[round % n];

        KTEST_EXPECT(run, thread_set_affinity(hand.thread, 1u << cpu) == 0);
        while (__atomic_load_n(&hand.cpu, __ATOMIC_ACQUIRE) != cpu && hal_time_now() < deadline)
            thread_sleep(MS);
        KTEST_EXPECT(run, __atomic_load_n(&hand.cpu, __ATOMIC_ACQUIRE) == cpu);
    }
    __atomic_store_n(&crew.stop, true, __ATOMIC_RELEASE);
    thread_join(hand.thread);
}

/* ---- balance ---- */

static void part_spin(void *argument)
{
    struct hand *hand = argument;
    uint64_t deadline = hal_time_now() + PATIENCE_NS;

    while (!stopped(hand->crew) && hal_time_now() < deadline) {
        __atomic_or_fetch(&hand->crew->seen, 1u << here(), __ATOMIC_RELAXED);
        hal_cpu_relax();
    }
}

/* Runs `n` spinning threads for `ns`, and says how long each ran. */
static unsigned spin(struct ktest_run *run, struct crew *crew, unsigned n, uint64_t ns,
                     uint64_t *times)
{
    struct hand hands[CREW_MAX];
    struct thread_info info;

    crew_init(crew);
    n = crew_start(run, crew, hands, n, part_spin);
    thread_sleep(ns);
    for (unsigned i = 0; i < n; i++) {
        KTEST_EXPECT(run, thread_read_info(hands[i].thread->id, &info) == 0);
        times[i] = info.run_time;
    }
    __atomic_store_n(&crew->stop, true, __ATOMIC_RELEASE);
    crew_join(hands, n);
    return n;
}

/* Whether each of them had at least half, and at most twice, what would be just. */
static bool shared(const uint64_t *times, unsigned n)
{
    uint64_t sum = 0;
    bool fair = true;

    for (unsigned i = 0; i < n; i++)
        sum += times[i];
    for (unsigned i = 0; i < n; i++)
        fair &= times[i] >= sum / n / 2 && times[i] <= 2 * (sum / n);
    return fair;
}

/* `n` spinning threads share the CPUs. A loaded host may stretch a slice, but not each time. */
static void expect_shares(struct ktest_run *run, unsigned n, uint64_t ns)
{
    uint64_t times[CREW_MAX];
    struct crew crew;
    bool good = false;

    for (unsigned left = ktest_size(5); left > 0 && !good; left--)
        good = shared(times, spin(run, &crew, n, ns, times)) && crew.seen == cpu_online();
    KTEST_EXPECT(run, good);
}

void test_smp_shares(struct ktest_run *run)
{
    if (!ktest_skip_cooperative(run))
        expect_shares(run, 2 * cpu_count_online(), 400 * MS);
}

/* One thread more than there are CPUs: the surplus has to go round. */
void test_smp_surplus(struct ktest_run *run)
{
    if (!ktest_skip_cooperative(run))
        expect_shares(run, cpu_count_online() + 1, 1500 * MS);
}

/* All begin on one CPU, and then may run anywhere. */
void test_smp_steal(struct ktest_run *run)
{
    unsigned n = 2 * cpu_count_online();
    struct hand hands[CREW_MAX];
    struct crew crew;
    uint64_t deadline;

    if (ktest_skip_cooperative(run))
        return;
    crew_init(&crew);
    KTEST_EXPECT(run, thread_set_affinity(thread_current(), 1) == 0);
    n = crew_start(run, &crew, hands, n, part_spin);
    thread_sleep(30 * MS);
    KTEST_EXPECT(run, __atomic_load_n(&crew.seen, __ATOMIC_RELAXED) == 1);
    for (unsigned i = 0; i < n; i++)
        KTEST_EXPECT(run, thread_set_affinity(hands[i].thread, UINT32_MAX) == 0);
    deadline = hal_time_now() + 5ull * S;
    while (__atomic_load_n(&crew.seen, __ATOMIC_RELAXED) != cpu_online() &&
           hal_time_now() < deadline)
        thread_sleep(MS);
    __atomic_store_n(&crew.stop, true, __ATOMIC_RELEASE);
    crew_join(hands, n);
    KTEST_EXPECT(run, crew.seen == cpu_online());
    KTEST_EXPECT(run, thread_set_affinity(thread_current(), UINT32_MAX) == 0);
}

/* ---- many at a time ---- */

static void part_brief(void *argument)
{
    struct hand *hand = argument;

    add(&hand->crew->count);
    if (hand->number % 3 == 1)
        thread_yield();
    if (hand->number % 3 == 2 && thread_sleep(PATIENCE_NS) != -EINTR)
        add(&hand->crew->wrong);
}

/* Creates and joins threads that end at once, yield first, or sleep until they are cancelled. */
static void part_create(void *argument)
{
    struct hand *hand = argument;

    for (unsigned round = 0; round < 24; round++) {
        struct hand brief = {.crew = hand->crew, .number = hand->number + round};

        if (thread_create("brief", part_brief, &brief, &brief.thread) != 0) {
            add(&hand->crew->wrong);
            continue;
        }
        if (round % 2)
            thread_yield();
        if (brief.number % 3 == 2 && thread_cancel(brief.thread->id) != 0)
            add(&hand->crew->wrong);
        thread_join(brief.thread);
    }
}

void test_smp_lives(struct ktest_run *run)
{
    unsigned n = 2 * cpu_count_online();
    struct crew crew;

    crew_init(&crew);
    crew_run(run, &crew, n, part_create);
    KTEST_EXPECT(run, crew.count == 24 * n);
}

static void part_detached(void *argument)
{
    struct crew *crew = argument;

    add(&crew->count);
}

static void part_detach(void *argument)
{
    struct hand *hand = argument;
    struct thread *thread;

    for (unsigned i = 0; i < 16; i++) {
        if (thread_create("detached", part_detached, hand->crew, &thread) != 0) {
            add(&hand->crew->wrong);
            continue;
        }
        if (i % 2)
            thread_yield(); /* it may have ended before it is detached */
        thread_detach(thread);
    }
}

void test_smp_detach(struct ktest_run *run)
{
    struct crew *crew = kcalloc(1, sizeof(*crew));
    unsigned n = 2 * cpu_count_online();
    uint64_t deadline = hal_time_now() + PATIENCE_NS;

    KTEST_REQUIRE(run, crew != NULL);
    crew_init(crew);
    crew_run(run, crew, n, part_detach);
    while (read(&crew->count) < 16 * n && hal_time_now() < deadline)
        thread_sleep(MS);
    KTEST_EXPECT(run, read(&crew->count) == 16 * n);
    thread_sleep(20 * MS); /* the last of them have counted, and are about to end */
    kfree(crew);
}

/* A token goes round: each waits for its turn, and wakes all. */
static void part_pass_on(void *argument)
{
    struct hand *hand = argument;
    struct crew *crew = hand->crew;
    unsigned n = 2 * cpu_count_online();

    for (unsigned round = 0; round < 100; round++) {
        hal_irq_state_t irq = spinlock_acquire(&crew->lock);
        uint64_t deadline = hal_time_now() + PATIENCE_NS;
        int error = 0;

        while (crew->turn % n != hand->number && error == 0)
            error = wait_sleep(&crew->queue, &crew->lock, deadline);
        if (error != 0)
            add(&crew->wrong);
        crew->turn++;
        wait_wake_all(&crew->queue);
        spinlock_release(&crew->lock, irq);
    }
}

void test_smp_wakes(struct ktest_run *run)
{
    unsigned n = 2 * cpu_count_online();
    struct crew crew;

    crew_init(&crew);
    crew_run(run, &crew, n, part_pass_on);
    KTEST_EXPECT(run, crew.turn == 100 * n);
}

/* Sleeps that are ended by their deadline and by a wake-up at about the same time. */
static void part_timeout(void *argument)
{
    struct hand *hand = argument;
    struct crew *crew = hand->crew;

    for (unsigned round = 0; round < 60; round++) {
        hal_irq_state_t irq = spinlock_acquire(&crew->lock);
        int error = wait_sleep(&crew->queue, &crew->lock, hal_time_now() + MS / 5);

        if (error != 0 && error != -ETIMEDOUT)
            add(&crew->wrong);
        (void)wait_wake_one(&crew->queue);
        spinlock_release(&crew->lock, irq);
        add(&crew->count);
    }
}

void test_smp_timeouts(struct ktest_run *run)
{
    unsigned n = 2 * cpu_count_online();
    struct crew crew;

    crew_init(&crew);
    crew_run(run, &crew, n, part_timeout);
    KTEST_EXPECT(run, crew.count == 60 * n);
    KTEST_EXPECT(run, list_empty(&crew.queue.waiters));
}

#define CROWD 1000u

static void part_of_crowd(void *argument)
{
    struct crew *crew = argument;
    unsigned before;

    mutex_lock(&crew->mutex);
    before = crew->turn;
    thread_yield();
    crew->turn = before + 1;
    mutex_unlock(&crew->mutex);
}

void test_smp_crowd(struct ktest_run *run)
{
    struct thread **threads = kcalloc(CROWD, sizeof(struct thread *));
    struct frame_stats stats;
    unsigned n = 0, most;
    struct crew crew;

    KTEST_REQUIRE(run, threads != NULL);
    (void)reclaim_frames(SIZE_MAX);
    frame_read_stats(&stats);
    most = (unsigned)(stats.free * HAL_PAGE_SIZE / HAL_STACK_SIZE / 3); /* a third of memory */
    crew_init(&crew);
    for (; n < CROWD && n < most; n++)
        if (!KTEST_EXPECT(run, thread_create("crowd", part_of_crowd, &crew, &threads[n]) == 0))
            break;
    for (unsigned i = 0; i < n; i++)
        thread_join(threads[i]);
    KTEST_EXPECT(run, n > 0 && crew.turn == n);
    kfree(threads);
}

/* ---- policies ---- */

static void part_restless(void *argument)
{
    struct hand *hand = argument;
    unsigned turns = 0;

    while (!stopped(hand->crew)) {
        add(&hand->crew->count);
        if (++turns % 8 == hand->number % 8)
            thread_sleep(MS / 10);
        else if (turns % 4 == 0)
            thread_yield();
        hal_cpu_relax();
    }
}

/* Changes the policy, and waits until somebody has got on. */
static void follow(struct ktest_run *run, const struct crew *crew, const char *policy)
{
    uint64_t deadline = hal_time_now() + PATIENCE_NS;
    unsigned count = read(&crew->count);

    KTEST_EXPECT(run, scheduler_set_policy(policy) == 0);
    while (read(&crew->count) == count && hal_time_now() < deadline)
        thread_sleep(MS);
    KTEST_EXPECT(run, read(&crew->count) != count);
}

void test_smp_policies(struct ktest_run *run)
{
    const char *before = scheduler_policy_name();
    unsigned n = 2 * cpu_count_online();
    struct hand hands[CREW_MAX];
    struct crew crew;

    crew_init(&crew);
    n = crew_start(run, &crew, hands, n, part_restless);
    for (unsigned i = 0; policy_at(i); i++) {
        follow(run, &crew, policy_at(i)->name);
        for (unsigned j = 0; j < i; j++) { /* so each comes after each other one */
            follow(run, &crew, policy_at(j)->name);
            follow(run, &crew, policy_at(i)->name);
        }
    }
    KTEST_EXPECT(run, scheduler_set_policy("none such") == -ENOENT);
    KTEST_EXPECT(run, scheduler_set_policy(before) == 0);
    __atomic_store_n(&crew.stop, true, __ATOMIC_RELEASE);
    crew_join(hands, n);
}

/* ---- priorities and nice levels ---- */

/* Counts while it runs, and is finished when it has been told to stop. */
static void part_count(void *argument)
{
    struct hand *hand = argument;
    uint64_t deadline = hal_time_now() + PATIENCE_NS;

    while (!stopped(hand->crew) && hal_time_now() < deadline)
        hal_cpu_relax();
}

static uint64_t run_time_of(const struct hand *hand)
{
    struct thread_info info;

    return thread_read_info(hand->thread->id, &info) == 0 ? info.run_time : 0;
}

/* Of two that never give way only the more important one runs, also if that changes meanwhile. */
void test_smp_priority(struct ktest_run *run)
{
    const char *before = scheduler_policy_name();
    struct thread *self = thread_current();
    struct hand hands[2];
    struct crew crew;
    uint64_t time;
    unsigned n;

    crew_init(&crew);
    KTEST_REQUIRE(run, thread_set_affinity(self, 1) == 0 && thread_set_priority(self, 1) == 0);
    KTEST_EXPECT(run, scheduler_set_policy("priority") == 0);
    n = crew_start(run, &crew, hands, 2, part_count);
    if (n == 2) {
        KTEST_EXPECT(run, thread_set_priority(hands[0].thread, 7) == 0);
        KTEST_EXPECT(run, thread_set_priority(hands[1].thread, 9) == 0);
        thread_sleep(20 * MS);
        KTEST_EXPECT(run, run_time_of(&hands[0]) > 0 && run_time_of(&hands[1]) == 0);
        thread_lend(hands[1].thread, 3, SCHED_NICE_NONE);
        time = run_time_of(&hands[0]);
        thread_sleep(20 * MS);
        KTEST_EXPECT(run, run_time_of(&hands[0]) == time && run_time_of(&hands[1]) > 0);
        thread_lend(hands[1].thread, SCHED_LEVELS, SCHED_NICE_NONE);
        time = run_time_of(&hands[1]);
        thread_sleep(20 * MS);
        KTEST_EXPECT(run, run_time_of(&hands[1]) == time);
    }
    __atomic_store_n(&crew.stop, true, __ATOMIC_RELEASE);
    crew_join(hands, n);
    KTEST_EXPECT(run, thread_set_priority(self, SCHED_LEVELS) == -EINVAL);
    KTEST_EXPECT(run, thread_set_priority(self, SCHED_LEVELS / 2) == 0);
    KTEST_EXPECT(run, scheduler_set_policy(before) == 0);
    KTEST_EXPECT(run, thread_set_affinity(self, UINT32_MAX) == 0);
}

/* Wakes who is more urgent, and then does not give way. */
static void part_wake(void *argument)
{
    struct hand *hand = argument;
    hal_irq_state_t state = spinlock_acquire(&hand->crew->lock);

    while (wait_empty(&hand->crew->queue)) { /* the tester is not there yet */
        spinlock_release(&hand->crew->lock, state);
        thread_sleep(MS / 10);
        state = spinlock_acquire(&hand->crew->lock);
    }
    wait_wake_all(&hand->crew->queue);
    spinlock_release(&hand->crew->lock, state);
    for (unsigned i = 0; i < LOOPS_MAX && !stopped(hand->crew); i++)
        hal_cpu_relax();
    if (!stopped(hand->crew))
        add(&hand->crew->wrong);
}

/* A thread that becomes ready on the CPU of a less important one runs at once, without a timer. */
void test_smp_wake_preempts(struct ktest_run *run)
{
    const char *before = scheduler_policy_name();
    struct thread *self = thread_current();
    hal_irq_state_t state;
    struct hand hand;
    struct crew crew;

    crew_init(&crew);
    KTEST_REQUIRE(run, thread_set_affinity(self, 1) == 0 && thread_set_priority(self, 1) == 0);
    KTEST_EXPECT(run, scheduler_set_policy("priority") == 0);
    if (crew_start(run, &crew, &hand, 1, part_wake) == 1) {
        KTEST_EXPECT(run, thread_set_priority(hand.thread, 9) == 0);
        state = spinlock_acquire(&crew.lock);
        KTEST_EXPECT(run, wait_sleep(&crew.queue, &crew.lock, HAL_TIME_NEVER) == 0);
        __atomic_store_n(&crew.stop, true, __ATOMIC_RELEASE);
        spinlock_release(&crew.lock, state);
        crew_join(&hand, 1);
    }
    KTEST_EXPECT(run, crew.wrong == 0);
    KTEST_EXPECT(run, thread_set_priority(self, SCHED_LEVELS / 2) == 0);
    KTEST_EXPECT(run, scheduler_set_policy(before) == 0);
    KTEST_EXPECT(run, thread_set_affinity(self, UINT32_MAX) == 0);
}

/* Under fair, five nice levels are a factor of three. */
void test_smp_nice(struct ktest_run *run)
{
    const char *before = scheduler_policy_name();
    struct thread *self = thread_current();
    struct hand hands[2];
    struct crew crew;
    unsigned n;

    crew_init(&crew);
    KTEST_REQUIRE(run, thread_set_affinity(self, 1) == 0);
    KTEST_EXPECT(run, scheduler_set_policy("fair") == 0);
    n = crew_start(run, &crew, hands, 2, part_count);
    if (n == 2) {
        KTEST_EXPECT(run, thread_set_nice(hands[1].thread, 5) == 0);
        /* A slice that the host stretches is made up for, but that may take a while. */
        for (unsigned i = 0; i < 8; i++) {
            thread_sleep(400 * MS);
            if (run_time_of(&hands[0]) > 5 * run_time_of(&hands[1]) / 2 &&
                run_time_of(&hands[0]) < 4 * run_time_of(&hands[1]))
                break;
        }
        KTEST_EXPECT(run, run_time_of(&hands[0]) > 2 * run_time_of(&hands[1]));
        KTEST_EXPECT(run, run_time_of(&hands[0]) < 5 * run_time_of(&hands[1]));
        KTEST_EXPECT(run, thread_set_nice(hands[1].thread, SCHED_NICE_MAX + 1) == -EINVAL);
    }
    __atomic_store_n(&crew.stop, true, __ATOMIC_RELEASE);
    crew_join(hands, n);
    KTEST_EXPECT(run, scheduler_set_policy(before) == 0);
    KTEST_EXPECT(run, thread_set_affinity(self, UINT32_MAX) == 0);
}
