/* SPDX-License-Identifier: MIT */
/*
 * misc_descriptors.c: What a program finds of itself in /proc.
 */
#include <dirent.h>
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
    char path[64], text[64] = "";
    int ends[2], fd;

    printf("%d\n", pipe(ends));
    printf("%d\n", (int)write(ends[1], "through", 7));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    fd = open(path, O_RDONLY);
    printf("%d %s\n", (int)read(fd, text, 63), text);
    fd = open("/proc/self/comm", O_RDONLY);
    printf("%d\n", read(fd, text, 63) > 0);
    printf("%d\n", access("/proc/self/task", F_OK));
    printf("%d\n", atoi(text) == 0 && readlink("/proc/self", text, 63) > 0);
    printf("%d\n", atoi(text) == getpid());
    return 0;
}
