/* SPDX-License-Identifier: MIT */
/*
 * threads_restart.c: Waiting for a word goes on after a handler with SA_RESTART, if it has no end.
 */
#include "programs.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SIGNALS 3 /* before a wait that goes on is ended */

static int word;
static volatile sig_atomic_t handled;
static volatile sig_atomic_t over; /* the wait */
static pthread_t waiter;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void handle(int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    handled = over = 0;
    sigaction(SIGUSR1, &action, NULL);
}

static long futex(int operation, int value, const struct timespec *limit)
{
    return syscall(SYS_futex, &word, operation, value, limit, NULL, 0);
}

/*
 * Sends signals to the thread that waits, until its wait is over: one may come before it waits. If
 * it is to go on waiting, some signals are enough, and then it is woken.
 */
static void *disturb(void *goes_on)
{
    const struct timespec nap = {0, 5000000};

    while (!over) {
        nanosleep(&nap, NULL);
        if (goes_on && handled >= SIGNALS)
            futex(FUTEX_WAKE, 1, NULL);
        else
            pthread_kill(waiter, SIGUSR1);
    }
    return NULL;
}

static void try(const char *what, int flags, const struct timespec *limit)
{
    bool goes_on = flags & SA_RESTART && !limit;
    pthread_t other;
    long result;
    int error;

    handle(flags);
    waiter = pthread_self();
    pthread_create(&other, NULL, disturb, goes_on ? &word : NULL);
    result = futex(FUTEX_WAIT, 0, limit);
    error = errno;
    over = 1;
    pthread_join(other, NULL);
    printf("%s: %ld%s, handled %d\n", what, result, result && error == EINTR ? " EINTR" : "",
           handled > 0);
}

int main(void)
{
    const struct timespec minute = {60, 0};

    try("restarted", SA_RESTART, NULL);
    try("not restarted", 0, NULL);
    try("with an end", SA_RESTART, &minute);
    return 0;
}
