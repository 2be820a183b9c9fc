/* SPDX-License-Identifier: MIT */
/*
 * lib_run.c: running a guest, and getting control back whatever it does.
 *
 * 1. With the virtual clock a run ends exactly at its deadline, idle time included.
 * 2. A guest that can only wait for input makes an endless run return TB_STUCK; a run with a
 *    deadline returns at it.
 * 3. tb_interrupt ends a run, from another thread or a signal handler, also when the guest never
 *    calls the HAL, masked or not; the guest can go on afterwards.
 * 4. Stops by the guest, its status, and a panic are values.
 * 5. A guest that reboots for ever does not run past the deadline.
 * 6. A step ends at the next event.
 * 7. With the real clock: speed 0 stops time, speed 10 is faster, infinity skips idle time.
 * 8. The timer preempts code without a call in it, and both loops get their share (real clock).
 * 9. An overflowing stack is a fault that is handled on another stack.
 * 10. A fault of the host's own code, in a sink or outside, reaches the host's own handler.
 */
#include "sim.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const enum tb_clock clocks[] = {TB_CLOCK_VIRTUAL, TB_CLOCK_REAL};
static struct tb_machine *machine;

START_TEST(a_virtual_run_ends_at_its_deadline)
{
    machine = sim_start(TB_CLOCK_VIRTUAL, "idle");
    uint64_t start = tb_time(machine);
    for (unsigned i = 1; i <= 10; i++) {
        ck_assert_int_eq(tb_run_for(machine, 1234567), TB_DEADLINE);
        ck_assert_uint_eq(tb_time(machine), start + i * 1234567ull);
    }
    ck_assert_int_eq(tb_run_until(machine, start), TB_DEADLINE);
    ck_assert_uint_eq(tb_idle_time(machine), 10 * 1234567ull);
}
END_TEST

START_TEST(a_guest_that_only_waits_is_stuck)
{
    machine = sim_start(clocks[_i], "echo");
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
    ck_assert_int_eq(tb_run_for(machine, 5 * MS), TB_DEADLINE);
    ck_assert_int_eq(tb_uart_write(machine, "x", 1), 1);
    ck_assert_int_eq(tb_uart_expect(machine, "x", 20 * SECOND), TB_MATCH);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
}
END_TEST

static void *interrupt_soon(void *unused)
{
    usleep(30000);
    tb_interrupt(machine);
    return unused;
}

static const char *const busy[] = {"spin", "masked", "poll"};

START_TEST(another_thread_interrupts_a_run)
{
    pthread_t thread;
    machine = sim_start(clocks[_i / 3], busy[_i % 3]);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
        ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_INTERRUPTED);
        ck_assert_int_eq(tb_state(machine), TB_RUNNING);
        pthread_join(thread, NULL);
    }
    tb_power_cut(machine);
    ck_assert_int_eq(tb_state(machine), TB_OFF);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
}
END_TEST

static void on_alarm(int signal)
{
    (void)signal;
    tb_interrupt(machine);
}

START_TEST(a_signal_handler_interrupts_a_run)
{
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    if (under_tsan() && clocks[_i / 3] == TB_CLOCK_VIRTUAL)
        return; /* the handler would run when the guest next calls libc: never */
    machine = sim_start(clocks[_i / 3], busy[_i % 3]);
    signal(SIGALRM, on_alarm);
    for (unsigned i = 0; i < 3; i++) {
        setitimer(ITIMER_REAL, &soon, NULL);
        ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_INTERRUPTED);
    }
    if (clocks[_i / 3] == TB_CLOCK_VIRTUAL && _i % 3 == 0)
        ck_assert_msg(strstr(tb_error(machine), "no progress") != NULL, "%s", tb_error(machine));
}
END_TEST

START_TEST(an_interruption_waits_for_the_next_run)
{
    machine = sim_start(clocks[_i], "idle");
    tb_interrupt(machine);
    ck_assert_int_eq(tb_run_for(machine, SECOND), TB_INTERRUPTED);
    ck_assert_int_eq(tb_run_for(machine, MS), TB_DEADLINE);
}
END_TEST

