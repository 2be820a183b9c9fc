/* SPDX-License-Identifier: MIT */
/*
 * signals_child.c: A child stops, goes on, and ends, and its parent hears of each.
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
    int status, ends[2];
    pid_t child;
    char byte;

    if (pipe(ends))
        return 1;
    child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit((int)read(ends[0], &byte, 1) * 6);
    }
    printf("%d", waitpid(child, &status, WUNTRACED) == child);
    printf(" %d %d\n", WIFSTOPPED(status), WSTOPSIG(status) == SIGSTOP);
    kill(child, SIGCONT);
    printf("%d", waitpid(child, &status, WCONTINUED) == child);
    printf(" %d ", WIFCONTINUED(status));
    printf("%d\n", (int)write(ends[1], "x", 1));
    printf("%d", waitpid(child, &status, 0) == child);
    printf(" %d\n", WEXITSTATUS(status));
    return 0;
}
