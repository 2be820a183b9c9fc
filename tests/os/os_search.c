/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. With a strategy, a seed gives one run, and the steps that it made give the same run again, to
 *     the last event; with one CPU and with four.
 *  2. Without steps, runs take the usual way, whatever the seed of the decisions; a plan that makes
 *     no sense is refused, with a sentence.
 *  3. Every bug of core/ktest/problems/broken.c is found within 1,000 seeds by chance and by
 *     priorities, as far as its depth lets expect that, with one CPU and with two, three and four;
 *     decisions begin where the first of the crew runs. And the kernel without any bug passes
 *     (TAYBERRY_RUNS seeds for each classic problem and race, by chance and by priorities).
 *  4. Positions do not depend on who looks on: a sink changes nothing.
 *  5. Points and traces of a seed are the same in every build: they are printed, and the runner
 *     compares (TAYBERRY_SEEDS of them).
 */
#include "os.h"

#include "scenarios.h"

#include <tayberry_schedule.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct tb_machine *machine;
static char console[1 << 14];
static size_t console_used;

static void keep(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    if (n > sizeof console - 1 - console_used)
        n = sizeof console - 1 - console_used;
    memcpy(console + console_used, bytes, n);
    console_used += n;
    console[console_used] = '\0';
}

static void open_machine(const char *words, unsigned cpus, uint64_t seed)
{
    struct tb_config config = os_config();

    config.seed = seed;
    config.cpus = cpus;
    config.command_line = words;
    config.card = NULL;
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    tb_uart_set_sink(machine, keep, NULL);
}

struct run {
    bool good;
    uint64_t trace, points;
};

static struct run run_schedule(const struct tb_schedule *schedule)
{
    struct run run;
    int reason;

    console_used = 0;
    ck_assert_msg(tb_schedule_set(machine, schedule) == 0, "%s", tb_error(machine));
    ck_assert_int_eq(tb_power_on(machine), 0);
    reason = tb_run_for(machine, 600 * OS_SECOND);
    run.good =
        reason == TB_STOPPED && tb_state(machine) == TB_POWERED_OFF && tb_exit_status(machine) == 0;
    run.trace = tb_trace_hash(machine);
    run.points = tb_schedule_points(machine);
    tb_power_cut(machine);
    return run;
}

static struct tb_schedule by(enum tb_strategy strategy, uint64_t seed)
{
    return (struct tb_schedule){.size = sizeof(struct tb_schedule),
                                .strategy = strategy,
                                .seed = seed,
                                .spacing = 20,
                                .changes = 2,
                                .points = 400};
}

static struct tb_step steps[TB_STEPS_MAX];

/* What the last run did, as a plan. */
static struct tb_schedule the_same_again(void)
{
    size_t count = tb_schedule_steps(machine, steps, TB_STEPS_MAX);

    ck_assert_uint_le(count, TB_STEPS_MAX);
    return (struct tb_schedule){.size = sizeof(struct tb_schedule),
                                .strategy = TB_BY_STEPS,
                                .steps = steps,
                                .step_count = count};
}

/* ---- repeating ---- */

static const struct repeat_case {
    const char *words;
    unsigned cpus;
} repeat_cases[] = {
    {"sched=search ktest_size=3 ktest=race.sleep_against_wake_up", 1},
    {"sched=search ktest_size=3 ktest=race.deadline_against_wake_up", 4},
    {"sched=search ktest_size=2 ktest=problem.dining_philosophers", 2},
    {"ktest_size=2 ktest=problem.readers_and_writers", 1},
    {"ktest_size=2 ktest=problem.producers_and_consumers", 4},
};

START_TEST(steps_repeat_what_a_strategy_did)
{
    const struct repeat_case *is = &repeat_cases[_i / 2];
    enum tb_strategy strategy = _i % 2 ? TB_BY_PRIORITY : TB_BY_CHANCE;
    unsigned runs = os_size("TAYBERRY_SEEDS", 10), changed = 0;

    open_machine(is->words, is->cpus, 1);
    for (uint64_t seed = 1; seed <= runs; seed++) {
        struct tb_schedule schedule = by(strategy, seed);
        struct run first = run_schedule(&schedule), second = run_schedule(&schedule), third;

        ck_assert_msg(first.good, "seed %u: %s", (unsigned)seed, console);
        ck_assert_uint_eq(second.trace, first.trace);
        ck_assert_uint_eq(second.points, first.points);
        schedule = the_same_again();
        changed += schedule.step_count > 0;
        third = run_schedule(&schedule);
        ck_assert_msg(third.trace == first.trace && third.points == first.points,
                      "seed %u: %zu steps do not repeat the run of '%s'", (unsigned)seed,
                      schedule.step_count, is->words);
    }
    ck_assert_uint_gt(changed, 0);
    printf("# %s: %u seeds, with steps %u\n", is->words, runs, changed);
    tb_close(machine);
}
END_TEST

