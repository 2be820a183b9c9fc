/* SPDX-License-Identifier: MIT */
/*
 * lib_races.c: what must not depend on the moment at which something happens.
 *
 * 1. A timer that fires while the HAL is setting it interrupts all the same, also when the guest
 *    makes no call afterwards (real clock).
 * 2. A run ends at its deadline though the guest reboots before that, again and again.
 * 3. Continuing a guest that was stopped between calls leaves the caller's signal mask alone.
 * 4. How a run is cut into pieces does not show in the trace.
 * 5. Sector and segments of a flush do not matter.
 * 6. A timer that fires between two lives of a guest takes nothing from the second (real clock).
 */
#include "sim.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct tb_machine *machine;

START_TEST(a_timer_is_not_lost_on_leaving_the_hal)
{
    machine = sim_start(TB_CLOCK_REAL, "meet");
    ck_assert_int_eq(tb_uart_expect(machine, "met\n", 200 * SECOND), TB_MATCH);
}
END_TEST

START_TEST(a_deadline_counts_across_reboots)
{
    static const enum tb_clock clocks[] = {TB_CLOCK_VIRTUAL, TB_CLOCK_REAL};
    machine = sim_open(clocks[_i], "reboot");
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_for(machine, 50 * MS), TB_DEADLINE);
}
END_TEST

static void *interrupt_soon(void *unused)
{
    usleep(30000);
    tb_interrupt(machine);
    return unused;
}

static void run_until_interrupted(void)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_INTERRUPTED);
    pthread_join(thread, NULL);
}

START_TEST(the_callers_signal_mask_is_left_alone)
{
    sigset_t set, after;
    machine = sim_start(TB_CLOCK_VIRTUAL, "spin");
    run_until_interrupted();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    run_until_interrupted();
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    ck_assert(sigismember(&after, SIGUSR1));
}
END_TEST

static uint64_t trace_of_pieces(uint64_t piece)
{
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_write(machine, "abcdefghijklmnop", 16), 16);
    for (uint64_t at = piece; at < 5 * MS; at += piece)
        ck_assert_int_eq(tb_run_until(machine, at), TB_DEADLINE);
    ck_assert_int_eq(tb_run_until(machine, 5 * MS), TB_DEADLINE);
    uint64_t hash = tb_trace_hash(machine);
    tb_power_cut(machine);
    return hash;
}

START_TEST(pieces_do_not_show_in_the_trace)
{
    static const char *const guests[] = {"send", "echo", "count", "blink"};
    static const uint64_t pieces[] = {MS, 99991, 10007, 1009, 101};
    machine = sim_open(TB_CLOCK_VIRTUAL, guests[_i]);
    uint64_t whole = trace_of_pieces(5 * MS);
    for (unsigned i = 0; i < sizeof pieces / sizeof *pieces; i++)
        ck_assert_msg(trace_of_pieces(pieces[i]) == whole, "pieces of %llu ns",
                      (unsigned long long)pieces[i]);
}
END_TEST

static void check_flush(void *unused, const struct tb_event *event)
{
    (void)unused;
    if (event->kind == TB_EVENT_BLOCK) {
        ck_assert_uint_eq(event->a, 0);
        ck_assert_uint_eq(event->b, 0);
    }
}

START_TEST(a_flush_has_no_segments)
{
    static const uint8_t content[4096];
    struct tb_config config = {.size = sizeof config,
                               .card = sim_file(content, sizeof content),
                               .command_line = "flush",
                               .clock = _i ? TB_CLOCK_REAL : TB_CLOCK_VIRTUAL};
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    tb_trace_set_sink(machine, check_flush, NULL);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "flushed 0\n", 20 * SECOND), TB_MATCH);
}
END_TEST

START_TEST(a_timer_between_lives_is_nobodys)
{
    machine = sim_open(TB_CLOCK_REAL, "left");
    ck_assert_int_eq(tb_power_on(machine), 0);
    for (unsigned life = 0; life < 200; life++)
        ck_assert_int_eq(tb_uart_expect(machine, "boot\n", 10 * SECOND), TB_MATCH);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("races");
    TCase *cases = tcase_create("races");
    tcase_set_timeout(cases, 250);
    tcase_add_test(cases, a_timer_is_not_lost_on_leaving_the_hal);
    tcase_add_loop_test(cases, a_deadline_counts_across_reboots, 0, 2);
    tcase_add_test(cases, the_callers_signal_mask_is_left_alone);
    tcase_add_loop_test(cases, pieces_do_not_show_in_the_trace, 0, 4);
    tcase_add_loop_test(cases, a_flush_has_no_segments, 0, 2);
    tcase_add_test(cases, a_timer_between_lives_is_nobodys);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
