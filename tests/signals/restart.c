/* SPDX-License-Identifier: MIT */
/*
 * restart.c: calls that a signal cuts short: which are made again, and which say EINTR.
 */
#include "cases.h"

#include <poll.h>
#include <sys/select.h>

static int ends[2];

static void write_byte(int number)
{
    counted += number == SIGUSR1;
    if (write(ends[1], "x", 1) != 1)
        say("not written");
}

static void read_through(const char *what, int flags)
{
    pid_t child;
    char byte;
    long got;

    counted = 0;
    handle(SIGUSR1, write_byte, flags);
    child = send_later(20, SIGUSR1);
    got = read(ends[0], &byte, 1);
    say("%s: %s, handler ran %d", what, result_name(got), counted);
    await_child(child);
    if (got < 0)
        say("then: %ld", (long)read(ends[0], &byte, 1));
}

static void reads(void)
{
    if (pipe(ends))
        return;
    read_through("read", 0);
    read_through("read with SA_RESTART", SA_RESTART);
}

static void waits(void)
{
    const int flags[] = {0, SA_RESTART};
    char byte;

    if (pipe(ends))
        return;
    for (int i = 0; i < 2; i++) {
        pid_t slow = fork(), child;

        if (slow == 0)
            _exit(read(ends[0], &byte, 1) == 1 ? 9 : 1);
        handle(SIGUSR1, write_byte, flags[i]);
        child = send_later(20, SIGUSR1);
        say("wait: %s", result_name(waitpid(slow, NULL, 0)));
        await_child(slow);
        await_child(child);
    }
}

static void sleeps(void)
{
    const struct timespec time = {9, 0}, brief = {0, 80000000};
    struct timespec left = {99, 9};
    pid_t child;
    long result;

    handle(SIGUSR1, count_signal, SA_RESTART);
    child = send_later(20, SIGUSR1);
    result = nanosleep(&time, &left);
    say("sleep: %s, some is left %d", result_name(result),
        left.tv_sec < 9 && (left.tv_sec > 0 || left.tv_nsec > 0));
    await_child(child);
    child = send_later(20, SIGUSR1);
    say("clock: %s", error_name(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL)));
    await_child(child);
    child = send_later(20, SIGWINCH);
    say("ignored: %s", result_name(nanosleep(&brief, NULL)));
    await_child(child);
}

static void polls(void)
{
    struct pollfd entry = {.fd = 0, .events = 0};
    struct timeval time = {30, 0};
    pid_t child;

    handle(SIGUSR1, count_signal, SA_RESTART);
    child = send_later(20, SIGUSR1);
    entry.fd = -1;
    say("poll: %s", result_name(poll(&entry, 1, 30000)));
    await_child(child);
    child = send_later(20, SIGUSR1);
    say("select: %s", result_name(select(0, NULL, NULL, NULL, &time)));
    await_child(child);
}

/* Sleeps while it is stopped and continued: the sleep does not notice. */
static void sleep_stopped(void)
{
    struct timespec time = {0, 100000000}, before, after;
    long ms;

    clock_gettime(CLOCK_MONOTONIC, &before);
    say("sleep: %s", result_name(nanosleep(&time, NULL)));
    clock_gettime(CLOCK_MONOTONIC, &after);
    ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    say("not too short: %d", ms >= 100);
    _exit(0);
}

static void read_stopped(void)
{
    char byte;

    say("read: %ld", (long)read(ends[0], &byte, 1));
    _exit(0);
}

static void stop_and_continue(void (*body)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0)
        body();
    nap(20);
    kill(child, SIGSTOP);
    say("stopped: %d", waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    nap(20);
    kill(child, SIGCONT);
    nap(5);
    if (body == read_stopped && write(ends[1], "y", 1) != 1)
        say("not written");
    say_status("child", await_child(child));
}

static void stops(void)
{
    if (pipe(ends))
        return;
    stop_and_continue(sleep_stopped);
    stop_and_continue(read_stopped);
}

/* A write that has written some says how much. */
static void long_write(void)
{
    static char bytes[200000];
    pid_t child;
    long done;

    if (pipe(ends))
        return;
    handle(SIGUSR1, count_signal, SA_RESTART);
    child = send_later(20, SIGUSR1);
    done = write(ends[1], bytes, sizeof(bytes));
    say("write: %d", done > 0 && done < (long)sizeof(bytes));
    await_child(child);
}

const struct signal_case restart_cases[] = {
    {"read", reads},    {"wait", waits},       {"sleep", sleeps}, {"poll", polls},
    {"stopped", stops}, {"write", long_write}, {NULL, NULL}};
