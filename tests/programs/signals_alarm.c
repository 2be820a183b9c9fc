/* SPDX-License-Identifier: MIT */
/*
 * signals_alarm.c: A timer ends a sleep, or not if calls are restarted.
 */
#include "programs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t rings, writes;
static int ends[2];

static void handler(int signal)
{
    (void)signal;
    rings++;
    if (writes)
        (void)!write(ends[1], "x", 1);
}

static void ring(int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    /* And again: the first may come before the call that it is to end. */
    struct itimerval soon = {.it_value = {0, 20000}, .it_interval = {0, 20000}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
}

int main(void)
{
    const struct itimerval never = {{0, 0}, {0, 0}};
    char byte;

    printf("%d\n", pipe(ends));
    ring(0);
    printf("%d\n", failed(read(ends[0], &byte, 1), EINTR));
    setitimer(ITIMER_REAL, &never, NULL);
    rings = 0;
    writes = 1;
    ring(SA_RESTART);
    printf("%d\n", (int)read(ends[0], &byte, 1));
    setitimer(ITIMER_REAL, &never, NULL);
    printf("%d\n", rings >= 1);
    return 0;
}
