/* SPDX-License-Identifier: MIT */
/*
 * terminal.c: over libtsm's screen and its emulator of a terminal.
 *
 * libtsm does not lay out text anew when a screen changes its size: rows are lost upwards, and long
 * lines stay cut. So the newest output is kept as it came, and a new size gets a new screen, which
 * is fed all of it again, with the answers to its queries thrown away.
 */
#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libtsm.h>

#define TERMINAL_SCROLLBACK 10000
#define TERMINAL_LOG (256 * 1024)
#define TERMINAL_FIRST_ROWS 24 /* of libtsm's new screens */

/* What goes when the size changes. */
struct terminal_view {
    struct tsm_screen *screen;
    struct tsm_vte *vte;
    unsigned columns, rows;
    struct terminal_cell *cells;
};

struct terminal {
    struct terminal_view view;
    terminal_send *send;
    void *context;
    bool silent; /* output is being fed again */
    bool marked;
    bool any_changed; /* found by the walk that terminal_update makes */
    size_t logged;
    char log[TERMINAL_LOG]; /* the newest output */
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
    if (!terminal->silent)
        terminal->send(terminal->context, bytes, n);
}

static void terminal_close_view(struct terminal_view *view)
{
    /* libtsm 4.0.2 frees neither the scrollback nor rows that a screen had when it was higher. */
    if (view->screen) {
        tsm_screen_clear_sb(view->screen);
        if (view->columns && view->rows < TERMINAL_FIRST_ROWS)
            (void)tsm_screen_resize(view->screen, view->columns, TERMINAL_FIRST_ROWS);
    }
    tsm_vte_unref(view->vte);
    tsm_screen_unref(view->screen);
    free(view->cells);
}

static int terminal_open_view(struct terminal *terminal, unsigned columns, unsigned rows,
                              struct terminal_view *view)
{
    memset(view, 0, sizeof(*view));
    view->columns = columns;
    view->rows = rows;
    view->cells = calloc((size_t)columns * rows, sizeof(*view->cells));
    if (!view->cells || tsm_screen_new(&view->screen, NULL, NULL) ||
        tsm_vte_new(&view->vte, view->screen, terminal_write, terminal, NULL, NULL) ||
        tsm_vte_set_custom_palette(view->vte, terminal_palette) ||
        tsm_vte_set_palette(view->vte, "custom") ||
        tsm_screen_resize(view->screen, columns, rows)) {
        terminal_close_view(view);
        return -ENOMEM;
    }
    tsm_screen_set_max_sb(view->screen, TERMINAL_SCROLLBACK);
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
    if (terminal_open_view(terminal, columns, rows, &terminal->view)) {
        free(terminal);
        return NULL;
    }
    return terminal;
}

void terminal_destroy(struct terminal *terminal)
{
    if (!terminal)
        return;
    terminal_close_view(&terminal->view);
    free(terminal);
}

/* Makes room for `n` bytes, at most half of the log, by forgetting the oldest lines. */
static void terminal_forget(struct terminal *terminal, size_t n)
{
    size_t gone = TERMINAL_LOG / 2;
    const char *newline;

    if (terminal->logged + n <= TERMINAL_LOG)
        return;
    newline = memchr(terminal->log + gone, '\n', terminal->logged - gone);
    if (newline)
        gone = (size_t)(newline - terminal->log) + 1;
    terminal->logged -= gone;
    memmove(terminal->log, terminal->log + gone, terminal->logged);
}

void terminal_feed(struct terminal *terminal, const void *bytes, size_t n)
{
    const char *from = bytes;

    while (n > 0) {
        size_t part = n < TERMINAL_LOG / 2 ? n : TERMINAL_LOG / 2;

        terminal_forget(terminal, part);
        memcpy(terminal->log + terminal->logged, from, part);
        terminal->logged += part;
        tsm_vte_input(terminal->view.vte, from, part);
        from += part;
        n -= part;
    }
}

int terminal_resize(struct terminal *terminal, unsigned columns, unsigned rows)
{
    struct terminal_view view;

    if (columns == terminal->view.columns && rows == terminal->view.rows)
        return 0;
    if (terminal_open_view(terminal, columns, rows, &view))
        return -ENOMEM;
    terminal_close_view(&terminal->view);
    terminal->view = view;
    terminal->marked = false;
    terminal->silent = true;
    tsm_vte_input(view.vte, terminal->log, terminal->logged);
    terminal->silent = false;
    return 0;
}

unsigned terminal_columns(const struct terminal *terminal)
{
    return terminal->view.columns;
}

unsigned terminal_rows(const struct terminal *terminal)
{
    return terminal->view.rows;
}

void terminal_scroll(struct terminal *terminal, int lines)
{
    if (lines > 0)
        tsm_screen_sb_up(terminal->view.screen, (unsigned)lines);
    else
        tsm_screen_sb_down(terminal->view.screen, (unsigned)-lines);
}

void terminal_press(struct terminal *terminal, enum terminal_key key, unsigned modifiers)
{
    uint32_t keysym =
        key >= TERMINAL_F1 ? TERMINAL_KEYSYM_F1 + (key - TERMINAL_F1) : terminal_keysyms[key];

    tsm_screen_sb_reset(terminal->view.screen);
    tsm_vte_handle_keyboard(terminal->view.vte, keysym, 0, modifiers, TSM_VTE_INVALID);
}

void terminal_type(struct terminal *terminal, const char *bytes, size_t n)
{
    tsm_screen_sb_reset(terminal->view.screen);
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
        tsm_screen_selection_target(terminal->view.screen, column, row);
    else
        tsm_screen_selection_start(terminal->view.screen, column, row);
    terminal->marked = true;
}

char *terminal_copy_marked(struct terminal *terminal)
{
    char *text = NULL;

    if (!terminal->marked || tsm_screen_selection_copy(terminal->view.screen, &text) < 0)
        return NULL;
    return text;
}

void terminal_unmark(struct terminal *terminal)
{
    tsm_screen_selection_reset(terminal->view.screen);
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
    struct terminal_cell *cell = &terminal->view.cells[row * terminal->view.columns + column];
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
    tsm_screen_draw(terminal->view.screen, terminal_take_cell, terminal);
    return terminal->any_changed;
}

const struct terminal_cell *terminal_cell(const struct terminal *terminal, unsigned column,
                                          unsigned row)
{
    return &terminal->view.cells[row * terminal->view.columns + column];
}
