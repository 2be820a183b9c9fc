/* SPDX-License-Identifier: MIT */
/*
 * The promises of the policies, kept by the whole kernel: in virtual time, on as many CPUs as
 * TAYBERRY_CPUS says. tests/unit/sched has the same for the policies alone, and more exactly.
 *
 * Criteria:
 *  1. Hogs of different nice levels on one CPU get shares in proportion to their weights: within
 *     1 % over 10 s under fair and stride, within 4 standard deviations of the draws under lottery.
 *  2. Equal hogs, two for each CPU, get the same within 1 % over TAYBERRY_SECONDS (2), under all
 *     policies with time slices but lottery; and one more than CPUs within 10 %.
 *  3. No starvation: of 12 hogs, of nice levels from -5 to 10, each has a turn within 1.5 s, under
 *     all policies with time slices but lottery, where chance decides.
 *  4. A thread that sleeps for 20 ms again and again runs within 2 ms after each sleep, beside
 * three hogs for each CPU, under fair; under feedback in nine of ten cases, since sometimes all
 * rise to its level; and under rr, which knows no difference, mostly not: so the test can tell.
 *  5. The policy changes from each to each other while threads run, under TAYBERRY_RUNS (2) seeds.
 */
#include "os.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOGS 12u
#define NUMBERS 256u
#define SOON (2 * OS_MS)

static const char *const sliced[] = {"fair", "stride", "rr", "feedback"};

#define SLICED 4u
#define EXACT 2u /* of them, those with exact shares by weight */

static struct tb_machine *machine;

/* ---- what the scheduler tells ---- */

static struct watch {
    uint64_t ready[NUMBERS];   /* since when the thread waits for a CPU; 0: it does not */
    uint64_t longest[NUMBERS]; /* that it waited */
    unsigned turns[NUMBERS], late[NUMBERS]; /* all, and those after more than SOON */
    char names[NUMBERS][16];
} watch;

static void note_ready(uint64_t number, uint64_t time)
{
    if (number < NUMBERS)
        watch.ready[number] = time;
}

static void note_runs(const struct tb_sched_thread *thread, uint64_t time)
{
    uint32_t number = thread->number;

    if (number >= NUMBERS)
        return;
    memcpy(watch.names[number], thread->name, sizeof(watch.names[number]));
    if (!watch.ready[number])
        return;
    if (time - watch.ready[number] > watch.longest[number])
        watch.longest[number] = time - watch.ready[number];
    watch.turns[number]++;
    watch.late[number] += time - watch.ready[number] > SOON;
    watch.ready[number] = 0;
}

static void sink(void *context, const struct tb_sched_event *event)
{
    (void)context;
    if (event->kind == TB_SCHED_WAKE)
        note_ready(event->a, event->time);
    if (event->kind != TB_SCHED_SWITCH)
        return;
    if (event->state == 'R' || event->state == 'r')
        note_ready(event->a, event->time);
    note_runs(&event->other, event->time);
}

/* The longest time, in ms, that a thread whose name begins with `name` waited for a CPU. */
static double longest_wait(const char *name, uint64_t now)
{
    uint64_t longest = 0;

    for (unsigned i = 0; i < NUMBERS; i++) {
        uint64_t waits = watch.ready[i] ? now - watch.ready[i] : 0;

        if (strncmp(watch.names[i], name, strlen(name)) != 0)
            continue;
        longest = watch.longest[i] > longest ? watch.longest[i] : longest;
        longest = waits > longest ? waits : longest;
    }
    return (double)longest / 1e6;
}

/* ---- hogs ---- */

static struct hog {
    unsigned number;
    double run_time; /* s, at the last look */
} hogs[HOGS];

