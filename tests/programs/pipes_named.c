/* SPDX-License-Identifier: MIT */
/*
 * pipes_named.c: A FIFO joins two processes that know its name.
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

int main(void)
{
    char text[16] = "";
    struct stat status;
    int fd;

    printf("%d\n", mkfifo("f", 0600));
    printf("%d ", stat("f", &status));
    printf("%d\n", S_ISFIFO(status.st_mode));
    fflush(stdout);
    if (fork() == 0) {
        fd = open("f", O_WRONLY);
        _exit(write(fd, "by name", 7) != 7);
    }
    fd = open("f", O_RDONLY);
    printf("%d %s\n", (int)read(fd, text, 15), text);
    printf("%d\n", (int)read(fd, text, 15));
    wait(NULL);
    printf("%d\n", failed(open("f", O_WRONLY | O_NONBLOCK), ENXIO));
    return 0;
}
