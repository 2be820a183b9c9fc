/* SPDX-License-Identifier: MIT */
/*
 * utf8.h: telling UTF-8 from other bytes, and how wide a character is on a terminal.
 *
 * A character of Unicode takes 1 to 4 bytes. The first byte says how many; each that follows is
 * 10xxxxxx. Of the many ways to spell one number only the shortest is allowed, and the numbers
 * D800..DFFF (halves of UTF-16 pairs) and those above 10FFFF are no characters.
 *
 * Pure functions; any context.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A decoder that is given a byte at a time. All zeros: between two characters. */
struct utf8_decoder {
    uint32_t code;   /**< the bits so far; the character when a byte completed one */
    uint32_t least;  /**< the smallest number that needs this many bytes */
    unsigned expect; /**< how many more bytes belong to this character */
};

enum utf8_result { UTF8_DONE, UTF8_MORE, UTF8_BAD };

/**
 * Takes one byte. UTF8_DONE: decoder->code is a character. UTF8_MORE: it goes on. UTF8_BAD: not
 * UTF-8; the decoder is between characters again, and `byte` has been used up.
 */
enum utf8_result utf8_decode(struct utf8_decoder *decoder, uint8_t byte);

/** Bytes of the character that starts at `s`, which holds `n` > 0 bytes of good UTF-8. */
size_t utf8_step(const char *s, size_t n);

/** Bytes of the character that ends before offset `at` > 0 of the good UTF-8 at `s`. */
size_t utf8_step_back(const char *s, size_t at);

/** Columns that a character takes on a terminal: 0 (combining), 1, or 2 (East Asian wide). */
unsigned utf8_columns(uint32_t code);

/** Columns of the `n` bytes of good UTF-8 at `s`. */
size_t utf8_text_columns(const char *s, size_t n);

/** True for the control characters: 0..1F, 7F, 80..9F. A terminal would obey them. */
bool utf8_is_control(uint32_t code);
