/* SPDX-License-Identifier: MIT */
/*
 * editor.h: the line editor: bytes from a terminal in, bytes to the terminal out, a line in the
 * end.
 *
 * A state machine with no input or output of its own: editor_feed takes one byte and gives what the
 * terminal should see to a function. So it runs the same in the shell and in a unit test.
 *
 * Keys: Left Right Home End Delete, Ctrl-B F A E D, Backspace; Up Down, Ctrl-P N (history); Ctrl-U
 * (empty the line), Ctrl-K (cut to the end), Ctrl-W (cut a word), Ctrl-L (clear the screen), Tab
 * (completion; a second Tab lists), Ctrl-C (abandon), Ctrl-D on an empty line (end of file).
 * Anything else that is no text rings the bell.
 *
 * The screen: a line stays in one row of a terminal of EDITOR_COLUMNS columns or more. When prompt
 * and text are longer than that, a part around the cursor is shown:
 *
 *     /docs > words that end at the cursor_
 *     |prompt |<------ view ------------->|
 */
#pragma once

#include "shell/edit/history.h"
#include "tty/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDITOR_LINE_MAX 512 /**< bytes of a line without its NUL; more rings the bell */
#define EDITOR_PROMPT_MAX 63
#define EDITOR_COLUMNS 80

/** What completion found for the text before the cursor. */
struct editor_completion {
    size_t erase;                     /**< bytes before the cursor to take away first */
    char insert[EDITOR_LINE_MAX + 1]; /**< text to put there, "" for none */
};

struct editor_ops {
    /** Sends `n` bytes to the terminal. */
    void (*put)(void *context, const char *bytes, size_t n);
    /** Completes line[0 .. cursor): 1, or 0 if there is nothing to add (the bell rings). Negative:
     * it could not look, and has printed a newline and why, a line or more. May be NULL. */
    int (*complete)(void *context, const char *line, size_t cursor,
                    struct editor_completion *completion);
    /** Prints a newline and the candidates, a line or more. False: none, nothing printed. */
    bool (*list)(void *context, const char *line, size_t cursor);
};

enum editor_result {
    EDITOR_MORE,      /**< the line goes on */
    EDITOR_LINE,      /**< Enter: editor->line */
    EDITOR_ABANDONED, /**< Ctrl-C */
    EDITOR_END        /**< Ctrl-D on an empty line */
};

struct editor {
    const struct editor_ops *ops;
    void *context;
    struct history *history;

    char line[EDITOR_LINE_MAX + 1]; /**< good UTF-8 without control characters, NUL-terminated */
    size_t length;
    size_t cursor; /**< offset in bytes, at the start of a character */

    char prompt[EDITOR_PROMPT_MAX + 1];
    size_t prompt_columns;
    size_t view; /**< offset of the first character shown */

    unsigned back;                   /**< which line of the history is shown; 0: none */
    char saved[EDITOR_LINE_MAX + 1]; /**< what was typed before going back */

    enum { EDITOR_PLAIN, EDITOR_ESCAPE, EDITOR_CSI, EDITOR_SS3 } state;
    unsigned parameter;       /**< the first number of an escape sequence */
    unsigned parameter_bytes; /**< how long the sequence is already */
    bool parameter_closed;    /**< a ';' ended the first number */
    struct utf8_decoder decoder;
    char pending[4]; /**< the bytes of a character that is not complete */
    unsigned pending_bytes;
    bool after_return; /**< a '\n' now belongs to the '\r' before it */
    bool after_tab;    /**< the last key was a Tab that could not add anything */
    struct editor_completion completion;
};

/** Prepares the editor. `history` may be NULL. */
void editor_init(struct editor *editor, const struct editor_ops *ops, void *context,
                 struct history *history);

/** Starts a line: shows `prompt`, cut to EDITOR_PROMPT_MAX bytes. */
void editor_begin(struct editor *editor, const char *prompt);

/** Takes one byte. After anything but EDITOR_MORE, editor_begin comes next. */
enum editor_result editor_feed(struct editor *editor, uint8_t byte);
