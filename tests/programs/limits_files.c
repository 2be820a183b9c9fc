/* SPDX-License-Identifier: MIT */
/*
 * limits_files.c: There are only so many descriptors.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    struct rlimit limit, lower = {10, 20};
    int last = 0, next = 0;

    printf("%d\n", getrlimit(RLIMIT_NOFILE, &limit));
    printf("%d\n", setrlimit(RLIMIT_NOFILE, &lower));
    while ((next = open("/dev/null", O_RDONLY)) >= 0)
        last = next;
    printf("%d\n", failed(last, EMFILE));
    lower.rlim_cur = 30;
    printf("%d\n", failed(setrlimit(RLIMIT_NOFILE, &lower), EINVAL));
    return 0;
}
