/* SPDX-License-Identifier: MIT */
/*
 * run_stress.c: the program `stress` under many seeds.
 *
 * Criteria:
 *  1. Under each seed (TAYBERRY_RUNS of them, from TAYBERRY_FIRST on), all that the program does
 *     brings what it must.
 *  2. The same seed gives the same trace, also of a run that is made again.
 *  3. When it is over, the kernel's state is as it was before: threads, vnodes and who uses them,
 *     and memory, pages of programs too, by who has asked for it.
 *  4. With chance in the layout of memory (aslr=1), and with memory that is never both written to
 *     and executed (wxorx=1), the same.
 *  5. What goes on from a snapshot in the middle of it comes, step by step, to the same state.
 */
#include "../os/os.h"

#include <stdio.h>
#include <string.h>

#define ACTIONS "12"
#define STATE_MAX (1 << 16)
#define SETTLE (20 * OS_MS)

/* Boots with `seed`, runs the program, and returns the hash of all that has happened. */
static uint64_t run(uint64_t seed, const char *words)
{
    static char before[STATE_MAX], after[STATE_MAX];
    struct tb_config config = os_config();
    struct tb_machine *machine;
    char line[64];
    const char *said;
    uint64_t hash;

    config.seed = seed;
    config.command_line = words;
    machine = os_boot(&config);
    (void)os_command(machine, "run /bin/stress 1 1"); /* what the first run leaves in caches */
    (void)tb_run_for(machine, SETTLE);                /* until threads that have ended are gone */
    (void)tb_inspect_state(machine, before, sizeof before);
    snprintf(line, sizeof line, "run /bin/stress %llu " ACTIONS, (unsigned long long)seed);
    said = os_command(machine, line);
    ck_assert_msg(strstr(said, "stress: all good") != NULL, "seed %llu: %s",
                  (unsigned long long)seed, said);
    (void)tb_run_for(machine, SETTLE);
    (void)tb_inspect_state(machine, after, sizeof after);
    if (strcmp(before, after) != 0)
        fprintf(stderr, "before:\n%s\nafter:\n%s\n", before, after);
    ck_assert_msg(strcmp(before, after) == 0, "seed %llu: the kernel's state is another one",
                  (unsigned long long)seed);
    hash = tb_trace_hash(machine);
    tb_close(machine);
    return hash;
}

START_TEST(each_seed_brings_what_it_must_and_the_same_again)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 10), first = os_size("TAYBERRY_FIRST", 1);

    for (unsigned seed = first; seed < first + runs; seed++)
        ck_assert_msg(run(seed, "") == run(seed, ""), "seed %u: another trace", seed);
    ck_assert_uint_ne(run(1, ""), run(2, ""));
    printf("# %u seeds, each twice\n", runs);
}
END_TEST

START_TEST(chance_in_memory_changes_nothing_else)
{
    ck_assert_uint_eq(run(3, "aslr=1 wxorx=1"), run(3, "aslr=1 wxorx=1"));
    (void)run(4, "aslr=1");
}
END_TEST

#define STEPS 20
#define STEP (OS_MS / 4)

START_TEST(a_snapshot_in_the_middle_goes_on_like_the_original)
{
    struct tb_config config = os_config();
    struct tb_machine *machine = os_boot(&config);
    struct tb_snapshot *snapshot;
    uint64_t states[STEPS], traces[STEPS];
    const char *line = "run /bin/stress 7 " ACTIONS "\n";

    ck_assert_int_gt(tb_uart_write(machine, line, strlen(line)), 0);
    (void)tb_run_for(machine, 10 * STEP);
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    for (unsigned i = 0; i < STEPS; i++) {
        (void)tb_run_for(machine, STEP);
        states[i] = tb_state_hash(machine);
        traces[i] = tb_trace_hash(machine);
    }
    ck_assert_uint_ne(traces[0], traces[STEPS - 1]); /* it was not over */
    ck_assert_int_eq(tb_restore(machine, snapshot), 0);
    for (unsigned i = 0; i < STEPS; i++) {
        (void)tb_run_for(machine, STEP);
        ck_assert_msg(tb_trace_hash(machine) == traces[i], "step %u: another trace", i);
        ck_assert_msg(tb_state_hash(machine) == states[i], "step %u: another state", i);
    }
    tb_snapshot_free(snapshot);
    tb_close(machine);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("stress");
    TCase *seeds = tcase_create("seeds");

    tcase_set_timeout(seeds, 3600);
    tcase_add_test(seeds, each_seed_brings_what_it_must_and_the_same_again);
    tcase_add_test(seeds, chance_in_memory_changes_nothing_else);
    tcase_add_test(seeds, a_snapshot_in_the_middle_goes_on_like_the_original);
    suite_add_tcase(all, seeds);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
