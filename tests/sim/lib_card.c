/* SPDX-License-Identifier: MIT */
/*
 * lib_card.c: the card slot.
 *
 * 1. The guest reads what the file holds.
 * 2. Exactly the requests that were asked to fail do.
 * 3. An empty slot, a card taken out, and a file that has become shorter are errors for the guest,
 *    and a card that is put in works.
 * 4. A card that cannot be attached leaves the old one in.
 * 5. The statistics count.
 */
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECTORS = 64 };
static const enum tb_clock clocks[] = {TB_CLOCK_VIRTUAL, TB_CLOCK_REAL};
static struct tb_machine *machine;
static uint8_t content[SECTORS * 512];

static const char *make_card(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
    return sim_file(content, sizeof content);
}

static void open_with(enum tb_clock clock, const char *card)
{
    struct tb_config config = {
        .size = sizeof config, .command_line = "card", .clock = clock, .card = card};
    ck_assert_msg(tb_open(&config, &machine) == 0, "open: %s", tb_error(NULL));
}

static struct tb_machine *start_with(enum tb_clock clock, const char *card)
{
    open_with(clock, card);
    ck_assert_int_eq(tb_power_on(machine), 0);
    return machine;
}

static void expect_sum(unsigned sector)
{
    char line[40];
    uint64_t sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum = sum * 31 + content[sector * 512 + i];
    snprintf(line, sizeof line, "sum %llu\n", (unsigned long long)sum);
    ck_assert_msg(tb_uart_expect(machine, line, 10 * SECOND) == TB_MATCH, "sector %u: %.1000s",
                  sector, sim_output(machine));
}

static void expect_error(int error)
{
    char line[40];
    snprintf(line, sizeof line, "error %d\n", error);
    ck_assert_msg(tb_uart_expect(machine, line, 10 * SECOND) == TB_MATCH, "no %s: %.1000s", line,
                  sim_output(machine));
}

START_TEST(the_guest_reads_what_the_file_holds)
{
    struct tb_card_stats stats;
    start_with(clocks[_i], make_card());
    for (unsigned i = 0; i < SECTORS; i++)
        expect_sum(i);
    expect_error(EINVAL); /* behind the end */
    ck_assert_int_eq(tb_card_stats(machine, &stats), 0);
    ck_assert_uint_eq(stats.requests, SECTORS);
    ck_assert_uint_eq(stats.sectors_read, SECTORS);
    ck_assert_uint_eq(stats.sectors_written, 0);
}
END_TEST

START_TEST(the_requests_asked_for_fail)
{
    /* Before the power is on: with the real clock the guest then begins at once. */
    open_with(clocks[_i], make_card());
    ck_assert_int_eq(tb_card_fault(machine, 3, 2), 0);
    ck_assert_int_eq(tb_power_on(machine), 0);
    for (unsigned i = 0; i < 3; i++)
        expect_sum(i);
    expect_error(EIO);
    expect_error(EIO);
    expect_sum(5);
    ck_assert_ptr_null(strstr(sim_output(machine), "error 5\nerror 5\nerror"));
    ck_assert_int_eq(tb_card_fault(machine, 0, 100), 0);
    expect_error(EIO);
    ck_assert_int_eq(tb_card_fault(machine, 0, 0), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "sum", 20 * SECOND), TB_MATCH);
}
END_TEST

START_TEST(cards_come_and_go)
{
    start_with(clocks[_i], NULL);
    expect_error(ENOMEDIUM);
    ck_assert_int_eq(tb_card_attach(machine, make_card(), true), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "sum", 20 * SECOND), TB_MATCH);
    ck_assert_int_eq(tb_card_attach(machine, NULL, false), 0);
    expect_error(ENOMEDIUM);
}
END_TEST

START_TEST(a_file_that_shrinks_is_an_error)
{
    const char *card = make_card();
    start_with(clocks[_i], card);
    expect_sum(0);
    ck_assert_int_eq(truncate(card, 512), 0);
    expect_error(EIO);
}
END_TEST

START_TEST(a_bad_card_leaves_the_old_one_in)
{
    start_with(TB_CLOCK_VIRTUAL, make_card());
    expect_sum(0);
    ck_assert_int_eq(tb_card_attach(machine, "/no/such/card", false), -ENOENT);
    ck_assert_ptr_nonnull(strstr(tb_error(machine), "/no/such/card"));
    expect_sum(1);
}
END_TEST

START_TEST(a_tail_shorter_than_a_sector_is_ignored)
{
    (void)make_card();
    start_with(TB_CLOCK_VIRTUAL, sim_file(content, 2 * 512 + 100));
    expect_sum(0);
    expect_sum(1);
    expect_error(EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("card");
    TCase *cases = tcase_create("card");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, the_guest_reads_what_the_file_holds, 0, 2);
    tcase_add_loop_test(cases, the_requests_asked_for_fail, 0, 2);
    tcase_add_loop_test(cases, cards_come_and_go, 0, 2);
    tcase_add_loop_test(cases, a_file_that_shrinks_is_an_error, 0, 2);
    tcase_add_test(cases, a_bad_card_leaves_the_old_one_in);
    tcase_add_test(cases, a_tail_shorter_than_a_sector_is_ignored);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
