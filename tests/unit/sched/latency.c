/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. fair, feedback: an interactive task (1 ms, then 50 ms of sleep) beside 10 hogs, over 10 s:
 * from waking to running takes at most one granularity, or one quantum of the top level.
 *  2. The same with five of them that wake at the same time: at most the work of the others more.
 *  3. rr and stride bound it by the others' quanta only; fifo does not at all: shown.
 *  4. fair: two hogs that are level do not preempt each other on every wake-up.
 *  5. fair: a newcomer in a crowd of hogs has its first turn within a round.
 *  6. On 2 and 4 CPUs with queues of their own and stealing: no CPU idles while others wait, and an
 *     interactive task is as quick.
 */
#include "cpus.h"
#include "suites.h"

#include <string.h>

static struct cpus cpus;
static const char *const quick[] = {"fair", "feedback"};

static void add_hogs(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        cpus_add_hog(&cpus, 0)->cpu = i % cpus.count;
}

START_TEST(an_interactive_task_is_answered_at_once)
{
    struct task *interactive;

    cpus_init(&cpus, quick[_i], 1, 0);
    interactive = cpus_add_sleeper(&cpus, 1 * MS, 50 * MS);
    add_hogs(10);
    cpus_run(&cpus, 10 * S);
    ck_assert_uint_le(interactive->slowest_wake, _i ? 10 * MS : 1 * MS);
    ck_assert_uint_ge(interactive->turns, 190);
}
END_TEST

START_TEST(several_interactive_tasks_wait_for_each_other_only)
{
    cpus_init(&cpus, quick[_i], 1, 0);
    for (unsigned i = 0; i < 5; i++)
        cpus_add_sleeper(&cpus, 1 * MS, 50 * MS);
    add_hogs(10);
    cpus_run(&cpus, 10 * S);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_le(cpus.tasks[i].slowest_wake, 5 * MS + (_i ? 10 * MS : 1 * MS));
}
END_TEST

START_TEST(others_are_bounded_by_quanta_or_not_at_all)
{
    static const struct {
        const char *name;
        uint64_t least, most;
    } bounds[] = {{"rr", 80 * MS, 100 * MS}, {"stride", 10 * MS, 100 * MS}, {"fifo", NEVER, NEVER}};
    struct task *interactive;

    cpus_init(&cpus, bounds[_i].name, 1, 10 * MS);
    interactive = cpus_add_sleeper(&cpus, 1 * MS, 55 * MS);
    add_hogs(10);
    cpus_run(&cpus, 10 * S);
    if (bounds[_i].least == NEVER) {
        ck_assert_uint_eq(interactive->turns, 1);
        ck_assert_uint_ge(interactive->longest_wait, 9 * S);
        return;
    }
    ck_assert_uint_ge(interactive->slowest_wake, bounds[_i].least);
    ck_assert_uint_le(interactive->slowest_wake, bounds[_i].most);
}
END_TEST

START_TEST(fair_does_not_switch_for_nothing)
{
    cpus_init(&cpus, "fair", 1, 0);
    cpus_add_sleeper(&cpus, 100 * US, 1 * US);
    cpus_add_sleeper(&cpus, 100 * US, 1 * US);
    cpus_run(&cpus, 1 * S);
    /* Each keeps the CPU until its burst ends; a wake-up ends nobody's. */
    ck_assert_uint_le(cpus.switches, 10100);
    cpus_init(&cpus, "fair", 1, 0);
    cpus_add_hog(&cpus, 0);
    cpus_add_sleeper(&cpus, 10 * US, 10 * US);
    cpus_run(&cpus, 1 * S);
    ck_assert_uint_ge(cpus_share(cpus.tasks[0].entity.run_time, cpus.now), 4900);
    ck_assert_uint_le(cpus.switches, 100000);
}
END_TEST

START_TEST(fair_newcomers_run_within_a_round)
{
    cpus_init(&cpus, "fair", 1, 0);
    add_hogs(20);
    for (unsigned i = 0; i < 10; i++)
        cpus_add_hog(&cpus, 0)->arrival = (100 + 100 * i) * MS;
    cpus_run(&cpus, 2 * S);
    for (unsigned i = 20; i < 30; i++)
        ck_assert_uint_le(cpus.tasks[i].first_run - cpus.tasks[i].arrival, 30 * MS);
}
END_TEST

START_TEST(no_cpu_idles_while_others_wait)
{
    unsigned count = _i % 2 ? 4 : 2;
    uint64_t sum = 0;

    cpus_init(&cpus, policy_at((unsigned)_i / 2)->name, count, 0);
    for (unsigned i = 0; i < 8; i++)
        cpus_add_job(&cpus, 10 * i, 200); /* all arrive on CPU 0 */
    cpus_run(&cpus, NEVER);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_int_eq(cpus.tasks[i].state, TASK_ENDED);
        sum += cpus.tasks[i].entity.run_time;
    }
    ck_assert_uint_eq(sum, 1600 * MS);
    ck_assert_uint_ge(cpus.steals, count - 1);
    /* All CPUs are busy from the time when each has a job until one is left. */
    ck_assert_uint_le(cpus.now, 10 * count * MS + 1600 * MS / count + 200 * MS);
}
END_TEST

START_TEST(an_interactive_task_is_quick_on_many_cpus)
{
    struct task *interactive;

    cpus_init(&cpus, quick[_i / 2], _i % 2 ? 4 : 2, 0);
    interactive = cpus_add_sleeper(&cpus, 1 * MS, 50 * MS);
    add_hogs(12);
    cpus_run(&cpus, 10 * S);
    ck_assert_uint_le(interactive->slowest_wake, _i / 2 ? 10 * MS : 1 * MS);
    ck_assert_uint_ge(interactive->turns, 190);
}
END_TEST

Suite *latency_suite(void)
{
    Suite *all = suite_create("latency");
    TCase *latency = tcase_create("latency");

    tcase_add_loop_test(latency, an_interactive_task_is_answered_at_once, 0, 2);
    tcase_add_loop_test(latency, several_interactive_tasks_wait_for_each_other_only, 0, 2);
    tcase_add_loop_test(latency, others_are_bounded_by_quanta_or_not_at_all, 0, 3);
    tcase_add_test(latency, fair_does_not_switch_for_nothing);
    tcase_add_test(latency, fair_newcomers_run_within_a_round);
    tcase_add_loop_test(latency, no_cpu_idles_while_others_wait, 0, 18);
    tcase_add_loop_test(latency, an_interactive_task_is_quick_on_many_cpus, 0, 4);
    suite_add_tcase(all, latency);
    return all;
}
