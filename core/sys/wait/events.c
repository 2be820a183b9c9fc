/* SPDX-License-Identifier: MIT */
/*
 * events.c: eventfd2, signalfd4, timerfd and epoll.
 */
#include "sys/calls.h"
#include "sys/user.h"
#include "sys/wait/watch.h"

#include "abi/abi.h"
#include "dev/clock.h"
#include "fs/file.h"
#include "ipc/event/alarm.h"
#include "ipc/event/counter.h"
#include "ipc/event/epoll.h"
#include "ipc/taken/taken.h"
#include "lib/bytes.h"
#include "proc/process.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define NS_PER_MS 1000000u
#define COUNTER_SEMAPHORE 1u

enum {
    CLOCK_WALL = 0,
    CLOCK_STEADY = 1,
    CLOCK_BOOT = 7,
    CLOCK_WALL_ALARM = 8,
    CLOCK_BOOT_ALARM = 9
};
enum { TIMER_ABSOLUTE = 1, TIMER_CANCEL_ON_SET = 2 };
enum { EPOLL_ADD = 1, EPOLL_DELETE = 2, EPOLL_MODIFY = 3 };

/* The number that `file`, which is put on failure, gets. */
static int64_t add_file(struct file *file, unsigned flags)
{
    int number = descriptor_add(process_current()->files, file, 0, user_file_limit(),
                                flags & ABI_OPEN_CLOSING);

    if (number < 0)
        file_put(file);
    return number;
}

static bool flags_are_good(unsigned flags, unsigned also)
{
    return !(flags & ~(also | ABI_OPEN_CLOSING | FILE_NONBLOCK));
}

int64_t sys_eventfd2(const struct sys_args *args)
{
    unsigned flags = (unsigned)args->value[1];
    struct file *file;
    int error;

    if (!flags_are_good(flags, COUNTER_SEMAPHORE))
        return -EINVAL;
    error = counter_create((uint32_t)args->value[0], flags & COUNTER_SEMAPHORE,
                           flags & FILE_NONBLOCK, &file);
    return error ? error : add_file(file, flags);
}

/* Makes a file, or with a descriptor changes for which signals that one's is. */
int64_t sys_signalfd4(const struct sys_args *args)
{
    unsigned flags = (unsigned)args->value[3];
    struct file *file;
    uint64_t set;
    int error;

    if (args->value[2] != sizeof(set) || !flags_are_good(flags, 0))
        return -EINVAL;
    if (user_copy_in(&set, args->value[1], sizeof(set)))
        return -EFAULT;
    if ((int32_t)args->value[0] == -1) {
        error = taken_create(set, flags & FILE_NONBLOCK, &file);
        return error ? error : add_file(file, flags);
    }
    file = user_file(args->value[0]);
    if (!file)
        return -EBADF;
    error = taken_set(file, set);
    file_put(file);
    return error ? error : (int64_t)(int32_t)args->value[0];
}

/* ---- timerfd ---- */

int64_t sys_timerfd_create(const struct sys_args *args)
{
    uint32_t clock = (uint32_t)args->value[0];
    unsigned flags = (unsigned)args->value[1];
    bool wall = clock == CLOCK_WALL || clock == CLOCK_WALL_ALARM;
    struct file *file;
    int error;

    if (!wall && clock != CLOCK_STEADY && clock != CLOCK_BOOT && clock != CLOCK_BOOT_ALARM)
        return -EINVAL;
    if (!flags_are_good(flags, 0))
        return -EINVAL;
    error = alarm_create(wall, flags & FILE_NONBLOCK, &file);
    return error ? error : add_file(file, flags);
}

/* Linux's struct itimerspec. */
static int write_setting(uint64_t to, const struct alarm_setting *setting)
{
    struct user_time times[2] = {user_time_of((int64_t)setting->interval),
                                 user_time_of((int64_t)setting->left)};

    return user_copy_out_optional(to, times, sizeof(times));
}

/* When an alarm is to ring that was asked for with `ns`, > 0. */
static uint64_t deadline_of(uint64_t ns, bool absolute, bool wall)
{
    uint64_t now = hal_time_now(), start = wall ? (uint64_t)wall_now_ns() : now;

    if (!absolute)
        return now + ns;
    return ns > start ? now + (ns - start) : now;
}

