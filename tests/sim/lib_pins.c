/* SPDX-License-Identifier: MIT */
/*
 * lib_pins.c: the library's end of the pins.
 *
 * 1. A pin that the guest blinks changes at the times it should, in the history, in the count of
 *    changes and in the time it was high.
 * 2. An edge from outside reaches the guest, and reading shows what drives the pin.
 * 3. Pins that do not exist are refused.
 * 4. The VCD file has the right period, as vcd2fst and sigrok-cli read it, and its time goes on
 * over a power cycle.
 * 5. A VCD file that cannot be written, or not in full, is an error with a sentence.
 */
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIN_OUT = 17, PIN_IN = 22 };
static const enum tb_clock clocks[] = {TB_CLOCK_VIRTUAL, TB_CLOCK_REAL};
static struct tb_machine *machine;

START_TEST(a_blinking_pin_has_a_history)
{
    static struct tb_pin_change changes[64];
    struct tb_pin_info info;
    machine = sim_start(TB_CLOCK_VIRTUAL, "blink");
    ck_assert_int_eq(tb_run_until(machine, 100 * MS + MS / 2), TB_DEADLINE);
    ck_assert_uint_eq(tb_pin_history(machine, PIN_OUT, changes, 64), 64);
    for (unsigned i = 0; i < 64; i++) {
        uint64_t due = (37 + i) * MS;
        ck_assert_uint_eq(changes[i].pin, PIN_OUT);
        ck_assert_msg(changes[i].time >= due && changes[i].time < due + MS / 50,
                      "change %u at %llu ns", i, (unsigned long long)changes[i].time);
        ck_assert_uint_eq(changes[i].level, (37 + i) % 2);
    }
    ck_assert_uint_eq(tb_pin_history(machine, TB_PINS, changes, 2), 2);
    ck_assert_int_eq(tb_pin_info(machine, PIN_OUT, &info), 0);
    ck_assert_uint_eq(info.function, 1);
    ck_assert_uint_eq(info.changes, 100);
    ck_assert_msg(info.high_time > 49 * MS && info.high_time < 51 * MS, "high for %llu ns",
                  (unsigned long long)info.high_time);
    ck_assert_int_eq(tb_act_led(machine), 0);
    ck_assert_int_eq(tb_run_for(machine, 4 * MS), TB_DEADLINE);
    ck_assert_int_eq(tb_act_led(machine), 1);
}
END_TEST

START_TEST(an_edge_from_outside_reaches_the_guest)
{
    struct tb_pin_info info;
    machine = sim_start(clocks[_i], "button");
    ck_assert_int_eq(tb_pin_read(machine, PIN_IN), 0);
    ck_assert_int_eq(tb_pin_drive(machine, PIN_IN, TB_HIGH), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "button 1\n", 20 * SECOND), TB_MATCH);
    ck_assert_int_eq(tb_pin_read(machine, PIN_IN), 1);
    ck_assert_int_eq(tb_pin_info(machine, PIN_IN, &info), 0);
    ck_assert(info.driven);
    ck_assert_int_eq(tb_pin_drive(machine, PIN_IN, TB_HIGH), 0);
    ck_assert_int_eq(tb_pin_drive(machine, PIN_IN, TB_FLOATING), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "button 0\n", 20 * SECOND), TB_MATCH);
    ck_assert_int_eq(tb_pin_info(machine, PIN_IN, &info), 0);
    ck_assert(!info.driven);
    ck_assert_uint_eq(info.changes, 2);
}
END_TEST

START_TEST(pins_that_do_not_exist_are_refused)
{
    struct tb_pin_info info;
    machine = sim_open(TB_CLOCK_VIRTUAL, "idle");
    ck_assert_int_eq(tb_pin_drive(machine, TB_PINS, TB_HIGH), -EINVAL);
    ck_assert_int_eq(tb_pin_read(machine, 99), -EINVAL);
    ck_assert_int_eq(tb_pin_info(machine, 99, &info), -EINVAL);
    ck_assert_int_eq(tb_pin_drive(machine, 1, (enum tb_level)3), -EINVAL);
}
END_TEST

/* What `command`, with the file's name for %s, prints. */
static const char *output_of(const char *command, const char *file)
{
    static char text[65536];
    char line[512];
    snprintf(line, sizeof line, command, file);
    FILE *pipe = popen(line, "r");
    ck_assert_ptr_nonnull(pipe);
    text[fread(text, 1, sizeof text - 1, pipe)] = '\0';
    ck_assert_msg(pclose(pipe) == 0, "%s: %s", line, text);
    return text;
}

