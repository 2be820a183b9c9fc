/* SPDX-License-Identifier: MIT */
/*
 * Criteria for the feedback queue:
 *  1. Levels have growing quanta, and who uses one up sinks by one level, down to the last.
 *  2. Who gives way early stays; but what it uses in pieces counts: a hog that yields or pauses
 * just before the end of its quantum sinks as any other, and gets no more than its share.
 *  3. Who becomes ready on a higher level runs at once; who was preempted continues with the rest
 * of its allowance, before others of its level.
 *  4. All rise to level 0 at each multiple of the period: those that wait, the running one, and
 * those that sleep; in the order of their levels. Without a period, the lowest starves below short
 *     jobs: shown; with it, it runs in each period.
 *  5. What one long run without anybody waiting uses up counts in all: several levels at once, and
 *     only since the last boost.
 *  6. The number of levels can be chosen, 1 .. 32; more are 32; quanta do not overflow.
 */
#include "cpus.h"
#include "suites.h"

#include <string.h>

static struct cpus cpus;

static void init(uint64_t quantum, uint32_t levels, uint64_t period)
{
    cpus_init(&cpus, "feedback", 1, quantum);
    cpus.queues[0].levels = levels;
    cpus.queues[0].period = period;
    cpus.policy->init(&cpus.queues[0]);
}

START_TEST(who_uses_its_quantum_sinks)
{
    init(8 * MS, 3, SCHED_FOREVER);
    cpus_add_job(&cpus, 0, 53);
    cpus_add_job(&cpus, 0, 17);
    cpus_add_job(&cpus, 0, 68);
    cpus_add_job(&cpus, 0, 24);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-8, B 8-16, C 16-24, D 24-32, "
                                 "A 32-48, B 48-57, C 57-73, D 73-89, "
                                 "A 89-118, C 118-162");
}
END_TEST

START_TEST(levels_go_down_to_the_last)
{
    static const unsigned quanta[] = {10, 20, 40, 80, 160, 320, 640, 1280, 1280, 1280};
    unsigned start = 0;

    init(10 * MS, 0, SCHED_FOREVER);
    cpus_add_hog(&cpus, 0);
    cpus_add_hog(&cpus, 0);
    for (unsigned i = 0; i < 10; i++) {
        cpus_run(&cpus, (start + quanta[i]) * MS);
        ck_assert_uint_eq(cpus.tasks[0].entity.run_time, (start / 2 + quanta[i]) * MS);
        start += 2 * quanta[i];
        cpus_run(&cpus, start * MS);
        ck_assert_uint_eq(cpus.tasks[0].entity.level, i < 7 ? i + 1 : 7);
    }
}
END_TEST

START_TEST(who_gives_way_early_stays)
{
    struct task *modest;

    init(10 * MS, 0, 1 * S);
    modest = cpus_add_sleeper(&cpus, 1 * MS, 200 * MS); /* 5 ms a period */
    cpus_add_hog(&cpus, 0);
    for (unsigned i = 1; i < 500; i++) {
        cpus_run(&cpus, i * 10 * MS);
        ck_assert(modest->entity.level == 0);
    }
    ck_assert_uint_le(modest->slowest_wake, 10 * MS); /* that of a hog which a boost has raised */
}
END_TEST

START_TEST(yielding_early_is_no_trick)
{
    struct task *trickster;

    init(10 * MS, 0, SCHED_FOREVER);
    trickster = cpus_add_sleeper(&cpus, 9900 * US, _i ? 1 * US : 0);
    cpus_add_hog(&cpus, 0);
    cpus_run(&cpus, 10 * S);
    ck_assert_uint_eq(trickster->entity.level, 7);
    ck_assert_uint_le(cpus_share(trickster->entity.run_time, cpus.now), 5200);
}
END_TEST

START_TEST(who_is_preempted_continues_with_the_rest)
{
    init(10 * MS, 0, SCHED_FOREVER);
    cpus_add_job(&cpus, 0, 40);
    cpus_add_job(&cpus, 0, 15);
    cpus_add_job(&cpus, 25, 5);
    cpus_run(&cpus, NEVER);
    /* A has 20 ms on level 1 from 20 on: 5 before C, 15 after. */
    ck_assert_str_eq(cpus.story, "A 0-10, B 10-20, A 20-25, C 25-30, A 30-45, B 45-50, A 50-60");
}
END_TEST

START_TEST(who_is_preempted_before_it_ran_keeps_its_turn)
{
    struct sched_queue *queue = &cpus.queues[0];
    struct sched_entity a = {.nice = 0}, b = {.nice = 0};

    init(10 * MS, 0, SCHED_FOREVER);
    cpus.policy->add(queue, &a, SCHED_NEW, 0);
    cpus.policy->add(queue, &b, SCHED_NEW, 0);
    ck_assert_ptr_eq(cpus.policy->take(queue, 0), &a);
    cpus.policy->add(queue, &a, SCHED_PREEMPTED, 0);
    ck_assert_ptr_eq(cpus.policy->take(queue, 0), &a);
    a.run_time += 10 * MS;
    cpus.policy->charge(queue, &a, 10 * MS, 10 * MS);
    cpus.policy->add(queue, &a, SCHED_PREEMPTED, 10 * MS);
    ck_assert_ptr_eq(cpus.policy->take(queue, 10 * MS), &b);
}
END_TEST

