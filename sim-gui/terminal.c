/* SPDX-License-Identifier: MIT */
/*
 * terminal.c: over libtsm's screen and its emulator of a terminal.
 */
#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libtsm.h>

#define TERMINAL_SCROLLBACK 10000

struct terminal {
    struct tsm_screen *screen;
    struct tsm_vte *vte;
    terminal_send *send;
    void *context;
    unsigned columns, rows;
    unsigned most_rows; /* that the screen ever had */
    struct terminal_cell *cells;
    bool marked;
    bool any_changed; /* found by the walk that terminal_update makes */
};

/* The sixteen colours, then text and background. */
static uint8_t terminal_palette[TSM_COLOR_NUM][3] = {
    {0x16, 0x1b, 0x22}, {0xff, 0x6b, 0x68}, {0x5a, 0xd1, 0x7a}, {0xf0, 0xc6, 0x5a},
    {0x5c, 0x9d, 0xff}, {0xd1, 0x7f, 0xff}, {0x4f, 0xd2, 0xdd}, {0xc9, 0xd1, 0xd9},
    {0x6b, 0x76, 0x85}, {0xff, 0x8f, 0x8c}, {0x8a, 0xe9, 0xa1}, {0xff, 0xdf, 0x87},
    {0x8c, 0xbb, 0xff}, {0xe2, 0xa9, 0xff}, {0x86, 0xe8, 0xef}, {0xff, 0xff, 0xff},
    {0xd7, 0xde, 0xe6}, {0x0d, 0x11, 0x17},
};

/* X's names for keys, which libtsm takes. By enum terminal_key. */
static const uint32_t terminal_keysyms[] = {0xff52, 0xff54, 0xff51, 0xff53, 0xff50,
                                            0xff57, 0xff55, 0xff56, 0xff63, 0xffff};
#define TERMINAL_KEYSYM_F1 0xffbe

static void terminal_write(struct tsm_vte *vte, const char *bytes, size_t n, void *context)
{
    struct terminal *terminal = context;

    (void)vte;
    terminal->send(terminal->context, bytes, n);
}

static int terminal_open(struct terminal *terminal)
{
    if (tsm_screen_new(&terminal->screen, NULL, NULL))
        return -ENOMEM;
    if (tsm_vte_new(&terminal->vte, terminal->screen, terminal_write, terminal, NULL, NULL))
        return -ENOMEM;
    tsm_screen_set_max_sb(terminal->screen, TERMINAL_SCROLLBACK);
    if (tsm_vte_set_custom_palette(terminal->vte, terminal_palette) ||
        tsm_vte_set_palette(terminal->vte, "custom"))
        return -ENOMEM;
    return 0;
}

struct terminal *terminal_create(unsigned columns, unsigned rows, terminal_send *send,
                                 void *context)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));

    if (!terminal)
        return NULL;
    terminal->send = send;
    terminal->context = context;
    if (terminal_open(terminal) || terminal_resize(terminal, columns, rows)) {
        terminal_destroy(terminal);
        return NULL;
    }
    return terminal;
}

void terminal_destroy(struct terminal *terminal)
{
    if (!terminal)
        return;
    /* libtsm 4.0.2 frees neither the scrollback nor rows that a screen had when it was higher. */
    if (terminal->screen) {
        tsm_screen_clear_sb(terminal->screen);
        if (terminal->most_rows)
            (void)tsm_screen_resize(terminal->screen, terminal->columns, terminal->most_rows);
    }
    tsm_vte_unref(terminal->vte);
    tsm_screen_unref(terminal->screen);
    free(terminal->cells);
    free(terminal);
}

void terminal_feed(struct terminal *terminal, const void *bytes, size_t n)
{
    tsm_vte_input(terminal->vte, bytes, n);
}

int terminal_resize(struct terminal *terminal, unsigned columns, unsigned rows)
{
    struct terminal_cell *cells;

    if (terminal->cells && columns == terminal->columns && rows == terminal->rows)
        return 0;
    cells = calloc((size_t)columns * rows, sizeof(*cells));
    if (!cells)
        return -ENOMEM;
    if (tsm_screen_resize(terminal->screen, columns, rows)) {
        free(cells);
        return -ENOMEM;
    }
    free(terminal->cells);
    terminal->cells = cells;
    terminal->columns = columns;
    terminal->rows = rows;
    if (rows > terminal->most_rows)
        terminal->most_rows = rows;
    return 0;
}

