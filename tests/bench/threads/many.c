/* SPDX-License-Identifier: MIT */
/*
 * many.c: very many threads in the kernel: what one costs to make, to keep and to join, and what a
 * switch costs under each policy while so many are ready.
 *
 * The threads do nothing but yield. So does the thread that measures, and it counts the switches of
 * its CPU: whose turns they were does not matter.
 */
#include "guest.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "sched/policy.h"
#include "sched/sched.h"
#include "thread/thread.h"

#include <hal/kstate.h>
#include <hal/machine.h>

enum { AT_LEAST = 20000, ROUNDS = 3, MOST = 100000 };

static KSTATE struct thread *threads[MOST];
static KSTATE volatile bool leave;

static void yield_along(void *unused)
{
    (void)unused;
    while (!leave)
        thread_yield();
}

static uint64_t memory_used(void)
{
    struct frame_stats stats;

    frame_read_stats(&stats);
    return stats.used * HAL_PAGE_SIZE;
}

static uint64_t switches(void)
{
    struct sched_cpu_info info;

    scheduler_read_cpu(0, &info);
    return info.switches;
}

/* ---- scheduling ---- */

/* ps that a switch takes; at least `wanted` of them. */
static uint64_t time_switches(uint64_t wanted)
{
    uint64_t before = switches(), start = guest_time(), count;

    do {
        thread_yield();
        count = switches() - before;
    } while (count < wanted);
    return (guest_time() - start) * 1000 / count;
}

/*
 * With `size` others ready. Each round begins with the policy anew: if the host has stopped this
 * program while the measuring thread ran, that counted as the thread's, and a fair policy would let
 * all others run for as long before it has its next turn.
 */
static void measure_policy(unsigned policy, unsigned size)
{
    uint64_t wanted = 2ull * bench_sizes[size], *best = &bench_order.many.ps[policy][size];

    if (wanted < AT_LEAST)
        wanted = AT_LEAST;
    bench_order.many.names[policy] = policy_at(policy)->name;
    for (unsigned round = 0; round <= ROUNDS; round++) {
        uint64_t ps;

        if (scheduler_set_policy(policy_at(policy)->name))
            bench_fail("a policy is missing");
        ps = time_switches(wanted);
        if (*best == 0 || ps < *best)
            *best = ps;
    }
}

/* ---- making them ---- */

/* Up to `count` of them; those that are there stay. */
static void make_threads(unsigned from, unsigned count)
{
    for (unsigned i = from; i < count; i++)
        if (thread_create_sized("many", yield_along, NULL, HAL_STACK_SMALL, &threads[i]))
            bench_fail("no memory for so many threads");
}

static void join_threads(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        thread_join(threads[i]);
}

static void measure_scheduling(void)
{
    unsigned made = 0;

    leave = false;
    for (unsigned size = 0; size < BENCH_SIZES; size++) {
        unsigned count = bench_sizes[size];

        if (count > bench_order.threads)
            break;
        make_threads(made, count);
        made = count;
        for (unsigned policy = 0; policy < BENCH_POLICIES; policy++)
            measure_policy(policy, size);
    }
    leave = true;
    join_threads(made);
    if (scheduler_set_policy(SCHED_POLICY_DEFAULT))
        bench_fail("the default policy is missing");
}

/* ---- a life ---- */

static void measure_lives(void)
{
    struct bench_many *many = &bench_order.many;
    uint64_t count = bench_order.threads, used = memory_used(), start, at;

    /* Under this policy nobody has a turn before all are there. */
    if (scheduler_set_policy("fifo"))
        bench_fail("a policy is missing");
    leave = false;
    start = guest_time();
    make_threads(0, (unsigned)count);
    at = guest_time();
    many->create = (at - start) * 1000 / count;
    many->bytes = (memory_used() - used) / count;
    for (unsigned i = 0; i < count; i++)
        many->guarded += threads[i]->stack.guarded;
    start = at;
    leave = true;
    while (switches() < count) /* each had its turn, and ended */
        thread_yield();
    thread_yield();
    at = guest_time();
    many->run = (at - start) * 1000 / count;
    start = at;
    join_threads((unsigned)count);
    many->join = (guest_time() - start) * 1000 / count;
    many->threads = (unsigned)count;
}

void bench_many(bool scheduling)
{
    if (bench_order.threads > MOST)
        bench_fail("so many threads were not provided for");
    measure_lives();
    if (scheduling)
        measure_scheduling();
}