START_TEST(stops_are_values)
{
    machine = sim_open(clocks[_i / 2], _i % 2 ? "off" : "panic");
    ck_assert_int_eq(tb_run_for(machine, SECOND), -EINVAL);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STOPPED);
    ck_assert_int_eq(tb_state(machine), _i % 2 ? TB_POWERED_OFF : TB_PANICKED);
    ck_assert_int_eq(tb_exit_status(machine), _i % 2 ? 7 : 0);
    uint64_t time = tb_time(machine);
    ck_assert_int_eq(tb_run_for(machine, 20 * SECOND), TB_STOPPED);
    ck_assert_uint_eq(tb_time(machine), time);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STOPPED);
}
END_TEST

START_TEST(rebooting_for_ever_ends_at_the_deadline)
{
    machine = sim_open(clocks[_i], "reboot");
    ck_assert_int_eq(tb_power_on(machine), 0);
    if (clocks[_i] == TB_CLOCK_VIRTUAL) {
        ck_assert_int_eq(tb_run_for(machine, 20 * MS), TB_DEADLINE);
        const char *text = sim_output(machine);
        unsigned boots = (unsigned)strlen(text) / 5;
        ck_assert_msg(boots >= 18 && boots <= 21, "%u boots in 20 ms", boots);
    } else {
        for (unsigned i = 0; i < 10; i++)
            ck_assert_int_eq(tb_uart_expect(machine, "boot\n", 10 * SECOND), TB_MATCH);
    }
    ck_assert_int_eq(tb_state(machine), TB_RUNNING);
    tb_power_cut(machine);
    ck_assert_int_eq(tb_state(machine), TB_OFF);
}
END_TEST

static unsigned events_seen;

static void count_event(void *context, const struct tb_event *event)
{
    ck_assert_ptr_eq(context, &events_seen);
    ck_assert_uint_ge(event->kind, TB_EVENT_IRQ);
    events_seen++;
}

START_TEST(a_step_ends_at_the_next_event)
{
    machine = sim_start(clocks[_i], "blink");
    if (clocks[_i] == TB_CLOCK_REAL)
        ck_assert_int_eq(tb_step_event(machine), -EINVAL);
    if (clocks[_i] == TB_CLOCK_REAL)
        ck_assert_int_eq(tb_set_speed(machine, 0), 0);
    usleep(20000);
    tb_trace_set_sink(machine, count_event, &events_seen);
    for (unsigned i = 1; i <= 20; i++) {
        uint64_t time = tb_time(machine);
        ck_assert_int_eq(tb_step_event(machine), TB_DEADLINE);
        ck_assert_uint_eq(events_seen, i);
        ck_assert_uint_ge(tb_time(machine), time);
    }
    tb_trace_set_sink(machine, NULL, NULL);
}
END_TEST

START_TEST(speed_0_stops_time)
{
    machine = sim_start(TB_CLOCK_REAL, "blink");
    ck_assert_int_eq(tb_set_speed(machine, 0), 0);
    usleep(20000);
    struct tb_pin_info before, after;
    uint64_t time = tb_time(machine);
    ck_assert_int_eq(tb_pin_info(machine, 17, &before), 0);
    usleep(50000);
    ck_assert_int_eq(tb_pin_info(machine, 17, &after), 0);
    ck_assert_uint_eq(tb_time(machine), time);
    ck_assert_uint_eq(after.changes, before.changes);
    ck_assert_int_eq(tb_set_speed(machine, 1), 0);
    /* A busy host may give the guest nothing of the first of these. */
    for (unsigned i = 0; i < 500 && after.changes == before.changes; i++) {
        ck_assert_int_eq(tb_run_for(machine, 10 * MS), TB_DEADLINE);
        ck_assert_int_eq(tb_pin_info(machine, 17, &after), 0);
    }
    ck_assert_uint_gt(after.changes, before.changes);
}
END_TEST

