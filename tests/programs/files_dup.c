/* SPDX-License-Identifier: MIT */
/*
 * files_dup.c: Copies of a descriptor share the place; another opening does not.
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
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644), copy = dup(fd), other;

    printf("%d\n", (int)write(fd, "abcdef", 6));
    other = open("a", O_RDONLY);
    printf("%ld ", (long)lseek(copy, 0, SEEK_CUR));
    printf("%ld\n", (long)lseek(other, 0, SEEK_CUR));
    printf("%d ", dup2(fd, 20));
    printf("%d\n", fcntl(fd, F_DUPFD, 30));
    printf("%d\n", failed(dup2(99, 3), EBADF));
    printf("%d ", fcntl(fd, F_GETFD));
    printf("%d\n", fcntl(open("a", O_CLOEXEC), F_GETFD));
    return 0;
}
