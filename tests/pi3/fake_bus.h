/* SPDX-License-Identifier: MIT */
/*
 * fake_bus.h: a bus on the host, to which the backend's drivers are connected instead of the chip.
 *
 * Every access is written down, one line each, so that a driver's doing can be compared with the
 * data sheet's text:
 *
 *     R 3f200004 00000000     a read, and what it gave
 *     W 3f200004 00200000     a write
 *     barrier                 mmio_barrier (several in a row are one)
 *     delay 1000              mmio_delay, in cycles
 *     wait 10                 mmio_wait, in microseconds
 *
 * An address behaves as memory unless a model has been put in front of it. Time stands still but
 * for waits and for one microsecond at each look at the clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** A device at the addresses first .. last. Its functions see every access there. */
struct fake_model {
    uintptr_t first, last;
    uint32_t (*read)(uintptr_t address);
    void (*write)(uintptr_t address, uint32_t value);
};

/** Forgets registers, models, trace and time. */
void fake_reset(void);

/** Puts a model on the bus. It stays the caller's. */
void fake_add_model(const struct fake_model *model);

/** What memory-like registers hold. */
uint32_t fake_peek(uintptr_t address);
void fake_poke(uintptr_t address, uint32_t value);

/** Adds a line to the trace. */
__attribute__((format(printf, 1, 2))) void fake_note(const char *format, ...);

/** The trace since the last fake_trace_clear, as text. */
const char *fake_trace(void);
void fake_trace_clear(void);

/** Switches writing down off (for long identifications) and on. */
void fake_trace_enable(bool on);

/** How many lines of the trace begin with `start`. */
unsigned fake_trace_count(const char *start);

/** Where the first line that begins with `start` is, or -1. */
int fake_trace_line(const char *start);

/** The fake time in microseconds, without letting any pass. */
uint64_t fake_now(void);
void fake_pass(uint64_t microseconds);
