/* SPDX-License-Identifier: MIT */
/*
 * Criterion: with n entities on the queue, no operation of any policy takes more than O(log n)
 * steps, up to n = 100,000.
 *
 * A step is an edge of the control flow: this program has the policies and the tree compiled with
 * -fsanitize-coverage=trace-pc, which calls __sanitizer_cov_trace_pc at each of them. So the count
 * is exact and the same in each run, whatever the machine is doing.
 */
#include "cpus.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 100000u
#define ROUNDS 3000u

void __sanitizer_cov_trace_pc(void);

static uint64_t steps;

void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

static const struct sched_policy *policy;
static struct sched_queue queue, other;
static struct sched_entity *entities;
static uint64_t chance, now;

enum { ADD, REMOVE, TAKE, SLICE, CHARGE, PREEMPTS, STEAL, KINDS };
static const char *const kinds[KINDS] = {"add",    "remove",   "take", "slice",
                                         "charge", "preempts", "steal"};
static uint64_t worst[KINDS];

static unsigned random_below(unsigned n)
{
    chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(chance >> 33) % n;
}

/* Counts the steps of `operation` towards the worst of its kind. */
#define COUNT(kind, operation) \
    do { \
        steps = 0; \
        operation; \
        if (steps > worst[kind]) \
            worst[kind] = steps; \
    } while (0)

static void play_turn(void)
{
    struct sched_entity *running, *moved = NULL;
    uint64_t ns;
    bool answer;

    COUNT(TAKE, running = policy->take(&queue, now));
    COUNT(SLICE, now += policy->slice(&queue, running, now) == 0);
    ns = 1 + random_below(20000) * US;
    now += ns;
    running->run_time += ns;
    COUNT(CHARGE, policy->charge(&queue, running, ns, now));
    COUNT(ADD, policy->add(&queue, running, (enum sched_why)(1 + random_below(3)), now));
    running = &entities[random_below(queue.ready)];
    COUNT(REMOVE, policy->remove(&queue, running));
    COUNT(ADD, policy->add(&queue, running, SCHED_MOVED, now));
    COUNT(PREEMPTS, answer = policy->preempts(&queue, &entities[0], running, now));
    COUNT(STEAL, moved = policy->steal(&queue));
    policy->add(&other, moved, SCHED_MOVED, now + answer);
    ck_assert(policy->take(&other, now) == moved);
    policy->charge(&other, moved, 1 * MS, now);
    COUNT(ADD, policy->add(&queue, moved, SCHED_MOVED, now));
}

static void measure(unsigned n)
{
    memset(&queue, 0, sizeof(queue));
    memset(&other, 0, sizeof(other));
    memset(entities, 0, n * sizeof(*entities));
    memset(worst, 0, sizeof(worst));
    queue.epoch = other.epoch = 1;
    policy->init(&queue);
    policy->init(&other);
    for (unsigned i = 0; i < n; i++) {
        entities[i].nice = (int)random_below(40) - 20;
        entities[i].priority = random_below(32);
        entities[i].length = random_below(1000000);
        COUNT(ADD, policy->add(&queue, &entities[i], SCHED_NEW, now));
    }
    for (unsigned i = 0; i < ROUNDS; i++)
        play_turn();
    ck_assert_uint_eq(queue.ready, n);
}

START_TEST(steps_grow_with_the_logarithm)
{
    uint64_t few[KINDS];

    policy = policy_at((unsigned)_i);
    entities = calloc(MOST, sizeof(*entities));
    measure(100);
    memcpy(few, worst, sizeof(few));
    measure(MOST);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        printf("# %-8s %-8s %4u steps at 100, %4u at 100,000\n", policy->name, kinds[kind],
               (unsigned)few[kind], (unsigned)worst[kind]);
        ck_assert_uint_gt(worst[kind], 0);
        /* log 100,000 / log 100 = 2.5 */
        ck_assert_uint_le(worst[kind], few[kind] * 5 / 2 + 20);
        ck_assert_uint_le(worst[kind], 1000);
    }
    free(entities);
}
END_TEST

int main(void)
{
    Suite *all = suite_create("steps");
    TCase *counted = tcase_create("counted");
    SRunner *runner = srunner_create(all);
    int failed;

    tcase_set_timeout(counted, 120);
    tcase_add_loop_test(counted, steps_grow_with_the_logarithm, 0, 9);
    suite_add_tcase(all, counted);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
