/* SPDX-License-Identifier: MIT */
/*
 * events.c: pipes, FIFOs, poll, select, epoll, eventfd, timerfd: what they answer, in every state
 * that two processes can bring them into.
 *
 *     events [FIFO]
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static char data[1 << 17];

static const char *name_of(int error)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{EAGAIN, "EAGAIN"}, {EBADF, "EBADF"}, {EBUSY, "EBUSY"},   {EEXIST, "EEXIST"},
                 {EINVAL, "EINVAL"}, {ELOOP, "ELOOP"}, {ENOENT, "ENOENT"}, {ENXIO, "ENXIO"},
                 {EPIPE, "EPIPE"},   {EPERM, "EPERM"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == error)
            return names[i].name;
    return strerror(error);
}

static void say(const char *what, long result)
{
    if (result < 0)
        printf("%s: %s\n", what, name_of(errno));
    else
        printf("%s: %ld\n", what, result);
}

static int look(int fd, int events)
{
    struct pollfd entry = {fd, (short)events, 0};

    return poll(&entry, 1, 0) < 0 ? -1 : entry.revents;
}

static void test_pipes(void)
{
    int ends[2], bytes;

    say("pipe", pipe2(ends, O_NONBLOCK));
    say("size", fcntl(ends[0], F_GETPIPE_SZ));
    say("empty, in", look(ends[0], POLLIN | POLLRDNORM));
    say("empty, out", look(ends[1], POLLOUT | POLLWRNORM));
    say("read", read(ends[0], data, 10));
    say("write", write(ends[1], data, sizeof(data)));
    say("full, out", look(ends[1], POLLOUT));
    say("write", write(ends[1], data, 1));
    say("FIONREAD", ioctl(ends[0], FIONREAD, &bytes));
    say("bytes", bytes);
    say("grow", fcntl(ends[0], F_SETPIPE_SZ, 100000));
    say("write", write(ends[1], data, sizeof(data)));
    say("shrink", fcntl(ends[0], F_SETPIPE_SZ, 4096));
    say("read", read(ends[0], data, 65536));
    say("read", read(ends[0], data, 65536));
    say("shrink", fcntl(ends[0], F_SETPIPE_SZ, 100));
    say("not atomic", write(ends[1], data, 4000));
    say("atomic", write(ends[1], data, 200));
    say("empty", read(ends[0], data, sizeof(data)));
    close(ends[1]);
    say("hang-up", look(ends[0], POLLIN));
    say("end", read(ends[0], data, 1));
    close(ends[0]);
    say("pipe", pipe(ends));
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    say("nobody reads", write(ends[1], "x", 1));
    say("error", look(ends[1], POLLOUT));
    close(ends[1]);
    say("not open", look(ends[1], POLLOUT));
}

static void test_fifo(const char *path)
{
    int reader, writer, status;
    char byte = 0;

    unlink(path);
    if (mkfifo(path, 0600)) {
        printf("no FIFO here\n");
        exit(2);
    }
    say("write only", open(path, O_WRONLY | O_NONBLOCK));
    reader = open(path, O_RDONLY | O_NONBLOCK);
    say("no writer yet", look(reader, POLLIN));
    say("read", read(reader, data, 1));
    writer = open(path, O_WRONLY | O_NONBLOCK);
    say("a writer", look(reader, POLLIN));
    say("read", read(reader, data, 1));
    say("write", write(writer, "abc", 3));
    say("bytes", look(reader, POLLIN));
    close(writer);
    say("it went", look(reader, POLLIN));
    say("read", read(reader, data, 10));
    say("all read", look(reader, POLLIN));
    close(reader);
    fflush(stdout);
    if (fork() == 0) {
        writer = open(path, O_WRONLY); /* waits for the reader */
        _exit(write(writer, "z", 1) == 1 ? 3 : 4);
    }
    reader = open(path, O_RDONLY);
    say("read", read(reader, &byte, 1));
    wait(&status);
    printf("fifo: %c, status %d\n", byte, WEXITSTATUS(status));
    close(reader);
    unlink(path);
}

static void test_select(void)
{
    struct timeval none = {0, 0};
    struct timespec some = {0, 1000000};
    int ends[2];
    fd_set in, out;
    long result;

    say("pipe", pipe(ends));
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(ends[0], &in);
    FD_SET(ends[1], &out);
    result = select(ends[1] + 1, &in, &out, NULL, &none);
    printf("select: %ld, in %d, out %d\n", result, FD_ISSET(ends[0], &in) != 0,
           FD_ISSET(ends[1], &out) != 0);
    FD_SET(ends[0], &in);
    say("pselect", pselect(ends[0] + 1, &in, NULL, NULL, &some, NULL));
    if (write(ends[1], "x", 1) != 1)
        exit(1);
    FD_SET(ends[0], &in);
    say("select", select(ends[0] + 1, &in, NULL, NULL, NULL));
    FD_SET(50, &in); /* Linux has room for 64 at least, and forgets those behind */
    say("not open", select(51, &in, NULL, NULL, &none));
    say("negative", select(-1, NULL, NULL, NULL, &none));
    close(ends[0]);
    close(ends[1]);
}

static void test_counter(void)
{
    uint64_t value = 5, most = UINT64_MAX - 1, all = UINT64_MAX;
    int fd = eventfd(3, EFD_NONBLOCK), semaphore = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);

    say("write", write(fd, &value, 8));
    say("read", read(fd, &value, 8));
    say("value", (long)value);
    say("read", read(fd, &value, 8));
    say("short", read(fd, &value, 4));
    say("all", write(fd, &all, 8));
    say("zero", look(fd, POLLIN | POLLOUT));
    say("most", write(fd, &most, 8));
    say("full", look(fd, POLLIN | POLLOUT));
    value = 1;
    say("write", write(fd, &value, 8));
    for (int i = 0; i < 3; i++)
        say("semaphore", read(semaphore, &value, 8));
    say("flags", eventfd(0, 0x10));
    close(fd);
    close(semaphore);
}