/* Finds the hogs and their times in what ps prints. */
static void look(unsigned n)
{
    const char *ps = os_command(machine, "ps");

    for (unsigned i = 0; i < n; i++) {
        char name[24];
        const char *line;

        snprintf(name, sizeof(name), " busy-%u\r", i + 1);
        line = strstr(ps, name);
        ck_assert_msg(line != NULL, "no%s in: %s", name, ps);
        while (line > ps && line[-1] != '\n')
            line--;
        ck_assert_int_eq(sscanf(line, "%u %*s %*u %*s %lf", &hogs[i].number, &hogs[i].run_time), 2);
    }
}

/* A machine of `cpus` CPUs under `policy`, with hogs of these nice levels (NULL: 0). */
static void begin(unsigned cpus, const char *policy, unsigned n, const int *nice)
{
    struct tb_config config = os_config();
    char line[64];

    memset(&watch, 0, sizeof(watch));
    config.cpus = cpus;
    snprintf(line, sizeof(line), "sched=%s", policy);
    config.command_line = line;
    machine = os_boot(&config);
    snprintf(line, sizeof(line), "spawn %u 10000s", n);
    (void)os_command(machine, line);
    (void)os_command(machine, "sleep 100ms");
    look(n);
    for (unsigned i = 0; nice && i < n; i++) {
        snprintf(line, sizeof(line), "nice %d %u", nice[i], hogs[i].number);
        (void)os_command(machine, line);
    }
}

static void end(void)
{
    tb_close(machine);
    machine = NULL;
}

/* Lets the machine run for `seconds`; `shares` gets the parts of all that the hogs ran. */
static void measure(unsigned n, unsigned seconds, double *shares)
{
    double before[HOGS], sum = 0;

    look(n);
    for (unsigned i = 0; i < n; i++)
        before[i] = hogs[i].run_time;
    (void)tb_run_for(machine, seconds * OS_SECOND);
    look(n);
    for (unsigned i = 0; i < n; i++)
        sum += shares[i] = hogs[i].run_time - before[i];
    for (unsigned i = 0; i < n; i++)
        shares[i] /= sum;
}

static void assert_share(const char *policy, unsigned hog, double share, double ideal, double most)
{
    ck_assert_msg(fabs(share - ideal) <= most, "%s: hog %u got %.4f of all, and its share is %.4f",
                  policy, hog + 1, share, ideal);
}

/* ---- 1: by weight ---- */

static const int mixed[] = {0, 5, -3};

/* The share of hog i by the rule: 1.25 for each level. */
static double ideal_share(unsigned hog)
{
    double sum = 0;

    for (unsigned i = 0; i < 3; i++)
        sum += pow(1.25, -mixed[i]);
    return pow(1.25, -mixed[hog]) / sum;
}

START_TEST(shares_are_those_of_the_weights)
{
    double shares[3];

    begin(1, sliced[_i], 3, mixed);
    measure(3, 10, shares);
    for (unsigned i = 0; i < 3; i++)
        assert_share(sliced[_i], i, shares[i], ideal_share(i), 0.01 * ideal_share(i));
    end();
}
END_TEST

START_TEST(shares_by_chance_are_within_their_bound)
{
    double shares[3], draws = 1000; /* 10 s of 10 ms */

    begin(1, "lottery", 3, mixed);
    measure(3, 10, shares);
    for (unsigned i = 0; i < 3; i++) {
        double ideal = ideal_share(i);

        assert_share("lottery", i, shares[i], ideal, 4 * sqrt(ideal * (1 - ideal) / draws));
    }
    end();
}
END_TEST

/* ---- 2: equals ---- */

START_TEST(equals_get_the_same)
{
    unsigned n = 2 * os_cpus();
    /* A turn on a low level of `feedback` is a good part of what is measured. */
    double shares[HOGS], within = strcmp(sliced[_i], "feedback") == 0 ? 0.1 : 0.01;
    unsigned seconds = os_size("TAYBERRY_SECONDS", 2);
    /* One that has just had its turn, or is just about to. */
    double quantum = 0.01 / (seconds * os_cpus());

    begin(os_cpus(), sliced[_i], n, NULL);
    measure(n, seconds, shares);
    for (unsigned i = 0; i < n; i++)
        assert_share(sliced[_i], i, shares[i], 1.0 / n, within / n + quantum);
    end();
}
END_TEST

