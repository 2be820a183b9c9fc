/* SPDX-License-Identifier: MIT */
/*
 * processes_fork.c: A child is a copy, and its parent learns how it ended.
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
    int value = 1, status;
    pid_t child = fork();

    if (child == 0) {
        value++;
        _exit(value * 20);
    }
    printf("%d\n", waitpid(child, &status, 0) == child);
    printf("%d %d %d\n", WIFEXITED(status), WEXITSTATUS(status), value);
    printf("%d\n", failed(wait(&status), ECHILD));
    return 3;
}
