/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. A debug shell may take as long as it likes: no CPU that stands still for it is said to make
 *     no progress, and the kernel goes on afterwards.
 *  2. A wrong `watchdog=` is answered in a sentence.
 *  3. Threads that there is no memory for: the command fails, the machine goes on, and all memory
 *     comes back.
 *  4. A wrong list of jobs for `sched lab` is answered in a sentence.
 *  5. Policies that change as fast as they can leave every thread running.
 *  6. What tb_inspect_hang says fits where it is to go, and says why when there is nothing to say;
 *     tb_fault_trace knows of no fault before there was one.
 *  7. Looking on does not change a run: the trace is the same with every limit of the watchdog.
 */
#include "os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct tb_machine *machine;

static void close_machine(void)
{
    tb_close(machine);
    machine = NULL;
}

static void boot(const char *words, unsigned cpus)
{
    struct tb_config config = os_config();

    config.command_line = words;
    config.cpus = cpus;
    machine = os_boot(&config);
}

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

START_TEST(a_debug_shell_may_take_its_time)
{
    boot("checks=1 watchdog=20ms", (unsigned)_i);
    (void)os_command(machine, "spawn 8 100s");
    ck_assert_int_eq(tb_uart_write(machine, "brk\r", 4), 4);
    ck_assert_int_eq(tb_uart_expect(machine, "debug> ", 10 * OS_SECOND), TB_MATCH);
    ck_assert_int_eq(tb_run_for(machine, OS_SECOND / 4), TB_DEADLINE);
    ck_assert_int_eq(tb_uart_write(machine, "continue\r", 9), 9);
    ck_assert_int_eq(tb_uart_expect(machine, "\n/ > ", 10 * OS_SECOND), TB_MATCH);
    ck_assert_str_eq(os_command(machine, "echo alive"), "alive\r\n");
    close_machine();
}
END_TEST

static const char *const wrong_limits[] = {"watchdog=", "watchdog=soon", "watchdog=1ms",
                                           "watchdog=1001", "watchdog=-1"};

START_TEST(a_wrong_limit_is_answered)
{
    char expected[80];

    boot(wrong_limits[_i], 1);
    snprintf(expected, sizeof(expected), "boot: %s is not 0 (off) or a time", wrong_limits[_i]);
    assert_has(os_command(machine, "dmesg -l warning"), expected);
    close_machine();
}
END_TEST

START_TEST(threads_without_memory_are_a_failed_command)
{
    static char before[16384], after[16384];
    struct tb_config config = os_config();

    config.memory = 2 << 20;
    config.cpus = (unsigned)_i;
    machine = os_boot(&config);
    /* The first time caches are filled, which stay. */
    for (unsigned round = 0; round < 3; round++) {
        (void)os_command(machine, "spawn 64 100ms");
        (void)os_command(machine, "sleep 300ms");
        ck_assert_int_gt(tb_inspect_state(machine, before, sizeof(before)), 0);
        if (round == 1)
            memcpy(after, before, sizeof(after));
    }
    ck_assert_str_eq(after, before);
    assert_has(os_command(machine, "spawn 64 100ms; sleep 300ms"),
               "out of memory: no room for 64 threads");
    ck_assert_str_eq(os_command(machine, "echo alive"), "alive\r\n");
    close_machine();
}
END_TEST

static const char *const wrong_jobs[] = {
    "sched lab rr",
    "sched lab rr A",
    "sched lab rr A:",
    "sched lab rr A:0",
    "sched lab rr A:0:0",
    "sched lab rr A:-1:3",
    "sched lab rr A:0:-3",
    "sched lab rr A:x:3",
    "sched lab rr A:0:99999999999999999999",
    "sched lab rr A:99999999999999999999:1",
    "sched lab rr A:0:1:99",
    "sched lab priority A:0:1:32",
    "sched lab rr A:0:1:0:0",
    "sched lab rr :0:1",
    "sched lab rr quantum=0 A:0:1",
    "sched lab rr cpus=0 A:0:1",
    "sched lab rr cpus=99999999999999999999 A:0:1",
    "sched lab rr colour=1 A:0:1",
    "sched lab nothing A:0:1",
};

START_TEST(a_wrong_list_of_jobs_is_answered)
{
    const char *answer;
    char line[4096] = "sched lab rr";

    boot("", 1);
    for (size_t i = 0; i < sizeof(wrong_jobs) / sizeof(wrong_jobs[0]); i++) {
        answer = os_command(machine, wrong_jobs[i]);
        ck_assert_msg(strstr(answer, "error: ") || strstr(answer, "usage: "), "%s: %s",
                      wrong_jobs[i], answer);
    }
    /* Longer than a line can be: the bell rings, and what is left of it is answered. */
    for (unsigned i = 0; i < 400; i++)
        strcat(line, " A:0:1");
    (void)os_command(machine, line);
    ck_assert_str_eq(os_command(machine, "echo alive"), "alive\r\n");
    close_machine();
}
END_TEST

