/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Every policy can be chosen at boot, and each that has time slices while threads run that
 * never give way; all of them get on.
 *  2. A policy or a number of CPUs that there is not: a sentence that says what there is, and the
 *     machine runs on as if nothing had been said.
 *  3. What `sched` and `ps` say of CPUs is true.
 */
#include "os.h"

#include <stdio.h>
#include <string.h>

/* Those behind the first four have time slices: a thread that never gives way has to. */
static const char *const policies[] = {"fifo",   "sjf",     "srt",      "priority", "rr",
                                       "stride", "lottery", "feedback", "fair"};

#define POLICIES (sizeof(policies) / sizeof(policies[0]))
#define SLICED 4u

static struct tb_machine *machine;

static void close_machine(void)
{
    tb_close(machine);
    machine = NULL;
}

static void boot(const char *words)
{
    struct tb_config config = os_config();

    config.command_line = words;
    machine = os_boot(&config);
}

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

static void assert_policy(const char *name)
{
    char line[40];

    snprintf(line, sizeof(line), "policy %s,", name);
    assert_has(os_command(machine, "sched"), line);
}

/* The ns that thread `name` has run, as ps prints them. */
static double run_time(const char *ps, const char *name)
{
    const char *end = strstr(ps, name), *line = end;
    double seconds = -1;

    ck_assert_msg(end != NULL, "no %s in: %s", name, ps);
    while (line > ps && line[-1] != '\n')
        line--;
    ck_assert_int_eq(sscanf(line, "%*u %*s %*u %*s %lf", &seconds), 1);
    return seconds;
}

START_TEST(a_policy_is_chosen_at_boot)
{
    char words[40];

    snprintf(words, sizeof(words), "sched=%s", policies[_i]);
    boot(words);
    assert_policy(policies[_i]);
    assert_has(os_command(machine, "sleep 10ms; cat /README.TXT"), "Tayberry");
    close_machine();
}
END_TEST

START_TEST(the_policy_changes_while_threads_run)
{
    const char *ps;

    boot("");
    (void)os_command(machine, "spawn 3 10s");
    for (unsigned i = SLICED; i < POLICIES; i++) {
        char line[40];

        snprintf(line, sizeof(line), "sched %s", policies[i]);
        (void)os_command(machine, line);
        assert_policy(policies[i]);
        (void)os_command(machine, "sleep 150ms");
    }
    ps = os_command(machine, "ps");
    ck_assert(run_time(ps, "busy-1") > 0.2);
    ck_assert(run_time(ps, "busy-2") > 0.2);
    ck_assert(run_time(ps, "busy-3") > 0.2);
    close_machine();
}
END_TEST

START_TEST(an_unknown_policy_is_answered_with_all_there_are)
{
    const char *answer;

    boot("sched=best");
    answer = os_command(machine, "dmesg -l warning");
    assert_has(answer, "sched=best is no policy; there are: fifo rr");
    answer = os_command(machine, "sched worst");
    assert_has(answer, "error: worst is no policy; there are: fifo rr");
    for (unsigned i = 0; i < POLICIES; i++)
        assert_has(answer, policies[i]);
    assert_has(os_command(machine, "sched quantum 1us"), "error: 1us is not a time");
    assert_has(os_command(machine, "sched a b c"), "error: sched needs");
    assert_has(os_command(machine, "sched"), "policy ");
    close_machine();
}
END_TEST

static const struct {
    const char *words, *answer;
} wrong_cpus[] = {
    {"cpus=0", "cpus=0 is not a number from 1 to 4"},
    {"cpus=5", "cpus=5 is not a number from 1 to 4"},
    {"cpus=two", "cpus=two is not a number from 1 to 4"},
    {"cpus=-1", "cpus=-1 is not a number from 1 to 4"},
    {"cpus=4", "cpus=4: this machine has "},
};

