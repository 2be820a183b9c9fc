/* SPDX-License-Identifier: MIT */
/*
 * clocks_timer.c: A timer as a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

int main(void)
{
    const struct itimerspec soon = {{0, 5000000}, {0, 5000000}}, off = {{0, 0}, {0, 0}};
    struct itimerspec old;
    uint64_t ticks = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);

    printf("%d\n", timerfd_settime(fd, 0, &soon, NULL));
    printf("%d\n", (int)read(fd, &ticks, 8));
    printf("%d\n", ticks >= 1);
    printf("%d\n", timerfd_settime(fd, 0, &off, &old));
    printf("%ld\n", old.it_interval.tv_nsec);
    return 0;
}
