/* SPDX-License-Identifier: MIT */
/*
 * times_used.c: Processor time: of the program's own code, and of the kernel's.
 */
#include "programs.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

static long us(const struct timeval *time)
{
    return time->tv_sec * 1000000 + time->tv_usec;
}

/* us that this process has used: of its own code, or of the kernel for it. */
static long used(int by_kernel)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return us(by_kernel ? &usage.ru_stime : &usage.ru_utime);
}

/* Until the program's own code has used `limit` us more. */
static void compute(long limit)
{
    volatile unsigned n = 0;
    long start = used(0);

    while (used(0) - start < limit)
        for (unsigned i = 0; i < 200000; i++)
            n += i;
}

/* Until the kernel has used that much more for it. */
static void call(long limit)
{
    long start = used(1);

    while (used(1) - start < limit)
        for (unsigned i = 0; i < 1000; i++)
            (void)access("/none", F_OK);
}

int main(void)
{
    struct rusage usage, children;
    struct tms times_used;
    int status, mostly = 0;

    for (int i = 0; i < 5 && !mostly; i++) { /* a busy host may take its time in the kernel */
        long own = used(0), kernels = used(1);

        compute(60000);
        mostly = used(0) - own > used(1) - kernels;
    }
    printf("%d\n", mostly);
    call(40000);
    printf("%d\n", used(1) >= 40000);
    if (fork() == 0) {
        compute(30000);
        call(20000);
        _exit(0);
    }
    getrusage(RUSAGE_CHILDREN, &children);
    printf("%ld %ld\n", us(&children.ru_utime), us(&children.ru_stime));
    printf("%d\n", wait4(-1, &status, 0, &children) > 0);
    printf("%d %d\n", us(&children.ru_utime) >= 30000, us(&children.ru_stime) >= 20000);
    times(&times_used);
    printf("%d %d\n", times_used.tms_cutime >= 2, times_used.tms_cstime >= 1);
    printf("%d %d\n", times_used.tms_utime >= 5, times_used.tms_stime >= 3);
    printf("%d\n", failed(getrusage(7, &usage), EINVAL));
    return 0;
}
