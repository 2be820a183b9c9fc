/* SPDX-License-Identifier: MIT */
/*
 * lib_power.c: switching on and cutting off, a thousand times in one process.
 *
 * 1. Every guest can be cut at any moment, with either clock, and the next one starts as the first.
 * 2. Nothing piles up: no descriptors, no mappings, no threads.
 * 3. The same seed gives the same trace in every life; another seed gives another.
 * 4. Memory that a guest has used is given back or used again.
 */
#include "sim.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIVES = 1000 };
static const enum tb_clock clocks[] = {TB_CLOCK_VIRTUAL, TB_CLOCK_REAL};
/* The first two stop calling the HAL after 30 us, the last never starts to: real clock only. */
static const char *const guests[] = {"spin", "masked", "poll", "blink", "count", "two"};
static struct tb_machine *machine;

static unsigned count_entries(const char *folder)
{
    unsigned count = 0;
    DIR *directory = opendir(folder);
    ck_assert_ptr_nonnull(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static unsigned count_mappings(void)
{
    unsigned count = 0;
    int c;
    FILE *file = fopen("/proc/self/maps", "r");
    while ((c = getc(file)) != EOF)
        count += c == '\n';
    fclose(file);
    return count;
}

START_TEST(a_guest_is_cut_at_any_moment)
{
    enum tb_clock clock = clocks[_i / 5 > 0];
    const char *guest = guests[_i < 5 ? _i : _i - 5];
    unsigned files = 0, maps = 0, tasks = 0;
    srand((unsigned)_i);
    machine = sim_open(clock, guest);
    for (unsigned life = 0; life < LIVES / 6; life++) {
        ck_assert_int_eq(tb_power_on(machine), 0);
        if (clock == TB_CLOCK_VIRTUAL)
            (void)tb_run_for(machine, (uint64_t)rand() % (_i < 2 ? 20000 : 3 * MS));
        else
            usleep((unsigned)rand() % 1000);
        tb_power_cut(machine);
        ck_assert_int_eq(tb_state(machine), TB_OFF);
        if (life == 10) {
            files = count_entries("/proc/self/fd");
            maps = count_mappings();
            tasks = count_entries("/proc/self/task");
        }
    }
    ck_assert_uint_eq(count_entries("/proc/self/fd"), files);
    if (!under_tsan()) /* which maps memory of its own for each stack, and keeps it */
        ck_assert_uint_le(count_mappings(), maps + 8);
    ck_assert_uint_eq(count_entries("/proc/self/task"), tasks);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
}
END_TEST

static uint64_t trace_of_a_life(void)
{
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_write(machine, "abc", 3), 3);
    ck_assert_int_eq(tb_run_for(machine, 10 * MS), TB_DEADLINE);
    uint64_t hash = tb_trace_hash(machine);
    tb_power_cut(machine);
    return hash;
}

START_TEST(the_same_seed_gives_the_same_trace)
{
    static const char *const interrupted[] = {"echo", "blink", "count"};
    struct tb_config config = {.size = sizeof config,
                               .clock = TB_CLOCK_VIRTUAL,
                               .seed = 5,
                               .command_line = interrupted[_i]};
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    uint64_t first = trace_of_a_life();
    for (unsigned life = 0; life < LIVES; life++)
        ck_assert_uint_eq(trace_of_a_life(), first);
    tb_close(machine);
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    ck_assert_uint_eq(trace_of_a_life(), first);
}
END_TEST

START_TEST(the_seed_decides_when_interrupts_strike)
{
    struct tb_config config = {
        .size = sizeof config, .clock = TB_CLOCK_VIRTUAL, .command_line = "card"};
    uint64_t hashes[8];
    for (unsigned i = 0; i < 8; i++) {
        static const uint8_t content[4096];
        config.seed = i;
        config.card = sim_file(content, sizeof content);
        ck_assert_int_eq(tb_open(&config, &machine), 0);
        hashes[i] = trace_of_a_life();
        tb_close(machine);
        for (unsigned k = 0; k < i; k++)
            ck_assert_uint_ne(hashes[i], hashes[k]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("power");
    TCase *cases = tcase_create("power");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, a_guest_is_cut_at_any_moment, 0, 11);
    tcase_add_loop_test(cases, the_same_seed_gives_the_same_trace, 0, 3);
    tcase_add_test(cases, the_seed_decides_when_interrupts_strike);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
