/* SPDX-License-Identifier: MIT */
/*
 * clock.h: the wall clock: the board's, where it has one, or what `date` set.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct calendar {
    int year;  /**< 1970 .. 9999 */
    int month; /**< 1 .. 12 */
    int day;   /**< 1 .. 31 */
    int hour, minute, second;
    int weekday; /**< 0 is Sunday */
};

#define WALL_NS INT64_C(1000000000) /**< ns of a second */

/** Seconds since 1970-01-01 00:00 UTC, now. Any context. */
int64_t wall_now(void);

/** The same in nanoseconds. Any context. */
int64_t wall_now_ns(void);

/** True when the time comes from a clock or from wall_set, not from counting since power-on. Any
 * context. */
bool wall_known(void);

/** Sets the wall clock. Any context. */
void wall_set(int64_t seconds);

/** From now on the wall clock stands still at what it was set to, also when it is set anew: so that
 * the same operations leave the same bytes on a card. Boot. */
void wall_stop(int64_t seconds);

/** The date and time of `seconds`, UTC, proleptic Gregorian calendar. Clamped to the years 1970 ..
 * 9999. */
void calendar_from_seconds(int64_t seconds, struct calendar *calendar);

/** The reverse: 0, or -EINVAL for a date that does not exist. */
HAL_MUST_CHECK int calendar_to_seconds(const struct calendar *calendar, int64_t *seconds);

/** Reads "2026-01-31" and "12:34" or "12:34:56". 0, or -EINVAL for what is no date or no time. */
HAL_MUST_CHECK int calendar_from_text(const char *date, const char *time, int64_t *seconds);
