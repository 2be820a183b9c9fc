/* SPDX-License-Identifier: MIT */
/*
 * pipes_broken.c: Nobody reads any more: a signal, or an error.
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

int main(void)
{
    int ends[2], status;

    printf("%d\n", pipe(ends));
    fflush(stdout);
    close(ends[0]);
    if (fork() == 0)
        _exit(write(ends[1], "x", 1) != 1);
    wait(&status);
    printf("%d %d\n", WIFSIGNALED(status), WTERMSIG(status) == SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    printf("%d\n", failed(write(ends[1], "x", 1), EPIPE));
    return 0;
}
