/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. fair, stride: who is moved, ready or running, to a queue whose virtual time is far ahead or
 * far behind keeps its distance from the last in the race exactly; and so through many moves.
 *  2. fair: who wakes up on another CPU has the bonus at most, and owes the target latency at most,
 *     wherever it was before; stride: it has exactly what it had.
 *  3. srt: what a job still needs goes along. feedback: so do level and allowance.
 *  4. After a change of policy, who comes back with figures of the old one is as good as new.
 *  5. Virtual times that wrap around change nothing.
 *  6. steal takes one, and nothing of an empty queue; whom the thief cannot use can be put back and
 *     is then where it was.
 */
#include "cpus.h"
#include "suites.h"

#include <string.h>

#define FAR UINT64_C(1000000000000)

static const struct sched_policy *policy;
static struct sched_queue here, there;
static struct sched_entity a, b, c, d;

static void begin(const char *name)
{
    policy = policy_find(name);
    memset(&here, 0, sizeof(here));
    here.policy = policy;
    here.epoch = 1;
    there = here;
    policy->init(&here);
    policy->init(&there);
    memset(&a, 0, sizeof(a));
    b = c = d = a;
}

/* An entity runs alone on the queue until virtual time there stands at `ns` at least. */
static void advance(struct sched_queue *queue, struct sched_entity *runner, uint64_t ns)
{
    policy->add(queue, runner, SCHED_NEW, 0);
    ck_assert_ptr_eq(policy->take(queue, 0), runner);
    policy->charge(queue, runner, ns, ns);
    ck_assert_uint_ge(queue->min_vruntime, ns);
    policy->add(queue, runner, SCHED_PREEMPTED, ns);
}

static uint64_t distance(const struct sched_queue *queue, const struct sched_entity *entity)
{
    uint64_t at = policy == policy_find("fair") ? entity->vruntime : entity->pass;

    return at - queue->min_vruntime;
}

static const char *const virtual[] = {"fair", "stride"};

START_TEST(who_is_moved_keeps_its_distance)
{
    begin(virtual[_i / 2]);
    advance(&here, &a, _i % 2 ? FAR : 5);
    advance(&there, &b, _i % 2 ? 7 : FAR);
    policy->add(&here, &c, SCHED_NEW, 0);
    ck_assert_ptr_eq(policy->take(&here, 0), &a);
    policy->charge(&here, &a, 3 * MS, 0);
    policy->add(&here, &a, SCHED_PREEMPTED, 0);
    ck_assert_uint_eq(distance(&here, &a), 3 * MS);
    for (unsigned i = 0; i < 10; i++) {
        policy->remove(i % 2 ? &there : &here, &a);
        policy->add(i % 2 ? &here : &there, &a, SCHED_MOVED, 0);
        ck_assert_uint_eq(distance(i % 2 ? &here : &there, &a), 3 * MS);
    }
    ck_assert_uint_eq(here.ready, 2);
    ck_assert_uint_eq(there.ready, 1);
}
END_TEST

START_TEST(who_runs_and_is_moved_keeps_its_distance)
{
    begin(virtual[_i]);
    advance(&here, &a, 5);
    advance(&there, &b, FAR);
    policy->add(&here, &c, SCHED_NEW, 0);
    ck_assert_ptr_eq(policy->take(&here, 0), &a);
    policy->charge(&here, &a, 3 * MS, 0);
    policy->add(&there, &a, SCHED_MOVED, 0);
    ck_assert_uint_eq(distance(&there, &a), 3 * MS);
}
END_TEST

/* `a` ran `ns` here beside `c`, slept, and wakes up there. Returns its distance. */
static int64_t wake_there(uint64_t ns, uint64_t virtual_there)
{
    advance(&here, &a, 5 * S);
    advance(&there, &b, virtual_there);
    policy->add(&here, &c, SCHED_NEW, 0);
    ck_assert_ptr_eq(policy->take(&here, 0), &a);
    policy->charge(&here, &a, ns, 0);
    policy->add(&there, &a, SCHED_WOKEN, 0);
    return (int64_t)distance(&there, &a);
}

