/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * clock.c: the host's clocks and its entropy.
 */
#include "host/host.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec at = {0, 0};
    (void)clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

uint64_t host_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t host_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int host_entropy(void *bytes, size_t n)
{
    uint8_t *at = bytes;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -EIO;
        at += got;
        n -= (size_t)got;
    }
    return 0;
}
