/* SPDX-License-Identifier: MIT */
/*
 * chrome.c: the tool bar's buttons and the status line, by hand.
 */
#include "chrome.h"

#include <stdio.h>
#include <string.h>

#define CHROME_BACK 0x12161d
#define CHROME_EDGE 0x2b323d
#define CHROME_TEXT 0xc9d1d9
#define CHROME_DIM 0x7d8896
#define CHROME_MEMORY 280      /* pixels of height that memory needs, at scale 1 */
#define CHROME_GROUND 0x0d1117 /* of the terminal: its palette's background */

/* ---- layout ---- */

static bool chrome_inside(struct rect rect, int x, int y)
{
    return x >= rect.x && y >= rect.y && x < rect.x + rect.width && y < rect.y + rect.height;
}

static const struct {
    const char *label, *key;
    int width; /* in characters, key included */
} chrome_buttons[PANEL_COMMANDS] = {
    {"Pause", "F5", 12}, {"Step", "F6", 11},   {"", "F7", 7},           {"", "F8", 7},
    {"Card", "F4", 11},  {"Memory", "F9", 13}, {"Timeline", "F10", 16}, {"Photo", "F12", 13},
};

#define CHROME_SPEED_WIDTH 8 /* characters between the two buttons that change it */

static void chrome_lay_out_tools(struct chrome *chrome)
{
    int unit = font_table[chrome->font].width;
    int gap = unit;
    int x = gap;

    for (unsigned i = 0; i < PANEL_COMMANDS; i++) {
        if (i == PANEL_FASTER)
            x += unit * CHROME_SPEED_WIDTH - gap;
        chrome->button[i] =
            (struct rect){x, chrome->area[PANEL_TOOLS].height / 8, unit * chrome_buttons[i].width,
                          chrome->area[PANEL_TOOLS].height * 3 / 4};
        x += chrome->button[i].width + gap;
    }
}

/* The terminal gets 80 columns if that leaves two fifths of the width, and half of a wide window.
 */
static int chrome_terminal_width(const struct chrome *chrome, int width)
{
    int wanted = 80 * font_table[chrome->font].width + 20 * (int)chrome->scale;

    if (wanted < width / 2)
        wanted = width / 2;
    return wanted > width * 3 / 5 ? width * 3 / 5 : wanted;
}

/* Card and memory share the lower part of the terminal's area: what they need, but not more than
 * half. */
static void chrome_lay_out_squares(struct chrome *chrome, bool card, bool memory)
{
    struct rect *terminal = &chrome->area[PANEL_TERMINAL];
    int height = CHROME_MEMORY * (int)chrome->scale;

    int left;

    chrome->area[PANEL_CARD] = chrome->area[PANEL_MEMORY] = (struct rect){0, 0, 0, 0};
    if (!card && !memory)
        return;
    if (height < terminal->height * 2 / 5)
        height = terminal->height * 2 / 5;
    if (height > terminal->height / 2)
        height = terminal->height / 2;
    terminal->height -= height;
    left = !memory ? terminal->width : card ? terminal->width / 2 : 0;
    chrome->area[PANEL_CARD] =
        (struct rect){terminal->x, terminal->y + terminal->height, left, left ? height : 0};
    if (memory)
        chrome->area[PANEL_MEMORY] = (struct rect){
            terminal->x + left, terminal->y + terminal->height, terminal->width - left, height};
}

/* The timeline takes what it needs from the lower end, but not more than two fifths. Returns the
 * height that is left. */
static int chrome_lay_out_timeline(struct chrome *chrome, int top, int width, int middle,
                                   bool timeline)
{
    int height = timeline ? timeline_height(chrome->scale) : 0;

    if (height > middle * 2 / 5)
        height = middle * 2 / 5;
    chrome->area[PANEL_TIMELINE] =
        timeline ? (struct rect){0, top + middle - height, width, height} : (struct rect){0};
    return middle - height;
}

