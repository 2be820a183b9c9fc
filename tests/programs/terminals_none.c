/* SPDX-License-Identifier: MIT */
/*
 * terminals_none.c: What is no terminal says so, and who has none finds none.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void ask(int fd)
{
    struct termios termios;
    struct winsize window;
    int number = 0;

    printf("%d ", failed(tcgetattr(fd, &termios), ENOTTY));
    printf("%d ", failed(ioctl(fd, TIOCGWINSZ, &window), ENOTTY));
    printf("%d ", failed(ioctl(fd, TIOCGPGRP, &number), ENOTTY));
    printf("%d ", failed(ioctl(fd, TIOCSCTTY, 0), ENOTTY));
    printf("%d ", failed(tcflush(fd, TCIFLUSH), ENOTTY));
    printf("%d ", failed(tcsendbreak(fd, 0), ENOTTY));
    printf("%d\n", isatty(fd));
}

int main(void)
{
    int ends[2], status;

    if (pipe(ends))
        return 1;
    ask(ends[0]);
    ask(open("/dev/null", O_RDWR));
    ask(open("file", O_RDWR | O_CREAT, 0600));
    printf("%d\n", isatty(99) == 0 && errno == EBADF);
    fflush(stdout);
    if (fork() == 0) {
        setsid();
        printf("%d ", failed(open("/dev/tty", O_RDWR), ENXIO));
        printf("%d\n", getsid(0) == getpid());
        exit(0);
    }
    wait(&status);
    unlink("file");
    return status;
}
