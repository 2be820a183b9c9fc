/* SPDX-License-Identifier: MIT */
/*
 * font.c: glyphs onto a canvas, pixel for pixel.
 */
#include "draw/font.h"

#include <stdlib.h>

static int font_compare(const void *key, const void *entry)
{
    uint32_t character = *(const uint32_t *)key;
    uint32_t other = ((const struct font_place *)entry)->character;

    return (character > other) - (character < other);
}

static const unsigned char *font_glyph(const struct font *font, uint32_t symbol)
{
    uint32_t question = '?';
    const struct font_place *place =
        bsearch(&symbol, font->places, font->place_count, sizeof(*place), font_compare);

    if (!place)
        place = bsearch(&question, font->places, font->place_count, sizeof(*place), font_compare);
    return font->bits + (size_t)(place ? place->glyph : 0) * font->glyph_size;
}

void font_draw_symbol(struct canvas *canvas, enum font_size size, int x, int y, uint32_t symbol,
                      uint32_t colour, enum font_turn turn)
{
    const struct font *font = &font_table[size];
    const unsigned char *row = font_glyph(font, symbol);

    for (int dy = 0; dy < font->height; dy++, row += (font->width + 7) / 8) {
        for (int dx = 0; dx < font->width; dx++) {
            if (!(row[dx / 8] >> (7 - dx % 8) & 1))
                continue;
            if (turn == FONT_ACROSS)
                canvas_blend(canvas, x + dx, y + dy, 0xff000000 | colour, 1);
            else
                canvas_blend(canvas, x + dy, y + font->width - 1 - dx, 0xff000000 | colour, 1);
        }
    }
}

/* The next character of UTF-8 text; a byte that is none counts as itself. */
static uint32_t font_decode(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    unsigned more = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc0 ? 1 : 0;
    uint32_t symbol = more ? at[0] & (0x3fu >> more) : at[0];

    for (unsigned i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            *text += i;
            return '?';
        }
        symbol = symbol << 6 | (at[i] & 0x3f);
    }
    *text += more + 1;
    return symbol;
}

int font_measure(enum font_size size, const char *text)
{
    int length = 0;

    while (*text) {
        font_decode(&text);
        length += font_table[size].width;
    }
    return length;
}

void font_draw(struct canvas *canvas, enum font_size size, int x, int y, const char *text,
               uint32_t colour, enum font_turn turn)
{
    int width = font_table[size].width;

    if (turn == FONT_UPWARDS)
        y += font_measure(size, text) - width;
    while (*text) {
        font_draw_symbol(canvas, size, x, y, font_decode(&text), colour, turn);
        if (turn == FONT_ACROSS)
            x += width;
        else
            y -= width;
    }
}
