/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. fifo: in the order of arrival, each until it gives way; a yield goes to the end; who is
 *     stopped against the rule continues first.
 *  2. rr: turns of exactly one quantum while others wait, and none while nobody does.
 *  3. priority: the highest runs at once, equals by arrival, who is preempted continues first of
 * its level; a lower one starves: shown.
 *  4. sjf: the shortest waiting first, unknown lengths last; srt: also against the running one;
 * equals by arrival. A long one starves: shown. Who declared too little does not keep its place.
 *  5. The table: nine policies, each found by its name, all operations there; no other name is
 * found.
 *  6. Nice levels: a factor of 1.25 each, clamped at the ends.
 *  7. search: who yields is no option while anybody waits who came before it; so two that yield to
 *     each other do not keep a third one waiting, whatever is chosen. Who was taken since does not
 *     count as having come before.
 */
#include "cpus.h"
#include "suites.h"

#include <string.h>

static struct cpus cpus;

START_TEST(fifo_keeps_the_order)
{
    cpus_init(&cpus, "fifo", 1, 0);
    cpus_add_job(&cpus, 0, 24);
    cpus_add_job(&cpus, 0, 3);
    cpus_add_job(&cpus, 1, 3);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-24, B 24-27, C 27-30");
}
END_TEST

START_TEST(fifo_goes_on_after_a_yield)
{
    cpus_init(&cpus, "fifo", 1, 0);
    cpus_add_job(&cpus, 0, 5)->burst = 2 * MS;
    cpus_add_job(&cpus, 0, 3);
    cpus_add_job(&cpus, 6, 1);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-2, B 2-5, A 5-7, C 7-8, A 8-9");
}
END_TEST

START_TEST(fifo_who_is_stopped_continues_first)
{
    struct sched_queue queue = {.epoch = 1};
    struct sched_entity a = {.nice = 0}, b = {.nice = 0};

    policy_find("fifo")->init(&queue);
    policy_find("fifo")->add(&queue, &a, SCHED_NEW, 0);
    policy_find("fifo")->add(&queue, &b, SCHED_NEW, 0);
    ck_assert_ptr_eq(policy_find("fifo")->take(&queue, 0), &a);
    policy_find("fifo")->add(&queue, &a, SCHED_PREEMPTED, 1);
    ck_assert_ptr_eq(policy_find("fifo")->take(&queue, 1), &a);
}
END_TEST

START_TEST(rr_gives_turns_of_a_quantum)
{
    cpus_init(&cpus, "rr", 1, 4 * MS);
    cpus_add_job(&cpus, 0, 24);
    cpus_add_job(&cpus, 0, 3);
    cpus_add_job(&cpus, 0, 3);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-4, B 4-7, C 7-10, A 10-30");
}
END_TEST

START_TEST(rr_counts_the_quantum_from_when_others_wait)
{
    cpus_init(&cpus, "rr", 1, 10 * MS);
    cpus_add_job(&cpus, 0, 50);
    cpus_add_job(&cpus, 13, 12);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-23, B 23-33, A 33-43, B 43-45, A 45-62");
}
END_TEST

START_TEST(rr_nobody_waits_longer_than_the_others_quanta)
{
    cpus_init(&cpus, "rr", 1, 10 * MS);
    for (unsigned i = 0; i < 20; i++)
        cpus_add_hog(&cpus, 0);
    cpus_run(&cpus, 10 * S);
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_uint_eq(cpus.tasks[i].longest_wait, 190 * MS);
        ck_assert_uint_eq(cpus.tasks[i].entity.run_time, 500 * MS);
        ck_assert_uint_eq(cpus.tasks[i].turns, 50);
    }
}
END_TEST

static struct task *add_priority(unsigned priority, uint64_t arrival, uint64_t work)
{
    struct task *task = cpus_add_job(&cpus, arrival, work);

    task->entity.priority = priority;
    return task;
}

START_TEST(priority_runs_the_highest)
{
    cpus_init(&cpus, "priority", 1, 0);
    add_priority(3, 0, 10);
    add_priority(1, 0, 1);
    add_priority(4, 0, 2);
    add_priority(5, 0, 1);
    add_priority(2, 0, 5);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "B 0-1, E 1-6, A 6-16, C 16-18, D 18-19");
}
END_TEST

START_TEST(priority_preempts_and_goes_back_to_where_it_was)
{
    cpus_init(&cpus, "priority", 1, 0);
    add_priority(7, 0, 10);
    add_priority(7, 1, 2);
    add_priority(0, 3, 2);
    add_priority(7, 4, 1);
    add_priority(99, 0, 1);
    add_priority(31, 1, 1);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-3, C 3-5, A 5-12, B 12-14, D 14-15, E 15-16, F 16-17");
}
END_TEST

