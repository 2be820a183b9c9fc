/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Real clock: two loops that contain no call at all share the CPU with the shell: commands
 * typed while they run are answered, and both loops get time.
 *  2. Virtual clock: the shares of three busy threads are within 5 % of each other over a second of
 *     virtual time.
 *  3. An idle machine is idle: with the virtual clock it is stuck, with nothing armed; with the
 * real clock its idle time is nearly all of the time.
 *  4. A blinking LED in the background keeps its period while busy threads run.
 */
#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Reads the CPU time in milliseconds of each line of `ps` whose name begins with `name`. The column
 * is found by its heading, TIME, in seconds with decimals.
 */
static unsigned read_times(const char *ps, const char *name, double *times, unsigned max)
{
    const char *heading = strstr(ps, "TIME"), *line = ps;
    unsigned n = 0;
    size_t column;

    ck_assert_msg(heading != NULL, "no TIME in: %s", ps);
    for (column = 0; heading > ps && heading[-1] != '\n'; heading--)
        column++;
    while ((line = strchr(line, '\n')) && n < max) {
        const char *end = strchr(++line, '\n'), *found = strstr(line, name);

        if (!end || !found || found > end)
            continue;
        /* Numbers are right-aligned under their heading, or begin there: take the one that covers
         * it. */
        const char *at = line + column;

        while (at > line && at[-1] != ' ')
            at--;
        times[n++] = strtod(at, NULL);
    }
    return n;
}

START_TEST(loops_without_a_call_share_the_cpu_with_the_shell)
{
    struct tb_config config = os_config();
    struct tb_machine *machine;
    double times[4] = {0};
    const char *ps = "";

    config.clock = TB_CLOCK_REAL;
    machine = os_boot(&config);
    ck_assert_int_gt(tb_uart_write(machine, "spawn 2 600s --pure &\r", 22), 0);
    os_wait_prompt(machine);
    /* How much time a busy host lets either have, and when, is its business. */
    for (unsigned i = 0; i < 50 && (times[0] <= 0.02 || times[1] <= 0.02); i++) {
        unsigned n;

        (void)tb_run_for(machine, 200 * OS_MS);
        ck_assert_str_eq(os_command(machine, "echo still here"), "still here\r\n");
        ps = os_command(machine, "ps");
        n = read_times(ps, "busy", times, 4);
        ck_assert_msg(n == 2, "%u busy threads in: %s", n, ps);
    }
    for (unsigned i = 0; i < 2; i++)
        ck_assert_msg(times[i] > 0.02, "a busy thread got %f s: %s", times[i], ps);
    tb_close(machine);
}
END_TEST

START_TEST(shares_are_within_five_percent)
{
    struct tb_config config = os_config();
    struct tb_machine *machine;
    double times[4], low = 1e9, high = 0;
    const char *ps;
    unsigned n;

    config.seed = (uint64_t)_i + 1;
    machine = os_boot(&config);
    ck_assert_int_gt(tb_uart_write(machine, "spawn 3 5s &\r", 13), 0);
    os_wait_prompt(machine);
    /* Three on two CPUs: they change places more seldom than they take turns. */
    (void)tb_run_for(machine, (os_cpus() > 1 ? 3 : 1) * OS_SECOND);
    ps = os_command(machine, "ps");
    n = read_times(ps, "busy", times, 4);
    ck_assert_msg(n == 3, "%u busy threads in: %s", n, ps);
    for (unsigned i = 0; i < n; i++) {
        low = times[i] < low ? times[i] : low;
        high = times[i] > high ? times[i] : high;
    }
    ck_assert_msg(low >= 0.95 * high, "shares from %f to %f s: %s", low, high, ps);
    tb_close(machine);
}
END_TEST

START_TEST(an_idle_machine_has_nothing_armed)
{
    struct tb_config config = os_config();
    struct tb_machine *machine = os_boot(&config);

    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
    tb_close(machine);
}
END_TEST

START_TEST(an_idle_machine_idles)
{
    struct tb_config config = os_config();
    struct tb_machine *machine;
    double best = 0;

    config.clock = TB_CLOCK_REAL;
    machine = os_boot(&config);
    /* Half a second on a busy host may not be one. */
    for (unsigned i = 0; i < 10 && best <= 0.98; i++) {
        uint64_t time = tb_time(machine), idle = tb_idle_time(machine);
        double part;

        (void)tb_run_for(machine, 500 * OS_MS);
        idle = tb_idle_time(machine) - idle;
        part = (double)idle / (double)(tb_time(machine) - time) / os_cpus();
        best = part > best ? part : best;
    }
    ck_assert_msg(best > 0.98, "the CPUs idle %f of the time at best", best);
    tb_close(machine);
}
END_TEST

START_TEST(a_blinking_pin_keeps_its_period_under_load)
{
    static struct tb_pin_change changes[512];
    struct tb_config config = os_config();
    struct tb_machine *machine = os_boot(&config);
    double mean;
    size_t n;

    ck_assert_int_gt(tb_uart_write(machine, "blink GPIO17 50ms &\r", 20), 0);
    os_wait_prompt(machine);
    ck_assert_int_gt(tb_uart_write(machine, "spawn 2 2s\r", 11), 0);
    (void)tb_run_for(machine, 2 * OS_SECOND);
    n = tb_pin_history(machine, 17, changes, 512);
    ck_assert_msg(n >= 38 && n <= 42, "%zu changes in 2 s", n);
    mean = (double)(changes[n - 1].time - changes[0].time) / (double)(n - 1) / 1e6;
    ck_assert_msg(mean > 49 && mean < 51, "a change every %f ms", mean);
    tb_close(machine);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("preempt");
    TCase *share = tcase_create("share");

    tcase_set_timeout(share, 120);
    tcase_add_test(share, loops_without_a_call_share_the_cpu_with_the_shell);
    tcase_add_loop_test(share, shares_are_within_five_percent, 0, 8);
    tcase_add_test(share, an_idle_machine_has_nothing_armed);
    tcase_add_test(share, an_idle_machine_idles);
    tcase_add_test(share, a_blinking_pin_keeps_its_period_under_load);
    suite_add_tcase(all, share);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