START_TEST(a_paused_machine_can_be_cut_and_started)
{
    machine = sim_start(TB_CLOCK_REAL, busy[_i]);
    ck_assert_int_eq(tb_set_speed(machine, 0), 0);
    tb_power_cut(machine);
    ck_assert_int_eq(tb_power_on(machine), 0);
    usleep(5000);
    ck_assert_uint_eq(tb_time(machine), 0);
    ck_assert_int_eq(tb_set_speed(machine, 1), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
}
END_TEST

/* ms of the host for `ns` of the machine's, at best: a busy host may take longer. */
static uint64_t fastest(double speed, uint64_t ns, uint64_t enough)
{
    uint64_t best = UINT64_MAX;
    ck_assert_int_eq(tb_set_speed(machine, speed), 0);
    for (unsigned i = 0; i < 5 && best > enough; i++) {
        uint64_t host = sim_host_ms();
        ck_assert_int_eq(tb_run_for(machine, ns), TB_DEADLINE);
        host = sim_host_ms() - host;
        best = host < best ? host : best;
    }
    return best;
}

START_TEST(speeds_scale_time)
{
    machine = sim_start(TB_CLOCK_REAL, "blink");
    uint64_t took = fastest(10, SECOND, 400);
    ck_assert_msg(took >= 95 && took <= 400, "1 s at speed 10 took %u ms", (unsigned)took);
    took = fastest(INFINITY, 5 * SECOND, 2500);
    ck_assert_msg(took <= 2500, "5 s at no speed took %u ms", (unsigned)took);
    ck_assert_int_eq(tb_set_speed(machine, -1), -EINVAL);
    ck_assert_int_eq(tb_set_speed(machine, NAN), -EINVAL);
}
END_TEST

START_TEST(the_virtual_clock_has_no_speed)
{
    machine = sim_start(TB_CLOCK_VIRTUAL, "idle");
    ck_assert_int_eq(tb_set_speed(machine, 1), -ENOTSUP);
}
END_TEST

START_TEST(code_without_calls_is_preempted)
{
    machine = sim_start(TB_CLOCK_REAL, "two");
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STOPPED);
    unsigned long long first, second;
    ck_assert_int_eq(sscanf(sim_output(machine), "first %llu second %llu", &first, &second), 2);
    ck_assert_uint_gt(first, 1000);
    ck_assert_uint_gt(second, 1000);
}
END_TEST

START_TEST(an_overflowing_stack_is_a_fault)
{
    machine = sim_open(clocks[_i], "overflow");
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_for(machine, 20 * SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_state(machine), TB_PANICKED);
    ck_assert_str_eq(sim_output(machine), "stack fault\n");
}
END_TEST

static void on_host_fault(int signal)
{
    _exit(signal == SIGSEGV ? 77 : 1);
}

static void fault(void *context, const uint8_t *bytes, size_t n)
{
    volatile uint8_t *volatile nowhere = (uint8_t *)64;
    (void)context;
    (void)bytes;
    (void)n;
    *nowhere = 1;
}

START_TEST(a_fault_in_the_hosts_code_is_the_hosts)
{
    struct sigaction action = {.sa_handler = on_host_fault};
    ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
    machine = sim_start(clocks[_i / 2], "count");
    if (_i % 2)
        fault(NULL, NULL, 0);
    tb_uart_set_sink(machine, fault, NULL);
    (void)tb_run_for(machine, SECOND);
}
END_TEST

START_TEST(closing_gives_the_signals_back)
{
    struct sigaction before = {.sa_handler = on_host_fault}, after;
    ck_assert_int_eq(sigaction(SIGSEGV, &before, NULL), 0);
    machine = sim_start(clocks[_i], "count");
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &after), 0);
    ck_assert(after.sa_handler != on_host_fault);
    tb_close(machine);
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &after), 0);
    ck_assert(after.sa_handler == on_host_fault);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run");
    TCase *cases = tcase_create("run");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_virtual_run_ends_at_its_deadline);
    tcase_add_loop_test(cases, a_guest_that_only_waits_is_stuck, 0, 2);
    tcase_add_loop_test(cases, another_thread_interrupts_a_run, 0, 6);
    tcase_add_loop_test(cases, a_signal_handler_interrupts_a_run, 0, 6);
    tcase_add_loop_test(cases, an_interruption_waits_for_the_next_run, 0, 2);
    tcase_add_loop_test(cases, stops_are_values, 0, 4);
    tcase_add_loop_test(cases, rebooting_for_ever_ends_at_the_deadline, 0, 2);
    tcase_add_loop_test(cases, a_step_ends_at_the_next_event, 0, 2);
    tcase_add_test(cases, speed_0_stops_time);
    tcase_add_loop_test(cases, a_paused_machine_can_be_cut_and_started, 0, 3);
    tcase_add_test(cases, speeds_scale_time);
    tcase_add_test(cases, the_virtual_clock_has_no_speed);
    tcase_add_test(cases, code_without_calls_is_preempted);
    tcase_add_loop_test(cases, an_overflowing_stack_is_a_fault, 0, 2);
    tcase_add_loop_exit_test(cases, a_fault_in_the_hosts_code_is_the_hosts, 77, 0, 4);
    tcase_add_loop_test(cases, closing_gives_the_signals_back, 0, 2);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
