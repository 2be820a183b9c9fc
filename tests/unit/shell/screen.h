/* SPDX-License-Identifier: MIT */
/*
 * screen.h: a terminal of one row, as much of it as the editor uses; it fails the test on anything
 * else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_COLUMNS 80

struct screen {
    uint32_t cells[SCREEN_COLUMNS]; /**< characters; 0: the right half of a wide one */
    unsigned column;                /**< of the cursor */
    unsigned newlines;
    unsigned bells;
    char sequence[16]; /**< an escape sequence on its way, without the escape */
    unsigned sequence_bytes;
    bool in_sequence;
};

void screen_clear(struct screen *screen);

/** Shows bytes. A character in the last column would wrap, and fails the test. */
void screen_put(struct screen *screen, const char *bytes, size_t n);

/** The row as UTF-8 without its blanks at the end; valid until the next call. */
const char *screen_text(const struct screen *screen);
