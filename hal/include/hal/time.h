/* SPDX-License-Identifier: MIT */
/*
 * time.h: one monotonic clock, one one-shot timer a CPU, and the wall clock if there is one.
 *
 * Times are nanoseconds in 64 bits, which last 584 years; HAL_TIME_NEVER is the far end.
 */
#pragma once

#include <stdint.h>

#define HAL_TIME_NEVER UINT64_MAX

/**
 * Nanoseconds since power-on. Never goes back, on any CPU, and all CPUs agree: a value read on one
 * before an IPI is not greater than one read on the other after it. Any context.
 */
uint64_t hal_time_now(void);

/**
 * Arms this CPU's timer: HAL_IRQ_TIMER becomes pending once, at or after `deadline` of
 * hal_time_now.
 *
 * Replaces the earlier deadline, also one whose interrupt has not been taken yet. A deadline in the
 * past fires at once; HAL_TIME_NEVER disarms. Never fires early. Any context.
 */
void hal_timer_set(uint64_t deadline);

/**
 * The time of day at this moment, in nanoseconds since 1970-01-01 00:00 UTC, or 0 where the machine
 * has no such clock. Any context.
 */
uint64_t hal_time_wall(void);