static void test_timer(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), wall;
    struct itimerspec setting = {{0, 0}, {0, 2000000}}, old;
    uint64_t count = 0;

    say("off", look(fd, POLLIN));
    say("read", read(fd, &count, 8));
    say("set", timerfd_settime(fd, 0, &setting, &old));
    printf("old: %ld\n", (long)old.it_value.tv_nsec);
    struct pollfd entry = {fd, POLLIN, 0};
    say("wait", poll(&entry, 1, 5000));
    say("read", read(fd, &count, 8));
    say("count", (long)count);
    say("get", timerfd_gettime(fd, &old));
    printf("left: %ld\n", (long)old.it_value.tv_nsec);
    setting.it_interval.tv_nsec = 1000000;
    setting.it_value.tv_nsec = 1;
    say("set", timerfd_settime(fd, 0, &setting, NULL));
    usleep(5000);
    say("read", read(fd, &count, 8));
    printf("count: %s\n", count >= 3 ? "several" : "too few");
    setting.it_value.tv_nsec = 1000000000;
    say("no time", timerfd_settime(fd, 0, &setting, NULL));
    wall = timerfd_create(CLOCK_REALTIME, 0);
    clock_gettime(CLOCK_REALTIME, &setting.it_value);
    setting.it_interval.tv_nsec = 0;
    say("absolute", timerfd_settime(wall, TFD_TIMER_ABSTIME, &setting, NULL));
    say("read", read(wall, &count, 8));
    say("not a timer", timerfd_gettime(0, &old));
    say("clock", timerfd_create(77, 0));
    close(fd);
    close(wall);
}

static void show(int set, const char *what)
{
    struct epoll_event events[4];
    int count = epoll_wait(set, events, 4, 0);

    printf("%s: %d", what, count);
    for (int i = 0; i < count; i++)
        printf(" %x/%d", events[i].events, (int)events[i].data.u32);
    printf("\n");
}

static int control(int set, int operation, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.u32 = (unsigned)fd};

    return epoll_ctl(set, operation, fd, &event);
}

static void test_epoll(void)
{
    int set = epoll_create1(0), ends[2], outer = epoll_create1(EPOLL_CLOEXEC), copy;

    say("pipe", pipe(ends));
    say("add", control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN));
    say("again", control(set, EPOLL_CTL_ADD, ends[0], EPOLLIN));
    say("itself", control(set, EPOLL_CTL_ADD, set, EPOLLIN));
    say("no set", control(ends[0], EPOLL_CTL_ADD, ends[1], EPOLLIN));
    say("not in", control(set, EPOLL_CTL_MOD, ends[1], EPOLLIN));
    say("not open", control(set, EPOLL_CTL_ADD, 99, EPOLLIN));
    say("nothing", epoll_wait(set, NULL, 0, 0));
    show(set, "empty");
    if (write(ends[1], "ab", 2) != 2)
        exit(1);
    show(set, "level");
    show(set, "level");
    say("edge", control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET));
    show(set, "edge");
    show(set, "edge");
    if (write(ends[1], "c", 1) != 1)
        exit(1);
    show(set, "edge again");
    say("once", control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT));
    show(set, "once");
    if (write(ends[1], "d", 1) != 1)
        exit(1);
    show(set, "once");
    say("once", control(set, EPOLL_CTL_MOD, ends[0], EPOLLIN));
    say("outer", control(outer, EPOLL_CTL_ADD, set, EPOLLIN));
    say("circle", control(set, EPOLL_CTL_ADD, outer, EPOLLIN));
    show(outer, "outer");
    say("poll", look(set, POLLIN));
    say("read", read(ends[0], data, 10));
    show(outer, "outer");
    say("poll", look(set, POLLIN));
    say("out", control(set, EPOLL_CTL_ADD, ends[1], EPOLLOUT));
    show(set, "out");
    copy = dup(ends[1]);
    close(ends[1]);
    show(set, "a copy is open");
    close(copy);
    show(set, "closed");
    say("delete", control(set, EPOLL_CTL_DEL, ends[0], 0));
    say("delete", control(set, EPOLL_CTL_DEL, ends[0], 0));
    show(set, "nothing is left");
    close(set);
    close(outer);
    close(ends[0]);
}

/* A child writes, and the parent is told each time. */
static void test_rounds(void)
{
    int there[2], back[2], set = epoll_create1(0), rounds = 0;
    struct epoll_event event;
    char byte;

    if (pipe(there) || pipe(back))
        exit(1);
    fflush(stdout);
    if (fork() == 0) {
        struct pollfd entry = {there[0], POLLIN, 0};

        close(there[1]);
        while (poll(&entry, 1, -1) == 1 && read(there[0], &byte, 1) == 1)
            if (write(back[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    control(set, EPOLL_CTL_ADD, back[0], EPOLLIN | EPOLLET);
    for (int i = 0; i < 100; i++) {
        if (write(there[1], "x", 1) != 1 || epoll_wait(set, &event, 1, 10000) != 1)
            break;
        rounds += (int)read(back[0], &byte, 1);
    }
    close(there[1]);
    wait(NULL);
    printf("rounds: %d\n", rounds);
}

int main(int count, char **arguments)
{
    test_pipes();
    if (count > 1)
        test_fifo(arguments[1]);
    test_select();
    test_counter();
    test_timer();
    test_epoll();
    test_rounds();
    return 0;
}