START_TEST(the_surplus_goes_round)
{
    unsigned n = os_cpus() + 1;
    double shares[HOGS];

    begin(os_cpus(), sliced[_i], n, NULL);
    measure(n, 2 * os_size("TAYBERRY_SECONDS", 2), shares);
    for (unsigned i = 0; i < n; i++)
        assert_share(sliced[_i], i, shares[i], 1.0 / n, 0.1 / n);
    end();
}
END_TEST

/* ---- 3 and 4: waiting ---- */

START_TEST(nobody_starves)
{
    static const int levels[HOGS] = {0, 10, -5, 5, -4, 10, 0, 9, 1, -1, 3, 0};
    double longest;

    begin(os_cpus(), sliced[_i], HOGS, levels);
    ck_assert_int_eq(tb_sched_listen(machine, sink, NULL), 0);
    (void)tb_run_for(machine, 2 * OS_SECOND);
    tb_sched_ignore(machine, sink, NULL);
    longest = longest_wait("busy-", tb_time(machine));
    ck_assert_msg(longest > 0 && longest < 1500, "%s: %g ms", sliced[_i], longest);
    printf("# %s: a hog waited for %.1f ms at most\n", sliced[_i], longest);
    end();
}
END_TEST

/* The part of its turns for which a thread that blinks waits too long, beside hogs. */
static double late(const char *policy)
{
    unsigned turns = 0, count = 0;

    begin(os_cpus(), policy, 3 * os_cpus(), NULL);
    (void)os_command(machine, "blink GPIO17 20ms &");
    (void)tb_run_for(machine, OS_SECOND / 2);
    ck_assert_int_eq(tb_sched_listen(machine, sink, NULL), 0);
    (void)tb_run_for(machine, 2 * OS_SECOND);
    tb_sched_ignore(machine, sink, NULL);
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (strncmp(watch.names[i], "blink", 5) == 0) {
            turns += watch.turns[i];
            count += watch.late[i];
        }
    }
    printf("# %s: %u of %u late, %.3f ms at most\n", policy, count, turns,
           longest_wait("blink", tb_time(machine)));
    end();
    ck_assert_uint_gt(turns, 20);
    return (double)count / turns;
}

START_TEST(who_sleeps_is_answered_soon)
{
    ck_assert(late("fair") == 0);
    ck_assert(late("feedback") <= 0.1);
    ck_assert(late("rr") > 0.5);
}
END_TEST

/* ---- 5: changes ---- */

START_TEST(each_policy_follows_each)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 2);

    for (uint64_t seed = 1; seed <= runs; seed++) {
        struct tb_config config = os_config();
        const char *said;

        config.seed = seed;
        machine = os_boot(&config);
        said = os_command(machine, "ktest smp.the_policy_changes_under_way");
        ck_assert_msg(strstr(said, "1 passed, 0 failed") != NULL, "seed %u: %s", (unsigned)seed,
                      said);
        end();
    }
    printf("# %u seeds on %u CPUs\n", runs, os_cpus());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *cases = tcase_create("all");

    tcase_set_timeout(cases, 300);
    if (os_cpus() == 1) {
        tcase_add_loop_test(cases, shares_are_those_of_the_weights, 0, EXACT);
        tcase_add_test(cases, shares_by_chance_are_within_their_bound);
    }
    /* With four CPUs, virtual time takes four times as long. */
    tcase_add_loop_test(cases, equals_get_the_same, 0, os_cpus() < 4 ? SLICED : EXACT);
    tcase_add_loop_test(cases, the_surplus_goes_round, 0, os_cpus() < 4 ? SLICED : 1);
    tcase_add_loop_test(cases, nobody_starves, 0, SLICED);
    tcase_add_test(cases, who_sleeps_is_answered_soon);
    tcase_add_test(cases, each_policy_follows_each);
    suite_add_tcase(suite, cases);
    return os_run_suite(suite);
}
