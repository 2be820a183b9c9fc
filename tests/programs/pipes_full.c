/* SPDX-License-Identifier: MIT */
/*
 * pipes_full.c: A pipe that is full, for who does not wait.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    static char data[65536];
    int ends[2];

    printf("%d\n", pipe2(ends, O_NONBLOCK));
    printf("%d\n", failed(read(ends[0], data, 1), EAGAIN));
    printf("%d\n", (int)write(ends[1], data, sizeof(data)));
    printf("%d\n", failed(write(ends[1], data, 1), EAGAIN));
    printf("%d\n", (int)read(ends[0], data, 5000));
    printf("%d\n", (int)write(ends[1], data, 4096));
    return 0;
}
