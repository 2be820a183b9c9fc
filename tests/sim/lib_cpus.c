/* SPDX-License-Identifier: MIT */
/*
 * lib_cpus.c: machines with several CPUs.
 *
 * 1. Contexts are interrupted anywhere and go on on any CPU, with their floating-point registers.
 * 2. The power is cut at any moment while all CPUs are busy, hundreds of times; nothing piles up.
 * 3. A stop, a panic or a reboot on one CPU ends the guest on all.
 * 4. A CPU that was not started has no thread.
 * 5. TB_STUCK comes when all CPUs idle and no CPU's timer is armed, not before.
 * 6. All CPUs pause, are interrupted, and cut, also when none calls the HAL any more.
 * 7. Idle time is skipped to the earliest timer of any CPU.
 * 8. Virtual clock: one seed, one trace, however often and in whatever pieces; other seeds, others.
 *    Events carry the CPU. A snapshot holds all CPUs.
 * 9. Virtual clock: four CPUs do four times the work of one in the same time.
 */
#include "sim.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIVES = 300, REPEATS = 100, SLOWNESS = 10 /* of ThreadSanitizer */ };
static const enum tb_clock clocks[] = {TB_CLOCK_VIRTUAL, TB_CLOCK_REAL};
static struct tb_machine *machine;

/* How often something is done that is done `times` times. */
static unsigned repeats(unsigned times)
{
    return under_tsan() ? times / SLOWNESS : times;
}

static void open_cpus(enum tb_clock clock, const char *behaviour, unsigned cpus, uint64_t seed)
{
    struct tb_config config = {.size = sizeof config,
                               .command_line = behaviour,
                               .clock = clock,
                               .cpus = cpus,
                               .seed = seed};
    ck_assert_msg(tb_open(&config, &machine) == 0, "open: %s", tb_error(NULL));
}

static void start_cpus(enum tb_clock clock, const char *behaviour)
{
    open_cpus(clock, behaviour, 4, 1);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_msg(tb_uart_expect(machine, "ready\n", 20 * SECOND) == TB_MATCH, "%s: %s", behaviour,
                  sim_output(machine));
    (void)sim_output(machine);
}

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

START_TEST(contexts_move_between_cpus)
{
    open_cpus(clocks[_i / 3], "crowd", 2 + (unsigned)_i % 3, 1);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(tb_uart_expect(machine, ".", 20 * SECOND), TB_MATCH);
    ck_assert_int_eq(tb_state(machine), TB_RUNNING);
}
END_TEST

START_TEST(the_power_is_cut_at_any_moment)
{
    unsigned files = 0, tasks = 0;
    srand((unsigned)_i);
    open_cpus(clocks[_i], "crowd", 4, 1);
    for (unsigned life = 0; life < repeats(LIVES); life++) {
        ck_assert_int_eq(tb_power_on(machine), 0);
        if (clocks[_i] == TB_CLOCK_VIRTUAL)
            ck_assert_int_eq(tb_run_for(machine, (uint64_t)rand() % (3 * MS)), TB_DEADLINE);
        else
            usleep((unsigned)rand() % 3000);
        tb_power_cut(machine);
        ck_assert_int_eq(tb_state(machine), TB_OFF);
        if (life == 10) {
            files = count_entries("/proc/self/fd");
            tasks = count_entries("/proc/self/task");
        }
    }
    ck_assert_uint_eq(count_entries("/proc/self/fd"), files);
    ck_assert_uint_eq(count_entries("/proc/self/task"), tasks);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
}
END_TEST

START_TEST(one_cpu_stops_them_all)
{
    bool panics = _i / 2;
    unsigned tasks = 0;
    open_cpus(clocks[_i % 2], panics ? "crowd-panic" : "crowd-off", 4, 1);
    for (unsigned life = 0; life < 20; life++) {
        ck_assert_int_eq(tb_power_on(machine), 0);
        ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STOPPED);
        ck_assert_int_eq(tb_state(machine), panics ? TB_PANICKED : TB_POWERED_OFF);
        ck_assert_int_eq(tb_exit_status(machine), panics ? 0 : 42);
        uint64_t time = tb_time(machine);
        (void)sim_output(machine);
        if (clocks[_i % 2] == TB_CLOCK_REAL)
            usleep(2000);
        ck_assert_uint_eq(tb_time(machine), time);
        ck_assert_str_eq(sim_output(machine), "");
        tb_power_cut(machine);
        tasks = life ? tasks : count_entries("/proc/self/task");
        ck_assert_uint_eq(count_entries("/proc/self/task"), tasks);
    }
}
END_TEST

