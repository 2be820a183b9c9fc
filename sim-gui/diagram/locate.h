/* SPDX-License-Identifier: MIT */
/*
 * locate.h: finds the place of a value in a JSON text, for messages.
 *
 * cJSON gives values without their places. So a reader that finds fault with a value says which one
 * it meant by a path, and this walks the text again to where the value starts. The text has been
 * parsed before: it is known to be well formed.
 */
#pragma once

#include <stddef.h>

/* A place for people: both count from 1, columns in characters (UTF-8). */
struct text_place {
    unsigned line;
    unsigned column;
};

/*
 * Where the value at `path` starts in `text`, a well-formed JSON text that ends in NUL. The path is
 * names of members and indexes of elements, with slashes between: "parts/3/attrs/color". When a
 * step leads nowhere (a member that is missing), the place is that of the value that lacks it.
 */
const char *locate_value(const char *text, const char *path);

/* The line and column of `at`, which points into `text`. */
struct text_place locate_place(const char *text, const char *at);
