/* SPDX-License-Identifier: MIT */
/*
 * run_user.c: user code seen from outside the machine: its ends, its repeatability, its price.
 *
 *   run_user           the tests
 *   run_user --bench   what crossing between the kernel and user code costs, and what the host's
 *                      own crossings cost in the same run
 *
 * Criteria:
 *  1. User code that never traps does not hold the caller of tb_run_* for ever: with the virtual
 *     clock the kernel is told of a stall, and its refusal is a panic; with the real clock runs end
 *     at their deadlines.
 *  2. The power can be cut while user code runs, as often as one likes.
 *  3. The same seed gives the same output and trace, however often the run is interrupted.
 *  4. A snapshot taken while a program runs can be restored, and then all goes as before.
 *  5. Signals whose handlers are the library's user's are taken while a program runs: the handlers
 *     have their thread's variables and a stack, and nothing else notices.
 *  6. With `user_step` code that never traps is interrupted, and a run is one with its seed.
 *  7. With four CPUs as with one.
 */
#include "tayberry.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull

static unsigned number, failures;

static void report(bool good, const char *claim)
{
    printf("%s %u - %s\n", good ? "ok" : "not ok", ++number, claim);
    fflush(stdout);
    failures += !good;
}

static bool user_step;

static struct tb_machine *start(const char *mode, enum tb_clock clock, unsigned cpus)
{
    struct tb_config config = {.size = sizeof config,
                               .command_line = mode,
                               .clock = clock,
                               .cpus = cpus,
                               .seed = 5,
                               .stall_ms = 300,
                               .user_step = user_step};
    struct tb_machine *machine;
    if (tb_open(&config, &machine) < 0 || tb_power_on(machine) < 0) {
        printf("Bail out! %s\n", tb_error(NULL));
        exit(1);
    }
    return machine;
}

/* All that it has printed since the last time. */
static const char *printed(struct tb_machine *machine)
{
    static char text[8192];
    text[tb_uart_read(machine, text, sizeof text - 1)] = '\0';
    return text;
}

static void spin_virtual(unsigned cpus)
{
    struct tb_machine *machine = start("contract=user-spin", TB_CLOCK_VIRTUAL, cpus);
    report(tb_run_for(machine, 1000 * MS) == TB_STOPPED && tb_state(machine) == TB_PANICKED &&
               strstr(printed(machine), "fault kind 6 "),
           "virtual clock: user code that never traps is told of as a stall");
    tb_close(machine);
}

static void spin_real(unsigned cpus)
{
    struct tb_machine *machine = start("contract=user-spin", TB_CLOCK_REAL, cpus);
    bool good = true, cut = true;
    for (unsigned i = 0; i < 10; i++)
        good = good && tb_run_for(machine, 2 * MS) == TB_DEADLINE;
    report(good, "real clock: runs end at their deadlines though user code never traps");
    for (unsigned i = 0; i < 20; i++) {
        tb_power_cut(machine);
        cut = cut && tb_state(machine) == TB_OFF && tb_power_on(machine) == 0 &&
              tb_run_for(machine, i % 4 * MS / 2) == TB_DEADLINE;
    }
    report(cut, "real clock: the power is cut while user code runs, and comes back");
    tb_close(machine);
}

/* Runs the counting program in slices of `slice` ns; gives the hash of its trace. */
static uint64_t count(uint64_t slice, unsigned cpus, char *text, size_t size)
{
    struct tb_machine *machine = start("contract=user-count", TB_CLOCK_VIRTUAL, cpus);
    while (tb_run_for(machine, slice) == TB_DEADLINE)
        continue;
    snprintf(text, size, "%s", printed(machine));
    uint64_t hash = tb_trace_hash(machine);
    tb_close(machine);
    return hash;
}

static void repeats(unsigned cpus)
{
    static char first[8192], again[8192];
    uint64_t hash = count(1000 * MS, cpus, first, sizeof first);
    bool same = strstr(first, "count 1000 ") != NULL;
    for (uint64_t slice = 1000; slice < 100 * MS; slice *= 7)
        same = same && count(slice, cpus, again, sizeof again) == hash && !strcmp(first, again);
    report(same, "virtual clock: one seed gives one output and one trace");
}

