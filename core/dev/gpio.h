/* SPDX-License-Identifier: MIT */
/*
 * gpio.h: who uses which pin of the header, and waiting for edges.
 *
 * A pin belongs to one user at a time: whoever blinks it, or drives it from the command line,
 * claims it first and gives it back. GPIO14 and GPIO15 carry the console and belong to the kernel
 * for good.
 */
#pragma once

#include "lib/list.h"

#include <hal/compiler.h>
#include <hal/gpio.h>

#include <stdbool.h>
#include <stdint.h>

#define GPIO_USER_MAX 31

/** Prepares the table. Boot calls it once, before HAL_IRQ_GPIO is enabled. */
void gpio_start(void);

/** HAL_IRQ_GPIO: notes the edges and wakes those who wait. */
void gpio_interrupt(void);

/** Makes `pin` the property of `user` (a few words). 0, -EINVAL: no such pin, -EBUSY. Any context.
 */
HAL_MUST_CHECK int gpio_claim(unsigned pin, const char *user);

/** Gives it back. Caller has claimed it. Any context. */
void gpio_release(unsigned pin);

/** Copies who has claimed `pin` (GPIO_USER_MAX + 1 bytes); false, and "", if nobody has. Any
 * context. */
bool gpio_user(unsigned pin, char *user);

/** As hal_gpio_set_pull, and remembers it. Caller has claimed the pin. */
HAL_MUST_CHECK int gpio_set_pull(unsigned pin, enum hal_gpio_pull pull);

/** The pull that gpio_set_pull set, or -ENODEV: none since power-on, the chip's default holds. */
int gpio_pull(unsigned pin);

/**
 * Waits until the level of `pin` may have changed since it was `level`, or `deadline` of
 * hal_time_now. Returns the level now, -ETIMEDOUT, -EINTR when cancelled, -EINVAL. On a machine
 * that cannot watch pins it looks every millisecond, and may miss a short pulse. May sleep.
 */
HAL_MUST_CHECK int gpio_wait_change(unsigned pin, bool level, uint64_t deadline);

/** Who is told of edges as they come. The caller owns it. */
struct gpio_listener {
    uint32_t pins; /**< bits of those to be told of */

    /**
     * An edge of `pin` was seen. Interrupt, under LOCK_RANK_DEVICE: takes locks of higher rank
     * only.
     */
    void (*edge)(struct gpio_listener *listener, unsigned pin);
    struct list link;
};

/** Begins to tell `listener`. 0, or -ENOSYS: this machine cannot watch pins. Any context. */
HAL_MUST_CHECK int gpio_listen(struct gpio_listener *listener);

/** Ends that: when this returns nobody is in its function. Any context. */
void gpio_unlisten(struct gpio_listener *listener);

/** A word for `function`. */
const char *gpio_function_name(int function);
