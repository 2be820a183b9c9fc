/* SPDX-License-Identifier: MIT */
/*
 * format.h: text from values, in the manner of printf, into memory or a byte at a time.
 *
 * Conversions: %d %i %u %x %X %o %c %s %p %%, with the flags - 0 + space #, width and precision
 * (also *), and the lengths hh h l ll z t j. No floating point. Any context; no allocation, no
 * locks.
 */
#pragma once

#include <hal/compiler.h>

#include <stdarg.h>
#include <stddef.h>

/**
 * Writes at most `size` bytes at `to`, always NUL-terminated if size > 0. Returns the length that
 * the whole text has without its NUL, as snprintf does.
 */
size_t format_text(char *to, size_t size, const char *format, ...) HAL_FORMAT(3, 4);
size_t format_text_va(char *to, size_t size, const char *format, va_list args) HAL_FORMAT(3, 0);

/** Gives each byte of the text to put(context, byte). Returns how many. */
size_t format_each(void (*put)(void *context, char byte), void *context, const char *format,
                   va_list args) HAL_FORMAT(3, 0);
