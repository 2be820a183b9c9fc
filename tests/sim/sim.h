/* SPDX-License-Identifier: MIT */
/*
 * sim.h: helpers of the library's suites. Each case runs in a process of its own (Check forks), so
 * a case may open one machine and need not close it.
 */
#pragma once

#include "tayberry.h"

#include "../marks.h"
#include "../tsan.h"

#define MS 1000000ull
#define SECOND (1000 * MS)

/** Opens a machine whose guest behaves as `behaviour` (guest.c). */
struct tb_machine *sim_open(enum tb_clock clock, const char *behaviour);
/** The same, with the power on, and run until the guest is "ready". */
struct tb_machine *sim_start(enum tb_clock clock, const char *behaviour);
/** All that the guest has printed and nobody has taken. */
const char *sim_output(struct tb_machine *machine);
/** The name of a new file with `bytes` in it, which is gone when the case ends. */
const char *sim_file(const void *bytes, size_t n);
/** As tb_state_hash; 0 under ThreadSanitizer, which keeps pointers of its own on the guest's
 * stacks.
 */
uint64_t sim_state_hash(const struct tb_machine *machine);
/** Milliseconds of the host's monotonic clock. */
uint64_t sim_host_ms(void);
/** Runs `suite` and reports in TAP on standard output. */
int sim_run_suite(Suite *suite);
