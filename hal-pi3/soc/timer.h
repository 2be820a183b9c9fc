/* SPDX-License-Identifier: MIT */
/*
 * timer.h: the processor's timer (behind <hal/time.h>) and the board's one-shot timers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Notes the time of power-on and quiets the timer. At boot, on CPU 0. */
void soc_timer_start(void);

/** Quiets the calling CPU's timer. */
void soc_timer_start_cpu(void);

/** What the processor's counter of time stands at, about. Any context. */
static inline uint64_t soc_timer_count(void)
{
    uint64_t count;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
}

/** How long so many of its ticks take, in ns. */
uint64_t soc_timer_ns(uint64_t ticks);

/** As many ticks of the processor's counter as `ns` takes, rounded up. */
uint64_t soc_timer_ticks(uint64_t ns);

/** This CPU's timer interrupted: disarms it. False when it had no cause. */
bool soc_timer_take_interrupt(void);

/** The compare registers of the system timer that are not the firmware's, by who uses them. */
enum systimer_user { SYSTIMER_SERIAL = 1, SYSTIMER_CARD = 3 };

/**
 * Raises GPU_IRQ_SYSTIMER_1 or _3 in about `microseconds`, in place of an earlier wish. It may also
 * come when nobody waits any more. Any context.
 */
void systimer_arm(enum systimer_user user, uint32_t microseconds);

/** Quiets that interrupt. Any context. */
void systimer_quiet(enum systimer_user user);
