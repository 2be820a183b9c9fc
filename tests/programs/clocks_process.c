/* SPDX-License-Identifier: MIT */
/*
 * clocks_process.c: Clocks and timers that count processor time.
 */
#include "programs.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t came, value;

static void note(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    came++;
    value = info->si_value.sival_int;
}

static long long now(clockid_t clock)
{
    struct timespec time = {-1, 0};

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* A timer that goes off when `clock` has gone on by 20 ms. */
static void use(clockid_t clock)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    const struct itimerspec soon = {{0, 0}, {0, 200000000}};
    struct itimerspec left;
    long long start = now(clock);
    timer_t timer;

    event.sigev_value.sival_int = 7;
    came = 0;
    printf("%d\n", timer_create(clock, &event, &timer));
    printf("%d\n", timer_settime(timer, 0, &soon, NULL));
    timer_gettime(timer, &left);
    printf("%d\n", left.it_value.tv_sec == 0 && left.it_value.tv_nsec > 0);
    while (!came)
        ;
    printf("%d %d\n", (int)value, now(clock) - start >= 200000000);
    timer_gettime(timer, &left);
    printf("%ld\n", left.it_value.tv_nsec);
    printf("%d\n", timer_delete(timer));
}

/* One that sleeps uses nothing. */
static void sleep_under(clockid_t clock)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    const struct itimerspec soon = {{0, 0}, {1, 0}};
    const struct timespec nap = {0, 20000000};
    timer_t timer;

    came = 0;
    timer_create(clock, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
    nanosleep(&nap, NULL);
    printf("%d\n", (int)came);
    timer_delete(timer);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    clockid_t clock;
    timer_t timer;

    sigaction(SIGRTMIN, &action, NULL);
    use(CLOCK_PROCESS_CPUTIME_ID);
    use(CLOCK_THREAD_CPUTIME_ID);
    sleep_under(CLOCK_PROCESS_CPUTIME_ID);
    printf("%d\n", clock_getcpuclockid(getpid(), &clock));
    printf("%d\n", now(clock) >= 40000000);
    printf("%d\n", clock_getcpuclockid(0, &clock));
    printf("%d\n", now(clock) >= 40000000);
    printf("%d\n", failed(timer_create(99, NULL, &timer), EINVAL));
    return 0;
}