START_TEST(a_storm_of_policies_leaves_all_running)
{
    static const char *const policies[] = {"rr", "stride", "lottery", "feedback", "fair"};
    const char *ps;

    boot("checks=1", (unsigned)_i);
    (void)os_command(machine, "spawn 6 60s");
    for (unsigned i = 0; i < os_size("TAYBERRY_RUNS", 60); i++) {
        char line[40];

        snprintf(line, sizeof(line), "sched %s", policies[i % 5]);
        (void)os_command(machine, line);
    }
    (void)os_command(machine, "sleep 200ms");
    (void)os_command(machine, "ps");
    (void)os_command(machine, "sleep 200ms");
    ps = os_command(machine, "ps");
    for (unsigned i = 1; i <= 6; i++) {
        char name[40];
        const char *line;

        snprintf(name, sizeof(name), "  busy-%u\r\n", i);
        line = strstr(ps, name);
        ck_assert_msg(line != NULL, "no %s in %s", name, ps);
        while (line > ps && line[-1] != '\n')
            line--;
        ck_assert_msg(strstr(line, "  0.0 %") == NULL ||
                          strstr(line, "  0.0 %") > strstr(line, name),
                      "%s stands still: %s", name, ps);
    }
    close_machine();
}
END_TEST

START_TEST(who_waits_for_what_can_be_asked)
{
    static char text[8192], part[64];
    struct tb_config config = os_config();
    uint64_t address;
    int length;

    config.cpus = 2;
    config.clock = _i ? TB_CLOCK_REAL : TB_CLOCK_VIRTUAL;
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    ck_assert_int_eq(tb_inspect_hang(machine, text, sizeof(text)), -EINVAL);
    assert_has(tb_error(machine), "tb_power_on");
    ck_assert_int_eq(tb_power_on(machine), 0);
    os_wait_prompt(machine);
    ck_assert_uint_eq(tb_fault_trace(machine, &address, 1), 0);
    length = tb_inspect_hang(machine, text, sizeof(text));
    ck_assert_int_eq(length, (int)strlen(text));
    assert_has(text, "CPU 0: ");
    assert_has(text, "CPU 1: ");
    assert_has(text, "(init)");
    assert_has(text, "sleeps until it is woken, at core/");
    memset(part, 'x', sizeof(part));
    ck_assert_int_gt(tb_inspect_hang(machine, part, 20), 20);
    ck_assert_uint_eq(strlen(part), 19);
    ck_assert_int_eq(part[20], 'x');
    ck_assert_int_gt(tb_inspect_hang(machine, NULL, 0), 20);
    ck_assert_str_eq(os_command(machine, "echo alive"), "alive\r\n");
    ck_assert_int_eq(tb_uart_write(machine, "panic\r", 6), 6);
    ck_assert_int_eq(tb_run_for(machine, 60 * OS_SECOND), TB_STOPPED);
    ck_assert_uint_eq(tb_fault_trace(machine, &address, 1), 1);
    assert_has((tb_inspect_hang(machine, text, sizeof(text)), text), "CPU 0: ");
    close_machine();
}
END_TEST

START_TEST(looking_on_does_not_change_a_run)
{
    static const char *const limits[] = {"watchdog=0", "watchdog=10ms", "watchdog=700"};
    uint64_t hash = 0;

    for (unsigned i = 0; i < 3; i++) {
        struct tb_config config = os_config();

        config.cpus = (unsigned)_i;
        config.command_line = limits[i];
        machine = os_boot(&config);
        (void)os_command(machine, "spawn 6 1s");
        (void)os_command(machine, "ktest race 20");
        (void)os_command(machine, "sleep 300ms");
        /* The words themselves are in the log, not in the trace. */
        ck_assert_msg(i == 0 || hash == tb_trace_hash(machine), "%s changes the run", limits[i]);
        hash = tb_trace_hash(machine);
        close_machine();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("os-guard");
    TCase *tests = tcase_create("guard");

    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, a_debug_shell_may_take_its_time, 1, 5);
    tcase_add_loop_test(tests, a_wrong_limit_is_answered, 0,
                        sizeof(wrong_limits) / sizeof(wrong_limits[0]));
    tcase_add_loop_test(tests, threads_without_memory_are_a_failed_command, 1, 3);
    tcase_add_test(tests, a_wrong_list_of_jobs_is_answered);
    tcase_add_loop_test(tests, a_storm_of_policies_leaves_all_running, 1, 5);
    tcase_add_loop_test(tests, who_waits_for_what_can_be_asked, 0, 2);
    tcase_add_loop_test(tests, looking_on_does_not_change_a_run, 1, 5);
    suite_add_tcase(suite, tests);
    return os_run_suite(suite);
}