unsigned terminal_columns(const struct terminal *terminal)
{
    return terminal->columns;
}

unsigned terminal_rows(const struct terminal *terminal)
{
    return terminal->rows;
}

void terminal_scroll(struct terminal *terminal, int lines)
{
    if (lines > 0)
        tsm_screen_sb_up(terminal->screen, (unsigned)lines);
    else
        tsm_screen_sb_down(terminal->screen, (unsigned)-lines);
}

void terminal_press(struct terminal *terminal, enum terminal_key key, unsigned modifiers)
{
    uint32_t keysym =
        key >= TERMINAL_F1 ? TERMINAL_KEYSYM_F1 + (key - TERMINAL_F1) : terminal_keysyms[key];

    tsm_screen_sb_reset(terminal->screen);
    tsm_vte_handle_keyboard(terminal->vte, keysym, 0, modifiers, TSM_VTE_INVALID);
}

void terminal_type(struct terminal *terminal, const char *bytes, size_t n)
{
    tsm_screen_sb_reset(terminal->screen);
    while (n > 0) {
        const char *newline = memchr(bytes, '\n', n);
        size_t length = newline ? (size_t)(newline - bytes) : n;

        if (length > 0)
            terminal->send(terminal->context, bytes, length);
        if (!newline)
            break;
        terminal->send(terminal->context, "\r", 1);
        bytes += length + 1;
        n -= length + 1;
    }
}

void terminal_mark(struct terminal *terminal, unsigned column, unsigned row)
{
    if (terminal->marked)
        tsm_screen_selection_target(terminal->screen, column, row);
    else
        tsm_screen_selection_start(terminal->screen, column, row);
    terminal->marked = true;
}

char *terminal_copy_marked(struct terminal *terminal)
{
    char *text = NULL;

    if (!terminal->marked || tsm_screen_selection_copy(terminal->screen, &text) < 0)
        return NULL;
    return text;
}

void terminal_unmark(struct terminal *terminal)
{
    tsm_screen_selection_reset(terminal->screen);
    terminal->marked = false;
}

/* ---- cells ---- */

static bool terminal_same(const struct terminal_cell *a, const struct terminal_cell *b)
{
    return a->symbol == b->symbol && a->front == b->front && a->back == b->back &&
           a->bold == b->bold && a->underline == b->underline;
}

static uint32_t terminal_colour(uint8_t red, uint8_t green, uint8_t blue)
{
    return (uint32_t)red << 16 | (uint32_t)green << 8 | blue;
}

/* libtsm calls this for every cell. */
static int terminal_take_cell(struct tsm_screen *screen, uint64_t id, const uint32_t *symbols,
                              size_t length, unsigned width, unsigned column, unsigned row,
                              const struct tsm_screen_attr *attr, tsm_age_t age, void *context)
{
    struct terminal *terminal = context;
    struct terminal_cell *cell = &terminal->cells[row * terminal->columns + column];
    uint32_t front = terminal_colour(attr->fr, attr->fg, attr->fb);
    uint32_t back = terminal_colour(attr->br, attr->bg, attr->bb);
    struct terminal_cell fresh = {.symbol = length ? symbols[0] : 0,
                                  .front = attr->inverse ? back : front,
                                  .back = attr->inverse ? front : back,
                                  .bold = attr->bold,
                                  .underline = attr->underline};

    (void)screen, (void)id, (void)width, (void)age;
    fresh.changed = !terminal_same(&fresh, cell);
    terminal->any_changed |= fresh.changed;
    *cell = fresh;
    return 0;
}

bool terminal_update(struct terminal *terminal)
{
    terminal->any_changed = false;
    tsm_screen_draw(terminal->screen, terminal_take_cell, terminal);
    return terminal->any_changed;
}

const struct terminal_cell *terminal_cell(const struct terminal *terminal, unsigned column,
                                          unsigned row)
{
    return &terminal->cells[row * terminal->columns + column];
}
