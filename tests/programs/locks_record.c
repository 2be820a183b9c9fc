/* SPDX-License-Identifier: MIT */
/*
 * locks_record.c: A part of a file is one process's, and not another's.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int lock(int fd, short type, off_t start, off_t bytes)
{
    struct flock what = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = bytes};

    return fcntl(fd, F_SETLK, &what);
}

int main(void)
{
    struct flock ask = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    int fd = open("a", O_RDWR | O_CREAT, 0644);

    printf("%d\n", lock(fd, F_WRLCK, 10, 10));
    fflush(stdout);
    if (fork() == 0) {
        printf("%d\n", failed(lock(fd, F_WRLCK, 15, 1), EAGAIN));
        printf("%d\n", lock(fd, F_WRLCK, 20, 5));
        printf("%d", fcntl(fd, F_GETLK, &ask));
        printf(" %d %ld\n", ask.l_pid == getppid(), (long)ask.l_start);
        exit(0);
    }
    wait(NULL);
    printf("%d\n", lock(fd, F_UNLCK, 0, 0));
    return 0;
}