START_TEST(a_wrong_number_of_cpus_is_answered)
{
    if (os_cpus() == 4 && strcmp(wrong_cpus[_i].words, "cpus=4") == 0)
        return; /* it is right */
    boot(wrong_cpus[_i].words);
    assert_has(os_command(machine, "dmesg -l warning"), wrong_cpus[_i].answer);
    assert_has(os_command(machine, "echo here"), "here");
    close_machine();
}
END_TEST

START_TEST(sched_and_ps_tell_of_the_cpu)
{
    const char *text;

    boot("cpus=1");
    (void)os_command(machine, "spawn 2 10s");
    (void)os_command(machine, "sched");
    (void)os_command(machine, "sleep 200ms");
    text = os_command(machine, "sched");
    assert_has(text, "CPU    LOAD  READY");
    assert_has(text, "\n  0  100.0 %      2 ");
    ck_assert(strstr(text, "\n  1 ") == NULL);
    assert_has(os_command(machine, "ps"), "   0 any ");
    (void)os_command(machine, "sched quantum 3ms");
    assert_has(os_command(machine, "sched"), "quantum 3000 us");
    (void)os_command(machine, "sched quantum 0");
    assert_has(os_command(machine, "sched"), "as the policy likes");
    close_machine();
}
END_TEST

START_TEST(nice_and_priority_change_what_ps_shows)
{
    const char *text;

    boot("");
    (void)os_command(machine, "sleep 1000 &");
    text = os_command(machine, "nice 5 %1; priority 9 %1; ps");
    assert_has(text, "   9    5   sleep %1");
    assert_has(os_command(machine, "nice -20 %1; ps"), "   9  -20   sleep %1");
    assert_has(os_command(machine, "nice 20 %1"), "error: 20 is not a level from -20 to 19");
    assert_has(os_command(machine, "priority 32 %1"), "error: 32 is not a level from 0 to 31");
    assert_has(os_command(machine, "priority -1 %1"), "error: -1 is not a level");
    assert_has(os_command(machine, "nice 0 %2"), "error: %2 is no command in the background");
    assert_has(os_command(machine, "nice 0 77777"), "error: 77777: no such thread");
    assert_has(os_command(machine, "nice 5"), "error: nice needs a level and threads");
    close_machine();
}
END_TEST

START_TEST(top_shows_the_busiest_first_until_q)
{
    const char *text, *busy, *shell;

    boot("");
    (void)os_command(machine, "spawn 8 100s"); /* enough for all CPUs */
    ck_assert_ptr_nonnull(
        strstr(strstr(os_command(machine, "top 50ms 2"), "\x1b[H") + 1, "\x1b[H"));
    (void)os_output(machine);
    ck_assert_int_gt(tb_uart_write(machine, "top 100ms\r", 10), 0);
    (void)tb_run_for(machine, OS_SECOND);
    text = os_output(machine);
    assert_has(text, "policy fair; q leaves");
    assert_has(text, "CPU 0   100.0 %");
    busy = strstr(text, "busy-");
    shell = strstr(text, "  reaper");
    ck_assert(busy != NULL && shell != NULL && busy < shell);
    ck_assert_int_eq(tb_uart_write(machine, "q", 1), 1);
    os_wait_prompt(machine);
    assert_has(os_command(machine, "top 1ms"), "error: 1ms is not a time from 10ms on");
    assert_has(os_command(machine, "echo here"), "here");
    close_machine();
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("sched");
    TCase *cases = tcase_create("all");

    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, a_policy_is_chosen_at_boot, 0, (int)POLICIES);
    tcase_add_test(cases, the_policy_changes_while_threads_run);
    tcase_add_test(cases, an_unknown_policy_is_answered_with_all_there_are);
    tcase_add_loop_test(cases, a_wrong_number_of_cpus_is_answered, 0,
                        (int)(sizeof(wrong_cpus) / sizeof(wrong_cpus[0])));
    tcase_add_test(cases, nice_and_priority_change_what_ps_shows);
    tcase_add_test(cases, top_shows_the_busiest_first_until_q);
    tcase_add_test(cases, sched_and_ps_tell_of_the_cpu);
    suite_add_tcase(all, cases);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
