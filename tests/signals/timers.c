/* SPDX-License-Identifier: MIT */
/*
 * timers.c: alarm and interval timers. What is said does not depend on how fast anything is.
 */
#include "cases.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

static siginfo_t last;

static void note(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    last = *info;
    counted++;
}

static void set(int which, long us, long interval)
{
    const struct itimerval value = {{0, interval}, {0, us}};

    say("set: %s", result_name(setitimer(which, &value, NULL)));
}

/* Sleeps until that many have come, also if they come before it sleeps. */
static void await(int least)
{
    sigset_t none, before;

    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, NULL, &before);
    block(SIGALRM);
    while (counted < least)
        sigsuspend(&none);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void alarms(void)
{
    unsigned left;

    say("none: %u", alarm(100));
    left = alarm(50);
    say("about as set: %d", left == 100 || left == 99);
    say("off: %d", alarm(0) >= 49);
    handle_info(SIGALRM, note, 0);
    alarm(1);
    await(1);
    say("came: %d, code %d", counted, last.si_code);
    say("then none: %u", alarm(0));
}

static void intervals(void)
{
    struct itimerval value;

    handle_info(SIGALRM, note, 0);
    set(ITIMER_REAL, 10000, 5000);
    await(5);
    getitimer(ITIMER_REAL, &value);
    say("interval %ld, left %d", (long)value.it_interval.tv_usec,
        value.it_value.tv_sec == 0 && value.it_value.tv_usec <= 5000);
    set(ITIMER_REAL, 0, 0);
    getitimer(ITIMER_REAL, &value);
    say("off: %ld %ld", (long)value.it_value.tv_sec, (long)value.it_value.tv_usec);
    counted = 0;
    nap(20);
    say("no more: %d", counted);
    set(ITIMER_REAL, 5000, 0);
    await(1);
    nap(20);
    say("once: %d", counted);
    set(3, 1, 1);
    value.it_value.tv_usec = 1000000;
    say("bad time: %s", result_name(setitimer(ITIMER_REAL, &value, NULL)));
}

/* Time that is used: the program works until it is told. */
static void used(void)
{
    const int timers[] = {ITIMER_VIRTUAL, ITIMER_PROF}, numbers[] = {SIGVTALRM, SIGPROF};

    for (int i = 0; i < 2; i++) {
        counted = 0;
        handle_info(numbers[i], note, 0);
        set(timers[i], 10000, 10000);
        while (counted < 3)
            (void)getppid();
        say("signal %d, code %d", last.si_signo, last.si_code);
        set(timers[i], 0, 0);
    }
}

static void *use(void *argument)
{
    for (;;)
        (void)getppid();
    return argument;
}

/* Its time comes again before anybody has looked. */
static void often(void)
{
    const int timers[] = {ITIMER_VIRTUAL, ITIMER_PROF}, numbers[] = {SIGVTALRM, SIGPROF};
    pthread_t thread;

    pthread_create(&thread, NULL, use, NULL);
    for (int i = 0; i < 2; i++) {
        counted = 0;
        handle_info(numbers[i], note, 0);
        set(timers[i], 1, 1);
        while (counted < 20)
            (void)getppid();
        say("signal %d goes on", last.si_signo);
        set(timers[i], 0, 0);
    }
}

static void child(void)
{
    struct itimerval value;

    getitimer(ITIMER_REAL, &value);
    say("the child's is off: %ld", (long)value.it_value.tv_sec);
    _exit(0);
}

static void inherited(void)
{
    const struct itimerval value = {{0, 0}, {100, 0}};

    setitimer(ITIMER_REAL, &value, NULL);
    say_status("child", in_child(child));
}

static int made(int how, int number, int value)
{
    struct sigevent event = {.sigev_notify = how, .sigev_signo = number};
    timer_t timer;

    event.sigev_value.sival_int = value;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer)) {
        say("timer: %s", error_name(errno));
        return -1;
    }
    return (int)(intptr_t)timer;
}

static void set_made(int timer, long us, long interval)
{
    const struct itimerspec value = {{0, interval * 1000}, {0, us * 1000}};

    say("set: %s", result_name(timer_settime((timer_t)(intptr_t)timer, 0, &value, NULL)));
}

