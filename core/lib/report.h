/* SPDX-License-Identifier: MIT */
/*
 * report.h: a long text that is put together piece by piece, and cut where its place ends.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>

/** Begin with {.text, .size}; `length` goes on counting when the text is cut. */
struct report {
    char *text;
    size_t size, length;
};

/** Adds a piece. Takes no lock and no memory. Any context. */
void report_add(struct report *report, const char *format, ...) HAL_FORMAT(2, 3);
