/* SPDX-License-Identifier: MIT */
/*
 * locks_whole.c: A lock on a file as a whole goes with its opening.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    int one = open("a", O_RDWR | O_CREAT, 0644), two = open("a", O_RDWR), copy = dup(one);

    printf("%d\n", flock(one, LOCK_EX));
    printf("%d\n", failed(flock(two, LOCK_EX | LOCK_NB), EWOULDBLOCK));
    printf("%d\n", flock(copy, LOCK_SH));
    printf("%d\n", flock(two, LOCK_SH | LOCK_NB));
    close(one);
    printf("%d\n", flock(two, LOCK_EX | LOCK_NB));
    close(copy);
    printf("%d\n", flock(two, LOCK_EX | LOCK_NB));
    return 0;
}
