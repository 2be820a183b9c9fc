/* SPDX-License-Identifier: MIT */
/*
 * gpio.h: the pins of the 40-pin header, by Broadcom's numbers.
 *
 * Source: BCM2837 ARM Peripherals, section 6. Pins above HAL_GPIO_PINS - 1 exist on the chip but
 * carry the board's own devices, and are not for core.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define HAL_GPIO_PINS 28u

/** What a pin does. The ALT functions are the chip's; which device is behind one is in the data
 * sheet. */
enum hal_gpio_function {
    HAL_GPIO_INPUT,
    HAL_GPIO_OUTPUT,
    HAL_GPIO_ALT5,
    HAL_GPIO_ALT4,
    HAL_GPIO_ALT0,
    HAL_GPIO_ALT1,
    HAL_GPIO_ALT2,
    HAL_GPIO_ALT3
};

enum hal_gpio_pull { HAL_GPIO_PULL_NONE, HAL_GPIO_PULL_DOWN, HAL_GPIO_PULL_UP };

enum hal_gpio_edge {
    HAL_GPIO_EDGE_NONE = 0,
    HAL_GPIO_EDGE_RISING = 1,
    HAL_GPIO_EDGE_FALLING = 2,
    HAL_GPIO_EDGE_BOTH = 3
};

/** Gives `pin` a function. -EINVAL: no such pin or function. -EBUSY: the pin carries the console.
 * Any context. */
HAL_MUST_CHECK int hal_gpio_set_function(unsigned pin, enum hal_gpio_function function);

/** The function that `pin` has now, or -EINVAL. Any context. */
HAL_MUST_CHECK int hal_gpio_get_function(unsigned pin);

/** Sets the resistor that `pin` has while nothing drives it. -EINVAL: no such pin or pull. Takes
 * under 10 us. */
HAL_MUST_CHECK int hal_gpio_set_pull(unsigned pin, enum hal_gpio_pull pull);

/**
 * Sets the level that `pin` drives while it is an output, and remembers it for when it becomes one.
 * Whoever watches the pin sees every change, in order. -EINVAL: no such pin. Any context.
 */
HAL_MUST_CHECK int hal_gpio_write(unsigned pin, bool high);

/** The level at `pin` now, 0 or 1, whatever its function; or -EINVAL. Any context. */
HAL_MUST_CHECK int hal_gpio_read(unsigned pin);

/**
 * Chooses the edges of `pin` that raise HAL_IRQ_GPIO, and forgets those seen before.
 * -EINVAL: no such pin. -ENOSYS: this machine cannot watch pins (QEMU; poll instead). Any context.
 */
HAL_MUST_CHECK int hal_gpio_watch(unsigned pin, enum hal_gpio_edge edges);

/** The pins, as bits, on which a watched edge was seen since the last call. Any context. */
uint32_t hal_gpio_events(void);
