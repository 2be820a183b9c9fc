/* SPDX-License-Identifier: MIT */
/*
 * pipes_bytes.c: Bytes through a pipe, and its end.
 */
#include <errno.h>
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
    static char data[200000];
    long total = 0;
    int ends[2];
    ssize_t n;

    printf("%d\n", pipe(ends));
    fflush(stdout);
    if (fork() == 0) {
        memset(data, 'x', sizeof(data));
        _exit(write(ends[1], data, sizeof(data)) != sizeof(data));
    }
    close(ends[1]);
    while ((n = read(ends[0], data, 4096)) > 0)
        total += n;
    printf("%ld %d\n", total, (int)n);
    wait(NULL);
    return 0;
}