static void snapshot(unsigned cpus)
{
    struct tb_machine *machine = start("contract=user-count", TB_CLOCK_VIRTUAL, cpus);
    struct tb_snapshot *taken = NULL;
    static char first[8192];
    bool same = tb_uart_expect(machine, "count 300 ", 1000 * MS) == TB_MATCH;
    (void)printed(machine);
    int error = tb_snapshot(machine, &taken);
    if (error < 0) {
        printf("# %s\n", tb_error(machine));
        report(error == -95, "a snapshot is refused where a tool forbids it");
        tb_close(machine);
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        same = same && tb_run_for(machine, 1000 * MS) == TB_STOPPED;
        const char *text = printed(machine);
        if (i == 0)
            snprintf(first, sizeof first, "%s", text);
        same = same && strstr(text, "count 1000 ") && !strcmp(first, text);
        same = same && tb_restore(machine, taken) == 0;
    }
    report(same, "a snapshot of a machine that runs a program can be restored");
    tb_snapshot_free(taken);
    tb_close(machine);
}

/* ---- signals of the library's user, whose handlers know nothing of a guest ---- */

static _Thread_local volatile unsigned alarms;
static struct tb_machine *to_interrupt;

static void on_alarm(int signal)
{
    char text[64]; /* on whatever stack */
    (void)signal;
    snprintf(text, sizeof text, "%u", ++alarms);
    if (to_interrupt)
        tb_interrupt(to_interrupt);
}

static void set_alarms(long us)
{
    const struct itimerval every = {{0, us}, {0, us}};
    (void)setitimer(ITIMER_REAL, &every, NULL);
}

static void signals(unsigned cpus)
{
    static char plain[8192], again[8192];
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    uint64_t hash = count(1000 * MS, cpus, plain, sizeof plain);
    bool same = true;
    alarms = 0;
    set_alarms(300);
    while (alarms < 200 && same)
        same = count(1000 * MS, cpus, again, sizeof again) == hash && !strcmp(plain, again);
    report(same, "virtual clock: handlers of the library's user strike, and change nothing");
    to_interrupt = start("contract=user-spin", TB_CLOCK_VIRTUAL, cpus);
    int reason = tb_run_for(to_interrupt, 1000 * MS);
    set_alarms(0);
    report(reason == TB_INTERRUPTED, "virtual clock: they can end a run of code that never traps");
    struct tb_machine *machine = to_interrupt;
    to_interrupt = NULL;
    tb_close(machine);
}

/* Code that never traps, one instruction at a time; and runs of it that are cut in other places. */
static void steps(unsigned cpus)
{
    static char first[8192], again[8192];
    bool good = true, same = true;
    uint64_t hash[2];
    user_step = true;
    for (unsigned i = 0; i < 2; i++) {
        struct tb_machine *machine = start("contract=user-spin", TB_CLOCK_VIRTUAL, cpus);
        for (unsigned n = 0; n < 10; n += i ? 2 : 1)
            good = good && tb_run_for(machine, i ? MS / 2 : MS / 4) == TB_DEADLINE;
        hash[i] = tb_trace_hash(machine);
        tb_close(machine);
    }
    report(good && hash[0] == hash[1],
           "user_step: code that never traps is interrupted, repeatably");
    hash[0] = count(1000 * MS, cpus, first, sizeof first);
    for (uint64_t slice = 20000; slice < 100 * MS; slice *= 30)
        same = same && count(slice, cpus, again, sizeof again) == hash[0] && !strcmp(first, again);
    report(same && strstr(first, "count 1000 "), "user_step: one seed gives one output and trace");
    user_step = false;
}

static void refusal(void)
{
    struct tb_machine *machine = start("contract=user-refuse", TB_CLOCK_VIRTUAL, 1);
    report(tb_run_for(machine, 1000 * MS) == TB_STOPPED &&
               strstr(printed(machine), "user code can run"),
           "this machine runs user code");
    tb_close(machine);
}

/* ---- the price ---- */

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static int bench(void)
{
    enum { TIMES = 1000000 };
    struct tb_machine *machine = start("contract=user-bench", TB_CLOCK_REAL, 1);
    (void)tb_run_until(machine, UINT64_MAX);
    printf("%s", printed(machine));
    tb_close(machine);
    double from = now();
    for (unsigned i = 0; i < TIMES; i++)
        (void)syscall(SYS_getppid);
    printf("host's getppid %.0f\n", (now() - from) / TIMES);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--bench"))
        return bench();
    printf("1..19\n");
    refusal();
    for (unsigned cpus = 1; cpus <= 4; cpus += 3) {
        spin_virtual(cpus);
        spin_real(cpus);
        repeats(cpus);
        snapshot(cpus);
        signals(cpus);
        steps(cpus);
    }
    return failures != 0;
}