START_TEST(priority_starves_the_lower)
{
    cpus_init(&cpus, "priority", 1, 0);
    cpus_add_hog(&cpus, 0);
    cpus_add_hog(&cpus, 0)->entity.priority = 1;
    cpus_run(&cpus, 10 * S);
    ck_assert_uint_eq(cpus.tasks[0].entity.run_time, 10 * S);
    ck_assert_uint_eq(cpus.tasks[1].entity.run_time, 0);
}
END_TEST

START_TEST(sjf_takes_the_shortest_that_waits)
{
    cpus_init(&cpus, "sjf", 1, 0);
    cpus_add_job(&cpus, 0, 6);
    cpus_add_job(&cpus, 0, 8)->entity.length = 0;
    cpus_add_job(&cpus, 0, 7);
    cpus_add_job(&cpus, 0, 3);
    cpus_add_job(&cpus, 1, 1);
    cpus_add_job(&cpus, 1, 7);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "D 0-3, E 3-4, A 4-10, C 10-17, F 17-24, B 24-32");
}
END_TEST

START_TEST(srt_takes_what_needs_least)
{
    cpus_init(&cpus, "srt", 1, 0);
    cpus_add_job(&cpus, 0, 8);
    cpus_add_job(&cpus, 1, 4);
    cpus_add_job(&cpus, 2, 9);
    cpus_add_job(&cpus, 3, 5);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-1, B 1-5, D 5-10, A 10-17, C 17-26");
}
END_TEST

START_TEST(srt_prefers_who_came_first_among_equals)
{
    cpus_init(&cpus, "srt", 1, 0);
    cpus_add_job(&cpus, 0, 6);
    cpus_add_job(&cpus, 2, 4); /* as much as A still needs: no reason to switch */
    cpus_add_job(&cpus, 3, 1);
    cpus_add_job(&cpus, 3, 3); /* as much as A needs when C preempts it */
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-3, C 3-4, A 4-7, D 7-10, B 10-14");
    cpus_init(&cpus, "srt", 1, 0);
    cpus_add_job(&cpus, 0, 6);
    cpus_add_job(&cpus, 2, 4); /* waits already when C preempts A, which came first */
    cpus_add_job(&cpus, 2, 1);
    cpus_run(&cpus, NEVER);
    ck_assert_str_eq(cpus.story, "A 0-2, C 2-3, A 3-7, B 7-11");
}
END_TEST

START_TEST(sjf_and_srt_starve_the_long)
{
    cpus_init(&cpus, _i ? "srt" : "sjf", 1, 0);
    cpus_add_job(&cpus, 5, 1000);
    for (unsigned i = 0; i < 60; i++)
        cpus_add_job(&cpus, 10 * i, 10);
    cpus_run(&cpus, NEVER);
    ck_assert_uint_eq(cpus.tasks[0].first_run, 600 * MS);
    ck_assert_uint_eq(cpus.tasks[0].end, 1600 * MS);
}
END_TEST

START_TEST(srt_a_lie_does_not_last)
{
    struct task *liar;

    cpus_init(&cpus, "srt", 1, 0);
    liar = cpus_add_job(&cpus, 0, 1000);
    liar->entity.length = 1 * MS;
    for (unsigned i = 1; i <= 10; i++)
        cpus_add_job(&cpus, 50 * i, 20);
    cpus_run(&cpus, NEVER);
    for (unsigned i = 1; i <= 10; i++)
        ck_assert_uint_eq(cpus.tasks[i].end, (50 * i + 20) * MS);
    ck_assert_uint_eq(liar->end, 1200 * MS);
}
END_TEST

START_TEST(the_table_is_complete)
{
    static const char *const names[] = {"fifo",     "rr",   "priority", "stride", "lottery",
                                        "feedback", "fair", "sjf",      "srt"};

    for (unsigned i = 0; i < 9; i++) {
        const struct sched_policy *policy = policy_at(i);

        ck_assert_str_eq(policy->name, names[i]);
        ck_assert_ptr_eq(policy_find(names[i]), policy);
        ck_assert(policy->summary && policy->init && policy->add && policy->remove);
        ck_assert(policy->take && policy->slice && policy->charge && policy->preempts);
        ck_assert(policy->steal);
    }
    ck_assert_ptr_null(policy_at(9));
    ck_assert_ptr_null(policy_at(UINT32_MAX));
    ck_assert_ptr_null(policy_find("cfs"));
    ck_assert_ptr_null(policy_find(""));
    ck_assert_ptr_null(policy_find("fif"));
    ck_assert_ptr_null(policy_find("fifos"));
}
END_TEST

