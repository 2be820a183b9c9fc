/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: how the CPUs come to life (the rest of them is <hal/cpu.h>).
 */
#pragma once

#include <hal/compiler.h>

#include <stdint.h>

/** In boot.S: where a CPU other than 0 begins; its physical address goes into the spin table. */
extern const char secondary_enter[];

/** Calls the other CPUs out of the firmware's stub; they come to machine_start_secondary. */
void arch_release_cpus(void);

/** CPU 0's first C code in the upper half, from boot.S. `tags`: physical, what the firmware gave.
 */
HAL_NORETURN void machine_start(uint64_t tags);

/** The others' first C code in the upper half, from boot.S: parks until wanted. */
HAL_NORETURN void machine_start_secondary(unsigned cpu);