static int64_t set_alarm(struct file *file, const struct sys_args *args)
{
    bool absolute = args->value[1] & TIMER_ABSOLUTE;
    uint64_t interval, ns, deadline = 0;
    int wall = alarm_is_wall(file);
    struct alarm_setting old;
    int error = user_read_time(args->value[2], &interval);

    if (!error)
        error = user_read_time(args->value[2] + sizeof(struct user_time), &ns);
    if (!error && wall < 0)
        error = wall;
    if (error)
        return error;
    if (ns > 0)
        deadline = deadline_of(ns, absolute, wall);
    if (args->value[3]) {
        /* What cannot be told is not done. */
        alarm_get(file, &old);
        error = write_setting(args->value[3], &old);
        if (error)
            return error;
    }
    alarm_set(file, deadline, interval, &old);
    return 0;
}

int64_t sys_timerfd_settime(const struct sys_args *args)
{
    struct file *file;
    int64_t result;

    if (args->value[1] & ~(uint64_t)(TIMER_ABSOLUTE | TIMER_CANCEL_ON_SET))
        return -EINVAL;
    file = user_file(args->value[0]);
    if (!file)
        return -EBADF;
    result = set_alarm(file, args);
    file_put(file);
    return result;
}

int64_t sys_timerfd_gettime(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    struct alarm_setting setting;
    int64_t result;

    if (!file)
        return -EBADF;
    result = alarm_is_wall(file);
    if (result >= 0) {
        alarm_get(file, &setting);
        result = args->value[1] ? write_setting(args->value[1], &setting) : -EFAULT;
    }
    file_put(file);
    return result;
}

/* ---- epoll ---- */

int64_t sys_epoll_create1(const struct sys_args *args)
{
    unsigned flags = (unsigned)args->value[0];
    struct file *file;
    int error;

    if (flags & ~(unsigned)ABI_OPEN_CLOSING)
        return -EINVAL;
    error = epoll_open(&file);
    return error ? error : add_file(file, flags);
}

static int read_event(struct epoll_event *event, uint64_t from)
{
    uint8_t bytes[ABI_EVENT_MAX];
    int error = user_copy_in(bytes, from, abi_event_bytes);

    if (!error)
        *event = (struct epoll_event){le32(bytes), le64(bytes + abi_event_bytes - 8)};
    return error;
}

static int64_t control(struct file *set, struct file *file, const struct sys_args *args)
{
    unsigned number = (unsigned)args->value[2];
    struct epoll_event event;
    int error;

    switch ((uint32_t)args->value[1]) {
    case EPOLL_ADD:
        error = read_event(&event, args->value[3]);
        return error ? error : epoll_add(set, file, number, &event);
    case EPOLL_MODIFY:
        error = read_event(&event, args->value[3]);
        return error ? error : epoll_change(set, file, number, &event);
    case EPOLL_DELETE:
        return epoll_remove(set, file, number);
    default:
        return -EINVAL;
    }
}

int64_t sys_epoll_ctl(const struct sys_args *args)
{
    struct file *set = user_file(args->value[0]), *file = user_file(args->value[2]);
    int64_t result = set && file ? control(set, file, args) : -EBADF;

    file_put(file);
    file_put(set);
    return result;
}

/* epoll_taker */
static int write_event(void *context, unsigned index, const struct epoll_event *event)
{
    uint64_t to = *(const uint64_t *)context + index * abi_event_bytes;
    uint8_t bytes[ABI_EVENT_MAX] = {0};

    put_le32(bytes, event->events);
    put_le64(bytes + abi_event_bytes - 8, event->data);
    return user_copy_out(to, bytes, abi_event_bytes);
}

int64_t sys_epoll_pwait(const struct sys_args *args)
{
    int32_t most = (int32_t)args->value[2], ms = (int32_t)args->value[3];
    uint64_t address = args->value[1], deadline = HAL_TIME_NEVER;
    struct file *set;
    int64_t result = watch_set_mask(args->value[4], args->value[5]);

    if (result)
        return result;
    if (most <= 0 || (uint32_t)most > INT32_MAX / abi_event_bytes)
        return -EINVAL;
    set = user_file(args->value[0]);
    if (!set)
        return -EBADF;
    if (ms >= 0)
        deadline = hal_time_now() + (uint64_t)ms * NS_PER_MS;
    result = epoll_await(set, (unsigned)most, deadline, write_event, &address);
    file_put(set);
    return result;
}
