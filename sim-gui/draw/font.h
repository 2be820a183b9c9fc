/* SPDX-License-Identifier: MIT */
/*
 * font.h: bitmap text. The glyphs are tables that mkfont.py makes from the Spleen fonts at build
 * time; characters without a glyph show as a question mark.
 */
#pragma once

#include <stdint.h>

#include "draw/canvas.h"

struct font_place {
    uint32_t character;
    uint16_t glyph;
};

struct font {
    uint8_t width, height;
    uint16_t glyph_size; /* bytes; rows are padded to whole bytes, leftmost pixel highest */
    uint16_t place_count;
    const unsigned char *bits;
    const struct font_place *places; /* by rising character */
};

/* In the order in which meson.build hands the files to mkfont.py. */
enum font_size { FONT_5X8, FONT_6X12, FONT_8X16, FONT_12X24, FONT_16X32 };

extern const struct font font_table[];

enum font_turn { FONT_ACROSS, FONT_UPWARDS };

/* One character at pixel (x, y), the top left corner of what it takes. `colour` is 0xRRGGBB. */
void font_draw_symbol(struct canvas *canvas, enum font_size size, int x, int y, uint32_t symbol,
                      uint32_t colour, enum font_turn turn);

/* UTF-8 text at pixel (x, y), the top left corner; turned, it reads from the bottom up. */
void font_draw(struct canvas *canvas, enum font_size size, int x, int y, const char *text,
               uint32_t colour, enum font_turn turn);

/* How long `text` is in pixels. */
int font_measure(enum font_size size, const char *text);
