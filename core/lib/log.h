/* SPDX-License-Identifier: MIT */
/*
 * log.h: the kernel's log: lines with a level and a time stamp, kept in a ring for `dmesg`.
 *
 * Lines at or below the console level (`loglevel=` on the command line; by default warnings) also
 * go to the console. When the ring is full the oldest lines go.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

enum klog_level {
    KLOG_ERROR = 3,
    KLOG_WARNING = 4,
    KLOG_NOTICE = 5,
    KLOG_INFO = 6,
    KLOG_DEBUG = 7
};

#define KLOG_TEXT_MAX 120

/** Readies the log. The first thing that boot does. */
void klog_init(void);

/** Adds a line (no newline at its end). Cut at KLOG_TEXT_MAX bytes. Any context. */
void klog(enum klog_level level, const char *format, ...) HAL_FORMAT(2, 3);

struct klog_line {
    uint64_t number; /**< counts up from 1 */
    uint64_t time;   /**< nanoseconds since power-on */
    enum klog_level level;
    char text[KLOG_TEXT_MAX + 1];
};

/** Copies the oldest kept line whose number is >= `number`. Returns 0, or -ENOENT if there is none.
 * Any context. */
int klog_read(uint64_t number, struct klog_line *line);

/** Lines at or below `level` go to the console from now on. Any context. */
void klog_set_console_level(int level);
