/* SPDX-License-Identifier: MIT */
/*
 * line.h: the canonical line discipline: bytes as typed in, a line with its mistakes erased out.
 *
 * Backspace and DEL erase a character, Ctrl-W a word, Ctrl-U the line. Return or newline end the
 * line ("\r\n" counts once), Ctrl-D ends it without a newline, and ends the file when the line is
 * empty. Ctrl-C abandons it. Other control bytes, what is not UTF-8, and bytes beyond TTY_LINE_MAX
 * ring the bell.
 *
 * A state machine without input or output of its own. Any context; the caller serialises.
 */
#pragma once

#include "tty/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TTY_LINE_MAX 512 /**< bytes of a line, without its newline */

enum tty_line_result {
    TTY_LINE_MORE,
    TTY_LINE_DONE,     /**< the line is in text, with a newline unless Ctrl-D ended it */
    TTY_LINE_END,      /**< end of file */
    TTY_LINE_ABANDONED /**< Ctrl-C */
};

struct tty_line {
    /** Shows `n` bytes to who types. */
    void (*echo)(void *context, const char *bytes, size_t n);
    void *context;
    char text[TTY_LINE_MAX + 2]; /**< good UTF-8, NUL-terminated */
    size_t length;
    bool after_return;
    struct utf8_decoder decoder;
    char pending[4]; /**< a character of which more bytes are to come */
    unsigned pending_bytes;
};

void tty_line_init(struct tty_line *line, void (*echo)(void *context, const char *bytes, size_t n),
                   void *context);

/** Forgets the text; the next byte begins a line. */
void tty_line_begin(struct tty_line *line);

/** Takes one byte. After anything but TTY_LINE_MORE, tty_line_begin comes next. */
enum tty_line_result tty_line_feed(struct tty_line *line, uint8_t byte);
