/* SPDX-License-Identifier: MIT */
/*
 * processes_sessions.c: Who may begin a session, and who may be put into which group.
 */
#include "programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 4000000

static int ends[2];

/* A child that lives until the pipe is closed, in a session of its own if that is wanted. */
static pid_t start(int session)
{
    int told[2];
    pid_t child;
    char byte = 0;

    if (pipe(told))
        exit(1);
    child = fork();
    if (child == 0) {
        if (session)
            setsid();
        close(ends[1]);
        (void)!write(told[1], &byte, 1);
        (void)!read(ends[0], &byte, 1);
        exit(0);
    }
    (void)!read(told[0], &byte, 1);
    close(told[0]);
    close(told[1]);
    return child;
}

static void try_all(void)
{
    pid_t first = start(0), second = start(0), other = start(1);

    printf("%d ", failed(setsid(), EPERM));
    printf("%d ", failed(setpgid(0, 0), EPERM));
    printf("%d ", failed(setpgid(NOBODY, 0), ESRCH));
    printf("%d ", failed(setpgid(first, -1), EINVAL));
    printf("%d ", failed(setpgid(first, NOBODY), EPERM));
    printf("%d ", failed(setpgid(other, 0), EPERM));
    printf("%d\n", failed(setpgid(getppid(), 0), ESRCH));
    printf("%d ", setpgid(first, 0));
    printf("%d ", getpgid(first) == first);
    printf("%d ", setpgid(second, first));
    printf("%d ", getpgid(second) == first);
    printf("%d ", failed(setpgid(second, other), EPERM));
    printf("%d ", setpgid(second, getpgrp()));
    printf("%d\n", getpgid(second) == getpid());
    printf("%d ", getsid(first) == getpid());
    printf("%d ", getsid(other) == other);
    printf("%d ", getpgid(other) == other);
    printf("%d ", failed(getsid(NOBODY), ESRCH));
    printf("%d\n", failed(getpgid(NOBODY), ESRCH));
}

int main(void)
{
    int status;

    if (fork() == 0) {
        if (pipe(ends) || setsid() != getpid())
            exit(1);
        try_all();
        close(ends[1]);
        while (wait(&status) > 0)
            continue;
        exit(0);
    }
    wait(&status);
    return status;
}
