/* SPDX-License-Identifier: MIT */
/*
 * signals_mask.c: A blocked signal waits until it is let in.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t count;

static void handler(int signal)
{
    (void)signal;
    count++;
}

int main(void)
{
    sigset_t set, old, pending;

    signal(SIGUSR1, handler);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigpending(&pending);
    printf("%d %d\n", (int)count, sigismember(&pending, SIGUSR1));
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("%d\n", (int)count);
    return 0;
}
