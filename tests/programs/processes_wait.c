/* SPDX-License-Identifier: MIT */
/*
 * processes_wait.c: Waiting without waiting, and for any.
 */
#include <errno.h>
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
    int status, ends[2], sum = 0;
    char byte;
    pid_t child;

    printf("%d\n", pipe(ends));
    fflush(stdout);
    child = fork();
    if (child == 0)
        _exit(read(ends[0], &byte, 1) == 1 ? byte : 0);
    printf("%d\n", waitpid(child, &status, WNOHANG));
    printf("%d\n", (int)write(ends[1], "*", 1));
    printf("%d\n", waitpid(-1, &status, 0) == child && WEXITSTATUS(status) == '*');
    for (int i = 1; i <= 10; i++)
        if (fork() == 0)
            _exit(i);
    while (wait(&status) > 0)
        sum += WEXITSTATUS(status);
    printf("%d\n", sum);
    return 0;
}
