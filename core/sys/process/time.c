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
#define US_PER_SECOND 1000000
#define SECONDS_MAX 4000000000 /* in the year 2096, and what FAT can tell */

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

static int read_clock(uint64_t clock, int64_t *ns);

static int64_t sum(struct process_times times)
{
    return (int64_t)(times.user + times.system);
}

/* CPU time of the caller's thread, and with `all` of its process. */
static int64_t cpu_time(bool all)
{
    int64_t ns;

    process_lock();
    ns =
        sum(all ? process_read_times(process_current()) : user_thread_times(user_thread_current()));
    process_unlock();
    return ns;
}

/*
 * Clocks below 0 count the time of somebody: ~number << 3, and what of it; bit 2: the number is a
 * thread's, of the caller's process. -EINVAL: nobody has it.
 */
static int read_clock_of(int32_t clock, int64_t *ns)
{
    uint32_t number = ~(uint32_t)(clock >> 3);
    const struct user_thread *thread;
    const struct process *process;
    int error = 0;

    if ((clock & 3) == 3)
        return -EINVAL;
    if (number == 0)
        return read_clock(clock & 4 ? CLOCK_THREAD : CLOCK_PROCESS, ns);
    process_lock();
    thread = clock & 4 ? user_thread_find(number) : NULL;
    process = clock & 4 ? NULL : process_find(number);
    if (thread && thread->process == process_current())
        *ns = sum(user_thread_times(thread));
    else if (process)
        *ns = sum(process_read_times(process));
    else
        error = -EINVAL;
    process_unlock();
    return error;
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
        return (int32_t)clock < 0 ? read_clock_of((int32_t)clock, ns) : -EINVAL;
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

/* Root may set the clock of the day, to a second. */
static int64_t set_wall(int64_t seconds)
{
    if (process_credentials(process_current()).effective_uid != 0)
        return -EPERM;
    wall_set(seconds);
    return 0;
}

int64_t sys_clock_settime(const struct sys_args *args)
{
    uint64_t ns;
    int error;

    if ((uint32_t)args->value[0] != CLOCK_WALL)
        return -EINVAL;
    error = user_read_time(args->value[1], &ns);
    return error ? error : set_wall((int64_t)(ns / WALL_NS));
}

int64_t sys_settimeofday(const struct sys_args *args)
{
    int64_t time[2];

    if (!args->value[0])
        return 0; /* a time zone, of which the kernel knows nothing */
    if (user_copy_in(time, args->value[0], sizeof(time)))
        return -EFAULT;
    if (time[0] < 0 || time[0] > SECONDS_MAX || time[1] < 0 || time[1] >= US_PER_SECOND)
        return -EINVAL;
    return set_wall(time[0]);
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
