/* SPDX-License-Identifier: MIT */
/*
 * Criteria, each over 10 s of virtual time unless it says otherwise:
 *  1. fair and stride: hogs get shares of the CPU in proportion to their weights within 1 % of the
 *     share, for equal ones, for neighbours, and for 3 to 1.
 *  2. At each 100 ms on the way, stride is within a quantum (of nice 0) of the ideal.
 *  3. A hog of the lowest nice level beside one of the highest gets its share within one slice.
 *  4. lottery: within 4 standard deviations of the binomial distribution for each of 20 seeds, and
 *     the mean of the seeds within 1 %; the same seed draws the same. So it is for 1,000 of seven
 *     levels, who are too many to play alone, whether they are preempted or yield.
 *  5. A change of nice changes the shares from then on.
 *  6. Who sleeps half of the time does not get more than its share under stride; under fair, no
 * more than it asks for and no less than hogs get.
 *  7. No starvation: under all but fifo, priority, sjf and srt each of 60 mixed tasks runs within a
 *     bound.
 *  8. A yield lets another one run first, under every policy, among equals.
 *  9. fair: slices are the shares of the target latency, one granularity at least.
 */
#include "cpus.h"
#include "suites.h"

#include <math.h>
#include <string.h>

static struct cpus cpus;

/* The share that a task's weight has, among all tasks. */
static double ideal_share(unsigned task)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < cpus.total; i++)
        sum += policy_weight(cpus.tasks[i].entity.nice);
    return (double)policy_weight(cpus.tasks[task].entity.nice) / (double)sum;
}

static void assert_shares_within(double part)
{
    for (unsigned i = 0; i < cpus.total; i++) {
        double ideal = ideal_share(i) * (double)cpus.now;
        double got = (double)cpus.tasks[i].entity.run_time;

        ck_assert_msg(fabs(got - ideal) <= ideal * part, "%s: task %u, nice %d: %g of %g",
                      cpus.policy->name, i, cpus.tasks[i].entity.nice, got, ideal);
    }
}

static const char *const exact[] = {"fair", "stride"};

START_TEST(shares_are_proportional)
{
    static const int mixes[][6] = {
        {0, 0, 99},     {0, 1, 99},          {0, 5, 99},
        {-5, 0, 5, 99}, {0, 0, 0, 0, 0, 99}, {-20, -19, -18, 99},
    };

    for (unsigned mix = 0; mix < sizeof(mixes) / sizeof(mixes[0]); mix++) {
        cpus_init(&cpus, exact[_i], 1, 1 * MS);
        for (unsigned i = 0; mixes[mix][i] != 99; i++)
            cpus_add_hog(&cpus, mixes[mix][i]);
        cpus_run(&cpus, 10 * S);
        assert_shares_within(0.01);
    }
}
END_TEST

START_TEST(nice_levels_are_a_factor_of_125_percent)
{
    for (int nice = -20; nice < 19; nice++) {
        cpus_init(&cpus, exact[_i], 1, 1 * MS);
        cpus_add_hog(&cpus, nice);
        cpus_add_hog(&cpus, nice + 1);
        cpus_run(&cpus, 10 * S);
        /* 5/9 and 4/9 */
        ck_assert_uint_ge(cpus_share(cpus.tasks[0].entity.run_time, cpus.now), 5500);
        ck_assert_uint_le(cpus_share(cpus.tasks[0].entity.run_time, cpus.now), 5611);
    }
}
END_TEST

START_TEST(stride_is_never_off_by_more_than_a_quantum)
{
    cpus_init(&cpus, "stride", 1, 10 * MS);
    for (int i = 0; i < 8; i++)
        cpus_add_hog(&cpus, i / 2 - 2);
    for (uint64_t until = 100 * MS; until <= 10 * S; until += 100 * MS) {
        cpus_run(&cpus, until);
        for (unsigned i = 0; i < cpus.total; i++) {
            double ideal = ideal_share(i) * (double)cpus.now;

            ck_assert(fabs((double)cpus.tasks[i].entity.run_time - ideal) <= 1.6 * 10 * MS);
        }
    }
}
END_TEST

START_TEST(extremes_are_within_a_slice)
{
    struct task *low;

    cpus_init(&cpus, exact[_i], 1, 1 * MS);
    cpus_add_hog(&cpus, -20);
    low = cpus_add_hog(&cpus, 19);
    cpus_run(&cpus, 100 * S);
    ck_assert_uint_ge(low->entity.run_time, 15 * MS);
    ck_assert_uint_le(low->entity.run_time, 18 * MS);
}
END_TEST

static void run_lottery(uint64_t seed)
{
    cpus_init(&cpus, "lottery", 1, 10 * MS);
    cpus.queues[0].random = seed;
    cpus_add_hog(&cpus, 0);
    cpus_add_hog(&cpus, 3);
    cpus_add_hog(&cpus, 5);
    cpus_add_hog(&cpus, 5);
    cpus_run(&cpus, 10 * S);
}

