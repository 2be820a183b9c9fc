/* SPDX-License-Identifier: MIT */
/*
 * sense.h: arguments that belong together.
 *
 * What each argument is by itself says nothing of a structure with a layout, or of which descriptor
 * a request is for. So for calls that have such arguments there is a *maker* here, who fills in all
 * of them as a program with sense would, most of the time: the rest of the kernel's code behind
 * such a call is met only so. What a maker puts into memory other threads may change before the
 * call reads it.
 */
#pragma once

#include "ktest/calls/calls.h"

#define SENSE_COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define SENSE_PICK(chance, array) (array)[calls_below(chance, SENSE_COUNT(array))]

/** Fills in the arguments of a call; those that it leaves are of chance. */
typedef void sense_maker(struct calls_chance *chance, uint32_t pid, struct sys_args *args);

/** Writes `n` bytes where the player can have them, or, now and then, where it cannot: where. */
uint64_t sense_put(struct calls_chance *chance, const void *bytes, size_t n);

/** Mostly `usual`, else any. */
uint64_t sense_descriptor(struct calls_chance *chance, unsigned usual);

/** Two times in ns, for structures of seconds and the rest: short, or now and then none. */
void sense_times(struct calls_chance *chance, uint64_t words[4], uint64_t unit);

/* devices.c */
sense_maker sense_ioctl, sense_mount, sense_umount;

/* events.c */
sense_maker sense_epoll_ctl, sense_epoll_pwait, sense_timerfd_settime, sense_timerfd_gettime,
    sense_timer_create, sense_timer_settime, sense_setitimer, sense_poll, sense_select, sense_futex,
    sense_rt_sigaction, sense_rt_sigqueueinfo, sense_rt_sigtimedwait, sense_rt_sigprocmask;