START_TEST(one_cpu_reboots_them_all)
{
    open_cpus(clocks[_i], "crowd-reboot", 4, 1);
    ck_assert_int_eq(tb_power_on(machine), 0);
    for (unsigned life = 0; life < 30; life++)
        ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
    for (unsigned life = 0; life < 50; life++) {
        tb_power_cut(machine);
        ck_assert_int_eq(tb_power_on(machine), 0);
        ck_assert_int_eq(tb_run_for(machine, (uint64_t)rand() % (20 * MS)), TB_DEADLINE);
    }
}
END_TEST

START_TEST(a_cpu_that_was_not_started_has_no_thread)
{
    open_cpus(TB_CLOCK_REAL, "idle", 4, 1);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
    unsigned tasks = count_entries("/proc/self/task");
    tb_power_cut(machine);
    ck_assert_uint_eq(tasks, count_entries("/proc/self/task") + 1);
}
END_TEST

START_TEST(stuck_means_all_cpus)
{
    start_cpus(clocks[_i], "rest");
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
    ck_assert_int_eq(tb_run_for(machine, 5 * MS), TB_DEADLINE);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
}
END_TEST

START_TEST(a_timer_of_another_cpu_is_not_stuck)
{
    start_cpus(clocks[_i], "late");
    if (clocks[_i] == TB_CLOCK_REAL)
        ck_assert_int_eq(tb_set_speed(machine, 100), 0);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STUCK);
    ck_assert_str_eq(sim_output(machine), "late\n");
    ck_assert_uint_ge(tb_time(machine), 5 * SECOND);
}
END_TEST

START_TEST(idle_time_is_skipped_to_the_earliest_timer)
{
    start_cpus(TB_CLOCK_REAL, "late");
    uint64_t host = sim_host_ms();
    ck_assert_int_eq(tb_set_speed(machine, INFINITY), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "late\n", 20 * SECOND), TB_MATCH);
    ck_assert_uint_lt(sim_host_ms() - host, 4000);
}
END_TEST

static void *interrupt_soon(void *unused)
{
    usleep(20000);
    tb_interrupt(machine);
    return unused;
}

static const char *const busy[] = {"spin-all", "crowd"};

START_TEST(busy_cpus_are_interrupted_and_cut)
{
    pthread_t thread;
    const char *guest = clocks[_i / 2] == TB_CLOCK_VIRTUAL ? "crowd" : busy[_i % 2];
    start_cpus(clocks[_i / 2], guest);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
        ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_INTERRUPTED);
        pthread_join(thread, NULL);
    }
    tb_power_cut(machine);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
}
END_TEST

START_TEST(all_cpus_pause)
{
    start_cpus(TB_CLOCK_REAL, "crowd");
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(tb_set_speed(machine, 0), 0);
        usleep(20000);
        (void)sim_output(machine);
        uint64_t time = tb_time(machine);
        usleep(5000);
        ck_assert_uint_eq(tb_time(machine), time);
        ck_assert_str_eq(sim_output(machine), "");
        ck_assert_int_eq(tb_set_speed(machine, i % 2 ? 1 : 5), 0);
        ck_assert_int_eq(tb_uart_expect(machine, ".", 20 * SECOND), TB_MATCH);
    }
    ck_assert_int_eq(tb_set_speed(machine, 0), 0);
    tb_power_cut(machine);
}
END_TEST

/* ---- the virtual clock ---- */

static uint64_t trace_of_a_life(uint64_t piece)
{
    ck_assert_int_eq(tb_power_on(machine), 0);
    for (uint64_t at = piece; at < 2 * MS; at += piece)
        ck_assert_int_eq(tb_run_until(machine, at), TB_DEADLINE);
    ck_assert_int_eq(tb_run_until(machine, 2 * MS), TB_DEADLINE);
    uint64_t hash = tb_trace_hash(machine);
    tb_power_cut(machine);
    return hash;
}

START_TEST(the_same_seed_gives_the_same_trace)
{
    static const uint64_t pieces[] = {MS, 99991, 10007, 1009, 101};
    open_cpus(TB_CLOCK_VIRTUAL, "crowd", 2 + (unsigned)_i, 7);
    uint64_t first = trace_of_a_life(2 * MS);
    for (unsigned i = 0; i < repeats(REPEATS); i++)
        ck_assert_uint_eq(trace_of_a_life(2 * MS), first);
    for (unsigned i = 0; i < sizeof pieces / sizeof *pieces && !under_tsan(); i++)
        ck_assert_msg(trace_of_a_life(pieces[i]) == first, "pieces of %u ns", (unsigned)pieces[i]);
}
END_TEST