START_TEST(lottery_is_within_its_statistics)
{
    double sums[4] = {0}, draws = 1000;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        run_lottery(seed);
        for (unsigned i = 0; i < 4; i++) {
            double p = ideal_share(i), wins = (double)cpus.tasks[i].entity.run_time / (10 * MS);

            ck_assert(fabs(wins - draws * p) <= 4 * sqrt(draws * p * (1 - p)));
            sums[i] += wins;
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        double p = ideal_share(i);

        ck_assert_double_le(fabs(sums[i] / 20 / draws - p), 0.01);
        ck_assert_double_le(fabs(sums[i] - 20 * draws * p), 4 * sqrt(20 * draws * p * (1 - p)));
    }
}
END_TEST

START_TEST(lottery_draws_the_same_from_a_seed)
{
    static char before[sizeof(cpus.story)];

    run_lottery(7);
    memcpy(before, cpus.story, sizeof(before));
    run_lottery(7);
    ck_assert_str_eq(cpus.story, before);
    run_lottery(8);
    ck_assert_str_ne(cpus.story, before);
}
END_TEST

START_TEST(lottery_is_fair_to_members_of_pools)
{
    enum { MANY = 1000, DRAWS = 1000000 };
    static struct sched_entity crowd[MANY];
    const struct sched_policy *policy = policy_find("lottery");
    struct sched_queue queue = {.epoch = 1, .random = 1};
    enum sched_why why = _i ? SCHED_YIELDED : SCHED_PREEMPTED;
    double total = 0;

    memset(crowd, 0, sizeof(crowd));
    policy->init(&queue);
    for (unsigned i = 0; i < MANY; i++) {
        crowd[i].nice = (int)(i % 7) - 3;
        policy->add(&queue, &crowd[i], SCHED_NEW, 0);
    }
    for (unsigned i = 0; i < DRAWS; i++) {
        struct sched_entity *winner = policy->take(&queue, 0);

        winner->run_time++;
        policy->add(&queue, winner, why, 0);
    }
    ck_assert_uint_eq(queue.ready, MANY);
    for (unsigned i = 0; i < MANY; i++)
        total += (double)policy_weight(crowd[i].nice);
    for (unsigned i = 0; i < MANY; i++) {
        double mean = (double)policy_weight(crowd[i].nice) / total * DRAWS;

        ck_assert(fabs((double)crowd[i].run_time - mean) <= 4 * sqrt(mean));
    }
}
END_TEST

START_TEST(a_change_of_nice_counts_from_then_on)
{
    struct task *task;
    uint64_t before;

    cpus_init(&cpus, exact[_i], 1, 1 * MS);
    cpus_add_hog(&cpus, 0);
    task = cpus_add_hog(&cpus, 0);
    cpus_run(&cpus, 5 * S);
    ck_assert_uint_eq(cpus_share(task->entity.run_time, 5 * S) / 10, 500);
    if (task->state == TASK_READY) {
        cpus.policy->remove(&cpus.queues[0], &task->entity);
        task->entity.nice = 5;
        cpus.policy->add(&cpus.queues[0], &task->entity, SCHED_MOVED, cpus.now);
    } else {
        task->entity.nice = 5;
    }
    before = task->entity.run_time;
    cpus_run(&cpus, 15 * S);
    ck_assert_uint_ge(cpus_share(task->entity.run_time - before, 10 * S), 2444);
    ck_assert_uint_le(cpus_share(task->entity.run_time - before, 10 * S), 2494);
}
END_TEST

START_TEST(sleeping_earns_nothing)
{
    struct task *sleeper;

    cpus_init(&cpus, exact[_i], 1, 1 * MS);
    cpus_add_hog(&cpus, 0);
    cpus_add_hog(&cpus, 0);
    sleeper = cpus_add_sleeper(&cpus, 3 * S, 3 * S);
    /* It has slept for 3 s by the time when it has run for 3; then a second in which all run. */
    while (sleeper->state != TASK_PAUSING)
        cpus_run(&cpus, cpus.now + 10 * MS);
    while (sleeper->state == TASK_PAUSING)
        cpus_run(&cpus, cpus.now + 1 * MS);
    for (unsigned i = 0; i < 3; i++)
        cpus.tasks[i].entity.run_time = 0;
    cpus_run(&cpus, cpus.now + 1 * S);
    /* A third each: fair's bonus is 4 ms. */
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_ge(cpus.tasks[i].entity.run_time, 327 * MS);
        ck_assert_uint_le(cpus.tasks[i].entity.run_time, 340 * MS);
    }
}
END_TEST

