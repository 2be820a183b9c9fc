/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Each classic problem and each race of core/ktest/problems keeps its invariants under every
 *     seed of the virtual clock (TAYBERRY_RUNS of them; by default 50, or 10 with several CPUs),
 *     with the checks on, and none of them makes the checks report anything.
 *  2. So do they with a size other than the usual one, and without the checks.
 *  3. A seed gives one trace, with the checks and without: they do not change what they watch.
 *  4. `locks` shows a lock that was contended, who waits for which, and the orders.
 *
 * A seed that fails is printed with the command that repeats it.
 */
#include "os.h"

#include "scenarios.h"

#include <stdio.h>
#include <string.h>

static char console[1 << 16];
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

/* Runs a kernel that runs the tests and stops. Returns its trace. */
static uint64_t run_tests(const char *words, uint64_t seed)
{
    struct tb_config config = os_config();
    struct tb_machine *machine;
    uint64_t trace;
    int reason;

    config.seed = seed;
    config.command_line = words;
    config.card = NULL;
    console_used = 0;
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    tb_uart_set_sink(machine, keep, NULL);
    ck_assert_int_eq(tb_power_on(machine), 0);
    reason = tb_run_for(machine, 3600 * OS_SECOND);
    ck_assert_msg(reason == TB_STOPPED && tb_exit_status(machine) == 0 &&
                      !strstr(console, "locks:") && strstr(console, ", 0 failed"),
                  "seed %llu fails (%d); tayberry --headless --clock virtual --cpus %u --seed %llu "
                  "--append '%s' repeats it: %s",
                  (unsigned long long)seed, reason, os_cpus(), (unsigned long long)seed, words,
                  console);
    trace = tb_trace_hash(machine);
    tb_close(machine);
    return trace;
}

START_TEST(a_scenario_keeps_its_invariants_under_every_seed)
{
    unsigned runs = os_size("TAYBERRY_RUNS", os_cpus() == 1 ? 50 : 10);
    char words[128];

    snprintf(words, sizeof words, "checks=1 ktest=%s", scenarios[_i]);
    for (uint64_t seed = 1; seed <= runs; seed++)
        (void)run_tests(words, seed);
    printf("# %s: %u seeds\n", scenarios[_i], runs);
}
END_TEST

START_TEST(a_scenario_has_a_size)
{
    char words[128];

    snprintf(words, sizeof words, "checks=1 ktest_size=1 ktest=%s", scenarios[_i]);
    (void)run_tests(words, 1);
    snprintf(words, sizeof words, "checks=0 ktest_size=300 ktest=%s", scenarios[_i]);
    (void)run_tests(words, 2);
}
END_TEST

START_TEST(the_checks_do_not_change_what_they_watch)
{
    char with[128], without[128];

    snprintf(with, sizeof with, "lockchecks=1 ktest=%s", scenarios[_i]);
    snprintf(without, sizeof without, "lockchecks=0 ktest=%s", scenarios[_i]);
    for (uint64_t seed = 1; seed <= 5; seed++)
        ck_assert_uint_eq(run_tests(with, seed), run_tests(without, seed));
}
END_TEST

START_TEST(seeds_meet_in_different_ways)
{
    ck_assert_uint_ne(run_tests("ktest=race.deadline_against_wake_up", 1),
                      run_tests("ktest=race.deadline_against_wake_up", 2));
    ck_assert_uint_eq(run_tests("ktest=race", 7), run_tests("ktest=race", 7));
}
END_TEST

static struct tb_machine *machine;

static void has(const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "no \"%s\" in: %s", wanted, text);
}

static void setup(void)
{
    struct tb_config config = os_config();

    config.command_line = "checks=1";
    machine = os_boot(&config);
}

static void teardown(void)
{
    tb_close(machine);
}

START_TEST(locks_shows_classes_and_waiters)
{
    const char *text;

    has(os_command(machine, "ktest mutex"), ", 0 failed");
    text = os_command(machine, "locks");
    has(text, "KIND         TAKEN CONTENDED  LONGEST(us)  NAME");
    has(text, "spinlock");
    has(text, "stage->mutex (core/ktest/sync/basic.c:");
    has(text, "waits for the end of a thread, at core/shell/job.c:");
    has(text, "0 held; 1 wait");
}
END_TEST

START_TEST(locks_measures_when_asked)
{
    ck_assert_ptr_null(strstr(os_command(machine, "cat /README.TXT; locks"), ", by "));
    has(os_command(machine, "locks time on; cat /README.TXT; locks"), ", by core/");
    has(os_command(machine, "locks time off; locks"), "\"locks time on\"");
}
END_TEST

START_TEST(locks_shows_orders)
{
    has(os_command(machine, "sleep 10ms; locks order"), ", then run.lock  (core/");
    has(os_command(machine, "ktest locks; locks order"), "a, then b  (core/ktest/sync/locks.c:");
    has(os_command(machine, "locks order"), "; 0 circles were reported");
}
END_TEST

START_TEST(locks_refuses_other_words)
{
    has(os_command(machine, "locks moon"), "usage: locks");
    has(os_command(machine, "locks time soon"), "usage: locks");
    has(os_command(machine, "locks held order"), "usage: locks");
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("sync");
    TCase *seeds = tcase_create("seeds"), *command = tcase_create("command");

    tcase_set_timeout(seeds, 900);
    tcase_add_loop_test(seeds, a_scenario_keeps_its_invariants_under_every_seed, 0, SCENARIOS);
    tcase_add_loop_test(seeds, a_scenario_has_a_size, 0, SCENARIOS);
    tcase_add_loop_test(seeds, the_checks_do_not_change_what_they_watch, 0, SCENARIOS);
    tcase_add_test(seeds, seeds_meet_in_different_ways);
    suite_add_tcase(all, seeds);
    tcase_add_checked_fixture(command, setup, teardown);
    tcase_set_timeout(command, 120);
    tcase_add_test(command, locks_shows_classes_and_waiters);
    tcase_add_test(command, locks_measures_when_asked);
    tcase_add_test(command, locks_shows_orders);
    tcase_add_test(command, locks_refuses_other_words);
    suite_add_tcase(all, command);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
