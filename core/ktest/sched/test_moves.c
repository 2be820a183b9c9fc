/* SPDX-License-Identifier: MIT */
/*
 * test_moves.c: what becomes of threads and CPUs when neither a timer nor anybody's goodwill helps:
 * under fifo, whoever waits on the queue of a busy CPU is fetched by one that idles, or never runs.
 *
 *  1. A CPU that was chosen for a thread, and robbed of it before it could run it, counts as idle
 *     again.
 *  2. A CPU that runs out of threads looks at all others, not only at the busiest, whose threads
 *     may not be allowed to come.
 *  3. A thread that is allowed to run on more CPUs from now on is fetched by one that idles.
 *  4. Who has to wait because a thread came that runs here only is fetched too.
 *  5. The policy and the quantum can be changed at the same time, and neither undoes the other.
 */
#include "ktest/tests.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "sync/flow/semaphore.h"
#include "thread/cpu.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/time.h>

#define S 1000000000u
#define LATE_NS S /* what has not happened by then will not happen */
#define US 1000u

/* Waits for *flag, without giving way. */
static bool await(const bool *flag)
{
    uint64_t end = hal_time_now() + LATE_NS;

    while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE)) {
        if (hal_time_now() > end)
            return false;
        hal_cpu_relax();
    }
    return true;
}

