/* SPDX-License-Identifier: MIT */
/*
 * files_seek.c: Places in a file, and those that are none.
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
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);

    printf("%d\n", (int)write(fd, "0123456789", 10));
    printf("%ld ", (long)lseek(fd, -3, SEEK_END));
    printf("%ld\n", (long)lseek(fd, 2, SEEK_CUR));
    printf("%d\n", failed(lseek(fd, -20, SEEK_CUR), EINVAL));
    printf("%ld\n", (long)lseek(fd, 100, SEEK_SET));
    printf("%d\n", (int)read(fd, &fd, 1));
    return 0;
}
