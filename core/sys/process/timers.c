/* SPDX-License-Identifier: MIT */
/*
 * timers.c: timers that send signals: the three that each process has, and those that it makes.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "dev/clock.h"
#include "lib/bytes.h"
#include "proc/process.h"
#include "proc/timers/timers.h"

#include <hal/errno.h>
#include <hal/time.h>

#define NS_PER_US 1000u
#define US_PER_SECOND 1000000u
#define NS_PER_SECOND 1000000000u
#define SECONDS_MAX 4000000000 /* 126 years: far, and no sum overflows */

/* ---- interval timers ---- */

/* Linux's struct itimerval. */
struct user_timer {
    int64_t interval_seconds, interval_us, seconds, us;
};

static int read_time(int64_t seconds, int64_t us, uint64_t *ns)
{
    if (seconds < 0 || us < 0 || us >= (int64_t)US_PER_SECOND)
        return -EINVAL;
    if (seconds > SECONDS_MAX)
        seconds = SECONDS_MAX;
    *ns = (uint64_t)seconds * NS_PER_SECOND + (uint64_t)us * NS_PER_US;
    return 0;
}

static struct user_timer write_timer(const struct signal_timer_setting *setting)
{
    uint64_t left = (setting->left + NS_PER_US - 1) / NS_PER_US;
    uint64_t interval = setting->interval / NS_PER_US;

    return (struct user_timer){(int64_t)(interval / US_PER_SECOND),
                               (int64_t)(interval % US_PER_SECOND), (int64_t)(left / US_PER_SECOND),
                               (int64_t)(left % US_PER_SECOND)};
}

int64_t sys_setitimer(const struct sys_args *args)
{
    uint32_t which = (uint32_t)args->value[0];
    struct signal_timer_setting new = {0, 0}, old;
    struct user_timer timer;
    int error = 0;

    if (args->value[1]) {
        error = user_copy_in(&timer, args->value[1], sizeof(timer));
        if (!error)
            error = read_time(timer.interval_seconds, timer.interval_us, &new.interval);
        if (!error)
            error = read_time(timer.seconds, timer.us, &new.left);
    }
    if (!error && which >= SIGNAL_TIMERS)
        error = -EINVAL;
    if (error)
        return error;
    signal_timer_set(which, &new, &old);
    timer = write_timer(&old);
    return user_copy_out_optional(args->value[2], &timer, sizeof(timer));
}

int64_t sys_getitimer(const struct sys_args *args)
{
    uint32_t which = (uint32_t)args->value[0];
    struct signal_timer_setting setting;
    struct user_timer timer;

    if (which >= SIGNAL_TIMERS)
        return -EINVAL;
    signal_timer_get(which, &setting);
    timer = write_timer(&setting);
    return user_copy_out(args->value[1], &timer, sizeof(timer));
}

/* Answers the seconds that were left, rounded, but not to none. */
int64_t sys_alarm(const struct sys_args *args)
{
    struct signal_timer_setting new = {(uint64_t)(uint32_t)args->value[0] * NS_PER_SECOND, 0}, old;
    uint64_t seconds;

    signal_timer_set(SIGNAL_TIMER_REAL, &new, &old);
    seconds = (old.left + NS_PER_SECOND / 2) / NS_PER_SECOND;
    return seconds == 0 && old.left > 0 ? 1 : (int64_t)seconds;
}

/* ---- timers that a process makes ---- */

enum { CLOCK_WALL = 0, CLOCK_STEADY = 1, CLOCK_PROCESS = 2, CLOCK_THREAD = 3, CLOCK_BOOT = 7 };
enum { BY_SIGNAL = 0, BY_NOTHING = 1, BY_THREAD = 2, BY_SIGNAL_TO_THREAD = 4 };

#define ABSOLUTE 1u
#define EVENT_BYTES 64u

