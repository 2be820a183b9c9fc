/* SPDX-License-Identifier: MIT */
/*
 * poll_pipe.c: Which files can be read or written now.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    struct pollfd fds[2];

    printf("%d\n", pipe(ends));
    fds[0] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = ends[1], .events = POLLOUT};
    printf("%d ", poll(fds, 2, 0));
    printf("%x ", (unsigned)fds[0].revents);
    printf("%x\n", (unsigned)fds[1].revents);
    printf("%d\n", (int)write(ends[1], "x", 1));
    printf("%d ", poll(fds, 1, 1000));
    printf("%x\n", (unsigned)fds[0].revents);
    close(ends[1]);
    printf("%d ", poll(fds, 1, -1));
    printf("%x\n", (unsigned)fds[0].revents);
    fds[0].fd = 77;
    printf("%d ", poll(fds, 1, 0));
    printf("%x\n", (unsigned)fds[0].revents);
    printf("%d\n", poll(NULL, 0, 5));
    return 0;
}