START_TEST(a_modest_task_gets_what_it_asks_for)
{
    struct task *modest;

    /* It asks for 1 ms in 10, which is half of its share beside 4 hogs. */
    cpus_init(&cpus, "fair", 1, 0);
    modest = cpus_add_sleeper(&cpus, 1 * MS, 9 * MS);
    for (unsigned i = 0; i < 4; i++)
        cpus_add_hog(&cpus, 0);
    cpus_run(&cpus, 10 * S);
    ck_assert_uint_ge(modest->entity.run_time, 990 * MS);
    ck_assert_uint_le(modest->entity.run_time, 1000 * MS);
}
END_TEST

START_TEST(nobody_starves)
{
    static const char *const names[] = {"rr", "stride", "lottery", "feedback", "fair"};

    cpus_init(&cpus, names[_i], 1, 0);
    for (unsigned i = 0; i < 20; i++) {
        cpus_add_hog(&cpus, (int)(i % 5) - 2);
        cpus_add_sleeper(&cpus, (1 + i) * MS, 5 * MS);
        cpus_add_sleeper(&cpus, 100 * US, 0); /* yields all the time */
    }
    cpus_run(&cpus, 20 * S);
    /* Chance: 60 tasks, the lowest share 1/118; 16 s without a win have a chance of 10^-6. */
    for (unsigned i = 0; i < cpus.total; i++) {
        ck_assert_uint_gt(cpus.tasks[i].entity.run_time, 0);
        ck_assert_uint_le(cpus.tasks[i].longest_wait, _i == 2 ? 16 * S : 3 * S);
    }
}
END_TEST

START_TEST(a_yield_lets_another_one_run_first)
{
    cpus_init(&cpus, policy_at((unsigned)_i)->name, 1, 0);
    for (unsigned i = 0; i < 2; i++)
        cpus_add_sleeper(&cpus, (1 + 99 * i) * US, 0);
    cpus_run(&cpus, 5 * MS);
    /* Neighbours in the story are never the same one. */
    for (const char *turn = cpus.story, *next; (next = strstr(turn, ", ")) != NULL; turn = next)
        ck_assert_int_ne(*turn, *(next += 2));
    ck_assert_uint_le(cpus.tasks[0].turns, cpus.tasks[1].turns + 1);
    ck_assert_uint_le(cpus.tasks[1].turns, cpus.tasks[0].turns + 1);
    ck_assert_uint_gt(cpus.tasks[0].turns, 10);
}
END_TEST

START_TEST(fair_slices_are_shares_of_the_latency)
{
    struct sched_queue *queue = &cpus.queues[0];

    cpus_init(&cpus, "fair", 1, 0);
    cpus_add_hog(&cpus, 0);
    cpus_add_hog(&cpus, 0);
    cpus_run(&cpus, 0);
    ck_assert_uint_eq(cpus.slice_end[0], 4 * MS);
    for (unsigned n = 2; n < 20; n++) {
        struct sched_entity probe = {.nice = 0};
        uint64_t slice = cpus.policy->slice(queue, &probe, 0), share = 8 * MS / (n - 1 + 1);

        ck_assert_uint_le(slice, share > 1 * MS ? share : 1 * MS);
        ck_assert_uint_ge(slice, share > 1 * MS ? share - share / 1000 : 1 * MS);
        cpus_add_hog(&cpus, 0);
        cpus_run(&cpus, 0);
    }
    ck_assert_uint_eq(cpus.queues[0].ready, 19);
    cpus.running[0]->entity.run_time = 600 * US;
    ck_assert_uint_eq(cpus.policy->slice(queue, &cpus.running[0]->entity, 0), 400 * US);
    cpus.running[0]->entity.run_time = 2 * MS;
    ck_assert_uint_eq(cpus.policy->slice(queue, &cpus.running[0]->entity, 0), 0);
}
END_TEST

Suite *shares_suite(void)
{
    Suite *all = suite_create("shares");
    TCase *shares = tcase_create("shares");

    tcase_set_timeout(shares, 60);
    tcase_add_loop_test(shares, shares_are_proportional, 0, 2);
    tcase_add_loop_test(shares, nice_levels_are_a_factor_of_125_percent, 0, 2);
    tcase_add_test(shares, stride_is_never_off_by_more_than_a_quantum);
    tcase_add_loop_test(shares, extremes_are_within_a_slice, 0, 2);
    tcase_add_test(shares, lottery_is_within_its_statistics);
    tcase_add_test(shares, lottery_draws_the_same_from_a_seed);
    tcase_add_loop_test(shares, lottery_is_fair_to_members_of_pools, 0, 2);
    tcase_add_loop_test(shares, a_change_of_nice_counts_from_then_on, 0, 2);
    tcase_add_loop_test(shares, sleeping_earns_nothing, 0, 2);
    tcase_add_test(shares, a_modest_task_gets_what_it_asks_for);
    tcase_add_loop_test(shares, nobody_starves, 0, 5);
    tcase_add_loop_test(shares, a_yield_lets_another_one_run_first, 0, 9);
    tcase_add_test(shares, fair_slices_are_shares_of_the_latency);
    suite_add_tcase(all, shares);
    return all;
}
