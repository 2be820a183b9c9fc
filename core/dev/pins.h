/* SPDX-License-Identifier: MIT */
/*
 * pins.h: the two names of a pin.
 *
 * The chip's makers number its pins GPIO0, GPIO1, ...; the board's makers number the places of the
 * 40-pin header J8. GPIO17 sits at J8:11. A bare 11 or 17 could mean either, and guessing wrong can
 * hurt hardware, so a bare number is no name here.
 *
 * Source: the Raspberry Pi 3 Model B reduced schematics, sheet 1 (J8).
 * Pure functions; any context.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>

#define PINS_HEADER 40u /**< places of the header, numbered from 1 */

/** Reads "GPIO17" or "J8:11", in either case. 0 and the pin, or -EINVAL (pins_explain says why). */
HAL_MUST_CHECK int pins_parse(const char *name, unsigned *pin);

/** A sentence for people about why `name` names no pin, into the `size` bytes at `to`. */
void pins_explain(const char *name, char *to, size_t size);

/** The place of `pin` on the header, 1 .. PINS_HEADER; 0 if there is no such pin. */
unsigned pins_header(unsigned pin);
