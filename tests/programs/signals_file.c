/* SPDX-License-Identifier: MIT */
/*
 * signals_file.c: Signals that are read from a file.
 */
#include "programs.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct signalfd_siginfo info[4];

static int is_ready(int fd, int ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, ms);
}

/* A child that sends `number` after a while. */
static void send_later(int number)
{
    const struct timespec nap = {0, 20000000};

    if (fork() == 0) {
        nanosleep(&nap, NULL);
        kill(getppid(), number);
        _exit(5);
    }
}

static void say_child(int fd)
{
    printf("%d ", is_ready(fd, -1));
    printf("%d", (int)read(fd, info, sizeof(*info)));
    printf(" %d %d %d %d\n", info->ssi_signo == SIGCHLD, info->ssi_code, info->ssi_status,
           info->ssi_pid > 0);
    wait(NULL);
}

int main(void)
{
    const union sigval value = {.sival_int = 42};
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = 9}};
    sigset_t set, more;
    int fd, all;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    more = set;
    sigaddset(&more, SIGCHLD);
    sigprocmask(SIG_BLOCK, &more, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK);
    printf("%d\n", fd >= 0);
    printf("%d\n", failed(read(fd, info, sizeof(info)), EAGAIN));
    printf("%d\n", failed(read(fd, info, 100), EINVAL));
    printf("%d\n", is_ready(fd, 0));
    raise(SIGUSR1);
    printf("%d\n", is_ready(fd, 0));
    printf("%d\n", (int)read(fd, info, sizeof(info)));
    printf("%d %d\n", info->ssi_signo == SIGUSR1, info->ssi_pid == (unsigned)getpid());
    sigqueue(getpid(), SIGRTMIN, value);
    sigqueue(getpid(), SIGRTMIN, value);
    kill(getpid(), SIGUSR1);
    printf("%d\n", (int)read(fd, info, sizeof(info)));
    printf("%d %d %d\n", info[0].ssi_signo == SIGUSR1, info[1].ssi_signo == (unsigned)SIGRTMIN,
           info[2].ssi_int);
    printf("%d\n", failed(write(fd, info, 8), EINVAL));
    send_later(SIGUSR1);
    printf("%d\n", is_ready(fd, -1));
    printf("%d\n", (int)read(fd, info, sizeof(info)));
    printf("%d\n", signalfd(fd, &more, 0) == fd);
    say_child(fd);
    all = epoll_create1(0);
    epoll_ctl(all, EPOLL_CTL_ADD, fd, &event);
    send_later(SIGUSR1);
    memset(&event, 0, sizeof(event));
    printf("%d", epoll_wait(all, &event, 1, -1));
    printf(" %d\n", event.data.fd);
    printf("%d\n", (int)read(fd, info, sizeof(*info)));
    close(fd);
    fd = signalfd(-1, &more, 0);
    say_child(fd);
    signalfd(fd, &set, 0); /* or that child's end, which may have come too, would be first */
    send_later(SIGRTMIN);
    printf("%d", (int)read(fd, info, sizeof(*info)));
    printf(" %d\n", info->ssi_signo == (unsigned)SIGRTMIN);
    printf("%d\n", failed(signalfd(0, &set, 0), EINVAL));
    printf("%d\n", failed(signalfd(99, &set, 0), EBADF));
    printf("%d\n", failed(signalfd(-1, &set, 1), EINVAL));
    return 0;
}
