/* SPDX-License-Identifier: MIT */
/*
 * poll_select.c: The same, asked in the old way, by a process that waits for another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    struct timeval none = {0, 0};
    int ends[2];
    fd_set set;

    printf("%d\n", pipe(ends));
    fflush(stdout);
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    printf("%d\n", select(ends[0] + 1, &set, NULL, NULL, &none));
    printf("%d\n", FD_ISSET(ends[0], &set) != 0);
    fflush(stdout);
    if (fork() == 0)
        _exit(write(ends[1], "x", 1) != 1);
    FD_SET(ends[0], &set);
    printf("%d\n", select(ends[0] + 1, &set, NULL, NULL, NULL));
    printf("%d\n", FD_ISSET(ends[0], &set) != 0);
    wait(NULL);
    return 0;
}
