/* SPDX-License-Identifier: MIT */
/*
 * timers.h: the timers that a process makes (timer_create), as many as it likes up to TIMERS_MOST.
 *
 * When its time has come a timer sends its signal, and stands still until that has been taken; the
 * times that have passed meanwhile are its overrun, which comes with the signal. With a plain
 * signal that waits already, from whomever, it does not stand still: that time is an overrun, too.
 */
#pragma once

#include "proc/signal.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define TIMERS_MOST 256u

/** What happens when the time has come. */
struct timer_event {
    unsigned signal; /**< 0: nothing */
    uint32_t tid;    /**< for this thread; 0: for the process */
    uint64_t value;
    bool names_itself; /**< the value is the timer's number */
};

/** ns. */
struct timer_setting {
    uint64_t time; /**< hal_time_now, or how long from now; 0: it is off */
    uint64_t interval;
};

/** Makes one of the caller's process: its number; -EAGAIN: too many, or no memory; -EINVAL: no such
 * thread of the process. `wall`: it goes by the clock of the day. May sleep. */
HAL_MUST_CHECK int user_timer_create(const struct timer_event *event, bool wall);

/** Whether timer `number` goes by the clock of the day: 0, 1; -EINVAL: there is no such timer. */
HAL_MUST_CHECK int user_timer_is_wall(int32_t number);

/** Sets it; *old is how long it had to go. -EINVAL. May sleep. */
HAL_MUST_CHECK int user_timer_set(int32_t number, const struct timer_setting *setting,
                                  struct timer_setting *old);
HAL_MUST_CHECK int user_timer_get(int32_t number, struct timer_setting *setting);

/** The overrun of the last signal that was taken; -EINVAL. */
HAL_MUST_CHECK int user_timer_overrun(int32_t number);

/** -EINVAL. May sleep. */
HAL_MUST_CHECK int user_timer_delete(int32_t number);

/** All timers of the process go. Caller holds nothing. May sleep. */
void user_timers_end(struct process *process);

/** A timer's signal has been taken: *info gets the overrun, and the timer goes on. Caller holds
 * process_lock. */
void user_timer_taken(struct process *process, struct signal_info *info);
