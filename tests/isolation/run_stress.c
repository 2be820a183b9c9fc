/* SPDX-License-Identifier: MIT */
/*
 * run_stress.c: the program `stress` under many seeds.
 *
 * Criteria:
 *  1. Under each seed (TAYBERRY_RUNS of them), all that the program does brings what it must.
 *  2. The same seed gives the same trace, also of a run that is made again.
 *  3. When it is over, the kernel's state is as it was before.
 *  4. With chance in the layout of memory (aslr=1), and with memory that is never both written to
 *     and executed (wxorx=1), the same.
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

START_TEST(each_seed_brings_what_it_must)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 10);

    for (unsigned seed = 1; seed <= runs; seed++)
        (void)run(seed, "");
    printf("# %u seeds\n", runs);
}
END_TEST

START_TEST(the_same_seed_has_the_same_trace)
{
    unsigned runs = os_size("TAYBERRY_RUNS", 10) / 5 + 1;

    for (unsigned seed = 1; seed <= runs; seed++)
        ck_assert_uint_eq(run(seed, ""), run(seed, ""));
    ck_assert_uint_ne(run(1, ""), run(2, ""));
    printf("# %u seeds\n", runs);
}
END_TEST

START_TEST(chance_in_memory_changes_nothing_else)
{
    ck_assert_uint_eq(run(3, "aslr=1 wxorx=1"), run(3, "aslr=1 wxorx=1"));
    (void)run(4, "aslr=1");
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("stress");
    TCase *seeds = tcase_create("seeds");

    tcase_set_timeout(seeds, 3600);
    tcase_add_test(seeds, each_seed_brings_what_it_must);
    tcase_add_test(seeds, the_same_seed_has_the_same_trace);
    tcase_add_test(seeds, chance_in_memory_changes_nothing_else);
    suite_add_tcase(all, seeds);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
