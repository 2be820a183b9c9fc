/* SPDX-License-Identifier: MIT */
/*
 * board.h: where things are on a Raspberry Pi 3 Model B, and what its 40 pins are called.
 *
 * The board is 85 mm by 56 mm. Lengths in a diagram are CSS pixels, 96 to an inch, so a millimetre
 * is 96 / 25.4 of them. The header, J8, has 20 columns at a pitch of 0.1 inch; odd pins are the
 * inner row, even ones the row at the board's edge:
 *
 *      2  4  6  8 ... 40     <- edge of the board
 *      1  3  5  7 ... 39
 *
 * Nothing here draws and nothing here knows of SDL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_MM (96.0f / 25.4f)
#define BOARD_WIDTH (85.0f * BOARD_MM)
#define BOARD_HEIGHT (56.0f * BOARD_MM)
#define BOARD_PITCH (2.54f * BOARD_MM)
#define BOARD_PINS 40
#define BOARD_GPIOS 28

enum board_kind { BOARD_GPIO, BOARD_GROUND, BOARD_3V3, BOARD_5V };

struct board_pin {
    const char *name; /* as in a diagram: "GPIO17", "GND.3" */
    enum board_kind kind;
    uint8_t gpio; /* for BOARD_GPIO: the chip's number, 0 .. 27 */
};

/* The pin at place `number`, 1 .. 40. */
const struct board_pin *board_pin(unsigned number);

/*
 * The place of the pin called `name`, 1 .. 40: by the chip's name or by "J8:11". 0 when there is
 * none. The name need not end in NUL: `length` bytes count.
 */
unsigned board_find_pin(const char *name, size_t length);

/* The place of GPIO `gpio`, 0 .. 27, on the header. */
unsigned board_find_gpio(unsigned gpio);

/* The middle of the pin at place `number`, in diagram pixels from the board's top left corner. */
void board_place_pin(unsigned number, float *x, float *y);
