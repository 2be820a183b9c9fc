/* SPDX-License-Identifier: MIT */
/*
 * locks.c: locks on files between processes, by fcntl and flock, as POSIX and Linux have them.
 *
 *     locks FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name(int result)
{
    if (result >= 0)
        return "ok";
    switch (errno) {
    case EAGAIN:
        return "EAGAIN";
    case EDEADLK:
        return "EDEADLK";
    case EBADF:
        return "EBADF";
    case EINVAL:
        return "EINVAL";
    case EOVERFLOW:
        return "EOVERFLOW";
    default:
        return "another error";
    }
}

static int lock(int fd, int command, short type, off_t start, off_t length)
{
    struct flock request = {.l_type = type, .l_start = start, .l_len = length};

    return fcntl(fd, command, &request);
}

static void show(int fd, off_t start, off_t length)
{
    struct flock request = {.l_type = F_WRLCK, .l_start = start, .l_len = length};

    if (fcntl(fd, F_GETLK, &request))
        printf("  getlk: %s\n", name(-1));
    else if (request.l_type == F_UNLCK)
        printf("  %ld+%ld: free\n", (long)start, (long)length);
    else
        printf("  %ld+%ld: %s lock of %ld+%ld, %s\n", (long)start, (long)length,
               request.l_type == F_RDLCK ? "a read" : "a write", (long)request.l_start,
               (long)request.l_len, request.l_pid == getppid() ? "my parent's" : "another's");
}

/* What a child sees of its parent's locks. */
static void look(const char *path, const char *what)
{
    fflush(stdout);
    if (fork() == 0) {
        int fd = open(path, O_RDWR);

        printf("%s:\n", what);
        for (off_t at = 0; at < 60; at += 10)
            show(fd, at, 10);
        show(fd, 100, 0);
        printf("  setlk 20+1: %s\n", name(lock(fd, F_SETLK, F_WRLCK, 20, 1)));
        printf("  setlk 1000+1: %s\n", name(lock(fd, F_SETLK, F_WRLCK, 1000, 1)));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void test_ranges(const char *path)
{
    int fd = open(path, O_RDWR), other;

    printf("set: %s\n", name(lock(fd, F_SETLK, F_WRLCK, 0, 50)));
    look(path, "one lock");
    printf("cut: %s\n", name(lock(fd, F_SETLK, F_UNLCK, 20, 10)));
    look(path, "with a hole");
    printf("read: %s\n", name(lock(fd, F_SETLK, F_RDLCK, 10, 30)));
    look(path, "a part is for reading");
    printf("join: %s\n", name(lock(fd, F_SETLK, F_WRLCK, 10, 30)));
    look(path, "one again");
    printf("end: %s\n", name(lock(fd, F_SETLK, F_WRLCK, 900, 0)));
    look(path, "up to the end");
    other = open(path, O_RDONLY);
    close(other);
    look(path, "another descriptor was closed");
    printf("errors: %s", name(lock(fd, F_SETLK, 7, 0, 1)));
    printf(" %s", name(lock(fd, F_SETLK, F_RDLCK, -1, 1)));
    printf(" %s", name(lock(fd, F_SETLK, F_RDLCK, 1, -2)));
    other = open(path, O_RDONLY);
    printf(" %s", name(lock(other, F_SETLK, F_WRLCK, 0, 1)));
    printf(" %s\n", name(lock(-1, F_SETLK, F_WRLCK, 0, 1)));
    close(other);
    close(fd);
}

/* Two processes that each hold one byte and want the other's. */
static void test_circle(const char *path)
{
    int fd = open(path, O_RDWR), pipes[2], result;
    char byte;

    if (pipe(pipes))
        exit(1);
    lock(fd, F_SETLK, F_WRLCK, 0, 1);
    fflush(stdout);
    if (fork() == 0) {
        lock(fd, F_SETLK, F_WRLCK, 1, 1);
        if (write(pipes[1], "x", 1) != 1)
            _exit(1);
        result = lock(fd, F_SETLKW, F_WRLCK, 0, 1);
        _exit(result == 0 ? 10 : errno == EDEADLK ? 20 : 30);
    }
    if (read(pipes[0], &byte, 1) != 1)
        exit(1);
    result = lock(fd, F_SETLKW, F_WRLCK, 1, 1);
    if (result && errno == EDEADLK)
        lock(fd, F_SETLK, F_UNLCK, 0, 0);
    result = result == 0 ? 10 : errno == EDEADLK ? 20 : 30;
    close(fd);
    wait(&fd);
    printf("circle: %s\n", result + WEXITSTATUS(fd) == 30 ? "one of two is told" : "wrong");
    close(pipes[0]);
    close(pipes[1]);
}

static void test_files(const char *path)
{
    int a = open(path, O_RDWR), b = open(path, O_RDWR), c = dup(a), status;

    printf("flock: %s", name(flock(a, LOCK_SH)));
    printf(" %s", name(flock(b, LOCK_SH | LOCK_NB)));
    printf(" %s", name(flock(a, LOCK_UN)));
    printf(" %s", name(flock(b, LOCK_EX | LOCK_NB)));
    printf(" %s", name(flock(a, LOCK_SH | LOCK_NB)));
    close(b);
    printf(" %s", name(flock(c, LOCK_EX | LOCK_NB)));
    close(a);
    b = open(path, O_RDWR);
    printf(" %s", name(flock(b, LOCK_EX | LOCK_NB)));
    printf(" %s", name(lock(b, F_SETLK, F_WRLCK, 0, 0)));
    close(c);
    printf(" %s", name(flock(b, LOCK_EX | LOCK_NB)));
    printf(" %s\n", name(flock(b, 77)));
    fflush(stdout);
    if (fork() == 0) {
        close(b);
        c = open(path, O_RDWR);
        _exit(flock(c, LOCK_EX) ? 1 : 5);
    }
    close(b);
    wait(&status);
    printf("flock waits: %d\n", WEXITSTATUS(status));
}

/* Locks of an open file: threads and forks share them, other openings do not. */
static void test_open_files(const char *path)
{
    int a = open(path, O_RDWR), b = open(path, O_RDWR), c = dup(a);
    struct flock request = {.l_type = F_WRLCK, .l_len = 10};

    printf("open files: %s", name(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10)));
    printf(" %s", name(lock(b, F_OFD_SETLK, F_WRLCK, 5, 10)));
    printf(" %s", name(lock(c, F_OFD_SETLK, F_WRLCK, 5, 10)));
    printf(" %s", name(lock(b, F_SETLK, F_RDLCK, 0, 1)));
    printf(" %s", name(fcntl(b, F_OFD_GETLK, &request)));
    printf(" %d %ld %ld %d", request.l_type, (long)request.l_start, (long)request.l_len,
           request.l_pid);
    close(c);
    printf(" %s", name(lock(b, F_OFD_SETLK, F_WRLCK, 5, 10)));
    close(a);
    printf(" %s\n", name(lock(b, F_OFD_SETLK, F_WRLCK, 5, 10)));
    close(b);
}

/* Many who add to a number in a file: none is lost. */
static void test_counting(const char *path)
{
    char text[16] = "0";
    int fd = open(path, O_RDWR | O_TRUNC);

    if (pwrite(fd, text, sizeof(text), 0) != sizeof(text))
        exit(1);
    fflush(stdout);
    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            for (int k = 0; k < 25; k++) {
                lock(fd, F_SETLKW, F_WRLCK, 0, 0);
                if (pread(fd, text, sizeof(text), 0) != sizeof(text))
                    _exit(1);
                snprintf(text, sizeof(text), "%d", atoi(text) + 1);
                if (pwrite(fd, text, sizeof(text), 0) != sizeof(text))
                    _exit(1);
                lock(fd, F_SETLK, F_UNLCK, 0, 0);
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        continue;
    if (pread(fd, text, sizeof(text), 0) != sizeof(text))
        exit(1);
    printf("counted: %s\n", text);
    close(fd);
}

int main(int count, char **arguments)
{
    const char *path = count > 1 ? arguments[1] : "locks.tmp";

    close(open(path, O_RDWR | O_CREAT, 0600));
    test_ranges(path);
    test_circle(path);
    test_files(path);
    test_open_files(path);
    test_counting(path);
    unlink(path);
    return 0;
}
