/* SPDX-License-Identifier: MIT */
/*
 * poll_epoll.c: Many files, and only those that are ready are told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    struct epoll_event events[4], event = {.events = EPOLLIN};
    int all = epoll_create1(0), counters[3];
    uint64_t value = 3;

    for (int i = 0; i < 3; i++) {
        counters[i] = eventfd(0, EFD_NONBLOCK);
        event.data.u32 = (uint32_t)i;
        printf("%d", epoll_ctl(all, EPOLL_CTL_ADD, counters[i], &event));
    }
    printf("\n%d\n", epoll_wait(all, events, 4, 0));
    printf("%d\n", (int)write(counters[1], &value, 8));
    printf("%d\n", (int)write(counters[1], &value, 8));
    printf("%d", epoll_wait(all, events, 4, -1));
    printf(" %u\n", events[0].data.u32);
    printf("%d\n", (int)read(counters[1], &value, 8));
    printf("%d %d\n", (int)value, epoll_wait(all, events, 4, 0));
    return 0;
}
