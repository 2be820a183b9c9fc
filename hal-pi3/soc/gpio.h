/* SPDX-License-Identifier: MIT */
/*
 * gpio.h: the pins, for the backend's own use: all 54 of the chip, without core's restrictions.
 */
#pragma once

#include <hal/gpio.h>

#include <stdbool.h>

/** Switches off every detector that whoever ran before left on, and forgets what they saw. At boot.
 */
void soc_gpio_start(void);

/** Gives `pin` (0 .. 53) a function. Any context. */
void soc_gpio_select(unsigned pin, enum hal_gpio_function function);

/** The function that `pin` (0 .. 53) has. Any context. */
enum hal_gpio_function soc_gpio_function(unsigned pin);

/** Sets the resistor of `pin` (0 .. 53). Any context; takes about 1 us. */
void soc_gpio_pull(unsigned pin, enum hal_gpio_pull pull);

/** Drives `pin` (0 .. 53). Any context. */
void soc_gpio_drive(unsigned pin, bool high);

/** GPU_IRQ_GPIO_0 was taken: notes the edges and quiets them. True when there was one. Masked. */
bool soc_gpio_take_interrupt(void);
