/* SPDX-License-Identifier: MIT */
/*
 * lib_serial.c: the library's end of the serial line.
 *
 * 1. All input arrives, each byte once, in order, however much of it there is at once.
 * 2. tb_uart_pending counts down to 0.
 * 3. tb_uart_expect finds a text that comes in pieces, finds each occurrence once, and takes
 * nothing from tb_uart_read; it ends at its deadline or when the guest stops.
 * 4. What nobody takes is kept up to the newest 1 MiB.
 * 5. The sink gets every byte in order, and before tb_uart_expect says that it was printed.
 * 6. A power cut drops input that the guest has not read.
 */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const enum tb_clock clocks[] = {TB_CLOCK_VIRTUAL, TB_CLOCK_REAL};
static struct tb_machine *machine;

/* `n` bytes of text without the echo guest's 'q', the last an exclamation mark. */
static char *make_text(size_t n)
{
    char *text = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('A' + (i * 7 + i / 26) % 26);
    text[n - 1] = '!';
    text[n] = '\0';
    return text;
}

START_TEST(all_input_arrives_in_order)
{
    enum { N = 20000 };
    char *text = make_text(N);
    machine = sim_start(clocks[_i], "echo");
    ck_assert_int_eq(tb_uart_write(machine, text, N / 2), N / 2);
    ck_assert_int_eq(tb_uart_write(machine, text + N / 2, N - N / 2), N - N / 2);
    ck_assert_int_eq(tb_uart_write(machine, NULL, 0), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "!", 30 * SECOND), TB_MATCH);
    ck_assert_uint_eq(tb_uart_pending(machine), 0);
    ck_assert_str_eq(sim_output(machine), text);
    free(text);
}
END_TEST

START_TEST(expect_finds_each_occurrence_once)
{
    machine = sim_start(clocks[_i], "echo");
    ck_assert_int_eq(tb_uart_write(machine, "one two one", 11), 11);
    ck_assert_int_eq(tb_uart_expect(machine, "one", 20 * SECOND), TB_MATCH);
    ck_assert_int_eq(tb_uart_expect(machine, "one", 20 * SECOND), TB_MATCH);
    ck_assert_int_eq(tb_uart_expect(machine, "one", 20 * MS), TB_DEADLINE);
    ck_assert_int_eq(tb_uart_expect(machine, "two", 20 * MS), TB_DEADLINE);
    ck_assert_str_eq(sim_output(machine), "one two one");
    ck_assert_int_eq(tb_uart_expect(machine, "", SECOND), -EINVAL);
}
END_TEST

START_TEST(expect_finds_text_across_pieces)
{
    machine = sim_start(clocks[_i], "echo");
    for (const char *at = "aaabaaac"; *at; at++) {
        ck_assert_int_eq(tb_uart_write(machine, at, 1), 1);
        ck_assert_int_eq(tb_run_for(machine, MS), TB_DEADLINE);
    }
    ck_assert_int_eq(tb_uart_expect(machine, "aaac", 20 * SECOND), TB_MATCH);
}
END_TEST

START_TEST(expect_ends_when_the_guest_stops)
{
    machine = sim_start(clocks[_i], "echo");
    ck_assert_int_eq(tb_uart_write(machine, "q", 1), 1);
    ck_assert_int_eq(tb_uart_expect(machine, "never", 20 * SECOND), TB_STOPPED);
    ck_assert_int_eq(tb_exit_status(machine), 42);
    tb_power_cut(machine);
    ck_assert_int_eq(tb_uart_expect(machine, "never", SECOND), -EINVAL);
}
END_TEST

START_TEST(the_newest_mebibyte_is_kept)
{
    enum { N = (1 << 20) + 5000 };
    char *text = make_text(N), *got = malloc(N);
    machine = sim_start(TB_CLOCK_REAL, "echo");
    ck_assert_int_eq(tb_uart_write(machine, text, N), N);
    ck_assert_int_eq(tb_uart_expect(machine, "!", 60 * SECOND), TB_MATCH);
    ck_assert_uint_eq(tb_uart_read(machine, got, N), 1 << 20);
    ck_assert_mem_eq(got, text + 5000, 1 << 20);
    ck_assert_uint_eq(tb_uart_read(machine, got, N), 0);
    free(text);
    free(got);
}
END_TEST

static char seen[20001];
static size_t seen_bytes;

static void remember(void *context, const uint8_t *bytes, size_t n)
{
    if (context == &seen_bytes && seen_bytes + n < sizeof seen)
        memcpy(seen + seen_bytes, bytes, n);
    seen_bytes += n;
}

START_TEST(the_sink_gets_every_byte)
{
    enum { N = 20000 };
    char *text = make_text(N);
    machine = sim_start(clocks[_i], "echo");
    tb_uart_set_sink(machine, remember, &seen_bytes);
    ck_assert_int_eq(tb_uart_write(machine, text, N), N);
    ck_assert_int_eq(tb_uart_expect(machine, "!", 30 * SECOND), TB_MATCH);
    tb_uart_set_sink(machine, NULL, NULL);
    ck_assert_uint_eq(seen_bytes, N);
    ck_assert_str_eq(seen, text);
    free(text);
    ck_assert_int_eq(tb_uart_write(machine, "x", 1), 1);
    ck_assert_int_eq(tb_uart_expect(machine, "x", 20 * SECOND), TB_MATCH);
    ck_assert_uint_eq(seen_bytes, N);
}
END_TEST

START_TEST(a_power_cut_drops_unread_input)
{
    machine = sim_start(clocks[_i], "idle");
    ck_assert_int_eq(tb_uart_write(machine, "stale", 5), 5);
    ck_assert_int_eq(tb_run_for(machine, MS), TB_DEADLINE);
    ck_assert_uint_eq(tb_uart_pending(machine), 5);
    tb_power_cut(machine);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_uint_eq(tb_uart_pending(machine), 0);
}
END_TEST

START_TEST(input_before_power_on_waits)
{
    machine = sim_open(clocks[_i], "echo");
    ck_assert_int_eq(tb_uart_write(machine, "early", 5), 5);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "early", 20 * SECOND), TB_MATCH);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("serial");
    TCase *cases = tcase_create("serial");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, all_input_arrives_in_order, 0, 2);
    tcase_add_loop_test(cases, expect_finds_each_occurrence_once, 0, 2);
    tcase_add_loop_test(cases, expect_finds_text_across_pieces, 0, 2);
    tcase_add_loop_test(cases, expect_ends_when_the_guest_stops, 0, 2);
    tcase_add_test(cases, the_newest_mebibyte_is_kept);
    tcase_add_loop_test(cases, the_sink_gets_every_byte, 0, 2);
    tcase_add_loop_test(cases, a_power_cut_drops_unread_input, 0, 2);
    tcase_add_loop_test(cases, input_before_power_on_waits, 0, 2);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
