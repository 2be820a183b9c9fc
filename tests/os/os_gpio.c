/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. `blink GPIO17 T` is seen in the pin's history with a change every T, and in its measured
 * on-time.
 *  2. A level that is driven from outside is what `gpio PIN read` says; a pull decides when nothing
 * drives.
 *  3. A bare number is refused with both readings of it; the console's pins are refused.
 *  4. The VCD file of a blink has its name, its time scale and its period.
 *  5. `led on` lights the activity LED.
 */
#include "os.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tb_machine *machine;

static void setup(void)
{
    struct tb_config config = os_config();

    machine = os_boot(&config);
}

static void teardown(void)
{
    tb_close(machine);
    machine = NULL;
}

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

START_TEST(a_blink_is_seen_at_the_pin)
{
    struct tb_pin_change changes[64];
    struct tb_pin_info before, after;
    size_t n;

    ck_assert_int_gt(tb_uart_write(machine, "blink GPIO17 25ms &\r", 20), 0);
    os_wait_prompt(machine);
    (void)tb_run_for(machine, 100 * OS_MS);
    ck_assert_int_eq(tb_pin_info(machine, 17, &before), 0);
    (void)tb_run_for(machine, 500 * OS_MS);
    ck_assert_int_eq(tb_pin_info(machine, 17, &after), 0);
    ck_assert_int_eq(after.function, 1);
    ck_assert_double_eq_tol((double)(after.high_time - before.high_time) / 5e8, 0.5, 0.05);
    n = tb_pin_history(machine, 17, changes, 64);
    ck_assert_uint_ge(n, 22);
    for (size_t i = 1; i < n; i++) {
        ck_assert_uint_ne(changes[i].level, changes[i - 1].level);
        ck_assert_double_eq_tol((double)(changes[i].time - changes[i - 1].time) / 1e6, 25, 0.5);
    }
}
END_TEST

START_TEST(a_button_is_read)
{
    (void)os_command(machine, "gpio GPIO23 in");
    (void)os_command(machine, "gpio GPIO23 pull-up");
    assert_has(os_command(machine, "gpio GPIO23 read"), "1");
    ck_assert_int_eq(tb_pin_drive(machine, 23, TB_LOW), 0);
    assert_has(os_command(machine, "gpio GPIO23 read"), "0");
    ck_assert_int_eq(tb_pin_drive(machine, 23, TB_FLOATING), 0);
    (void)os_command(machine, "gpio GPIO23 pull-down");
    assert_has(os_command(machine, "gpio GPIO23 read"), "0");
}
END_TEST

START_TEST(pins_have_two_names_and_no_bare_number)
{
    const char *refusal = os_command(machine, "gpio 17 high");

    assert_has(refusal, "GPIO17");
    assert_has(refusal, "J8:17");
    (void)os_command(machine, "gpio J8:11 out");
    (void)os_command(machine, "gpio J8:11 high");
    ck_assert_int_eq(tb_pin_read(machine, 17), 1);
    assert_has(os_command(machine, "gpio GPIO14 out"), "console");
}
END_TEST

START_TEST(a_vcd_file_tells_the_period)
{
    char path[] = "/tmp/tayberry-vcd-XXXXXX", line[256], id[16] = "";
    unsigned long time = 0, last = 0, edges = 0;
    FILE *file;

    ck_assert_int_ge(mkstemp(path), 0);
    ck_assert_int_eq(tb_vcd(machine, path), 0);
    (void)os_command(machine, "blink GPIO17 10ms 20");
    ck_assert_int_eq(tb_vcd(machine, NULL), 0);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        char name[64], code[16];

        if (sscanf(line, "$var wire 1 %15s %63s", code, name) == 2 && strcmp(name, "GPIO17") == 0)
            strcpy(id, code);
        if (line[0] == '#')
            time = strtoul(line + 1, NULL, 10);
        if (line[0] == '1' && id[0] && strncmp(line + 1, id, strlen(id)) == 0 && time > 0) {
            if (edges++ > 0)
                ck_assert_uint_le(labs((long)(time - last) - 20000), 200);
            last = time;
        }
    }
    fclose(file);
    unlink(path);
    ck_assert_uint_ge(edges, 19);
}
END_TEST

START_TEST(the_activity_led_is_lit)
{
    (void)os_command(machine, "led on");
    ck_assert(tb_act_led(machine));
    (void)os_command(machine, "led off");
    ck_assert(!tb_act_led(machine));
}
END_TEST

int main(void)
{
    Suite *all = suite_create("gpio");
    TCase *pins = tcase_create("pins");

    tcase_add_checked_fixture(pins, setup, teardown);
    tcase_add_test(pins, a_blink_is_seen_at_the_pin);
    tcase_add_test(pins, a_button_is_read);
    tcase_add_test(pins, pins_have_two_names_and_no_bare_number);
    tcase_add_test(pins, a_vcd_file_tells_the_period);
    tcase_add_test(pins, the_activity_led_is_lit);
    suite_add_tcase(all, pins);
    return os_run_suite(all);
}
