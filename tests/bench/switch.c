/* SPDX-License-Identifier: MIT */
/*
 * switch.c: what switching costs in the simulator, against what one would take instead on the host.
 *
 * The kernel's numbers come from switch_guest.c over the serial line, the host's from the same
 * process on the same core right after. Each is the best of a few runs: noise only ever adds.
 */
#include "tayberry.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

enum { RUNS = 3, SPINS = 300000000, SWITCHES = 200000, HANDOVERS = 20000, TICK_NS = 250000 };

static uint64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

/* ---- the kernel ---- */

enum { CONTEXT, THREAD, MASK, CLOCK, ALONE, SHARED, QUANTA, NUMBERS };

/* What the guest calls them. The first four are ns; then two times in us, and a count. */
static const char *const names[NUMBERS] = {
    "context-switch", "thread-switch", "mask-and-unmask", "clock", "alone", "shared", "quanta"};
static double kernel[NUMBERS], quantum; /* the best of each so far, and of what a quantum costs */

/* What each of `count` interruptions cost that made `alone` become `disturbed`. */
static double cost_of_each(double alone, double disturbed, double count)
{
    return disturbed > alone && count > 0 ? (disturbed - alone) / count : 0;
}

static void keep_least(double *least, double value)
{
    if (*least == 0 || value < *least)
        *least = value;
}

static void run_kernel(void)
{
    struct tb_config config = {.size = sizeof config, .clock = TB_CLOCK_REAL};
    struct tb_machine *machine;
    static char text[65536];
    if (tb_open(&config, &machine) || tb_power_on(machine) ||
        tb_run_until(machine, UINT64_MAX) != TB_STOPPED) {
        fprintf(stderr, "switch: %s\n", tb_error(NULL));
        exit(1);
    }
    text[tb_uart_read(machine, text, sizeof text - 1)] = '\0';
    tb_close(machine);
    double value[NUMBERS];
    for (unsigned i = 0; i < NUMBERS; i++) {
        const char *at = strstr(text, names[i]);
        if (!at) {
            fprintf(stderr, "switch: the guest did not say: %s\n", names[i]);
            exit(1);
        }
        value[i] = atof(at + strlen(names[i])) / 1000;
        keep_least(&kernel[i], value[i]);
    }
    keep_least(&quantum,
               cost_of_each(kernel[ALONE] * 1e6, value[SHARED] * 1e6, value[QUANTA] * 1000));
}

/* ---- the host ---- */

static ucontext_t here, there;

static void bounce(void)
{
    for (;;)
        swapcontext(&there, &here);
}

static double measure_swapcontext(void)
{
    static char stack[65536];
    getcontext(&there);
    there.uc_stack = (stack_t){.ss_sp = stack, .ss_size = sizeof stack};
    makecontext(&there, bounce, 0);
    uint64_t start = now();
    for (unsigned i = 0; i < SWITCHES; i++)
        swapcontext(&here, &there);
    return (double)(now() - start) / (2.0 * SWITCHES);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned turn;

static void take_turns(unsigned mine)
{
    pthread_mutex_lock(&mutex);
    for (unsigned i = 0; i < HANDOVERS; i++) {
        while (turn % 2 != mine)
            pthread_cond_wait(&changed, &mutex);
        turn++;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&mutex);
}

static void *other_thread(void *unused)
{
    take_turns(1);
    return unused;
}

static double measure_pthreads(void)
{
    pthread_t thread;
    uint64_t start = now();
    pthread_create(&thread, NULL, other_thread, NULL);
    take_turns(0);
    pthread_join(thread, NULL);
    return (double)(now() - start) / (2.0 * HANDOVERS);
}

static volatile uint64_t spun, ticks;

static void on_tick(int signal)
{
    (void)signal;
    ticks++;
}

static double measure_spin(void)
{
    uint64_t start = now();
    for (uint64_t i = 0; i < SPINS; i++)
        spun = spun + 1;
    return (double)(now() - start);
}

/* A periodic timer signal with a handler that only counts: what each costs. */
static double measure_signal(void)
{
    static double alone;
    struct itimerspec every = {{0, TICK_NS}, {0, TICK_NS}}, off = {{0, 0}, {0, 0}};
    timer_t timer;
    keep_least(&alone, measure_spin());
    signal(SIGALRM, on_tick);
    timer_create(CLOCK_MONOTONIC, NULL, &timer);
    ticks = 0;
    timer_settime(timer, 0, &every, NULL);
    double took = measure_spin();
    timer_settime(timer, 0, &off, NULL);
    timer_delete(timer);
    return cost_of_each(alone, took, (double)ticks);
}

static double best(double (*measure)(void))
{
    double least = 0;
    for (unsigned i = 0; i < RUNS; i++)
        keep_least(&least, measure());
    return least;
}

static void compare(const char *what, double ours, const char *with, double theirs)
{
    printf("%-34s %9.1f ns   %-26s %9.1f ns   ratio %.3f\n", what, ours, with, theirs,
           ours / theirs);
}

int main(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    for (unsigned i = 0; i < RUNS; i++)
        run_kernel();
    double swap = best(measure_swapcontext), threads = best(measure_pthreads);
    compare("switch of bare contexts", kernel[CONTEXT], "swapcontext", swap);
    compare("switch of kernel threads", kernel[THREAD], "swapcontext", swap);
    compare("switch of kernel threads", kernel[THREAD], "pthread hand-over, 1 core", threads);
    compare("end of a quantum: timer and switch", quantum, "timer signal that counts",
            best(measure_signal));
    printf("%-34s %9.1f ns\n", "masking and unmasking", kernel[MASK]);
    printf("%-34s %9.1f ns\n", "reading the clock", kernel[CLOCK]);
    return 0;
}