void chrome_lay_out(struct chrome *chrome, int width, int height, unsigned scale,
                    const struct chrome_extras *extras)
{
    int tools = 36 * (int)scale, status = 26 * (int)scale;
    int middle = height - tools - status > 2 ? height - tools - status : 2;

    chrome->scale = scale;
    chrome->font = scale > 1 ? FONT_16X32 : FONT_8X16;
    chrome->area[PANEL_TOOLS] = (struct rect){0, 0, width, tools};
    chrome->area[PANEL_STATUS] = (struct rect){0, tools + middle, width, status};
    middle = chrome_lay_out_timeline(chrome, tools, width, middle, extras->timeline);
    if (width * 5 >= middle * 6) {
        int terminal = chrome_terminal_width(chrome, width);
        chrome->area[PANEL_PICTURE] = (struct rect){0, tools, width - terminal, middle};
        chrome->area[PANEL_TERMINAL] = (struct rect){width - terminal, tools, terminal, middle};
    } else {
        int picture = middle * 3 / 5;
        chrome->area[PANEL_PICTURE] = (struct rect){0, tools, width, picture};
        chrome->area[PANEL_TERMINAL] = (struct rect){0, tools + picture, width, middle - picture};
    }
    chrome_lay_out_squares(chrome, extras->card, extras->memory);
    chrome->cells.x = (float)chrome->area[PANEL_TERMINAL].x + 10 * (float)scale;
    chrome->cells.y = (float)chrome->area[PANEL_TERMINAL].y + 8 * (float)scale;
    chrome_lay_out_tools(chrome);
}

unsigned chrome_columns(const struct chrome *chrome)
{
    int room = chrome->area[PANEL_TERMINAL].width - 20 * (int)chrome->scale;
    int columns = room / font_table[chrome->font].width;

    return columns > 1 ? (unsigned)columns : 1;
}

unsigned chrome_rows(const struct chrome *chrome)
{
    int room = chrome->area[PANEL_TERMINAL].height - 16 * (int)chrome->scale;
    int rows = room / font_table[chrome->font].height;

    return rows > 1 ? (unsigned)rows : 1;
}

enum panel_command chrome_find_command(const struct chrome *chrome, int x, int y)
{
    for (unsigned i = 0; i < PANEL_COMMANDS; i++) {
        if (chrome_inside(chrome->button[i], x, y))
            return (enum panel_command)i;
    }
    return PANEL_COMMANDS;
}

void chrome_find_cell(const struct chrome *chrome, int x, int y, unsigned *column, unsigned *row)
{
    int dx = (x - (int)chrome->cells.x) / font_table[chrome->font].width;
    int dy = (y - (int)chrome->cells.y) / font_table[chrome->font].height;
    int columns = (int)chrome_columns(chrome), rows = (int)chrome_rows(chrome);

    *column = (unsigned)(dx < 0 ? 0 : dx < columns ? dx : columns - 1);
    *row = (unsigned)(dy < 0 ? 0 : dy < rows ? dy : rows - 1);
}

/* ---- tool bar ---- */

static void chrome_text(const struct chrome *chrome, struct canvas *canvas, int x,
                        struct rect inside, const char *text, uint32_t colour)
{
    int y = inside.y + (inside.height - font_table[chrome->font].height) / 2;

    font_draw(canvas, chrome->font, x, y, text, colour, FONT_ACROSS);
}

/* Signs in a box of 12 by 12: two bars or a triangle, a triangle and a bar, minus, plus, a camera.
 */
static void chrome_sign_pause(struct canvas *canvas, bool paused)
{
    static const struct point go[3] = {{1.5f, 0}, {11.5f, 6}, {1.5f, 12}};

    if (paused) {
        canvas_polygon(canvas, go, 3);
        return;
    }
    canvas_rect(canvas, 1, 0, 3.6f, 12);
    canvas_rect(canvas, 7.4f, 0, 3.6f, 12);
}

static void chrome_sign_step(struct canvas *canvas)
{
    static const struct point go[3] = {{0.5f, 0}, {8, 6}, {0.5f, 12}};

    canvas_polygon(canvas, go, 3);
    canvas_rect(canvas, 8.8f, 0, 2.8f, 12);
}