START_TEST(who_wakes_elsewhere_is_bounded)
{
    static const uint64_t times[] = {1 * MS, FAR};

    for (unsigned i = 0; i < 2; i++) {
        begin("fair");
        ck_assert_int_eq(wake_there(2 * MS, times[i]), 2 * MS);
        begin("fair");
        ck_assert_int_eq(wake_there(50 * S, times[i]), 8 * MS);
        begin("stride");
        ck_assert_int_eq(wake_there(2 * MS, times[i]), 2 * MS);
        begin("stride");
        ck_assert_int_eq(wake_there(50 * MS, times[i]), 50 * MS);
    }
}
END_TEST

START_TEST(who_ran_alone_owes_nothing)
{
    begin(virtual[_i]);
    advance(&there, &b, FAR);
    policy->add(&here, &a, SCHED_NEW, 0);
    ck_assert_ptr_eq(policy->take(&here, 0), &a);
    policy->charge(&here, &a, 3 * MS, 3 * MS);
    policy->add(&there, &a, SCHED_WOKEN, 3 * MS);
    ck_assert_uint_eq(distance(&there, &a), 0);
}
END_TEST

START_TEST(who_wakes_has_the_bonus_at_most)
{
    begin("fair");
    policy->add(&here, &a, SCHED_NEW, 0);
    ck_assert_ptr_eq(policy->take(&here, 0), &a);
    policy->charge(&here, &a, 1 * MS, 0); /* sleeps from here on */
    advance(&here, &b, 100 * S);
    policy->add(&here, &a, SCHED_WOKEN, 0);
    ck_assert_int_eq((int64_t)distance(&here, &a), -4 * (int64_t)MS);
    ck_assert(policy->preempts(&here, &a, &b, 0));
}
END_TEST

START_TEST(what_a_job_needs_goes_along)
{
    begin("srt");
    a.length = 10 * MS;
    policy->add(&here, &a, SCHED_NEW, 0);
    (void)policy->take(&here, 0);
    policy->charge(&here, &a, 4 * MS, 0);
    policy->add(&there, &a, SCHED_MOVED, 0);
    ck_assert_uint_eq(a.remaining, 6 * MS);
    begin("feedback");
    policy->add(&here, &a, SCHED_NEW, 0);
    (void)policy->take(&here, 0);
    policy->charge(&here, &a, 35 * MS, 35 * MS); /* sinks to level 2 */
    policy->charge(&here, &a, 5 * MS, 40 * MS);
    policy->add(&there, &a, SCHED_MOVED, 40 * MS);
    ck_assert_uint_eq(a.level, 2);
    ck_assert_uint_eq(a.slice_left, 35 * MS);
    /* Its new queue learns of a boost while it waits there. */
    policy->add(&there, &b, SCHED_NEW, 1 * S);
    policy->remove(&there, &a);
    policy->remove(&there, &b);
    ck_assert_uint_eq(there.occupied, 0);
}
END_TEST

START_TEST(a_change_of_policy_makes_all_new)
{
    for (unsigned to = 0; policy_at(to); to++) {
        begin(policy_at((unsigned)_i)->name);
        a.length = 5 * MS;
        advance(&here, &b, 0);
        policy->add(&here, &a, SCHED_NEW, 0);
        while (policy->take(&here, 0) != &a)
            continue;
        policy->charge(&here, &a, 100 * S, 100 * S); /* sleeps from here on */
        policy = here.policy = policy_at(to);
        here.epoch++;
        here.quantum = here.period = 0;
        policy->init(&here);
        ck_assert_uint_eq(here.ready, 0);
        policy->add(&here, &b, SCHED_NEW, 100 * S);
        policy->add(&here, &c, SCHED_NEW, 100 * S);
        policy->add(&here, &a, SCHED_WOKEN, 100 * S);
        ck_assert_uint_eq(a.epoch, 2);
        ck_assert_uint_eq(distance(&here, &a) * (to == 3 || to == 6), 0);
        if (to == 5)
            ck_assert_uint_eq(a.level, 0);
        if (to >= 7)
            ck_assert_uint_eq(a.remaining, 5 * MS);
    }
}
END_TEST

