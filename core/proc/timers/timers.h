/* SPDX-License-Identifier: MIT */
/*
 * timers.h: the timers that a process makes (timer_create), as many as it likes up to TIMERS_MOST.
 *
 * When its time has come a timer sends its signal, and stands still until that has been taken; the
 * times that have passed meanwhile are its overrun, which comes with the signal. It does not stand
 * still if its signal does not wait: because it is ignored, because a plain one waits already, from
 * whomever, or because there is no room for one more; or if it is dropped. Then it goes on by
 * itself, and the times that nobody was told of are overruns of the next signal.
 *
 * One may also count the processor time that its process, or the thread that made it, has used.
 * Nobody tells when that reaches a value: it is looked at when it can have, at the earliest, and
 * while none is used ever less often.
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

/** What a timer goes by. */
enum timer_clock { TIMER_STEADY, TIMER_WALL, TIMER_PROCESS, TIMER_THREAD };

/** ns. */
struct timer_setting {
    uint64_t time; /**< of what the timer counts, or how long from now; 0: it is off */
    uint64_t interval;
};

/** Makes one of the caller's process: its number; -EAGAIN: too many, or no memory; -EINVAL: no such
 * thread of the process. May sleep. */
HAL_MUST_CHECK int user_timer_create(const struct timer_event *event, enum timer_clock clock);

/**
 * What timer `number` goes by, and *now: what it counts at this moment (by the clock of the day,
 * too, that is hal_time_now). -EINVAL: there is no such timer. May sleep.
 */
HAL_MUST_CHECK int user_timer_clock(int32_t number, uint64_t *now);

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

/** A timer's signal waits no more, and nobody has taken it. Caller holds process_lock. */
void user_timer_dropped(struct process *process, const struct signal_info *info);
