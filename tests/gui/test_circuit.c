/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. An LED between a pin and ground shines for the share of the time that the pin was high;
 * between 3.3 V and a pin for the share that it was low; through resistors and closed buttons
 * alike.
 *  2. It is dark when it is the wrong way round, when its net floats, and when the pin is no
 * output.
 *  3. A button to ground drives its pins low while it is closed and lets go of them after; a
 * pull-up or pull-down resistor gives them a level meanwhile.
 *  4. Contacts bounce: an odd number of edges within 2 to 5 ms, ending as the finger is; the same
 * seed gives the same moments; "bounce": "0" gives one edge.
 *  5. Pins that the diagram does not give a level are never driven.
 *  6. A machine that was powered on again gets its levels again.
 *  7. A wire between two pins carries an output's level to an input.
 *  8. What was before the window opened counts: the last 60th of a second.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "diagram/circuit.h"
#include "fake_machine.h"
#include "gui_test.h"

#define MS UINT64_C(1000000)

static struct tb_machine machine;
static struct circuit circuit;

/* A board with a push button "b" (part 1), an LED "l" (2) and a resistor "r" (3), and these wires.
 */
static struct diagram *wire_up(const char *wires, const char *bounce)
{
    static const char format[] = "{\"parts\":["
                                 "{\"id\":\"pi\",\"type\":\"board-raspberry-pi-3b\"},"
                                 "{\"id\":\"b\",\"type\":\"wokwi-pushbutton\","
                                 "\"attrs\":{\"bounce\":\"%s\"}},"
                                 "{\"id\":\"l\",\"type\":\"wokwi-led\"},"
                                 "{\"id\":\"r\",\"type\":\"wokwi-resistor\"}],"
                                 "\"connections\":[%s]}";
    struct diagram *diagram = NULL;
    struct diagram_error error = {""};
    char text[2048];
    int n = snprintf(text, sizeof(text), format, bounce, wires);

    ck_assert_msg(diagram_parse("test", text, (size_t)n, &diagram, &error) == 0, "%s", error.text);
    fake_init(&machine);
    circuit_init(&circuit, diagram, 1, &machine);
    return diagram;
}

/* Lets 16 ms pass in which GPIO17 was high for `high`, and gives the light of the LED. */
static float shine(uint64_t high)
{
    machine.time += 16 * MS;
    fake_pulse(&machine, 17, high, false);
    circuit_sample(&circuit, &machine, false);
    return circuit.light[2];
}

static void run_contacts(uint64_t until)
{
    while (circuit_due(&circuit) <= until) {
        machine.time = circuit_due(&circuit);
        circuit_advance(&circuit, &machine, machine.time);
    }
    machine.time = until;
}

START_TEST(light_is_the_share_of_the_time_that_the_pin_is_high)
{
    struct diagram *diagram =
        wire_up("[\"pi:GPIO17\",\"r:1\"],[\"r:2\",\"l:A\"],[\"l:C\",\"pi:GND.1\"]", "1");

    ck_assert_float_eq_tol(shine(16 * MS), 1, 1e-4f);
    ck_assert_float_eq_tol(shine(4 * MS), 0.25f, 1e-4f);
    ck_assert_float_eq_tol(shine(0), 0, 1e-4f);
    ck_assert_uint_eq(machine.drive_count, 0);
    diagram_free(diagram);
}
END_TEST

START_TEST(an_led_at_the_supply_shines_while_the_pin_is_low)
{
    struct diagram *diagram = wire_up("[\"pi:3V3.1\",\"l:A\"],[\"l:C\",\"pi:J8:11\"]", "1");

    ck_assert_float_eq_tol(shine(4 * MS), 0.75f, 1e-4f);
    ck_assert_float_eq_tol(shine(16 * MS), 0, 1e-4f);
    diagram_free(diagram);
}
END_TEST

START_TEST(a_pin_that_does_not_change_is_told_by_its_level)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO17\",\"l:A\"],[\"l:C\",\"pi:GND.1\"]", "1");

    shine(8 * MS);
    machine.pins[17].level = true;
    machine.time += 16 * MS;
    circuit_sample(&circuit, &machine, false);
    ck_assert_float_eq(circuit.light[2], 1);
    diagram_free(diagram);
}
END_TEST

START_TEST(an_led_the_wrong_way_round_is_dark)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO17\",\"l:C\"],[\"l:A\",\"pi:GND.1\"]", "1");

    ck_assert_float_eq(shine(16 * MS), 0);
    ck_assert_float_eq(shine(8 * MS), 0);
    diagram_free(diagram);
}
END_TEST

START_TEST(an_led_at_an_input_or_at_nothing_is_dark)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO17\",\"l:A\"],[\"l:C\",\"pi:GND.1\"]", "1");

    machine.pins[17].level = true;
    machine.time += 16 * MS;
    circuit_sample(&circuit, &machine, false);
    ck_assert_float_eq(circuit.light[2], 0);
    diagram_free(diagram);
    diagram = wire_up("[\"pi:GPIO17\",\"l:A\"]", "1");
    ck_assert_float_eq(shine(16 * MS), 0);
    diagram_free(diagram);
}
END_TEST