static void chrome_sign_photo(struct canvas *canvas)
{
    canvas_round_rect(canvas, -0.5f, 2.5f, 13, 9, 1.6f);
    canvas_rect(canvas, 3.8f, 0.6f, 4.6f, 2.5f);
    canvas_hole(canvas, 6, 6.8f, 3);
    canvas_circle(canvas, 6, 6.8f, 1.7f);
}

/* Bars in rows. */
static void chrome_sign_timeline(struct canvas *canvas)
{
    canvas_rect(canvas, 0, 0.5f, 7, 2.8f);
    canvas_rect(canvas, 4, 4.6f, 8, 2.8f);
    canvas_rect(canvas, 1.5f, 8.7f, 5, 2.8f);
}

/* A card with a cut corner, and its contacts. */
static void chrome_sign_card(struct canvas *canvas)
{
    static const struct point outline[5] = {
        {1.5f, 0}, {8, 0}, {10.5f, 2.5f}, {10.5f, 12}, {1.5f, 12}};

    canvas_polygon(canvas, outline, 5);
    for (int i = 0; i < 3; i++)
        canvas_hole(canvas, 3.6f + 2.2f * (float)i, 2.9f, 0.8f);
}

/* Squares in rows. */
static void chrome_sign_memory(struct canvas *canvas)
{
    for (int i = 0; i < 9; i++)
        canvas_rect(canvas, (float)(i % 3) * 4.4f, (float)(i / 3) * 4.4f, 3.2f, 3.2f);
}

static void chrome_draw_sign(const struct chrome *chrome, struct canvas *canvas,
                             enum panel_command command, bool lit)
{
    struct rect button = chrome->button[command];
    float size = 12 * (float)chrome->scale;

    canvas_place(canvas, (float)(button.x + font_table[chrome->font].width),
                 (float)button.y + ((float)button.height - size) / 2, (float)chrome->scale);
    if (command == PANEL_PAUSE)
        chrome_sign_pause(canvas, lit);
    else if (command == PANEL_STEP)
        chrome_sign_step(canvas);
    else if (command == PANEL_PHOTO)
        chrome_sign_photo(canvas);
    else if (command == PANEL_SHOW_CARD)
        chrome_sign_card(canvas);
    else if (command == PANEL_SHOW_MEMORY)
        chrome_sign_memory(canvas);
    else if (command == PANEL_SHOW_TIMELINE)
        chrome_sign_timeline(canvas);
    else
        canvas_rect(canvas, 0.5f, 4.8f, 11, 2.4f);
    if (command == PANEL_FASTER)
        canvas_rect(canvas, 4.8f, 0.5f, 2.4f, 11);
    canvas_fill_colour(canvas, lit ? 0xff5ad17a : 0xffe3e8ee);
    canvas_place(canvas, 0, 0, 1);
}

static void chrome_draw_tool(const struct chrome *chrome, struct canvas *canvas,
                             enum panel_command command, bool lit, bool pressed)
{
    struct rect button = chrome->button[command];
    const char *label = chrome_buttons[command].label, *key = chrome_buttons[command].key;
    int unit = font_table[chrome->font].width;
    float x = (float)button.x, y = (float)button.y;
    float width = (float)button.width, height = (float)button.height;

    canvas_round_rect(canvas, x, y, width, height, 5 * (float)chrome->scale);
    canvas_fill_colour(canvas, 0xff3a4351);
    canvas_round_rect(canvas, x + 1, y + 1, width - 2, height - 2, 4 * (float)chrome->scale);
    canvas_fill_gradient(canvas, 0, y, pressed ? 0xff171b22 : 0xff2d3541, 0, y + height,
                         pressed ? 0xff20262f : 0xff232a34);
    chrome_draw_sign(chrome, canvas, command, lit);
    if (command == PANEL_PAUSE && lit)
        label = "Run";
    chrome_text(chrome, canvas, button.x + unit * 3, button, label, CHROME_TEXT);
    chrome_text(chrome, canvas, button.x + button.width - unit * ((int)strlen(key)) - unit / 2,
                button, key, CHROME_DIM);
}