START_TEST(all_rise_at_each_period)
{
    init(10 * MS, 0, 100 * MS);
    cpus_add_hog(&cpus, 0);
    cpus_add_hog(&cpus, 0);
    cpus_run(&cpus, 99 * MS);
    ck_assert_str_eq(cpus.story, "A 0-10, B 10-20, A 20-40, B 40-60");
    ck_assert_uint_eq(cpus.tasks[0].entity.level, 2);
    cpus_run(&cpus, 200 * MS);
    /* A begins 40 ms on level 2 at 60; B's turn is the first after the boost, A's the second. */
    ck_assert_str_eq(cpus.story, "A 0-10, B 10-20, A 20-40, B 40-60, A 60-100, B 100-110, "
                                 "A 110-120, B 120-140, A 140-160");
}
END_TEST

START_TEST(those_that_sleep_rise_too)
{
    struct task *sleeper;

    init(10 * MS, 0, 1 * S);
    sleeper = cpus_add_sleeper(&cpus, 100 * MS, 2 * S);
    cpus_add_hog(&cpus, 0);
    cpus_run(&cpus, 500 * MS);
    ck_assert_int_eq(sleeper->state, TASK_PAUSING);
    ck_assert_uint_gt(sleeper->entity.level, 1);
    while (sleeper->state == TASK_PAUSING)
        cpus_run(&cpus, cpus.now + 1 * MS);
    ck_assert_uint_ge(cpus.now, 2 * S);
    ck_assert_uint_eq(sleeper->entity.level, 0);
}
END_TEST

START_TEST(the_lowest_starves_only_without_a_period)
{
    struct task *hog;

    init(10 * MS, 0, _i ? 1 * S : SCHED_FOREVER);
    hog = cpus_add_job(&cpus, 0, 100000);
    for (unsigned i = 0; i < 60; i++) /* one ends when the next one comes */
        cpus_add_job(&cpus, 50 + 100 * i, 100)->burst = NEVER;
    for (unsigned i = 1; i <= 60; i++)
        cpus.tasks[i].entity.length = 0;
    cpus_run(&cpus, 6 * S);
    if (_i)
        ck_assert_uint_le(hog->longest_wait, 1200 * MS);
    else
        ck_assert_uint_ge(hog->entity.run_time, 50 * MS);
}
END_TEST

START_TEST(a_long_run_sinks_through_several_levels)
{
    struct sched_queue *queue = &cpus.queues[0];
    struct sched_entity entity = {.nice = 0};

    init(10 * MS, 0, 1 * S);
    cpus.policy->add(queue, &entity, SCHED_NEW, 0);
    ck_assert_ptr_eq(cpus.policy->take(queue, 0), &entity);
    cpus.policy->charge(queue, &entity, 69 * MS, 69 * MS); /* 10 + 20 and not 40 more */
    ck_assert_uint_eq(entity.level, 2);
    ck_assert_uint_eq(entity.slice_left, 40 * MS);
    cpus.policy->charge(queue, &entity, 39 * MS, 108 * MS);
    ck_assert_uint_eq(entity.slice_left, 1 * MS);
    cpus.policy->charge(queue, &entity, 5 * S + 7 * MS - 108 * MS, 5 * S + 7 * MS);
    ck_assert_uint_eq(entity.level, 0);
    ck_assert_uint_eq(entity.slice_left, 3 * MS);
    cpus.policy->charge(queue, &entity, 900 * MS, 5 * S + 907 * MS);
    ck_assert_uint_eq(entity.level, 6);
}
END_TEST

START_TEST(levels_can_be_chosen)
{
    static const uint32_t wanted[] = {1, 2, 32, 33, UINT32_MAX};
    static const uint32_t lowest[] = {0, 1, 31, 31, 31};
    struct sched_entity entity = {.nice = 0};

    init(1 * S, wanted[_i], SCHED_FOREVER);
    cpus.policy->add(&cpus.queues[0], &entity, SCHED_NEW, 0);
    (void)cpus.policy->take(&cpus.queues[0], 0);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t slice = cpus.policy->slice(&cpus.queues[0], &entity, 0);

        ck_assert_uint_ge(slice, 1 * S);
        cpus.policy->charge(&cpus.queues[0], &entity, slice, NEVER - 1);
    }
    ck_assert_uint_eq(entity.level, lowest[_i]);
}
END_TEST

Suite *feedback_suite(void)
{
    Suite *all = suite_create("feedback");
    TCase *feedback = tcase_create("feedback");

    tcase_add_test(feedback, who_uses_its_quantum_sinks);
    tcase_add_test(feedback, levels_go_down_to_the_last);
    tcase_add_test(feedback, who_gives_way_early_stays);
    tcase_add_loop_test(feedback, yielding_early_is_no_trick, 0, 2);
    tcase_add_test(feedback, who_is_preempted_continues_with_the_rest);
    tcase_add_test(feedback, who_is_preempted_before_it_ran_keeps_its_turn);
    tcase_add_test(feedback, all_rise_at_each_period);
    tcase_add_test(feedback, those_that_sleep_rise_too);
    tcase_add_loop_test(feedback, the_lowest_starves_only_without_a_period, 0, 2);
    tcase_add_test(feedback, a_long_run_sinks_through_several_levels);
    tcase_add_loop_test(feedback, levels_can_be_chosen, 0, 5);
    suite_add_tcase(all, feedback);
    return all;
}
