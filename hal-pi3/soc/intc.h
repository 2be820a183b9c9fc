/* SPDX-License-Identifier: MIT */
/*
 * intc.h: the two interrupt controllers, behind the lines of <hal/irq.h>.
 */
#pragma once

#include <hal/irq.h>

#include <stdbool.h>
#include <stdint.h>

/** Quiets everything and lets only the backend's own sources through. At boot, on CPU 0. */
void intc_start(void);

/** Prepares the calling CPU's own part. */
void intc_start_cpu(unsigned cpu);

/** An interrupt was taken: finds its line and tells core. From trap.c, masked. */
void intc_take(void);

/**
 * Makes `line` pending on CPU `cpu` by software: IPIs, and lines whose cause is not a wire. What
 * was written before is visible to the handler. Any context.
 */
void intc_poke(unsigned cpu, enum hal_irq line);

/** Forgets the pokes that CPU `cpu` has received. On that CPU, masked. */
void intc_drop_pokes(unsigned cpu);

/** Has this CPU's physical timer raise a fast interrupt, or nothing. Masked. */
void intc_route_watch(bool on);

/** Lets one of the GPU's interrupts through, or not. Any context. */
void intc_enable_gpu(unsigned irq);
void intc_disable_gpu(unsigned irq);