START_TEST(a_seed_gives_one_run)
{
    unsigned runs = os_size("TAYBERRY_SEEDS", 250), cpus = (unsigned)_i;

    for (uint64_t seed = 1; seed <= runs; seed++) {
        struct run first, second;

        open_machine("ktest_size=1 ktest=race.deadline_against_wake_up", cpus, seed);
        first = run_schedule(NULL);
        second = run_schedule(NULL);
        tb_close(machine);
        ck_assert_msg(first.trace == second.trace && first.points == second.points,
                      "seed %u gives two runs", (unsigned)seed);
    }
    printf("# %u CPUs: %u seeds, twice\n", cpus, runs);
}
END_TEST

static void count_points(void *context, const struct tb_moment *moment)
{
    uintptr_t callers[8];

    *(uint64_t *)context += moment->kind == 0 && tb_callers(machine, callers, 8) > 0;
}

START_TEST(who_looks_on_changes_nothing)
{
    unsigned runs = os_size("TAYBERRY_SEEDS", 10);
    uint64_t seen = 0;

    open_machine(repeat_cases[_i].words, repeat_cases[_i].cpus, 1);
    for (uint64_t seed = 1; seed <= runs; seed++) {
        struct tb_schedule schedule = by(seed % 2 ? TB_BY_CHANCE : TB_BY_PRIORITY, seed);
        struct run alone = run_schedule(&schedule), watched;

        tb_schedule_set_sink(machine, count_points, &seen, 0);
        watched = run_schedule(&schedule);
        tb_schedule_set_sink(machine, NULL, NULL, 0);
        ck_assert_uint_eq(watched.trace, alone.trace);
        ck_assert_uint_eq(watched.points, alone.points);
    }
    ck_assert_uint_gt(seen, 100);
    tb_close(machine);
}
END_TEST

START_TEST(without_steps_there_is_one_run)
{
    struct tb_schedule usual = {.size = sizeof usual, .strategy = TB_BY_STEPS};
    struct run first, again;

    open_machine(repeat_cases[_i].words, repeat_cases[_i].cpus, 1);
    first = run_schedule(&usual);
    ck_assert_uint_eq(tb_schedule_steps(machine, NULL, 0), 0);
    usual.seed = 4711;
    again = run_schedule(&usual);
    ck_assert_uint_eq(first.trace, again.trace);
    ck_assert(first.good);
    tb_close(machine);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    struct tb_step list[2] = {{TB_POINT(5), TB_STEP_PREEMPT, 0}, {TB_POINT(4), TB_STEP_CHOOSE, 1}};
    struct tb_schedule schedule = {
        .size = sizeof schedule, .strategy = TB_BY_STEPS, .steps = list, .step_count = 2};

    open_machine("", 2, 1);
    ck_assert_int_eq(tb_schedule_set(machine, &schedule), -EINVAL);
    ck_assert_ptr_nonnull(strstr(tb_error(machine), "order"));
    list[1] = (struct tb_step){TB_POINT(6), TB_STEP_CPU, 2};
    ck_assert_int_eq(tb_schedule_set(machine, &schedule), -EINVAL);
    list[1].kind = 7;
    ck_assert_int_eq(tb_schedule_set(machine, &schedule), -EINVAL);
    schedule.size--;
    ck_assert_int_eq(tb_schedule_set(machine, &schedule), -EINVAL);
    schedule = by(TB_BY_PRIORITY, 1);
    schedule.changes = TB_CHANGES_MAX + 1;
    ck_assert_int_eq(tb_schedule_set(machine, &schedule), -EINVAL);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_schedule_set(machine, NULL), -EBUSY);
    tb_close(machine);
}
END_TEST

/* ---- finding ---- */

static const struct broken {
    const char *name;
    unsigned depth; /* ordered decisions that it needs */
} broken[] = {
    {"lost_update", 2},
    {"lost_wake_up", 2},
    {"lock_order", 2},
    {"torn_record", 3},
};

enum { BROKEN = sizeof broken / sizeof broken[0], CPUS_MOST = 4 };

/* The position where the first of the crew runs, whichever that is. */
static void note_crew(void *context, const struct tb_moment *moment)
{
    uint64_t *begins = context;
    char name[32];

    if (moment->kind == 0 && *begins == 0 &&
        tb_thread_on_cpu(machine, moment->cpu, name, sizeof name) != 0 &&
        strncmp(name, "crew ", 5) == 0)
        *begins = moment->point;
}

/* Opens a machine with `cpus` CPUs for the bug, and finds out where its crew begins. */
static uint64_t open_broken(const struct broken *is, unsigned cpus)
{
    struct tb_schedule usual = {.size = sizeof usual, .strategy = TB_BY_STEPS};
    uint64_t begins = 0;
    char words[96];

    snprintf(words, sizeof words, "sched=search ktest=broken.%s", is->name);
    open_machine(words, cpus, 0);
    tb_schedule_set_sink(machine, note_crew, &begins, 0);
    ck_assert_msg(run_schedule(&usual).good, "%s fails without any step", is->name);
    tb_schedule_set_sink(machine, NULL, NULL, 0);
    ck_assert_uint_ne(begins, 0);
    return begins;
}

