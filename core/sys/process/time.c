/* SPDX-License-Identifier: MIT */
/*
 * time.c: clocks and sleeping.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "dev/clock.h"
#include "proc/process.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/time.h>

#define ABSOLUTE 1u

enum {
    CLOCK_WALL = 0,
    CLOCK_STEADY = 1,
    CLOCK_PROCESS = 2,
    CLOCK_THREAD = 3,
    CLOCK_STEADY_RAW = 4,
    CLOCK_WALL_COARSE = 5,
    CLOCK_STEADY_COARSE = 6,
    CLOCK_BOOT = 7
};

/* CPU time of the caller's thread, and with `all` of its process. */
static int64_t cpu_time(bool all)
{
    struct process *process = process_current();
    struct thread_info info;
    uint64_t ns = 0;

    process_lock();
    if (all)
        ns = process_run_time(process);
    else if (thread_read_info(user_thread_current()->kernel_thread, &info) == 0)
        ns = info.run_time;
    process_unlock();
    return (int64_t)ns;
}

/* What clock number `clock` shows, or -EINVAL. */
static int read_clock(uint64_t clock, int64_t *ns)
{
    switch ((uint32_t)clock) {
    case CLOCK_WALL:
    case CLOCK_WALL_COARSE:
        *ns = wall_now_ns();
        return 0;
    case CLOCK_STEADY:
    case CLOCK_STEADY_RAW:
    case CLOCK_STEADY_COARSE:
    case CLOCK_BOOT:
        *ns = (int64_t)hal_time_now();
        return 0;
    case CLOCK_PROCESS:
    case CLOCK_THREAD:
        *ns = cpu_time((uint32_t)clock == CLOCK_PROCESS);
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t sys_clock_gettime(const struct sys_args *args)
{
    struct user_time time;
    int64_t ns;
    int error = read_clock(args->value[0], &ns);

    if (error)
        return error;
    time = user_time_of(ns);
    return user_copy_out(args->value[1], &time, sizeof(time));
}

int64_t sys_clock_getres(const struct sys_args *args)
{
    const struct user_time time = {0, 1};
    int64_t ns;
    int error = read_clock(args->value[0], &ns);

    return error ? error : user_copy_out_optional(args->value[1], &time, sizeof(time));
}

int64_t sys_gettimeofday(const struct sys_args *args)
{
    struct user_time time = user_time_of(wall_now_ns());
    const uint32_t zone[2] = {0, 0};
    int error;

    time.ns /= 1000; /* Linux's struct timeval */
    error = user_copy_out_optional(args->value[0], &time, sizeof(time));
    return error ? error : user_copy_out_optional(args->value[1], zone, sizeof(zone));
}

int64_t sys_time(const struct sys_args *args)
{
    int64_t seconds = wall_now();
    int error = user_copy_out_optional(args->value[0], &seconds, sizeof(seconds));

    return error ? error : seconds;
}

/* Sleeps for `ns`; what is left, if it was cut short, goes to `left`. */
static int64_t sleep_for(uint64_t ns, uint64_t left)
{
    uint64_t deadline = sys_deadline(ns), now;
    struct user_time rest;

    if (thread_sleep_until(deadline) == 0)
        return 0;
    now = hal_time_now();
    rest = user_time_of(deadline > now ? (int64_t)(deadline - now) : 0);
    return user_copy_out_optional(left, &rest, sizeof(rest)) ? -EFAULT : -EINTR;
}

int64_t sys_nanosleep(const struct sys_args *args)
{
    uint64_t ns;
    int error = user_read_time(args->value[0], &ns);

    return error ? error : sleep_for(ns, args->value[1]);
}

int64_t sys_clock_nanosleep(const struct sys_args *args)
{
    bool absolute = args->value[1] & ABSOLUTE;
    int64_t now;
    uint64_t ns;
    int error = read_clock(args->value[0], &now);

    if (!error)
        error = user_read_time(args->value[2], &ns);
    if (error)
        return error;
    if ((uint32_t)args->value[0] == CLOCK_THREAD)
        return -EINVAL;
    if (!absolute)
        return sleep_for(ns, args->value[3]);
    return sleep_for(ns > (uint64_t)now ? ns - (uint64_t)now : 0, 0);
}
