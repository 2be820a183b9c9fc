/* SPDX-License-Identifier: MIT */
/*
 * processes_groups.c: Groups of processes.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        printf("%d\n", setpgid(0, 0));
        printf("%d\n", getpgrp() == getpid());
        printf("%d\n", failed(setsid(), EPERM));
        exit(0);
    }
    waitpid(child, &status, 0);
    child = fork();
    if (child == 0) {
        printf("%d\n", setsid() == getpid());
        printf("%d ", getsid(0) == getpid());
        printf("%d\n", getpgid(0) == getpid());
        exit(0);
    }
    waitpid(child, &status, 0);
    return status;
}