static bool have(const char *tool)
{
    return strlen(output_of("command -v %s || true", tool)) > 0;
}

/* Counts the changes of the wire with identifier `code`, and checks that they are 1 ms apart. */
static unsigned count_changes(FILE *file, char code)
{
    char line[128];
    unsigned count = 0;
    unsigned long now = 0, last = 0;
    bool header = true;
    while (fgets(line, sizeof line, file)) {
        if (strcmp(line, "$end\n") == 0)
            header = false;
        else if (line[0] == '#')
            now = strtoul(line + 1, NULL, 10);
        else if (!header && line[1] == code) {
            if (count++)
                ck_assert_msg(now - last >= 900 && now - last <= 1100, "%lu us", now - last);
            last = now;
        }
    }
    return count;
}

static const char *record(uint64_t ns)
{
    const char *path = sim_file(NULL, 0);
    machine = sim_start(TB_CLOCK_VIRTUAL, "blink");
    ck_assert_int_eq(tb_vcd(machine, path), 0);
    ck_assert_int_eq(tb_run_until(machine, ns), TB_DEADLINE);
    ck_assert_int_eq(tb_vcd(machine, NULL), 0);
    return path;
}

START_TEST(the_vcd_file_has_the_right_period)
{
    FILE *file = fopen(record(100 * MS + MS / 2), "r");
    ck_assert_ptr_nonnull(file);
    unsigned changes = count_changes(file, '!' + PIN_OUT);
    ck_assert_msg(changes >= 98 && changes <= 100, "%u changes", changes);
    fclose(file);
}
END_TEST

START_TEST(wave_viewers_read_the_vcd_file)
{
    const char *path = record(50 * MS);
    /* To a file of its own: vcd2fst unlinks its target first, be it a device. */
    if (have("vcd2fst"))
        (void)output_of("d=$(mktemp -d) && vcd2fst %s $d/a.fst 2>&1 && rm -r $d", path);
    if (have("sigrok-cli")) {
        const char *text =
            output_of("sigrok-cli -I vcd -i %s -C GPIO17 -P counter:data=GPIO17 2>&1", path);
        ck_assert_msg(strstr(text, "49") != NULL, "%s", text);
    }
}
END_TEST

START_TEST(vcd_time_goes_on_over_a_power_cycle)
{
    char line[128];
    const char *path = sim_file(NULL, 0);
    unsigned long last = 0;
    machine = sim_start(TB_CLOCK_VIRTUAL, "blink");
    ck_assert_int_eq(tb_vcd(machine, path), 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(tb_run_until(machine, 20 * MS), TB_DEADLINE);
        tb_power_cut(machine);
        ck_assert_int_eq(tb_power_on(machine), 0);
    }
    ck_assert_int_eq(tb_vcd(machine, NULL), 0);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        if (line[0] == '#') {
            unsigned long time = strtoul(line + 1, NULL, 10);
            ck_assert_msg(time > last || time == 0, "%lu after %lu", time, last);
            last = time;
        }
    ck_assert_msg(last >= 60000 && last < 60100, "the file ends at %lu us", last);
}
END_TEST

START_TEST(a_vcd_file_that_cannot_be_written_is_an_error)
{
    machine = sim_start(TB_CLOCK_VIRTUAL, "blink");
    ck_assert_int_eq(tb_vcd(machine, "/no/such/folder/x.vcd"), -ENOENT);
    ck_assert_ptr_nonnull(strstr(tb_error(machine), "/no/such/folder/x.vcd"));
    ck_assert_int_eq(tb_vcd(machine, "/dev/full"), 0);
    ck_assert_int_eq(tb_run_for(machine, 50 * MS), TB_DEADLINE);
    ck_assert_int_eq(tb_vcd(machine, NULL), -ENOSPC);
    ck_assert_ptr_nonnull(strstr(tb_error(machine), "full"));
    ck_assert_int_eq(tb_vcd(machine, NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pins");
    TCase *cases = tcase_create("pins");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_blinking_pin_has_a_history);
    tcase_add_loop_test(cases, an_edge_from_outside_reaches_the_guest, 0, 2);
    tcase_add_test(cases, pins_that_do_not_exist_are_refused);
    tcase_add_test(cases, the_vcd_file_has_the_right_period);
    tcase_add_test(cases, wave_viewers_read_the_vcd_file);
    tcase_add_test(cases, vcd_time_goes_on_over_a_power_cycle);
    tcase_add_test(cases, a_vcd_file_that_cannot_be_written_is_an_error);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
