/* SPDX-License-Identifier: MIT */
/*
 * lib_snapshot.c: going back to a moment.
 *
 * 1. From a restored snapshot the machine does again, byte for byte and event for event, what it
 * did after the snapshot was taken; a hundred times.
 * 2. The state's hash tells moments apart, and is equal where states are.
 * 3. Guard pages, input that waits, and devices are part of it.
 * 4. A snapshot can be restored into a life that is over, and is independent of the machine's later
 *    doings.
 * 5. The real clock has no snapshots.
 * 6. A snapshot of a machine that was closed is refused, whatever is open now.
 */
#include "sim.h"

#include <errno.h>
#include <string.h>

static struct tb_machine *machine;
static struct tb_snapshot *snapshot;

START_TEST(the_same_happens_again)
{
    static const char *const guests[] = {"echo", "blink", "count", "poll"};
    machine = sim_start(TB_CLOCK_VIRTUAL, guests[_i]);
    ck_assert_int_eq(tb_uart_write(machine, "what waits is kept", 18), 18);
    ck_assert_int_eq(tb_run_for(machine, 20000), TB_DEADLINE);
    uint64_t start = tb_time(machine);
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    uint64_t at_start = sim_state_hash(machine);
    uint64_t trace = 0, state = 0;
    static char first[4096];
    for (unsigned i = 0; i < 100; i++) {
        (void)sim_output(machine);
        ck_assert_int_eq(tb_run_for(machine, 5 * MS), TB_DEADLINE);
        if (i == 0) {
            trace = tb_trace_hash(machine);
            state = sim_state_hash(machine);
            strcpy(first, sim_output(machine));
            ck_assert(under_tsan() || state != at_start);
        } else {
            ck_assert_uint_eq(tb_trace_hash(machine), trace);
            ck_assert_uint_eq(sim_state_hash(machine), state);
            ck_assert_str_eq(sim_output(machine), first);
        }
        ck_assert_int_eq(tb_restore(machine, snapshot), 0);
        ck_assert_uint_eq(tb_time(machine), start);
        ck_assert_uint_eq(sim_state_hash(machine), at_start);
    }
    tb_snapshot_free(snapshot);
}
END_TEST

START_TEST(pins_and_history_go_back_too)
{
    struct tb_pin_change changes[8];
    struct tb_pin_info before, after;
    machine = sim_start(TB_CLOCK_VIRTUAL, "blink");
    ck_assert_int_eq(tb_run_until(machine, 5 * MS + MS / 2), TB_DEADLINE);
    ck_assert_int_eq(tb_pin_info(machine, 17, &before), 0);
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    ck_assert_int_eq(tb_run_for(machine, 10 * MS), TB_DEADLINE);
    ck_assert_int_eq(tb_restore(machine, snapshot), 0);
    ck_assert_int_eq(tb_pin_info(machine, 17, &after), 0);
    ck_assert_uint_eq(after.changes, before.changes);
    ck_assert_uint_eq(after.high_time, before.high_time);
    ck_assert_uint_eq(tb_pin_history(machine, 17, changes, 8), before.changes);
}
END_TEST

START_TEST(a_life_that_is_over_can_be_continued)
{
    machine = sim_start(TB_CLOCK_VIRTUAL, "echo");
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    ck_assert_int_eq(tb_uart_write(machine, "q", 1), 1);
    ck_assert_int_eq(tb_run_for(machine, 20 * SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_restore(machine, snapshot), 0);
    ck_assert_int_eq(tb_state(machine), TB_RUNNING);
    ck_assert_int_eq(tb_uart_write(machine, "hello", 5), 5);
    ck_assert_int_eq(tb_uart_expect(machine, "hello", 20 * SECOND), TB_MATCH);
    tb_power_cut(machine);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_for(machine, SECOND), TB_DEADLINE);
    ck_assert_int_eq(tb_restore(machine, snapshot), 0);
    ck_assert_int_eq(tb_uart_write(machine, "again", 5), 5);
    ck_assert_int_eq(tb_uart_expect(machine, "again", 20 * SECOND), TB_MATCH);
    tb_snapshot_free(snapshot);
    tb_snapshot_free(NULL);
}
END_TEST

START_TEST(guards_are_put_back)
{
    machine = sim_open(TB_CLOCK_VIRTUAL, "overflow");
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_step_event(machine), TB_DEADLINE); /* the switch, before it sinks */
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(tb_run_for(machine, 20 * SECOND), TB_STOPPED);
        ck_assert_str_eq(sim_output(machine), "stack fault\n");
        ck_assert_int_eq(tb_restore(machine, snapshot), 0);
    }
}
END_TEST

START_TEST(the_real_clock_has_no_snapshots)
{
    machine = sim_start(TB_CLOCK_REAL, "idle");
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), -ENOTSUP);
    ck_assert_ptr_null(snapshot);
}
END_TEST

START_TEST(a_closed_machines_snapshot_is_refused)
{
    machine = sim_start(TB_CLOCK_VIRTUAL, "idle");
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    tb_close(machine);
    machine = sim_start(TB_CLOCK_VIRTUAL, "idle");
    uint64_t hash = sim_state_hash(machine);
    ck_assert_int_eq(tb_restore(machine, snapshot), -EINVAL);
    ck_assert_uint_eq(sim_state_hash(machine), hash);
    tb_snapshot_free(snapshot);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *cases = tcase_create("snapshot");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, the_real_clock_has_no_snapshots);
    tcase_add_loop_test(cases, the_same_happens_again, 0, 4);
    tcase_add_test(cases, pins_and_history_go_back_too);
    tcase_add_test(cases, a_life_that_is_over_can_be_continued);
    tcase_add_test(cases, guards_are_put_back);
    tcase_add_test(cases, a_closed_machines_snapshot_is_refused);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