/* Linux's struct sigevent: value, signal, how, thread. */
static int read_event(uint64_t from, struct timer_event *event)
{
    uint8_t bytes[EVENT_BYTES];
    uint32_t how;
    int error;

    *event = (struct timer_event){.signal = SIGNAL_ALRM, .names_itself = true};
    if (!from)
        return 0;
    error = user_copy_in(bytes, from, sizeof(bytes));
    if (error)
        return error;
    how = le32(bytes + 12);
    *event = (struct timer_event){.signal = le32(bytes + 8), .value = le64(bytes)};
    if (how == BY_NOTHING)
        event->signal = 0;
    else if (event->signal < 1 || event->signal > SIGNAL_COUNT)
        return -EINVAL;
    if (how == BY_SIGNAL_TO_THREAD)
        event->tid = le32(bytes + 16);
    return how > BY_SIGNAL_TO_THREAD || how == 3 || (how == BY_SIGNAL_TO_THREAD && !event->tid)
               ? -EINVAL
               : 0;
}

/* -EINVAL: no timer goes by that clock. */
static int read_clock(uint32_t clock)
{
    switch (clock) {
    case CLOCK_WALL:
        return TIMER_WALL;
    case CLOCK_STEADY:
    case CLOCK_BOOT:
        return TIMER_STEADY;
    case CLOCK_PROCESS:
        return TIMER_PROCESS;
    case CLOCK_THREAD:
        return TIMER_THREAD;
    default:
        return -EINVAL;
    }
}

int64_t sys_timer_create(const struct sys_args *args)
{
    int clock = read_clock((uint32_t)args->value[0]);
    struct timer_event event;
    int32_t number;
    int error = 0;

    if (clock < 0)
        return clock;
    error = read_event(args->value[1], &event);
    if (error)
        return error;
    number = user_timer_create(&event, (enum timer_clock)clock);
    if (number < 0)
        return number;
    error = user_copy_out(args->value[2], &number, sizeof(number));
    if (error)
        (void)!user_timer_delete(number);
    return error;
}

/* Linux's struct itimerspec. */
struct user_spec {
    struct user_time interval, time;
};

static struct user_spec write_spec(const struct timer_setting *setting)
{
    return (struct user_spec){user_time_of((int64_t)setting->interval),
                              user_time_of((int64_t)setting->time)};
}

/* The time that `ns` means, of what the timer counts, which is `now`. */
static uint64_t expiry(uint64_t ns, bool absolute, int clock, uint64_t now)
{
    uint64_t start = clock == TIMER_WALL ? (uint64_t)wall_now_ns() : now;

    if (ns == 0)
        return 0;
    if (!absolute)
        return now + ns;
    return ns > start ? now + (ns - start) : now + (now == 0);
}

int64_t sys_timer_settime(const struct sys_args *args)
{
    int32_t number = (int32_t)args->value[0];
    struct timer_setting setting, old;
    struct user_spec spec;
    uint64_t now;
    int clock, error;

    error = user_read_time(args->value[2], &setting.interval);
    if (!error)
        error = user_read_time(args->value[2] + sizeof(struct user_time), &setting.time);
    if (error)
        return error;
    clock = user_timer_clock(number, &now);
    if (clock < 0)
        return clock;
    setting.time = expiry(setting.time, args->value[1] & ABSOLUTE, clock, now);
    error = user_timer_set(number, &setting, &old);
    if (error)
        return error;
    spec = write_spec(&old);
    return user_copy_out_optional(args->value[3], &spec, sizeof(spec));
}

int64_t sys_timer_gettime(const struct sys_args *args)
{
    struct timer_setting setting;
    struct user_spec spec;
    int error = user_timer_get((int32_t)args->value[0], &setting);

    if (error)
        return error;
    spec = write_spec(&setting);
    return user_copy_out(args->value[1], &spec, sizeof(spec));
}

int64_t sys_timer_getoverrun(const struct sys_args *args)
{
    return user_timer_overrun((int32_t)args->value[0]);
}

int64_t sys_timer_delete(const struct sys_args *args)
{
    return user_timer_delete((int32_t)args->value[0]);
}
