/* SPDX-License-Identifier: MIT */
/*
 * string.h: NUL-terminated byte strings, and the character classes of ASCII.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes before the NUL. */
size_t string_length(const char *s);

/** Bytes before the NUL, or `max` if there is none among the first `max`. */
size_t string_length_max(const char *s, size_t max);

/** Negative, 0 or positive as `a` sorts before, with or after `b`, by unsigned bytes. */
int string_compare(const char *a, const char *b);

bool string_equal(const char *a, const char *b);

/** As string_equal, where ASCII letters match in either case. */
bool string_equal_nocase(const char *a, const char *b);

/** True if `s` begins with `prefix`. */
bool string_starts_with(const char *s, const char *prefix);

/** The first `c` in `s`, or NULL. */
const char *string_find_char(const char *s, char c);

/**
 * Copies `from` into the `size` bytes at `to`, always NUL-terminated (size > 0).
 * Returns false if it had to be cut.
 */
bool string_copy(char *to, size_t size, const char *from);

/**
 * Reads an unsigned number at the start of `s`: decimal, or hexadecimal after 0x. Stores it and
 * where it ended. Returns 0, -EINVAL if no digit is there, or -ERANGE above 64 bits.
 */
int string_to_u64(const char *s, uint64_t *value, const char **end);

/**
 * Reads all of `s` as a length of time ("250ms", "5s", "10us", "3ns", "1m"; a bare number counts in
 * `unit` nanoseconds) into nanoseconds. Returns 0, -EINVAL or -ERANGE.
 */
int string_to_duration(const char *s, uint64_t unit, uint64_t *ns);

/**
 * Reads all of `s` as a number of bytes ("65536", "64K", "8M", "1G"). Returns 0, -EINVAL or
 * -ERANGE.
 */
int string_to_size(const char *s, uint64_t *bytes);

bool char_is_print(char c);
bool char_is_space(char c);
bool char_is_digit(char c);
char char_to_lower(char c);
