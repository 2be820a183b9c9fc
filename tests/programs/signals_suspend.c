/* SPDX-License-Identifier: MIT */
/*
 * signals_suspend.c: A parent sleeps until its child sends it something.
 */
#include "programs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t got;

static void handler(int signal)
{
    got = signal;
}

int main(void)
{
    sigset_t set, old;

    signal(SIGUSR1, handler);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, &old);
    if (fork() == 0)
        _exit(kill(getppid(), SIGUSR1));
    printf("%d\n", failed(sigsuspend(&old), EINTR));
    printf("%d\n", got == SIGUSR1);
    wait(NULL);
    return 0;
}