static void made_ones(void)
{
    struct itimerspec value = {{0, 0}, {0, 1}};
    int first, second, third;
    timer_t timer;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    first = made(SIGEV_SIGNAL, SIGRTMIN, 11);
    second = made(SIGEV_SIGNAL, SIGUSR1, 22);
    third = made(SIGEV_NONE, 0, 0);
    say("different: %d", first != second && second != third && first != third);
    set_made(first, 2000, 0);
    say("came: %d", sigwaitinfo(&set, &last) == SIGRTMIN);
    say("code %d, value %d, overrun %d", last.si_code, last.si_value.sival_int, last.si_overrun);
    set_made(second, 1000, 1000);
    nap(20);
    say("came: %d", sigwaitinfo(&set, &last) == SIGUSR1);
    say("value %d, more than once %d", last.si_value.sival_int, last.si_overrun > 3);
    say("told: %d", timer_getoverrun((timer_t)(intptr_t)second) == last.si_overrun);
    say("and goes on: %d", sigwaitinfo(&set, &last) == SIGUSR1);
    set_made(third, 500000, 0);
    timer_gettime((timer_t)(intptr_t)third, &value);
    say("left: %d", value.it_value.tv_nsec > 0 && value.it_value.tv_nsec <= 500000000);
    say("gone: %s", result_name(syscall(SYS_timer_delete, second)));
    say("again: %s", result_name(syscall(SYS_timer_delete, second)));
    value.it_value.tv_nsec = -1;
    say("bad time: %s", result_name(timer_settime((timer_t)(intptr_t)first, 0, &value, NULL)));
    say("no such clock: %s", result_name(timer_create(99, NULL, &timer)));
    say("no such signal: %d", made(SIGEV_SIGNAL, 65, 0));
}

static bool goes_on(void)
{
    counted = 0;
    for (int i = 0; i < 5000 && counted < 3; i++)
        nap(1);
    return counted >= 3;
}

/* Has the signal, which is blocked, wait, and then be dropped; from then on it is counted. */
static void drop(int signal)
{
    nap(20);
    say("waits: %d", is_pending(signal));
    handle(signal, SIG_IGN, 0);
    handle_info(signal, note, 0);
    unblock(signal);
}

/* A timer goes on, though nobody has taken its signal. */
static void not_taken(void)
{
    int one = made(SIGEV_SIGNAL, SIGUSR1, 0);

    handle(SIGUSR1, SIG_IGN, 0);
    set_made(one, 1000, 1000);
    nap(20);
    handle_info(SIGUSR1, note, 0);
    say("after it was ignored: %d", goes_on());
    block(SIGUSR1);
    drop(SIGUSR1);
    say("after it was dropped: %d", goes_on());
}

/* The same, if what waits is queued. */
static void not_taken_queued(void)
{
    int one = made(SIGEV_SIGNAL, SIGRTMIN, 0);

    block(SIGRTMIN);
    set_made(one, 1000, 1000);
    drop(SIGRTMIN);
    say("goes on: %d", goes_on());
}

/* The signal waits already, with the thread that the timer is for. */
static void waits_already(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    const struct itimerspec value = {{0, 1000000}, {0, 1000000}};
    timer_t timer;

    event.sigev_notify_thread_id = (int)syscall(SYS_gettid);
    block(SIGUSR1);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
    say("timer: %s", result_name(timer_create(CLOCK_MONOTONIC, &event, &timer)));
    say("set: %s", result_name(timer_settime(timer, 0, &value, NULL)));
    nap(20);
    handle_info(SIGUSR1, note, 0);
    unblock(SIGUSR1);
    say("goes on: %d", goes_on());
}

/* More than there is room for wait already. */
static void no_room(void)
{
    const struct rlimit limit = {3, 3};
    const union sigval value = {.sival_int = 1};
    int one;

    block(SIGRTMIN);
    block(SIGRTMIN + 1);
    one = made(SIGEV_SIGNAL, SIGRTMIN, 0);
    setrlimit(RLIMIT_SIGPENDING, &limit);
    for (int i = 0; i < 4; i++)
        (void)!sigqueue(getpid(), SIGRTMIN + 1, value);
    set_made(one, 1000, 1000);
    nap(20);
    handle_info(SIGRTMIN, note, 0);
    unblock(SIGRTMIN);
    say("goes on: %d", goes_on());
}

const struct signal_case timer_cases[] = {{"alarm", alarms},
                                          {"interval", intervals},
                                          {"used", used},
                                          {"often", often},
                                          {"timer-fork", inherited},
                                          {"made", made_ones},
                                          {"made-ignored", not_taken},
                                          {"made-dropped", not_taken_queued},
                                          {"made-waits", waits_already},
                                          {"made-full", no_room},
                                          {NULL, NULL}};