static void set(bool *flag)
{
    __atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

/* The tester is under `policy` and on CPU `cpu` only, until end. Returns the policy before. */
static const char *begin(struct ktest_run *run, const char *policy, unsigned cpu)
{
    const char *before = scheduler_policy_name();

    KTEST_EXPECT(run, scheduler_set_policy(policy) == 0);
    KTEST_EXPECT(run, thread_set_affinity(thread_current(), 1u << cpu) == 0);
    return before;
}

static void end(struct ktest_run *run, const char *before)
{
    KTEST_EXPECT(run, scheduler_set_policy(before) == 0);
    KTEST_EXPECT(run, thread_set_affinity(thread_current(), (1u << HAL_CPU_MAX) - 1) == 0);
}

/* ---- a CPU that was robbed ---- */

struct robbery {
    struct semaphore waker, woken;
    unsigned rounds;
    unsigned seen; /* atomic: rounds in which the waker was on its way */
    unsigned late;
};

static void busy_for(uint64_t ns)
{
    uint64_t end = hal_time_now() + ns;

    while (hal_time_now() < end)
        hal_cpu_relax();
}

/* Wakes the other, and leaves its CPU to be idle: that may take the other away from its own. */
static void part_waker(void *argument)
{
    struct robbery *robbery = argument;

    for (unsigned round = 1; round <= robbery->rounds; round++) {
        busy_for(round * 7 % 20 * US);
        semaphore_up(&robbery->woken);
        semaphore_down(&robbery->waker);
        __atomic_store_n(&robbery->seen, round, __ATOMIC_RELEASE);
    }
}

/* Has two CPUs, and wants the waker to run while it does itself. */
static void part_woken(void *argument)
{
    struct robbery *robbery = argument;

    for (unsigned round = 1; round <= robbery->rounds; round++) {
        uint64_t end;

        semaphore_down(&robbery->woken);
        semaphore_up(&robbery->waker);
        end = hal_time_now() + (robbery->late ? 0 : LATE_NS);
        while (__atomic_load_n(&robbery->seen, __ATOMIC_ACQUIRE) < round && hal_time_now() < end)
            hal_cpu_relax();
        robbery->late += __atomic_load_n(&robbery->seen, __ATOMIC_ACQUIRE) < round;
    }
}

void test_moves_robbed(struct ktest_run *run)
{
    struct robbery robbery = {.rounds = ktest_size(200)};
    struct thread *waker, *woken;
    const char *before;

    if (cpu_count_online() < 2)
        return;
    before = begin(run, "fifo", 0);
    semaphore_init(&robbery.waker, 0);
    semaphore_init(&robbery.woken, 0);
    KTEST_EXPECT(run, thread_set_affinity(thread_current(), 3) == 0); /* and so may they */
    KTEST_REQUIRE(run, thread_create("waker", part_waker, &robbery, &waker) == 0);
    KTEST_REQUIRE(run, thread_create("woken", part_woken, &robbery, &woken) == 0);
    thread_join(waker);
    thread_join(woken);
    KTEST_EXPECT(run, robbery.late == 0);
    end(run, before);
}

/* ---- who is fetched ---- */

struct hog {
    struct thread *thread;
    bool runs, stop; /* atomic */
};

static void part_hog(void *argument)
{
    struct hog *hog = argument;

    while (!__atomic_load_n(&hog->stop, __ATOMIC_ACQUIRE)) {
        set(&hog->runs);
        hal_cpu_relax();
    }
}

/* Puts a hog on CPU `cpu`, where it runs if nobody else does. */
static bool start_hog(struct ktest_run *run, struct hog *hog, unsigned cpu)
{
    *hog = (struct hog){.runs = false};
    return KTEST_EXPECT(run, thread_create("hog", part_hog, hog, &hog->thread) == 0) &&
           KTEST_EXPECT(run, thread_set_affinity(hog->thread, 1u << cpu) == 0);
}

static void end_hog(struct hog *hog)
{
    set(&hog->stop);
    thread_join(hog->thread);
}

void test_moves_all_others(struct ktest_run *run)
{
    struct hog hogs[3], crowd[2], lone;
    const char *before;

    if (cpu_count_online() < 4)
        return;
    before = begin(run, "fifo", 1);
    for (unsigned i = 0; i < 3; i++) { /* CPUs 0, 2 and 3; this thread has 1 */
        KTEST_REQUIRE(run, start_hog(run, &hogs[i], i + (i > 0)));
        KTEST_EXPECT(run, await(&hogs[i].runs));
    }
    for (unsigned i = 0; i < 2; i++) {
        KTEST_REQUIRE(run, start_hog(run, &crowd[i], 0));
        KTEST_EXPECT(run, thread_set_affinity(crowd[i].thread, 1u << 0 | 1u << 1) == 0);
    }
    KTEST_REQUIRE(run, start_hog(run, &lone, 3));
    KTEST_EXPECT(run, thread_set_affinity(lone.thread, 1u << 2 | 1u << 3) == 0);
    set(&hogs[1].stop); /* now CPU 2 has nothing to do; most wait for CPU 0, and may not come */
    KTEST_EXPECT(run, await(&lone.runs));
    KTEST_EXPECT(run, !crowd[0].runs && !crowd[1].runs);
    for (unsigned i = 0; i < 3; i++)
        set(&hogs[i].stop);
    set(&crowd[0].stop);
    set(&crowd[1].stop);
    end_hog(&lone);
    end_hog(&crowd[0]);
    end_hog(&crowd[1]);
    for (unsigned i = 0; i < 3; i++)
        end_hog(&hogs[i]);
    end(run, before);
}

void test_moves_allowed(struct ktest_run *run)
{
    const char *before;
    struct hog hog;

    if (cpu_count_online() < 2)
        return;
    before = begin(run, "fifo", 0);
    KTEST_REQUIRE(run, start_hog(run, &hog, 0)); /* waits here, and may be nowhere else */
    KTEST_EXPECT(run, !hog.runs);
    KTEST_EXPECT(run, thread_set_affinity(hog.thread, 1u << 0 | 1u << 1) == 0);
    KTEST_EXPECT(run, await(&hog.runs));
    end_hog(&hog);
    end(run, before);
}

struct intruder {
    struct hog *hog;
    bool fetched;
};

/* Takes the CPU from the hog, as it is more important, and waits for it to run elsewhere. */
static void part_intrude(void *argument)
{
    struct intruder *intruder = argument;

    thread_sleep(5000 * US);
    __atomic_store_n(&intruder->hog->runs, false, __ATOMIC_RELEASE);
    intruder->fetched = await(&intruder->hog->runs);
}

void test_moves_preempted(struct ktest_run *run)
{
    struct thread *thread;
    struct hog hog;
    struct intruder intruder = {.hog = &hog};
    const char *before;

    if (cpu_count_online() < 2)
        return;
    before = begin(run, "priority", 1);
    KTEST_REQUIRE(run, start_hog(run, &hog, 0));
    KTEST_EXPECT(run, thread_set_priority(hog.thread, 24) == 0);
    KTEST_EXPECT(run, await(&hog.runs));
    KTEST_EXPECT(run, thread_set_affinity(hog.thread, 1u << 0 | 1u << 1) == 0);
    KTEST_REQUIRE(run, thread_create("intruder", part_intrude, &intruder, &thread) == 0);
    KTEST_EXPECT(run, thread_set_affinity(thread, 1u << 0) == 0);
    KTEST_EXPECT(run, thread_set_priority(thread, 8) == 0);
    thread_join(thread);
    KTEST_EXPECT(run, intruder.fetched);
    end_hog(&hog);
    end(run, before);
}

/* ---- changing the scheduler ---- */

struct changes {
    unsigned rounds;
    unsigned undone; /* atomic */
};

static void part_policies(void *argument)
{
    struct changes *changes = argument;

    for (unsigned i = 0; i < changes->rounds; i++) {
        const char *name = i % 2 ? "rr" : "stride";

        if (scheduler_set_policy(name) || !string_equal(scheduler_policy_name(), name))
            __atomic_add_fetch(&changes->undone, 1, __ATOMIC_RELAXED);
    }
}

static void part_quanta(void *argument)
{
    struct changes *changes = argument;

    for (unsigned i = 0; i < changes->rounds; i++) {
        thread_set_quantum((i + 1) * 10 * US);
        if (thread_quantum() != (i + 1) * 10 * US)
            __atomic_add_fetch(&changes->undone, 1, __ATOMIC_RELAXED);
    }
}

void test_moves_changes(struct ktest_run *run)
{
    struct changes changes = {.rounds = ktest_size(100)};
    const char *before = scheduler_policy_name();
    uint64_t quantum = thread_quantum();
    struct thread *policies, *quanta;

    KTEST_REQUIRE(run, thread_create("policies", part_policies, &changes, &policies) == 0);
    KTEST_REQUIRE(run, thread_create("quanta", part_quanta, &changes, &quanta) == 0);
    thread_join(policies);
    thread_join(quanta);
    KTEST_EXPECT(run, changes.undone == 0);
    thread_set_quantum(quantum);
    KTEST_EXPECT(run, scheduler_set_policy(before) == 0);
}
