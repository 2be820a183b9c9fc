/* SPDX-License-Identifier: MIT */
/*
 * Criteria (TAYBERRY_RUNS: how often, 1,000 by default):
 *  1. Power cycles to the prompt in one process, without a leak (the sanitizer builds look).
 *  2. Power cuts at random moments; it boots again each time. With both clocks.
 */
#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct tb_machine *open_machine(enum tb_clock clock)
{
    struct tb_config config = os_config();
    struct tb_machine *machine;

    config.clock = clock;
    ck_assert_msg(tb_open(&config, &machine) == 0, "%s", tb_error(NULL));
    return machine;
}

static void cycle(enum tb_clock clock)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 1000);
    struct tb_machine *machine = open_machine(clock);

    for (unsigned i = 0; i < runs; i++) {
        ck_assert_int_eq(tb_power_on(machine), 0);
        os_wait_prompt(machine);
        tb_power_cut(machine);
    }
    tb_close(machine);
    printf("# %u power cycles\n", runs);
}

START_TEST(power_cycles_with_the_virtual_clock)
{
    cycle(TB_CLOCK_VIRTUAL);
}
END_TEST

START_TEST(power_cycles_with_the_real_clock)
{
    cycle(TB_CLOCK_REAL);
}
END_TEST

/* Starts work of all kinds, so that the cut strikes in the middle of it. */
static void start_work(struct tb_machine *machine)
{
    static const char work[] = "spawn 3 2s\rblink GPIO17 1ms &\rls -l /\rcat /README.TXT\rls /\r";

    ck_assert_int_gt(tb_uart_write(machine, work, sizeof work - 1), 0);
}

static void run_for_a_moment(struct tb_machine *machine, enum tb_clock clock)
{
    if (clock == TB_CLOCK_REAL)
        usleep((unsigned)rand() % 4000);
    else
        (void)tb_run_for(machine, (uint64_t)rand() % (50 * OS_MS));
}

static void cut_at_random(enum tb_clock clock)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 1000);
    struct tb_machine *machine = open_machine(clock);

    srand(1);
    for (unsigned i = 0; i < runs; i++) {
        ck_assert_int_eq(tb_power_on(machine), 0);
        start_work(machine);
        run_for_a_moment(machine, clock);
        tb_power_cut(machine);
    }
    ck_assert_int_eq(tb_power_on(machine), 0);
    os_wait_prompt(machine);
    ck_assert_str_eq(os_command(machine, "echo up"), "up\r\n");
    tb_close(machine);
    printf("# %u power cuts\n", runs);
}

START_TEST(cuts_at_random_moments_of_virtual_time)
{
    cut_at_random(TB_CLOCK_VIRTUAL);
}
END_TEST

START_TEST(cuts_at_random_moments_of_real_time)
{
    cut_at_random(TB_CLOCK_REAL);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("power");
    TCase *power = tcase_create("power");

    tcase_set_timeout(power, 900);
    tcase_add_test(power, power_cycles_with_the_virtual_clock);
    tcase_add_test(power, power_cycles_with_the_real_clock);
    tcase_add_test(power, cuts_at_random_moments_of_virtual_time);
    tcase_add_test(power, cuts_at_random_moments_of_real_time);
    suite_add_tcase(all, power);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
