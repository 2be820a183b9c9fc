/* SPDX-License-Identifier: MIT */
/*
 * timer.h: the processor's timer (behind <hal/time.h>) and the board's one-shot for the card.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Notes the time of power-on and quiets the timer. At boot, on CPU 0. */
void timer_start(void);

/** Quiets the calling CPU's timer. */
void timer_start_cpu(void);

/** This CPU's timer interrupted: disarms it. False when it had no cause. */
bool timer_take_interrupt(void);

/**
 * Raises GPU_IRQ_SYSTIMER_3 in about `microseconds`, in place of an earlier wish. It may also come
 * when nobody waits any more. One user: the card. Any context.
 */
void systimer_arm(uint32_t microseconds);

/** Quiets that interrupt. Any context. */
void systimer_quiet(void);
