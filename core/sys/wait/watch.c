/* SPDX-License-Identifier: MIT */
/*
 * watch.c: one look at all files, with a waiter hung into each; and if none is ready, sleep, and
 * look again, until one is.
 */
#include "sys/wait/watch.h"

#include "fs/file.h"
#include "proc/signal/signals.h"
#include "sys/user.h"

#include <hal/errno.h>

#define NS_PER_SECOND 1000000000u
#define SECONDS_MAX 4000000000 /* as user_read_time */

/* The VNODE_CAN_ bits that make one of these events. */
static unsigned events_of(unsigned wanted)
{
    unsigned events = wanted & (READY_IN | READY_OUT | READY_ERROR | READY_HANG_UP);

    if (wanted & READY_IN_NORMAL)
        events |= VNODE_CAN_READ;
    if (wanted & READY_OUT_NORMAL)
        events |= VNODE_CAN_WRITE;
    return events;
}

/* How many have something; those that have not, if `hang`, will tell `sleeper`. */
static unsigned look_at_all(struct watch *watches, unsigned count, bool hang)
{
    unsigned ready = 0;

    for (unsigned i = 0; i < count; i++) {
        struct watch *watch = &watches[i];

        watch->found = 0;
        if (!watch->file)
            watch->found = watch->wanted & READY_NOT_OPEN;
        else
            watch->found =
                ready_look(watch->file, hang ? &watch->seat.waiter : NULL) & watch->wanted;
        ready += watch->found != 0;
        hang = hang && ready == 0;
    }
    return ready;
}

int64_t watch_wait(struct watch *watches, unsigned count, uint64_t deadline)
{
    bool hang = deadline > hal_time_now();
    struct poll_sleeper sleeper;
    int64_t ready;
    int error = 0;

    poll_sleeper_init(&sleeper);
    for (unsigned i = 0; i < count; i++)
        poll_seat_init(&watches[i].seat, &sleeper, events_of(watches[i].wanted));
    ready = look_at_all(watches, count, hang);
    while (hang && ready == 0 && !error) {
        error = poll_sleeper_sleep(&sleeper, deadline);
        if (!error || error == -ETIMEDOUT)
            ready = look_at_all(watches, count, false);
    }
    for (unsigned i = 0; i < count; i++)
        poll_leave(&watches[i].seat.waiter);
    return ready > 0 || error == -ETIMEDOUT ? ready : error;
}

void watch_finish(struct watch *watches, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        file_put(watches[i].file);
}

/* ---- limits of time ---- */

int watch_read_limit(struct watch_limit *limit, uint64_t address, bool micro)
{
    struct user_time time;
    int error;

    *limit = (struct watch_limit){address, HAL_TIME_NEVER, micro ? 1000 : 1};
    if (!address)
        return 0;
    error = user_copy_in(&time, address, sizeof(time));
    if (error)
        return error;
    if (time.seconds < 0 || time.ns < 0)
        return -EINVAL;
    if (!micro && time.ns >= NS_PER_SECOND)
        return -EINVAL;
    if (time.seconds > SECONDS_MAX)
        time.seconds = SECONDS_MAX;
    if (time.ns > SECONDS_MAX)
        time.ns = SECONDS_MAX;
    limit->deadline =
        hal_time_now() + (uint64_t)time.seconds * NS_PER_SECOND + (uint64_t)time.ns * limit->unit;
    return 0;
}

void watch_write_limit(const struct watch_limit *limit)
{
    uint64_t now = hal_time_now();
    struct user_time left;

    if (!limit->address)
        return;
    left = user_time_of(limit->deadline > now ? (int64_t)(limit->deadline - now) : 0);
    left.ns /= (int64_t)limit->unit;
    /* Where it cannot be written, it is not: the call has been made all the same. */
    (void)!user_copy_out(limit->address, &left, sizeof(left));
}

/* ---- signals ---- */

#define SET_BYTES 8u

int watch_set_mask(uint64_t address, uint64_t bytes)
{
    uint64_t set;
    int error;

    if (!address)
        return 0;
    error = bytes == SET_BYTES ? user_copy_in(&set, address, sizeof(set)) : -EINVAL;
    if (!error)
        signal_set_mask_for_call(set);
    return error;
}
