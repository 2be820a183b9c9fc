/* SPDX-License-Identifier: MIT */
/*
 * ktimer.h: functions that the kernel calls when a time has come.
 *
 * A timer lies in the caller's object. Arming and cancelling are a few steps however many timers
 * there are (wheel.h), allocate nothing, and are allowed in interrupts.
 *
 * Timers run in a thread, "timers", one after the other in the order of their deadlines; equal ones
 * as they were armed. So a function may take mutexes and allocate memory, and it delays all timers
 * behind it while it runs: what takes long goes to a work queue (work.h). It is called at its
 * deadline or later, never earlier, by what it takes to switch to that thread; and once for each
 * time that it was armed.
 *
 *     FREE --arm--> ARMED --deadline--> RUNNING --> FREE, or ARMED if it was armed meanwhile
 *             <--cancel--
 */
#pragma once

#include "deferred/wheel.h"

#include <hal/compiler.h>

struct ktimer {
    struct wheel_node node;
    void (*function)(struct ktimer *timer);
};

/**
 * Makes a timer that is not armed, and calls function(timer), in the thread of the timers. The
 * function may arm the timer again, cancel it, or free its memory. Any context.
 */
void ktimer_init(struct ktimer *timer, void (*function)(struct ktimer *timer));

/**
 * Arms it for `deadline` of hal_time_now, also if it is armed for another one. HAL_TIME_NEVER: it
 * is armed, and does not run. Any context that may take LOCK_RANK_TIMER.
 */
void ktimer_arm(struct ktimer *timer, uint64_t deadline);

/**
 * Disarms it, and waits until its function, if it runs at this moment, has returned (if that arms
 * the timer anew, in vain): after that it runs no more, unless somebody arms it. In the function
 * itself it does not wait. Returns whether the timer was armed at the call. May sleep; the caller
 * holds nothing that the function waits for.
 */
bool ktimer_cancel(struct ktimer *timer);

/**
 * As ktimer_cancel without waiting: -EBUSY if the function runs at this moment, and may arm the
 * timer anew; otherwise 1 if it was armed, 0 if not. Context as ktimer_arm.
 */
HAL_MUST_CHECK int ktimer_try_cancel(struct ktimer *timer);

/** True if it is armed at this moment. Context as ktimer_arm. */
HAL_MUST_CHECK bool ktimer_is_armed(const struct ktimer *timer);

/** How many are armed. Any context. */
size_t ktimer_count(void);

/** Starts the thread. 0 or -ENOMEM. Boot only. */
HAL_MUST_CHECK int ktimer_start(void);
