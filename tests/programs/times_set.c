/* SPDX-License-Identifier: MIT */
/*
 * times_set.c: The times of a file can be set to the nanosecond.
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
    const struct timespec times[2] = {{1000000000, 5}, {1234567890, 123456789}};
    const struct timespec omit[2] = {{0, UTIME_OMIT}, {7, 0}};
    struct stat status;

    close(open("a", O_CREAT | O_WRONLY, 0644));
    printf("%d\n", utimensat(AT_FDCWD, "a", times, 0));
    stat("a", &status);
    printf("%ld.%09ld\n", (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    printf("%d\n", utimensat(AT_FDCWD, "a", omit, 0));
    stat("a", &status);
    printf("%ld %ld\n", (long)status.st_atim.tv_sec, (long)status.st_mtim.tv_sec);
    return 0;
}