START_TEST(chance_finds_what_is_broken)
{
    const struct broken *is = &broken[_i % BROKEN];
    unsigned cpus = 1 + (unsigned)_i / BROKEN;
    uint64_t seed = 1, begins = open_broken(is, cpus);
    struct tb_schedule schedule;
    struct run found, again;

    for (; seed <= 1000; seed++) {
        schedule = by(TB_BY_CHANCE, seed);
        schedule.from = begins;
        schedule.spacing = 10;
        found = run_schedule(&schedule);
        if (!found.good)
            break;
    }
    ck_assert_msg(seed <= 1000, "%s, %u CPUs: not found by 1,000 seeds", is->name, cpus);
    again = run_schedule(&schedule);
    ck_assert_uint_eq(again.trace, found.trace);
    schedule = the_same_again();
    again = run_schedule(&schedule);
    ck_assert_uint_eq(again.trace, found.trace);
    printf("# broken.%s, %u CPUs: seed %u by chance\n", is->name, cpus, (unsigned)seed);
    tb_close(machine);
}
END_TEST

START_TEST(priorities_find_what_is_broken)
{
    const struct broken *is = &broken[_i % BROKEN];
    unsigned most = is->depth < 3 ? 1000 : 20000, cpus = 1 + (unsigned)_i / BROKEN;
    uint64_t seed = 1, begins = open_broken(is, cpus);

    for (; seed <= most; seed++) {
        struct tb_schedule schedule = by(TB_BY_PRIORITY, seed);

        schedule.from = begins;
        schedule.points = 60;
        schedule.changes = is->depth - 1;
        if (!run_schedule(&schedule).good)
            break;
    }
    ck_assert_msg(seed <= most, "%s, %u CPUs: not found by %u seeds", is->name, cpus, most);
    printf("# broken.%s, %u CPUs: seed %u by priorities\n", is->name, cpus, (unsigned)seed);
    tb_close(machine);
}
END_TEST

START_TEST(sound_programs_pass)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 10), cpus = _i % 2 ? 3 : 1;
    char words[128];

    snprintf(words, sizeof words, "sched=search checks=1 ktest_size=5 ktest=%s", scenarios[_i / 2]);
    open_machine(words, cpus, 1);
    for (uint64_t seed = 1; seed <= runs; seed++)
        for (unsigned i = 0; i < 2; i++) {
            struct tb_schedule schedule = by(i ? TB_BY_PRIORITY : TB_BY_CHANCE, seed);

            schedule.points = 4000;
            schedule.changes = 1 + seed % 4;
            ck_assert_msg(run_schedule(&schedule).good && !strstr(console, "locks:"),
                          "seed %u, strategy %u, %u CPUs: %s: %s", (unsigned)seed, i, cpus, words,
                          console);
        }
    printf("# %s, %u CPUs: %u seeds by chance and by priorities\n", scenarios[_i / 2], cpus, runs);
    tb_close(machine);
}
END_TEST

/* ---- the same in every build ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0xff51afd7ed558ccd);
    return hash ^ hash >> 32;
}

START_TEST(seeds_have_one_trace_in_every_build)
{
    unsigned runs = os_size("TAYBERRY_SEEDS", 250), cpus = (unsigned)_i;
    uint64_t traces = 0, points = 0;

    for (uint64_t seed = 1; seed <= runs; seed++) {
        struct run run;

        open_machine("checks=1 ktest_size=1 ktest=race.deadline_against_wake_up", cpus, seed);
        run = run_schedule(NULL);
        ck_assert(run.good);
        traces = mix(traces, run.trace);
        points = mix(points, run.points);
        tb_close(machine);
    }
    printf("# %u CPUs, %u seeds: traces %016llx points %016llx\n", cpus, runs,
           (unsigned long long)traces, (unsigned long long)points);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("search");
    TCase *repeat = tcase_create("repeat"), *find = tcase_create("find"),
          *print = tcase_create("print");
    const int cases = sizeof repeat_cases / sizeof repeat_cases[0];

    tcase_set_timeout(repeat, 60);
    tcase_add_loop_test(repeat, steps_repeat_what_a_strategy_did, 0, 2 * cases);
    tcase_add_loop_test(repeat, a_seed_gives_one_run, 1, 5);
    tcase_add_loop_test(repeat, who_looks_on_changes_nothing, 0, cases);
    tcase_add_loop_test(repeat, without_steps_there_is_one_run, 0, cases);
    tcase_add_test(repeat, nonsense_is_refused);
    suite_add_tcase(all, repeat);
    tcase_set_timeout(find, 900);
    if (!under_tsan()) { /* which has its own opinion of programs with a race */
        tcase_add_loop_test(find, chance_finds_what_is_broken, 0, CPUS_MOST * BROKEN);
        tcase_add_loop_test(find, priorities_find_what_is_broken, 0, CPUS_MOST * BROKEN);
    }
    tcase_add_loop_test(find, sound_programs_pass, 0, 2 * SCENARIOS);
    suite_add_tcase(all, find);
    tcase_set_timeout(print, 900);
    tcase_add_loop_test(print, seeds_have_one_trace_in_every_build, 1, 5);
    suite_add_tcase(all, print);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