/* The sign of a button whose state is on is lit. */
static bool chrome_is_lit(const struct chrome_tools *tools, enum panel_command command)
{
    return (command == PANEL_PAUSE && tools->paused) ||
           (command == PANEL_SHOW_CARD && tools->shown.card) ||
           (command == PANEL_SHOW_MEMORY && tools->shown.memory) ||
           (command == PANEL_SHOW_TIMELINE && tools->shown.timeline);
}

void chrome_draw_tools(const struct chrome *chrome, struct canvas *canvas,
                       const struct chrome_tools *tools)
{
    struct rect area = chrome->area[PANEL_TOOLS];
    struct rect slower = chrome->button[PANEL_SLOWER], faster = chrome->button[PANEL_FASTER];
    static const char hint[] = "Alt+key or mouse: buttons   wheel: scroll back";
    int left = slower.x + slower.width;
    int hint_x = area.width - font_measure(chrome->font, hint) - 12;

    canvas_clip(canvas, area);
    canvas_fill_rect(canvas, area, CHROME_BACK);
    canvas_fill_rect(canvas, (struct rect){0, area.height - 1, area.width, 1}, CHROME_EDGE);
    for (unsigned i = 0; i < PANEL_COMMANDS; i++)
        chrome_draw_tool(chrome, canvas, (enum panel_command)i,
                         chrome_is_lit(tools, (enum panel_command)i),
                         i == (unsigned)tools->pressed);
    chrome_text(chrome, canvas,
                left + (faster.x - left - font_measure(chrome->font, tools->speed)) / 2, area,
                tools->speed, 0xffffff);
    if (hint_x > chrome->button[PANEL_PHOTO].x + chrome->button[PANEL_PHOTO].width + 16)
        chrome_text(chrome, canvas, hint_x, area, hint, CHROME_DIM);
}

/* ---- status line ---- */

void chrome_draw_status(const struct chrome *chrome, struct canvas *canvas, const char *left,
                        const char *right, uint32_t light)
{
    struct rect area = chrome->area[PANEL_STATUS];
    int scale = (int)chrome->scale;
    int end = area.width - font_measure(chrome->font, right) - 12 * scale;

    canvas_clip(canvas, area);
    canvas_fill_rect(canvas, area, CHROME_BACK);
    canvas_fill_rect(canvas, (struct rect){0, area.y, area.width, 1}, CHROME_EDGE);
    canvas_circle(canvas, 16 * (float)scale, (float)area.y + (float)area.height / 2,
                  5 * (float)scale);
    canvas_fill_colour(canvas, 0xff000000 | light);
    chrome_text(chrome, canvas, 30 * scale, area, left, CHROME_TEXT);
    if (end > 30 * scale + font_measure(chrome->font, left) + 16)
        chrome_text(chrome, canvas, end, area, right, CHROME_DIM);
}

/* ---- terminal ---- */

void chrome_draw_ground(const struct chrome *chrome, struct canvas *canvas)
{
    struct rect area = chrome->area[PANEL_TERMINAL];

    canvas_clip(canvas, area);
    canvas_fill_rect(canvas, area, CHROME_GROUND);
    canvas_fill_rect(canvas, (struct rect){area.x, area.y, 1, area.height}, CHROME_EDGE);
}

void chrome_draw_cell(const struct chrome *chrome, struct canvas *canvas, unsigned column,
                      unsigned row, const struct terminal_cell *cell)
{
    const struct font *font = &font_table[chrome->font];
    int x = (int)chrome->cells.x + (int)column * font->width;
    int y = (int)chrome->cells.y + (int)row * font->height;

    canvas_clip(canvas, chrome->area[PANEL_TERMINAL]);
    canvas_fill_rect(canvas, (struct rect){x, y, font->width, font->height}, cell->back);
    if (cell->underline)
        canvas_fill_rect(canvas, (struct rect){x, y + font->height - 2, font->width, 1},
                         cell->front);
    if (cell->symbol <= ' ')
        return;
    font_draw_symbol(canvas, chrome->font, x, y, cell->symbol, cell->front, FONT_ACROSS);
    if (cell->bold)
        font_draw_symbol(canvas, chrome->font, x + 1, y, cell->symbol, cell->front, FONT_ACROSS);
}
