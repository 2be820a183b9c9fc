/* SPDX-License-Identifier: MIT */
/*
 * terminal.h: the terminal at the other end of the serial line: bytes in, a grid of cells out.
 *
 * libtsm understands what programs send to a terminal of the xterm family and keeps the scrollback.
 * This turns its screen into plain cells with colours, and says which of them changed; what a cell
 * looks like is the caller's business. Keys go the other way: they become the bytes that a terminal
 * sends, and leave through a function that the caller gives.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct terminal;

struct terminal_cell {
    uint32_t symbol;      /* a Unicode code point; 0 and ' ' are blank */
    uint32_t front, back; /* 0xRRGGBB, inversion done */
    bool bold, underline;
    bool changed; /* since terminal_update before the last */
};

/* Keys that are no characters. */
enum terminal_key {
    TERMINAL_UP,
    TERMINAL_DOWN,
    TERMINAL_LEFT,
    TERMINAL_RIGHT,
    TERMINAL_HOME,
    TERMINAL_END,
    TERMINAL_PAGE_UP,
    TERMINAL_PAGE_DOWN,
    TERMINAL_INSERT,
    TERMINAL_DELETE,
    TERMINAL_F1 /* and so on to TERMINAL_F1 + 11 */
};

enum { TERMINAL_SHIFT = 1, TERMINAL_CONTROL = 4, TERMINAL_ALT = 8 };

/* Takes the bytes that the terminal sends to the guest. */
typedef void terminal_send(void *context, const char *bytes, size_t n);

/* A terminal with a blank screen, or NULL when there is no memory. Both sizes are at least 1. */
struct terminal *terminal_create(unsigned columns, unsigned rows, terminal_send *send,
                                 void *context);
void terminal_destroy(struct terminal *terminal);

/* What the guest printed. */
void terminal_feed(struct terminal *terminal, const void *bytes, size_t n);

/* 0 or -ENOMEM; on failure the size is as it was. What was printed is laid out anew. */
int terminal_resize(struct terminal *terminal, unsigned columns, unsigned rows);
unsigned terminal_columns(const struct terminal *terminal);
unsigned terminal_rows(const struct terminal *terminal);

/* Shows `lines` further back (positive) or further on in what scrolled away. */
void terminal_scroll(struct terminal *terminal, int lines);

/* A key was pressed; `modifiers` is a sum of TERMINAL_SHIFT and the like. Shows the newest lines.
 */
void terminal_press(struct terminal *terminal, enum terminal_key key, unsigned modifiers);

/* Characters were typed or pasted. Newlines are sent as the Enter key sends them. As above. */
void terminal_type(struct terminal *terminal, const char *bytes, size_t n);

/*
 * Marking text with the mouse: the first terminal_mark says where it begins, the following where it
 * ends by now. The copy is for free(); NULL: nothing is marked.
 */
void terminal_mark(struct terminal *terminal, unsigned column, unsigned row);
char *terminal_copy_marked(struct terminal *terminal);
void terminal_unmark(struct terminal *terminal);

/* Brings the cells up to date, and their `changed`; true when any changed. */
bool terminal_update(struct terminal *terminal);
const struct terminal_cell *terminal_cell(const struct terminal *terminal, unsigned column,
                                          unsigned row);
