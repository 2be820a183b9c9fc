/* SPDX-License-Identifier: MIT */
/*
 * chrome.h: the panel's frame: where its areas are, the tool bar, the status line, and cells of
 * text.
 */
#pragma once

#include "draw/canvas.h"
#include "draw/font.h"
#include "panel.h"
#include "terminal.h"

struct chrome {
    unsigned scale; /* 1 or 2 */
    enum font_size font;
    struct rect area[PANEL_AREAS];
    struct rect button[PANEL_COMMANDS];
    struct point cells; /* pixel of the terminal's first cell */
};

/* What is shown besides picture and terminal. */
struct chrome_extras {
    bool card, memory, timeline;
};

/* Lays out a window of the given size: card and memory are below the terminal, the timeline below
 * all. */
void chrome_lay_out(struct chrome *chrome, int width, int height, unsigned scale,
                    const struct chrome_extras *extras);

/* How many cells fit into the terminal's area; at least 1. */
unsigned chrome_columns(const struct chrome *chrome);
unsigned chrome_rows(const struct chrome *chrome);

/* The command whose button is at (x, y), or PANEL_COMMANDS. */
enum panel_command chrome_find_command(const struct chrome *chrome, int x, int y);

/* What the tool bar shows. */
struct chrome_tools {
    bool paused;
    struct chrome_extras shown;
    const char *speed;
    enum panel_command pressed; /* the button that is held down, or PANEL_COMMANDS */
};
void chrome_draw_tools(const struct chrome *chrome, struct canvas *canvas,
                       const struct chrome_tools *tools);

void chrome_draw_status(const struct chrome *chrome, struct canvas *canvas, const char *left,
                        const char *right, uint32_t light);

/* The terminal's ground, and one cell on it. */
void chrome_draw_ground(const struct chrome *chrome, struct canvas *canvas);
void chrome_draw_cell(const struct chrome *chrome, struct canvas *canvas, unsigned column,
                      unsigned row, const struct terminal_cell *cell);

/* The cell at pixel (x, y), cut to the grid. */
void chrome_find_cell(const struct chrome *chrome, int x, int y, unsigned *column, unsigned *row);
