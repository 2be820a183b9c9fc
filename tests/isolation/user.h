/* SPDX-License-Identifier: MIT */
/*
 * user.h: what programs without a C library need of one. Included once by each program.
 */
#pragma once

#include "calls.inc"
#include "machine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096l
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CALL(name, ...) CALL_(NUMBER_##name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(number, a, b, c, d, e, f, ...) \
    call6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGSEGV = 11, SIGCHLD = 17 };
enum { ECHILD = 10, EAGAIN = 11, ENOMEM = 12, EFAULT = 14, EMFILE = 24 };
enum { READ = 1, WRITE = 2, EXECUTE = 4 };
enum { SHARED = 1, PRIVATE = 2, FIXED = 0x10, ANONYMOUS = 0x20 };
#define WAIT_NOT 1
#define HERE (-100) /* AT_FDCWD */

/* How a child may end, a bit each. */
#define M_EXIT 1u
#define M_ILL (1u << SIGILL)
#define M_TRAP (1u << SIGTRAP)
#define M_BUS (1u << SIGBUS)
#define M_FPE (1u << SIGFPE)
#define M_KILL (1u << SIGKILL)
#define M_SEGV (1u << SIGSEGV)

/* The compiler makes calls of these. */
__attribute__((used)) void *memset(void *to, int value, size_t n)
{
    volatile unsigned char *bytes = to;

    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)value;
    return to;
}

__attribute__((used)) void *memcpy(void *to, const void *from, size_t n)
{
    volatile unsigned char *bytes = to;

    for (size_t i = 0; i < n; i++)
        bytes[i] = ((const unsigned char *)from)[i];
    return to;
}

static inline bool failed(long result)
{
    return result < 0 && result > -PAGE;
}

static inline void say(const char *text)
{
    size_t n = 0;

    while (text[n])
        n++;
    (void)CALL(write, 1, text, n);
}

static inline void say_number(unsigned long number)
{
    char text[24];
    size_t at = sizeof(text);

    text[--at] = '\0';
    do
        text[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    say(text + at);
}

__attribute__((noreturn)) static inline void leave(int status)
{
    for (;;)
        (void)CALL(exit_group, status);
}

static inline long fork_child(void)
{
    return CALL(clone, SIGCHLD);
}

static inline void nap(long ns)
{
    const long time[2] = {0, ns};

    (void)CALL(nanosleep, time, 0);
}

static inline void *map(void *at, long bytes, int access, int flags)
{
    return (void *)CALL(mmap, at, bytes, access, flags | ANONYMOUS, -1, 0);
}

/* The status of child `pid`, awaited `naps` times 100 us at most (0: for ever), then killed. */
static inline int await(long pid, unsigned naps, bool *killed)
{
    int status = -1;
    unsigned n = 0;

    *killed = false;
    while (CALL(wait4, pid, &status, naps ? WAIT_NOT : 0, 0) == 0) {
        if (++n == naps) {
            *killed = true;
            (void)CALL(kill, pid, SIGKILL);
            naps = 0;
        }
        nap(100000);
    }
    return status;
}
