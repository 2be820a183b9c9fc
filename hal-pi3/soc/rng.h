/* SPDX-License-Identifier: MIT */
/*
 * rng.h: the random number generator.
 */
#pragma once

#include <hal/compiler.h>

#include <stdint.h>

/** Switches the generator on; its first numbers come some milliseconds later. At boot. */
void rng_start(void);

/** One random word. -EIO: none came within 10 ms. Any context. */
HAL_MUST_CHECK int rng_word(uint32_t *word);