START_TEST(weights_are_a_factor_apart)
{
    ck_assert_uint_eq(policy_weight(0), SCHED_WEIGHT_NORMAL);
    for (int nice = SCHED_NICE_MIN; nice < SCHED_NICE_MAX; nice++) {
        uint64_t more = policy_weight(nice), less = policy_weight(nice + 1);

        /* Within a rounding of either. */
        ck_assert_uint_le(more * 4, less * 5 + 5);
        ck_assert_uint_le(less * 5, more * 4 + 5);
    }
    ck_assert_uint_eq(policy_weight(-21), policy_weight(-20));
    ck_assert_uint_eq(policy_weight(INT32_MIN), policy_weight(-20));
    ck_assert_uint_eq(policy_weight(20), policy_weight(19));
    ck_assert_uint_eq(policy_weight(INT32_MAX), policy_weight(19));
}
END_TEST

static struct sched_entity abc[3];

/* The options of `queue`, in letters. */
static const char *options(const struct sched_queue *queue)
{
    static char text[4];
    const struct sched_entity *entity;
    unsigned n = 0;

    while (n < 3 && (entity = policy_find("search")->option(queue, n)))
        text[n++] = (char)('A' + (entity - abc));
    text[n] = '\0';
    return text;
}

/* Takes option `choice`, which adds itself again for the reason `why`. */
static void turn_of(struct sched_queue *queue, unsigned choice, enum sched_why why)
{
    struct sched_entity *taken;

    queue->choice = choice;
    taken = policy_find("search")->take(queue, 0);
    policy_find("search")->add(queue, taken, why, 0);
}

static void begin_search(struct sched_queue *queue)
{
    memset(abc, 0, sizeof abc);
    *queue = (struct sched_queue){.epoch = 1};
    policy_find("search")->init(queue);
    for (unsigned i = 0; i < 3; i++)
        policy_find("search")->add(queue, &abc[i], SCHED_NEW, 0);
    ck_assert_str_eq(options(queue), "ABC");
}

START_TEST(search_lets_all_go_before_who_yields)
{
    struct sched_queue queue;

    begin_search(&queue);
    turn_of(&queue, 0, SCHED_YIELDED);
    ck_assert_str_eq(options(&queue), "BC");
    turn_of(&queue, 0, SCHED_YIELDED);
    ck_assert_str_eq(options(&queue), "C");
    turn_of(&queue, 0, SCHED_YIELDED);
    ck_assert_str_eq(options(&queue), "A");
    policy_find("search")->remove(&queue, &abc[0]);
    ck_assert_str_eq(options(&queue), "B");
    policy_find("search")->add(&queue, &abc[0], SCHED_WOKEN, 0);
    ck_assert_str_eq(options(&queue), "BA");
}
END_TEST

START_TEST(search_who_goes_on_is_in_nobodys_way)
{
    struct sched_queue queue;

    begin_search(&queue);
    turn_of(&queue, 0, SCHED_YIELDED);
    policy_find("search")->remove(&queue, &abc[1]);
    ck_assert_str_eq(options(&queue), "C");
    turn_of(&queue, 0, SCHED_PREEMPTED);
    ck_assert_str_eq(options(&queue), "CA");
}
END_TEST

Suite *order_suite(void)
{
    Suite *all = suite_create("order");
    TCase *order = tcase_create("order");

    tcase_add_test(order, fifo_keeps_the_order);
    tcase_add_test(order, fifo_goes_on_after_a_yield);
    tcase_add_test(order, fifo_who_is_stopped_continues_first);
    tcase_add_test(order, rr_gives_turns_of_a_quantum);
    tcase_add_test(order, rr_counts_the_quantum_from_when_others_wait);
    tcase_add_test(order, rr_nobody_waits_longer_than_the_others_quanta);
    tcase_add_test(order, priority_runs_the_highest);
    tcase_add_test(order, priority_preempts_and_goes_back_to_where_it_was);
    tcase_add_test(order, priority_starves_the_lower);
    tcase_add_test(order, sjf_takes_the_shortest_that_waits);
    tcase_add_test(order, srt_takes_what_needs_least);
    tcase_add_test(order, srt_prefers_who_came_first_among_equals);
    tcase_add_loop_test(order, sjf_and_srt_starve_the_long, 0, 2);
    tcase_add_test(order, srt_a_lie_does_not_last);
    tcase_add_test(order, the_table_is_complete);
    tcase_add_test(order, weights_are_a_factor_apart);
    tcase_add_test(order, search_lets_all_go_before_who_yields);
    tcase_add_test(order, search_who_goes_on_is_in_nobodys_way);
    suite_add_tcase(all, order);
    return all;
}
