/* SPDX-License-Identifier: MIT */
/*
 * files_hole.c: A hole reads as zeros.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    static char data[20000];
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644), sum = 0;

    printf("%d\n", (int)pwrite(fd, "x", 1, 19999));
    printf("%d\n", (int)pread(fd, data, sizeof(data), 0));
    for (size_t i = 0; i < sizeof(data); i++)
        sum += data[i];
    printf("%d\n", sum);
    return sum == 'x' ? 5 : 1;
}