START_TEST(an_led_behind_a_button_shines_while_it_is_pressed)
{
    struct diagram *diagram =
        wire_up("[\"pi:GPIO17\",\"b:1.l\"],[\"b:2.r\",\"l:A\"],[\"l:C\",\"pi:GND.1\"]", "0");

    ck_assert_float_eq(shine(16 * MS), 0);
    circuit_press(&circuit, 1, true, machine.time);
    circuit_advance(&circuit, &machine, machine.time);
    ck_assert_float_eq_tol(shine(16 * MS), 1, 1e-4f);
    circuit_press(&circuit, 1, false, machine.time);
    circuit_advance(&circuit, &machine, machine.time);
    ck_assert_float_eq(shine(16 * MS), 0);
    diagram_free(diagram);
}
END_TEST

START_TEST(a_button_drives_low_and_lets_go)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO23\",\"b:1.r\"],[\"b:2.l\",\"pi:GND.2\"]", "0");

    circuit_press(&circuit, 1, true, 5 * MS);
    circuit_advance(&circuit, &machine, 5 * MS);
    circuit_press(&circuit, 1, false, 90 * MS);
    circuit_advance(&circuit, &machine, 90 * MS);
    ck_assert_uint_eq(machine.drive_count, 2);
    ck_assert_uint_eq(machine.drives[0].pin, 23);
    ck_assert_int_eq(machine.drives[0].level, TB_LOW);
    ck_assert_uint_eq(machine.drives[1].pin, 23);
    ck_assert_int_eq(machine.drives[1].level, TB_FLOATING);
    diagram_free(diagram);
}
END_TEST

START_TEST(a_pull_up_holds_the_pin_until_the_button_wins)
{
    struct diagram *diagram = wire_up("[\"pi:3V3.1\",\"r:1\"],[\"r:2\",\"pi:GPIO23\"],"
                                      "[\"pi:GPIO23\",\"b:1.l\"],[\"b:2.l\",\"pi:GND.2\"]",
                                      "0");

    ck_assert_uint_eq(machine.drive_count, 1);
    ck_assert_int_eq(machine.drives[0].level, TB_HIGH);
    circuit_press(&circuit, 1, true, 0);
    circuit_advance(&circuit, &machine, 0);
    ck_assert_int_eq(machine.drives[1].level, TB_LOW);
    circuit_press(&circuit, 1, false, MS);
    circuit_advance(&circuit, &machine, MS);
    ck_assert_int_eq(machine.drives[2].level, TB_HIGH);
    diagram_free(diagram);
}
END_TEST

START_TEST(a_pull_down_holds_the_pin_until_the_button_wins)
{
    struct diagram *diagram = wire_up("[\"pi:GND.1\",\"r:1\"],[\"r:2\",\"pi:GPIO23\"],"
                                      "[\"pi:GPIO23\",\"b:1.l\"],[\"b:2.l\",\"pi:3V3.2\"]",
                                      "0");

    ck_assert_int_eq(machine.drives[0].level, TB_LOW);
    circuit_press(&circuit, 1, true, 0);
    circuit_advance(&circuit, &machine, 0);
    ck_assert_int_eq(machine.drives[1].level, TB_HIGH);
    diagram_free(diagram);
}
END_TEST

START_TEST(contacts_bounce_for_2_to_5_ms_and_then_rest)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO23\",\"b:1.l\"],[\"b:2.l\",\"pi:GND.2\"]", "1");

    for (unsigned press = 1; press <= 50; press++) {
        uint64_t start = press * 1000 * MS;
        size_t first = machine.drive_count = 0;
        bool held = press % 2;
        uint64_t length;

        machine.time = start;
        circuit_press(&circuit, 1, held, start);
        run_contacts(start + 20 * MS);
        ck_assert_uint_eq(machine.drive_count % 2, 1);
        ck_assert_uint_ge(machine.drive_count, 3);
        ck_assert_uint_eq(machine.drives[first].time, start);
        length = machine.drives[machine.drive_count - 1].time - start;
        ck_assert_uint_ge(length, 19 * MS / 10);
        ck_assert_uint_le(length, 5 * MS);
        ck_assert_int_eq(machine.drives[machine.drive_count - 1].level,
                         held ? TB_LOW : TB_FLOATING);
        ck_assert_uint_eq(circuit_due(&circuit), UINT64_MAX);
    }
    diagram_free(diagram);
}
END_TEST