START_TEST(virtual_times_may_wrap_around)
{
    static struct cpus cpus;

    for (unsigned round = 0; round < 2; round++) {
        cpus_init(&cpus, virtual[_i], 1, 1 * MS);
        cpus.queues[0].min_vruntime = round ? 0 - 1 * S : 0;
        for (int i = 0; i < 4; i++)
            cpus_add_hog(&cpus, i);
        cpus_add_sleeper(&cpus, 3 * MS, 20 * MS);
        cpus_run(&cpus, 10 * S);
        for (unsigned i = 0; i < 5; i++) {
            static uint64_t first[5];

            first[i] = cpus.tasks[i].entity.run_time;
            ck_assert_uint_eq(cpus.tasks[i].entity.run_time, first[i]);
        }
    }
    ck_assert_uint_lt(cpus.queues[0].min_vruntime, 10 * S);
}
END_TEST

static void fill(void)
{
    struct sched_entity *const all[] = {&a, &b, &c, &d};

    begin(policy->name);
    for (unsigned i = 0; i < 4; i++) {
        all[i]->priority = all[i]->length = i == 3 ? 1 : 2;
        policy->add(&here, all[i], SCHED_NEW, 0);
    }
}

START_TEST(steal_takes_one_and_it_can_be_put_back)
{
    struct sched_entity *taken[2], *stolen[4];

    begin(policy_at((unsigned)_i)->name);
    ck_assert_ptr_null(policy->steal(&here));
    ck_assert_ptr_null(policy->take(&here, 0));
    for (unsigned round = 0; round < 2; round++) {
        fill();
        for (unsigned i = 0; i < 2 * round; i++) {
            stolen[i] = policy->steal(&here);
            ck_assert_uint_eq(here.ready, 3 - i);
            ck_assert_uint_eq(here.weight, (3 - i) * SCHED_WEIGHT_NORMAL);
        }
        for (unsigned i = 2 * round; i > 0; i--)
            policy->add(&here, stolen[i - 1], SCHED_MOVED, 0);
        taken[round] = policy->take(&here, 0);
    }
    if (_i == 4)
        return; /* whom lottery draws, who knows */
    ck_assert_ptr_eq(taken[0], _i == 2 || _i >= 7 ? &d : &a);
    if (_i != 3 && _i != 6) /* where equals go behind equals */
        ck_assert_ptr_eq(taken[1], taken[0]);
}
END_TEST

Suite *moves_suite(void)
{
    Suite *all = suite_create("moves");
    TCase *moves = tcase_create("moves");

    tcase_add_loop_test(moves, who_is_moved_keeps_its_distance, 0, 4);
    tcase_add_loop_test(moves, who_runs_and_is_moved_keeps_its_distance, 0, 2);
    tcase_add_test(moves, who_wakes_elsewhere_is_bounded);
    tcase_add_loop_test(moves, who_ran_alone_owes_nothing, 0, 2);
    tcase_add_test(moves, who_wakes_has_the_bonus_at_most);
    tcase_add_test(moves, what_a_job_needs_goes_along);
    tcase_add_loop_test(moves, a_change_of_policy_makes_all_new, 0, 9);
    tcase_add_loop_test(moves, virtual_times_may_wrap_around, 0, 2);
    tcase_add_loop_test(moves, steal_takes_one_and_it_can_be_put_back, 0, 9);
    suite_add_tcase(all, moves);
    return all;
}
