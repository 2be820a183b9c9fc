/* SPDX-License-Identifier: MIT */
/*
 * squares.c: the geometry of a field of squares, and the texts around it.
 */
#include "squares.h"

#define SQUARES_LARGEST 16 /* pixels of a square's side, its gap included */
#define SQUARES_SMALLEST 5
#define SQUARES_ENTRY 27 /* characters of an entry in the legend */
#define SQUARES_GROUP_MAX (1u << 30)

#define SQUARES_EDGE 0x2b323d
#define SQUARES_TEXT 0xc9d1d9
#define SQUARES_DIM 0x7d8896

static enum font_size squares_font(const struct squares *squares)
{
    return squares->scale > 1 ? FONT_12X24 : FONT_6X12;
}

static int squares_line(const struct squares *squares)
{
    return font_table[squares_font(squares)].height + 3 * squares->scale;
}

static unsigned squares_legend_columns(const struct squares *squares)
{
    int columns = squares->field.width / (font_table[squares_font(squares)].width * SQUARES_ENTRY);

    return columns > 1 ? (unsigned)columns : 1;
}

/* Squares in a row with sides of `size`, such that rows begin at round numbers; 0: too large. */
static unsigned squares_fit_columns(const struct squares *squares, int size, uint64_t count)
{
    unsigned columns = (unsigned)(squares->field.width / size);
    unsigned rows = (unsigned)(squares->field.height / size);

    if (columns >= 16)
        columns -= columns % 16;
    return (uint64_t)columns * rows >= count ? columns : 0;
}

/* Chooses the smallest group whose squares fit, and the largest squares then. */
static void squares_fit(struct squares *squares)
{
    squares->columns = squares->group = 0;
    if (squares->field.width < SQUARES_SMALLEST || squares->field.height < SQUARES_SMALLEST)
        return;
    for (uint32_t group = 1; group <= SQUARES_GROUP_MAX && !squares->columns; group *= 2) {
        uint64_t count = (squares->total + group - 1) / group;

        squares->group = group;
        squares->size = SQUARES_LARGEST * squares->scale + 1;
        while (!squares->columns && --squares->size >= SQUARES_SMALLEST * squares->scale)
            squares->columns = squares_fit_columns(squares, squares->size, count);
    }
    if (!squares->columns)
        squares->group = 0;
}

void squares_lay_out(struct squares *squares, uint64_t total, unsigned entries)
{
    int margin = 10 * squares->scale, line = squares_line(squares);
    unsigned columns;

    squares->total = total;
    squares->field = (struct rect){squares->area.x + margin, squares->area.y + line + margin,
                                   squares->area.width - 2 * margin, 0};
    columns = squares_legend_columns(squares);
    squares->legend_rows = (entries + columns - 1) / columns;
    squares->field.height =
        squares->area.height - 2 * margin - line - (int)squares->legend_rows * line - margin / 2;
    squares_fit(squares);
}

uint32_t squares_count(const struct squares *squares)
{
    return squares->group ? (uint32_t)((squares->total + squares->group - 1) / squares->group) : 0;
}

struct rect squares_rect(const struct squares *squares, uint32_t square)
{
    int gap = squares->size >= 4 ? squares->scale : 0;

    return (struct rect){squares->field.x + (int)(square % squares->columns) * squares->size,
                         squares->field.y + (int)(square / squares->columns) * squares->size,
                         squares->size - gap, squares->size - gap};
}

uint32_t squares_at(const struct squares *squares, int x, int y)
{
    int dx = x - squares->field.x, dy = y - squares->field.y;
    uint32_t square;

    if (dx < 0 || dy < 0 || !squares->group || dx / squares->size >= (int)squares->columns)
        return SQUARES_NONE;
    square = (uint32_t)(dy / squares->size) * squares->columns + (uint32_t)(dx / squares->size);
    return square < squares_count(squares) ? square : SQUARES_NONE;
}

void squares_paint(const struct squares *squares, struct canvas *canvas, uint32_t square,
                   uint32_t colour, bool marked)
{
    struct rect rect = squares_rect(squares, square);
    int edge = squares->scale;

    canvas_fill_rect(canvas, rect, marked ? SQUARES_MARK : colour);
    if (!marked)
        return;
    rect =
        (struct rect){rect.x + edge, rect.y + edge, rect.width - 2 * edge, rect.height - 2 * edge};
    canvas_fill_rect(canvas, rect, colour);
}

void squares_paint_ground(const struct squares *squares, struct canvas *canvas)
{
    struct rect area = squares->area;

    canvas_fill_rect(canvas, area, SQUARES_GROUND);
    canvas_fill_rect(canvas, (struct rect){area.x, area.y, area.width, 1}, SQUARES_EDGE);
    canvas_fill_rect(canvas, (struct rect){area.x, area.y, 1, area.height}, SQUARES_EDGE);
}

void squares_paint_headline(const struct squares *squares, struct canvas *canvas, const char *text)
{
    int line = squares_line(squares), x = squares->area.x + 10 * squares->scale;

    canvas_fill_rect(canvas,
                     (struct rect){squares->area.x + 1, squares->area.y + 1,
                                   squares->area.width - 1, line + 4 * squares->scale},
                     SQUARES_GROUND);
    font_draw(canvas, squares_font(squares), x, squares->area.y + 5 * squares->scale, text,
              SQUARES_DIM, FONT_ACROSS);
}

static int squares_legend_top(const struct squares *squares)
{
    return squares->area.y + squares->area.height - 5 * squares->scale -
           (int)squares->legend_rows * squares_line(squares);
}

void squares_clear_legend(const struct squares *squares, struct canvas *canvas)
{
    int top = squares_legend_top(squares);

    canvas_fill_rect(canvas,
                     (struct rect){squares->area.x + 1, top, squares->area.width - 1,
                                   squares->area.y + squares->area.height - top},
                     SQUARES_GROUND);
}

void squares_paint_entry(const struct squares *squares, struct canvas *canvas, unsigned entry,
                         uint32_t colour, const char *text)
{
    unsigned columns = squares_legend_columns(squares);
    int width = squares->field.width / (int)columns, line = squares_line(squares);
    int x = squares->field.x + (int)(entry % columns) * width, box = 10 * squares->scale;
    int y = squares_legend_top(squares) + (int)(entry / columns) * line;

    canvas_fill_rect(canvas, (struct rect){x, y + squares->scale, box, box}, colour);
    font_draw(canvas, squares_font(squares), x + box + 4 * squares->scale, y, text, SQUARES_TEXT,
              FONT_ACROSS);
}
