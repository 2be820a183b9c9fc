/* SPDX-License-Identifier: MIT */
/*
 * canvas.h: filled shapes with smooth edges, in memory.
 *
 * A canvas is an array of pixels, 0x00RRGGBB. A shape is one or more closed outlines of straight
 * lines (circles have enough of them); a point is inside when the outlines go round it, so that
 * overlapping outlines of one shape are painted once, and an outline that goes round the other way
 * makes a hole. Shapes are given in the units of whoever draws, and a transform (scale, move,
 * quarter turns) brings them to pixels. Colours of paint are 0xAARRGGBB.
 *
 * Nothing here knows of a screen: the same picture goes to a window, a PNG file or a test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANVAS_POINTS 8192
#define CANVAS_OUTLINES 1024

struct rect {
    int x, y, width, height;
};

/* x' = a x + c y + e,  y' = b x + d y + f */
struct transform {
    float a, b, c, d, e, f;
};

struct point {
    float x, y;
};

enum paint_kind {
    PAINT_SOLID,
    PAINT_LINEAR, /* from `one` at `from` to `other` at `to` */
    PAINT_RADIAL, /* from `one` at `from`, the middle, to `other` as far away as `to` */
    PAINT_GLOW    /* as PAINT_RADIAL, falling off as light does, and added to what is there */
};

struct paint {
    enum paint_kind kind;
    uint32_t one, other;
    struct point from, to;
};

struct canvas {
    int width, height;
    uint32_t *pixels; /* row by row, without gaps */
    struct rect clip;
    struct transform transform;
    size_t points, outlines; /* of the shape in the making */
    struct point point[CANVAS_POINTS];
    size_t outline[CANVAS_OUTLINES]; /* where each starts */
    float *cover;                    /* of one row: 0 .. 1 a pixel */
};

/* A black canvas, or NULL when there is no memory. Both sizes are at least 1. */
struct canvas *canvas_create(int width, int height);
void canvas_destroy(struct canvas *canvas);

/* Drawing touches only pixels in `clip`, cut to the canvas. */
void canvas_clip(struct canvas *canvas, struct rect clip);

/* The transform that maps (0, 0) to pixel (x, y) and scales. */
void canvas_place(struct canvas *canvas, float x, float y, float scale);

/* Paints whole pixels; `colour` is opaque, 0xRRGGBB. Neither transform nor outlines matter. */
void canvas_fill_rect(struct canvas *canvas, struct rect rect, uint32_t colour);

/* Lays `colour`, 0xAARRGGBB with its alpha scaled by `cover` 0 .. 1, over a pixel inside the clip.
 */
void canvas_blend(struct canvas *canvas, int x, int y, uint32_t colour, float cover);

/* Copies `rect` of `from`, at the same place, cut to both canvases. */
void canvas_copy(struct canvas *canvas, const struct canvas *from, struct rect rect);

/* ---- shapes: add outlines, then fill; canvas_fill forgets them ---- */

void canvas_polygon(struct canvas *canvas, const struct point *points, size_t n);
void canvas_rect(struct canvas *canvas, float x, float y, float width, float height);
void canvas_round_rect(struct canvas *canvas, float x, float y, float width, float height,
                       float radius);
void canvas_circle(struct canvas *canvas, float x, float y, float radius);

/* A hole in the outlines that are there. */
void canvas_hole(struct canvas *canvas, float x, float y, float radius);

/* A line of `width` through the points, with round corners and ends. */
void canvas_line(struct canvas *canvas, const struct point *points, size_t n, float width);

void canvas_fill(struct canvas *canvas, const struct paint *paint);

/* Fill with one colour, 0xAARRGGBB. */
void canvas_fill_colour(struct canvas *canvas, uint32_t colour);

/* Fill with a gradient down (or across) from (x0, y0) to (x1, y1). */
void canvas_fill_gradient(struct canvas *canvas, float x0, float y0, uint32_t one, float x1,
                          float y1, uint32_t other);

/* Between two colours, alpha too: t 0 gives `one`, 1 `other`. */
uint32_t colour_mix(uint32_t one, uint32_t other, float t);
