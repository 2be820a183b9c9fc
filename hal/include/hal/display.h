/* SPDX-License-Identifier: MIT */
/*
 * display.h: a linear framebuffer, if the machine has one.
 */
#pragma once

#include <hal/compiler.h>

#include <stdint.h>

struct hal_display {
    uint32_t *pixels; /**< the top left pixel; each is 0x00RRGGBB */
    uint32_t width;   /**< pixels in a line */
    uint32_t height;  /**< lines */
    uint32_t pitch;   /**< bytes from one line to the next, a multiple of 4 */
};

/**
 * Sets up the display as near to `width` x `height` as it can and describes the outcome.
 * Thread context. -ENODEV: there is none. -EIO: it does not answer. Content is undefined at first.
 */
HAL_MUST_CHECK int hal_display_open(uint32_t width, uint32_t height, struct hal_display *display);

/**
 * Makes what was written to the lines `first` .. `first + count - 1` visible. Any context. Lines
 * outside the display are ignored. Without this call a change may stay invisible.
 */
void hal_display_show(uint32_t first, uint32_t count);
