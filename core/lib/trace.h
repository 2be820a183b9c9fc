/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the last things that each CPU did, for the panic screen and the debug shell.
 */
#pragma once

#include <hal/compiler.h>

#include <stdint.h>

enum trace_kind {
    TRACE_NONE,
    TRACE_SWITCH,    /**< a: number of the thread that left, b: of the one that came */
    TRACE_INTERRUPT, /**< a: line */
    TRACE_WAKE,      /**< a: number of the thread, b: why it was woken (0 or an error) */
    TRACE_FAULT,     /**< a: kind, b: address */
    TRACE_CREATE,    /**< a: number of the new thread */
    TRACE_EXIT,      /**< a: number of the thread */
    TRACE_MOVE       /**< a: number of the thread, b: the CPU it goes to */
};

/** Keeps one event. Caller has interrupts masked. Any context. */
void ktrace_event(enum trace_kind kind, uint64_t time, uint64_t a, uint64_t b);

struct ktrace_record {
    uint64_t time; /**< nanoseconds since power-on */
    uint64_t a, b;
    uint32_t kind;
};

/** The event `age` events before the newest (0) on `cpu`: 0, or -ENOENT. Any context. */
HAL_MUST_CHECK int ktrace_read(unsigned cpu, unsigned age, struct ktrace_record *record);

/** A word for `kind`. */
const char *ktrace_name(enum trace_kind kind);