START_TEST(another_seed_gives_another_trace)
{
    uint64_t hashes[16];
    for (unsigned i = 0; i < 16; i++) {
        open_cpus(TB_CLOCK_VIRTUAL, "crowd", 4, i);
        hashes[i] = trace_of_a_life(2 * MS);
        tb_close(machine);
        for (unsigned k = 0; k < i; k++)
            ck_assert_uint_ne(hashes[i], hashes[k]);
    }
}
END_TEST

static void note_cpu(void *seen, const struct tb_event *event)
{
    *(unsigned *)seen |= 1u << event->cpu;
}

START_TEST(events_carry_the_cpu)
{
    unsigned seen = 0;
    open_cpus(clocks[_i], "crowd", 4, 1);
    tb_trace_set_sink(machine, note_cpu, &seen);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_uart_expect(machine, "ready\n", 20 * SECOND), TB_MATCH);
    tb_power_cut(machine);
    ck_assert_uint_eq(seen, 0xf);
}
END_TEST

START_TEST(a_snapshot_holds_all_cpus)
{
    struct tb_snapshot *snapshot;
    uint64_t trace = 0, state = 0;
    start_cpus(TB_CLOCK_VIRTUAL, "crowd");
    ck_assert_int_eq(tb_run_for(machine, 12345), TB_DEADLINE);
    ck_assert_int_eq(tb_snapshot(machine, &snapshot), 0);
    uint64_t at_start = sim_state_hash(machine);
    for (unsigned i = 0; i < repeats(REPEATS); i++) {
        ck_assert_int_eq(tb_run_for(machine, MS), TB_DEADLINE);
        if (i == 0) {
            trace = tb_trace_hash(machine);
            state = sim_state_hash(machine);
            ck_assert(under_tsan() || state != at_start);
        }
        ck_assert_uint_eq(tb_trace_hash(machine), trace);
        ck_assert_uint_eq(sim_state_hash(machine), state);
        if (i % 10 == 5) { /* also into a life that is over */
            tb_power_cut(machine);
            ck_assert_int_eq(tb_power_on(machine), 0);
            ck_assert_int_eq(tb_run_for(machine, i * 1000), TB_DEADLINE);
        }
        ck_assert_int_eq(tb_restore(machine, snapshot), 0);
        ck_assert_uint_eq(sim_state_hash(machine), at_start);
    }
    tb_snapshot_free(snapshot);
}
END_TEST

static double time_of_work(unsigned cpus, uint64_t seed)
{
    unsigned long long took = 0;
    open_cpus(TB_CLOCK_VIRTUAL, "work", cpus, seed);
    ck_assert_int_eq(tb_power_on(machine), 0);
    ck_assert_int_eq(tb_run_until(machine, UINT64_MAX), TB_STOPPED);
    ck_assert_int_eq(sscanf(sim_output(machine), "took %llu", &took), 1);
    tb_close(machine);
    return (double)took;
}

START_TEST(four_cpus_do_four_times_the_work)
{
    double alone = time_of_work(1, 1);
    for (unsigned seed = 1; seed <= 10; seed++)
        for (unsigned cpus = 2; cpus <= 4; cpus++) {
            double ratio = time_of_work(cpus, seed) / alone;
            ck_assert_msg(ratio > 0.95 && ratio < 1.1, "%u CPUs, seed %u: %f", cpus, seed, ratio);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cpus");
    TCase *cases = tcase_create("cpus");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, contexts_move_between_cpus, 0, 6);
    tcase_add_loop_test(cases, the_power_is_cut_at_any_moment, 0, 2);
    tcase_add_loop_test(cases, one_cpu_stops_them_all, 0, 4);
    tcase_add_loop_test(cases, one_cpu_reboots_them_all, 0, 2);
    tcase_add_test(cases, a_cpu_that_was_not_started_has_no_thread);
    tcase_add_loop_test(cases, stuck_means_all_cpus, 0, 2);
    tcase_add_loop_test(cases, a_timer_of_another_cpu_is_not_stuck, 0, 2);
    tcase_add_test(cases, idle_time_is_skipped_to_the_earliest_timer);
    tcase_add_loop_test(cases, busy_cpus_are_interrupted_and_cut, 0, 4);
    tcase_add_test(cases, all_cpus_pause);
    tcase_add_loop_test(cases, the_same_seed_gives_the_same_trace, 0, 3);
    tcase_add_test(cases, another_seed_gives_another_trace);
    tcase_add_loop_test(cases, events_carry_the_cpu, 0, 2);
    tcase_add_test(cases, a_snapshot_holds_all_cpus);
    tcase_add_test(cases, four_cpus_do_four_times_the_work);
    suite_add_tcase(suite, cases);
    return sim_run_suite(suite);
}