START_TEST(a_press_during_a_bounce_still_ends_as_the_finger_is)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO23\",\"b:1.l\"],[\"b:2.l\",\"pi:GND.2\"]", "1");

    for (unsigned i = 1; i < 200; i++) {
        circuit_press(&circuit, 1, i % 2, machine.time);
        run_contacts(machine.time + (i * 37 % 60) * MS / 10);
    }
    run_contacts(machine.time + 10 * MS);
    ck_assert(circuit.held[1] && circuit.closed[1]);
    circuit_press(&circuit, 1, false, machine.time);
    run_contacts(machine.time + 10 * MS);
    ck_assert(!circuit.closed[1]);
    diagram_free(diagram);
}
END_TEST

START_TEST(the_same_seed_bounces_the_same)
{
    static struct fake_drive drives[3][FAKE_DRIVES];
    size_t count[3];
    bool same;

    for (unsigned run = 0; run < 3; run++) {
        struct diagram *diagram =
            wire_up("[\"pi:GPIO23\",\"b:1.l\"],[\"b:2.l\",\"pi:GND.2\"]", "1");

        circuit_init(&circuit, diagram, run == 2 ? 8 : 7, &machine);
        for (unsigned i = 1; i <= 10; i++) {
            circuit_press(&circuit, 1, i % 2, machine.time);
            run_contacts(machine.time + 50 * MS);
        }
        memcpy(drives[run], machine.drives, sizeof(drives[run]));
        count[run] = machine.drive_count;
        diagram_free(diagram);
    }
    ck_assert_uint_eq(count[0], count[1]);
    for (size_t i = 0; i < count[0]; i++)
        ck_assert_uint_eq(drives[0][i].time, drives[1][i].time);
    same = count[0] == count[2];
    for (size_t i = 0; same && i < count[0]; i++)
        same = drives[0][i].time == drives[2][i].time;
    ck_assert(!same);
}
END_TEST

START_TEST(a_restarted_machine_gets_its_levels_again)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO23\",\"b:1.l\"],[\"b:2.l\",\"pi:GND.2\"]", "0");

    machine.time = 1000 * MS;
    circuit_sample(&circuit, &machine, false);
    circuit_press(&circuit, 1, true, machine.time);
    circuit_advance(&circuit, &machine, machine.time);
    fake_init(&machine);
    circuit_sample(&circuit, &machine, false);
    ck_assert_uint_eq(machine.drive_count, 1);
    ck_assert_int_eq(machine.drives[0].level, TB_LOW);
    diagram_free(diagram);
}
END_TEST

START_TEST(a_wire_between_pins_carries_the_level)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO17\",\"pi:GPIO27\"]", "0");

    fake_pulse(&machine, 17, 0, true);
    machine.time += MS;
    circuit_sample(&circuit, &machine, false);
    ck_assert_uint_eq(machine.drive_count, 1);
    ck_assert_uint_eq(machine.drives[0].pin, 27);
    ck_assert_int_eq(machine.drives[0].level, TB_HIGH);
    diagram_free(diagram);
}
END_TEST

START_TEST(the_time_before_the_window_counts)
{
    struct diagram *diagram = wire_up("[\"pi:GPIO17\",\"l:A\"],[\"l:C\",\"pi:GND.1\"]", "1");

    /* High for all of a second, then low for the last 12.5 ms: a quarter of a 60th. */
    machine.time = 1000 * MS;
    machine.pins[17] = (struct tb_pin_info){.function = 1, .changes = 1, .high_time = 900 * MS};
    machine.history[0] = (struct tb_pin_change){machine.time - 25 * MS / 2, 17, 0};
    machine.history_count = 1;
    circuit_init(&circuit, diagram, 1, &machine);
    ck_assert_float_eq_tol(circuit.light[2], 0.25f, 1e-3f);
    circuit_sample(&circuit, &machine, false);
    ck_assert_float_eq_tol(circuit.light[2], 0.25f, 1e-3f);
    circuit_sample(&circuit, &machine, true);
    ck_assert_float_eq(circuit.light[2], 0);
    diagram_free(diagram);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        light_is_the_share_of_the_time_that_the_pin_is_high,
        an_led_at_the_supply_shines_while_the_pin_is_low,
        a_pin_that_does_not_change_is_told_by_its_level,
        an_led_the_wrong_way_round_is_dark,
        an_led_at_an_input_or_at_nothing_is_dark,
        an_led_behind_a_button_shines_while_it_is_pressed,
        a_button_drives_low_and_lets_go,
        a_pull_up_holds_the_pin_until_the_button_wins,
        a_pull_down_holds_the_pin_until_the_button_wins,
        contacts_bounce_for_2_to_5_ms_and_then_rest,
        a_press_during_a_bounce_still_ends_as_the_finger_is,
        the_same_seed_bounces_the_same,
        a_restarted_machine_gets_its_levels_again,
        a_wire_between_pins_carries_the_level,
        the_time_before_the_window_counts,
    };

    return gui_test_run("circuit", tests, sizeof(tests) / sizeof(tests[0]), NULL, NULL);
}
