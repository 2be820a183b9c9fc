/* SPDX-License-Identifier: MIT */
/*
 * watch.h: finding out a CPU that keeps interrupts masked (behind hal_cpu_watch).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** This CPU has taken an interrupt. From trap.c. */
void soc_watch_interrupt(void);

/**
 * This CPU has taken a fast interrupt in code that was `masked` or not. Returns 0, or for how many
 * ns the CPU has been masked, which is too long. From trap.c.
 */
uint64_t soc_watch_take(bool masked);

/** Around idling: there is nothing to watch meanwhile. Masked. */
void soc_watch_pause(void);
void soc_watch_resume(void);
