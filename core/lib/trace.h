/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the last things that each CPU did: for the panic screen, the debug shell and the command
 * `trace`; and each of them to whoever listens outside (hal/trace.h).
 *
 * All that note an event want interrupts masked, and may be called in any context.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/trace.h>

#include <stdint.h>

#define KTRACE_EVENTS 128u /* that are kept for each CPU */

/** Something of the thread that runs here, or of no thread in particular. */
void ktrace_event(enum hal_trace_kind kind, uint64_t time, uint64_t a, uint64_t b);

/** Something that concerns the thread `other`, whose number is `a`. */
void ktrace_thread(enum hal_trace_kind kind, uint64_t time, const struct hal_trace_thread *other,
                   uint64_t b, uint32_t c);

/** Something that has a name: a lock. It is cut to HAL_TRACE_NAME. */
void ktrace_named(enum hal_trace_kind kind, uint64_t time, const char *name, uint64_t a,
                  uint64_t b);

/** A request for the card, given (REQUEST) or done (DONE, with its result: 0 or negative). */
void ktrace_request(enum hal_trace_kind kind, uint64_t time, uint64_t sector, uint32_t sectors,
                    uint32_t op, int result);

/** This CPU switches from `from`, which is in `state` from now on, to `to`. */
void ktrace_switch(uint64_t time, const struct hal_trace_thread *from, char state,
                   const struct hal_trace_thread *to);

/** The calling code is the thread `self` from now on: a CPU starts. */
void ktrace_start(const struct hal_trace_thread *self);

/**
 * The event `age` events before the newest (0) on `cpu`: 0, or -ENOENT. Any context; on another CPU
 * than that only while it stands still.
 */
HAL_MUST_CHECK int ktrace_read(unsigned cpu, unsigned age, struct hal_trace_event *event);

/** How many events there ever were on `cpu`, < HAL_CPU_MAX; of them the last KTRACE_EVENTS are
 * kept. As ktrace_read. */
uint64_t ktrace_count(unsigned cpu);

/** A word for `kind`. */
const char *ktrace_name(enum hal_trace_kind kind);
