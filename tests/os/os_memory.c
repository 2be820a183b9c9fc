/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Whatever allocation of whatever command fails, once, from then on, at one site or by chance:
 * the kernel goes on, the command says that it lacked memory, and everything is as before it.
 *  2. A failure during boot ends in one message that names what could not be had, or in a prompt
 * at which what needs memory works.
 *  3. The same with 2 and 4 MiB of RAM.
 *  4. Memory that really runs out is reported and comes back.
 *  5. Each site in the kernel has failed in one of these tests.
 * TAYBERRY_RUNS is how many seeds of failures by chance each scenario gets (8 by default).
 * TAYBERRY_SCENARIO is the name of the only scenario to run (all, if it is not set).
 * TAYBERRY_SAMPLE is how many of its allocations fail, about, with more than 2 MiB (all, if it is
 * not set), and leaves out 4 MiB; with 2 MiB, and of the sites, all do.
 * With the real clock (TAYBERRY_CLOCK=real) the scenarios, or TAYBERRY_SAMPLE of them, are run with
 * failures by chance, and only that the machine goes on is judged.
 */
#include "os_memory_sweep.h"

#include <stdio.h>
#include <string.h>

static const uint64_t memories[] = {64 << 20, 2 << 20, 4 << 20};

static int sizes(void)
{
    return os_size("TAYBERRY_SAMPLE", 0) ? 2 : 3;
}

START_TEST(a_boot_ends_in_one_message_or_a_prompt)
{
    sweep_run_boot(memories[_i]);
}
END_TEST

START_TEST(a_command_survives_any_failure)
{
    sweep_run(&sweep_scenarios[_i / sizes()], memories[_i % sizes()]);
}
END_TEST

/* Types `line` and lets the machine come to rest, or run for `ms`. Returns what it says. */
static const char *say(struct tb_machine *machine, const char *line, unsigned ms)
{
    ck_assert_int_eq(tb_uart_write(machine, line, strlen(line)), (int)strlen(line));
    if (ms)
        ck_assert_int_eq(tb_run_for(machine, ms * OS_MS), TB_DEADLINE);
    else
        ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
    return os_output(machine);
}

START_TEST(memory_that_runs_out_comes_back)
{
    static char before[1 << 16], after[1 << 16];
    struct tb_config config = os_config();
    struct tb_machine *machine;
    unsigned jobs = 0;

    config.memory = memories[1 + _i];
    machine = os_boot(&config);
    (void)say(machine, "ls\r", 0);
    ck_assert_int_gt(tb_inspect_state(machine, before, sizeof before), 0);
    ck_assert(sweep_is_report(say(machine, "spawn 64 10s\r", 0)));
    (void)say(machine, "spawn 16 1000s\r", 10);
    while (++jobs < 15 && !sweep_is_report(say(machine, "spawn 2 1000s\r", 10)))
        continue;
    while (!sweep_is_report(say(machine, "ls\r", 10)) && ++jobs < 16)
        (void)say(machine, "spawn 1 1000s\r", 10);
    ck_assert_int_eq(tb_state(machine), TB_RUNNING);
    (void)say(machine, "kill %1; kill %2; kill %3; kill %4; kill %5; kill %6; kill %7; kill %8\r",
              10);
    (void)say(machine, "kill %9; kill %10; kill %11; kill %12; kill %13; kill %14; kill %15\r", 10);
    ck_assert_ptr_nonnull(strstr(say(machine, "kill %16; ls /docs\r", 0), "Pins and LEDs.txt"));
    ck_assert_int_gt(tb_inspect_state(machine, after, sizeof after), 0);
    ck_assert_str_eq(after, before);
    tb_close(machine);
}
END_TEST

/* Frames behind the heap are taken for whoever asks the heap; that request is the one that fails.
 */
static bool is_backing(const struct tb_alloc_site *site)
{
    return strcmp(site->file, "core/heap/backing.c") == 0;
}

/* The stacks that threads leave for the next are assigned to a site that nobody ever asks. */
static bool is_assigned(const struct tb_machine *machine, unsigned number,
                        const struct tb_alloc_site *site)
{
    return strcmp(site->file, "core/thread/stack/stack.c") == 0 &&
           sweep_ordinal(machine, number) == 2;
}

START_TEST(each_site_has_failed)
{
    struct tb_config config = os_config();
    struct tb_machine *machine = os_boot(&config);
    struct tb_alloc_site site;
    unsigned all = 0, visited = 0, wrong = 0;

    printf("# %u cases at the prompt, %u boots\n", sweep_totals->cases, sweep_totals->boots);
    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++) {
        bool asked = !is_backing(&site) && !is_assigned(machine, i, &site);
        bool failed = sweep_totals->sites[i].prompt || sweep_totals->sites[i].boot;

        all += asked;
        visited += failed;
        if (!failed && asked)
            printf("# never visited: %s:%u\n", site.file, site.line);
        if (sweep_totals->sites[i].silent && sweep_excuse(machine, i)) {
            printf("# needs no report: %s:%u: %s\n", site.file, site.line,
                   sweep_excuse(machine, i));
        } else if (sweep_totals->sites[i].silent) {
            printf("# has no excuse: %s:%u\n", site.file, site.line);
            wrong++;
        }
    }
    printf("# %u sites, %u visited\n", all, visited);
    fflush(stdout);
    tb_close(machine);
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(visited, all);
}
END_TEST

START_TEST(a_program_by_itself_ends_whatever_fails)
{
    sweep_run_exec();
}
END_TEST

static void add_prompt(Suite *all)
{
    TCase *prompt = tcase_create("prompt");

    tcase_set_timeout(prompt, 300);
    tcase_add_loop_test(prompt, memory_that_runs_out_comes_back, 0, 2);
    tcase_add_loop_test(prompt, a_command_survives_any_failure, 0, sweep_scenario_count * sizes());
    suite_add_tcase(all, prompt);
}

START_TEST(a_machine_with_a_real_clock_goes_on)
{
    unsigned wanted = os_size("TAYBERRY_SAMPLE", 0), count = (unsigned)sweep_scenario_count;
    unsigned stride = wanted && wanted < count ? (count + wanted - 1) / wanted : 1;

    if ((unsigned)_i % stride == 0)
        sweep_run_real(&sweep_scenarios[_i], memories[0]);
}
END_TEST

static int run_with_real_clock(void)
{
    Suite *all = suite_create("memory");
    TCase *real = tcase_create("real");

    tcase_set_timeout(real, 60);
    tcase_add_loop_test(real, a_machine_with_a_real_clock_goes_on, 0, sweep_scenario_count);
    suite_add_tcase(all, real);
    return os_run_suite(all);
}

int main(void)
{
    Suite *all;
    TCase *boots = tcase_create("boots"), *sites = tcase_create("sites");

    sweep_prepare();
    if (os_real_clock())
        return run_with_real_clock();
    all = suite_create("memory");
    tcase_set_timeout(boots, 300);
    tcase_add_loop_test(boots, a_boot_ends_in_one_message_or_a_prompt, 0, sizes());
    tcase_add_test(boots, a_program_by_itself_ends_whatever_fails);
    suite_add_tcase(all, boots);
    add_prompt(all);
    tcase_add_test(sites, each_site_has_failed);
    suite_add_tcase(all, sites);
    return os_run_suite(all);
}
