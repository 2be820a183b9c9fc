/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. From power-on to the prompt, and the standard commands answer from the real card.
 *  2. `poweroff N` ends the run with status N; `reboot` comes back to the prompt; `panic` is a
 * state.
 *  3. No card: the OS comes up, says so at the prompt, and file commands name the reason.
 *  4. 4 KiB of noise on the serial line does no harm.
 *  5. The smallest memory boots.
 */
#include "os.h"

#include <stdlib.h>
#include <string.h>

static struct tb_machine *machine;

static void close_machine(void)
{
    tb_close(machine);
    machine = NULL;
}

static void boot(const struct tb_config *config)
{
    machine = os_boot(config);
}

static void boot_standard(void)
{
    struct tb_config config = os_config();

    boot(&config);
}

static void assert_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

START_TEST(echo_prints_its_arguments)
{
    boot_standard();
    ck_assert_str_eq(os_command(machine, "echo one  'two  three'"), "one two  three\r\n");
}
END_TEST

START_TEST(ls_shows_the_card)
{
    boot_standard();
    assert_has(os_command(machine, "ls"), "README.TXT");
    assert_has(os_command(machine, "cat /README.TXT"), "Tayberry");
}
END_TEST

START_TEST(unknown_commands_are_named)
{
    boot_standard();
    ck_assert_str_eq(os_command(machine, "frobnicate now"), "unknown command: frobnicate\r\n");
}
END_TEST

START_TEST(poweroff_hands_its_status_out)
{
    boot_standard();
    ck_assert_int_gt(tb_uart_write(machine, "poweroff 7\r", 11), 0);
    ck_assert_int_eq(tb_run_for(machine, 10 * OS_SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_state(machine), TB_POWERED_OFF);
    ck_assert_int_eq(tb_exit_status(machine), 7);
}
END_TEST

START_TEST(reboot_comes_back_to_the_prompt)
{
    boot_standard();
    ck_assert_int_gt(tb_uart_write(machine, "reboot\r", 7), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "reboot", 10 * OS_SECOND), TB_MATCH);
    os_wait_prompt(machine);
    ck_assert_str_eq(os_command(machine, "echo again"), "again\r\n");
}
END_TEST

START_TEST(panic_is_a_state_and_a_screen)
{
    boot_standard();
    ck_assert_int_gt(tb_uart_write(machine, "panic for a test\r", 17), 0);
    ck_assert_int_eq(tb_run_for(machine, 10 * OS_SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_state(machine), TB_PANICKED);
    assert_has(os_output(machine), "---------- PANIC ----------");
}
END_TEST

START_TEST(debug_on_the_command_line_opens_its_shell_on_a_panic)
{
    struct tb_config config = os_config();

    config.command_line = "debug";
    boot(&config);
    ck_assert_int_gt(tb_uart_write(machine, "panic for a test\r", 17), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "debug> ", 10 * OS_SECOND), TB_MATCH);
    ck_assert_int_gt(tb_uart_write(machine, "threads\r", 8), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "debug> ", 10 * OS_SECOND), TB_MATCH);
    assert_has(os_output(machine), "idle");
}
END_TEST

START_TEST(brk_opens_the_debug_shell_and_continue_goes_on)
{
    boot_standard();
    ck_assert_int_gt(tb_uart_write(machine, "brk\r", 4), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "debug> ", 10 * OS_SECOND), TB_MATCH);
    ck_assert_int_gt(tb_uart_write(machine, "continue\r", 9), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "\n/ > ", 10 * OS_SECOND), TB_MATCH);
    ck_assert_str_eq(os_command(machine, "echo alive"), "alive\r\n");
}
END_TEST

START_TEST(without_a_card_the_prompt_comes_and_says_so)
{
    struct tb_config config = os_config();
    int error;

    config.card = NULL;
    error = tb_open(&config, &machine);
    ck_assert_int_eq(error, 0);
    ck_assert_int_eq(tb_power_on(machine), 0);
    os_wait_prompt(machine);
    assert_has(os_output(machine), "card");
    assert_has(os_command(machine, "ls"), "card");
    ck_assert_str_eq(os_command(machine, "echo up"), "up\r\n");
}
END_TEST

START_TEST(noise_on_the_line_does_no_harm)
{
    uint64_t state = (uint64_t)_i + 1;
    uint8_t noise[4096];

    for (size_t i = 0; i < sizeof noise; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        noise[i] = (uint8_t)(state >> 56);
    }
    boot_standard();
    ck_assert_int_eq(tb_uart_write(machine, noise, sizeof noise), (int)sizeof noise);
    (void)tb_run_for(machine, (os_real_clock() ? 2 : 20) * OS_SECOND);
    /* Ctrl-C and Ctrl-U: whatever the noise began is over, and the line is empty. */
    ck_assert_int_eq(tb_uart_write(machine, "\003\003\025\r", 4), 4);
    (void)tb_run_for(machine, (os_real_clock() ? 1 : 5) * OS_SECOND);
    ck_assert_int_eq(tb_uart_write(machine, "echo sur''vived\r", 16), 16);
    ck_assert_int_eq(tb_uart_expect(machine, "\nsurvived\r\n", 60 * OS_SECOND), TB_MATCH);
}
END_TEST

START_TEST(two_mebibytes_are_enough)
{
    struct tb_config config = os_config();

    config.memory = 2 << 20;
    boot(&config);
    assert_has(os_command(machine, "ls"), "README.TXT");
}
END_TEST

START_TEST(less_than_two_mebibytes_are_refused_with_a_sentence)
{
    struct tb_config config = os_config();

    config.memory = 1 << 20;
    ck_assert_int_lt(tb_open(&config, &machine), 0);
    assert_has(tb_error(NULL), "2 MiB");
    ck_assert_ptr_null(machine);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("boot");
    TCase *shell = tcase_create("shell"), *bad = tcase_create("bad");

    tcase_add_checked_fixture(shell, NULL, close_machine);
    tcase_add_test(shell, echo_prints_its_arguments);
    tcase_add_test(shell, ls_shows_the_card);
    tcase_add_test(shell, unknown_commands_are_named);
    tcase_add_test(shell, poweroff_hands_its_status_out);
    tcase_add_test(shell, reboot_comes_back_to_the_prompt);
    tcase_add_test(shell, panic_is_a_state_and_a_screen);
    tcase_add_test(shell, debug_on_the_command_line_opens_its_shell_on_a_panic);
    tcase_add_test(shell, brk_opens_the_debug_shell_and_continue_goes_on);
    suite_add_tcase(all, shell);
    tcase_add_checked_fixture(bad, NULL, close_machine);
    tcase_add_test(bad, without_a_card_the_prompt_comes_and_says_so);
    tcase_add_loop_test(bad, noise_on_the_line_does_no_harm, 0, (int)os_size("TAYBERRY_RUNS", 8));
    tcase_add_test(bad, two_mebibytes_are_enough);
    tcase_add_test(bad, less_than_two_mebibytes_are_refused_with_a_sentence);
    suite_add_tcase(all, bad);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
