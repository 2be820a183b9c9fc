/* SPDX-License-Identifier: MIT */
/*
 * clocks_sleep.c: Time goes on, and a sleep is as long as asked for.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int main(void)
{
    const struct timespec nap = {0, 20000000}, wrong = {0, 1000000000};
    long long before = now(CLOCK_MONOTONIC), wall = now(CLOCK_REALTIME);

    printf("%d\n", nanosleep(&nap, NULL));
    printf("%d\n", now(CLOCK_MONOTONIC) - before >= 20000000);
    printf("%d\n", now(CLOCK_REALTIME) >= wall);
    printf("%d\n", failed(nanosleep(&wrong, NULL), EINVAL));
    printf("%d\n", failed(clock_gettime(99, NULL), EINVAL));
    return 0;
}
