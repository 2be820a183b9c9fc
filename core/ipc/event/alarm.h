/* SPDX-License-Identifier: MIT */
/*
 * alarm.h: a clock that can be waited for as a file (Linux's timerfd).
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct file;

struct alarm_setting {
    uint64_t left;     /**< ns until it rings next; 0: it is off */
    uint64_t interval; /**< ns from then on; 0: once */
};

/**
 * An alarm that is off, as an open file: reading it waits until it has rung, and gives how often it
 * has since it was read last. Flags: FILE_NONBLOCK. 0 or -ENOMEM. Thread context.
 */
HAL_MUST_CHECK int alarm_create(bool wall, unsigned flags, struct file **file);

/** Whether it goes by the wall clock; -EINVAL: the file is no alarm. Any context. */
HAL_MUST_CHECK int alarm_is_wall(const struct file *file);

/** How it is set. The file is an alarm. May sleep. */
void alarm_get(struct file *file, struct alarm_setting *setting);

/** Sets it to ring at `deadline` of hal_time_now, 0 for never, and each `interval` after that;
 * *old: how it was. As above. */
void alarm_set(struct file *file, uint64_t deadline, uint64_t interval, struct alarm_setting *old);
