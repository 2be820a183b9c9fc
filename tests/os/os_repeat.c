/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Same seed, same console bytes and same trace, however often (TAYBERRY_RUNS, 1,000 by
 * default).
 *  2. Another seed gives another trace and the same console, for commands that do not show time.
 *  3. The trace is the one that every other build gives: the hash is printed, and the runner
 * compares.
 *  4. A run that goes on from a snapshot is the run that went on without it.
 */
#include "os.h"

#include <stdio.h>
#include <string.h>

static const char *const script[] = {"ls -l /",      "cat /README.TXT",
                                     "spawn 3 40ms", "blink GPIO17 4ms &",
                                     "sleep 60ms",   "ps",
                                     "echo done",    NULL};

struct result {
    uint64_t trace;
    uint64_t console;
};

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static void add_to_hash(void *context, const uint8_t *bytes, size_t n)
{
    struct result *result = context;

    result->console = hash_bytes(result->console, bytes, n);
}

static struct result run_script(uint64_t seed)
{
    struct tb_config config = os_config();
    struct result result = {.console = UINT64_C(14695981039346656037)};
    struct tb_machine *machine;

    config.seed = seed;
    ck_assert_int_eq(tb_open(&config, &machine), 0);
    tb_uart_set_sink(machine, add_to_hash, &result);
    ck_assert_int_eq(tb_power_on(machine), 0);
    os_wait_prompt(machine);
    for (size_t i = 0; script[i]; i++)
        (void)os_command(machine, script[i]);
    result.trace = tb_trace_hash(machine);
    tb_close(machine);
    return result;
}

START_TEST(the_same_seed_gives_the_same_bytes_every_time)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 1000);
    struct result first = run_script(42);

    for (unsigned i = 1; i < runs; i++) {
        struct result again = run_script(42);

        ck_assert_msg(again.trace == first.trace, "run %u has another trace", i);
        ck_assert_msg(again.console == first.console, "run %u printed something else", i);
    }
    printf("# %u runs\n# trace %016llx console %016llx\n", runs, (unsigned long long)first.trace,
           (unsigned long long)first.console);
}
END_TEST

START_TEST(another_seed_gives_another_trace)
{
    struct result a = run_script(1), b = run_script(2);

    ck_assert_uint_ne(a.trace, b.trace);
}
END_TEST

START_TEST(a_snapshot_goes_on_like_the_original)
{
    struct tb_config config = os_config();
    struct tb_machine *machine = os_boot(&config);
    struct tb_snapshot *snapshot;
    uint64_t trace, state;

    (void)os_command(machine, "spawn 3 1s");
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    (void)os_command(machine, "ls /");
    trace = tb_trace_hash(machine);
    state = tb_state_hash(machine);
    ck_assert_int_eq(tb_restore(machine, snapshot), 0);
    ck_assert_uint_ne(tb_trace_hash(machine), trace);
    (void)os_command(machine, "ls /");
    ck_assert_uint_eq(tb_trace_hash(machine), trace);
    ck_assert(under_tsan() || tb_state_hash(machine) == state);
    tb_snapshot_free(snapshot);
    tb_close(machine);
}
END_TEST

START_TEST(a_seed_has_one_trace_in_every_build)
{
    struct result result = run_script((uint64_t)_i);

    ck_assert_uint_ne(result.trace, 0);
    printf("# seed %d trace %016llx console %016llx\n", _i, (unsigned long long)result.trace,
           (unsigned long long)result.console);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("repeat");
    TCase *seeds = tcase_create("seeds"), *print = tcase_create("print");

    tcase_set_timeout(seeds, 900);
    tcase_add_test(seeds, the_same_seed_gives_the_same_bytes_every_time);
    tcase_add_test(seeds, another_seed_gives_another_trace);
    tcase_add_test(seeds, a_snapshot_goes_on_like_the_original);
    suite_add_tcase(all, seeds);
    tcase_set_timeout(print, 120);
    tcase_add_loop_test(print, a_seed_has_one_trace_in_every_build, 1, 6);
    suite_add_tcase(all, print);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
