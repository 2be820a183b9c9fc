/* SPDX-License-Identifier: MIT */
/*
 * signals_handler.c: A handler runs, and the program goes on.
 */
#include "programs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t seen;

static void handler(int signal)
{
    seen = seen * 100 + signal;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler}, old;

    printf("%d\n", sigaction(SIGUSR1, &action, &old) || old.sa_handler != SIG_DFL);
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR2);
    printf("%d\n", (int)seen);
    sigaction(SIGUSR2, NULL, &old);
    printf("%d\n", old.sa_handler == SIG_DFL);
    printf("%d\n", failed(sigaction(SIGKILL, &action, NULL), EINVAL));
    return 0;
}
