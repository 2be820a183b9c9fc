/* SPDX-License-Identifier: MIT */
/*
 * history.h: the lines typed before, as text one behind the other in memory of the caller's.
 *
 *     "ls\0cat README.TXT\0poweroff\0......"
 *      oldest              newest    unused
 *
 * A new line that does not fit pushes out the oldest ones. Pure functions; the caller serialises.
 */
#pragma once

#include <stddef.h>

struct history {
    char *text;     /**< NULL: nothing is kept */
    size_t size;    /**< bytes at text */
    size_t used;    /**< bytes of lines, each with its NUL */
    unsigned count; /**< lines */
};

/** Starts empty, with `size` bytes at `text`; NULL and 0 make a history that keeps nothing. */
void history_init(struct history *history, char *text, size_t size);

/** Appends `line`, unless it is empty or the same as the newest. */
void history_add(struct history *history, const char *line);

/** Line `back` counted from the newest, which is 1; NULL if there is none. */
const char *history_line(const struct history *history, unsigned back);
