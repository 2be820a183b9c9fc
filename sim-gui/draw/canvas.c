/* SPDX-License-Identifier: MIT */
/*
 * canvas.c: a scan-line rasteriser.
 *
 * Each row of pixels is cut into CANVAS_SLICES thin slices. In a slice, every edge that crosses its
 * middle line gives a crossing; sorted, and counted +1 or -1 by direction, they say which stretches
 * are inside. A stretch covers its first and last pixel in part, which is exact; between slices the
 * cover is averaged. So edges are smooth to 1/8 of a pixel vertically and fully horizontally.
 */
#include "draw/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CANVAS_SLICES 8
#define CANVAS_CROSSINGS 512
#define CANVAS_TAU 6.2831853f

struct crossing {
    float x;
    int direction;
};

struct canvas *canvas_create(int width, int height)
{
    struct canvas *canvas = calloc(1, sizeof(*canvas));

    if (!canvas)
        return NULL;
    canvas->width = width;
    canvas->height = height;
    canvas->pixels = calloc((size_t)width * (size_t)height, sizeof(*canvas->pixels));
    canvas->cover = calloc((size_t)width + 1, sizeof(*canvas->cover));
    if (!canvas->pixels || !canvas->cover) {
        canvas_destroy(canvas);
        return NULL;
    }
    canvas_clip(canvas, (struct rect){0, 0, width, height});
    canvas_place(canvas, 0, 0, 1);
    return canvas;
}

void canvas_destroy(struct canvas *canvas)
{
    if (!canvas)
        return;
    free(canvas->pixels);
    free(canvas->cover);
    free(canvas);
}

static int canvas_between(int least, int value, int most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

void canvas_clip(struct canvas *canvas, struct rect clip)
{
    int right = canvas_between(0, clip.x + clip.width, canvas->width);
    int bottom = canvas_between(0, clip.y + clip.height, canvas->height);

    canvas->clip.x = canvas_between(0, clip.x, canvas->width);
    canvas->clip.y = canvas_between(0, clip.y, canvas->height);
    canvas->clip.width = canvas_between(0, right - canvas->clip.x, canvas->width);
    canvas->clip.height = canvas_between(0, bottom - canvas->clip.y, canvas->height);
}

void canvas_place(struct canvas *canvas, float x, float y, float scale)
{
    canvas->transform = (struct transform){scale, 0, 0, scale, x, y};
}

/* ---- pixels ---- */

uint32_t colour_mix(uint32_t one, uint32_t other, float t)
{
    uint32_t mixed = 0;

    for (unsigned shift = 0; shift < 32; shift += 8) {
        float a = (float)(one >> shift & 0xff);
        float b = (float)(other >> shift & 0xff);
        mixed |= (uint32_t)(a + (b - a) * t + 0.5f) << shift;
    }
    return mixed;
}

void canvas_blend(struct canvas *canvas, int x, int y, uint32_t colour, float cover)
{
    const struct rect *clip = &canvas->clip;
    uint32_t *pixel = &canvas->pixels[(size_t)y * (size_t)canvas->width + (size_t)x];
    float alpha = (float)(colour >> 24) / 255 * cover;

    if (x < clip->x || y < clip->y || x >= clip->x + clip->width || y >= clip->y + clip->height)
        return;
    *pixel = colour_mix(*pixel, colour, alpha) & 0xffffff;
}

/* Adds light instead of laying paint over it. */
static uint32_t canvas_add(uint32_t pixel, uint32_t colour, float alpha)
{
    uint32_t sum = 0;

    for (unsigned shift = 0; shift < 24; shift += 8) {
        float value =
            (float)(pixel >> shift & 0xff) + (float)(colour >> shift & 0xff) * alpha + 0.5f;
        sum |= (uint32_t)(value > 255 ? 255 : value) << shift;
    }
    return sum;
}

void canvas_fill_rect(struct canvas *canvas, struct rect rect, uint32_t colour)
{
    struct rect clip = canvas->clip;
    int left = canvas_between(clip.x, rect.x, clip.x + clip.width);
    int right = canvas_between(clip.x, rect.x + rect.width, clip.x + clip.width);
    int bottom = canvas_between(clip.y, rect.y + rect.height, clip.y + clip.height);

    for (int y = canvas_between(clip.y, rect.y, bottom); y < bottom; y++) {
        for (int x = left; x < right; x++)
            canvas->pixels[(size_t)y * (size_t)canvas->width + (size_t)x] = colour;
    }
}

void canvas_copy(struct canvas *canvas, const struct canvas *from, struct rect rect)
{
    int width = canvas->width < from->width ? canvas->width : from->width;
    int height = canvas->height < from->height ? canvas->height : from->height;
    int left = canvas_between(0, rect.x, width);
    int right = canvas_between(left, rect.x + rect.width, width);
    int bottom = canvas_between(0, rect.y + rect.height, height);

    for (int y = canvas_between(0, rect.y, height); y < bottom; y++)
        memcpy(&canvas->pixels[(size_t)y * (size_t)canvas->width + (size_t)left],
               &from->pixels[(size_t)y * (size_t)from->width + (size_t)left],
               (size_t)(right - left) * sizeof(uint32_t));
}

/* ---- outlines ---- */

static struct point canvas_map(const struct canvas *canvas, struct point point)
{
    const struct transform *t = &canvas->transform;
    struct point mapped = {t->a * point.x + t->c * point.y + t->e,
                           t->b * point.x + t->d * point.y + t->f};
    return mapped;
}

/* An outline that does not fit is left out: callers' shapes are bounded, and far below the limit.
 */
void canvas_polygon(struct canvas *canvas, const struct point *points, size_t n)
{
    if (canvas->outlines == CANVAS_OUTLINES || canvas->points + n > CANVAS_POINTS)
        return;
    canvas->outline[canvas->outlines++] = canvas->points;
    for (size_t i = 0; i < n; i++)
        canvas->point[canvas->points++] = canvas_map(canvas, points[i]);
}

void canvas_rect(struct canvas *canvas, float x, float y, float width, float height)
{
    struct point corners[4] = {{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}};

    canvas_polygon(canvas, corners, 4);
}

static struct point canvas_on_circle(float x, float y, float radius, float part)
{
    struct point point = {x + radius * cosf(part * CANVAS_TAU),
                          y + radius * sinf(part * CANVAS_TAU)};

    return point;
}

void canvas_round_rect(struct canvas *canvas, float x, float y, float width, float height,
                       float radius)
{
    float right = x + width - radius;
    float bottom = y + height - radius;
    struct point middle[4] = {
        {right, bottom}, {x + radius, bottom}, {x + radius, y + radius}, {right, y + radius}};
    struct point points[4 * 9];

    for (unsigned i = 0; i < 4 * 9; i++) {
        unsigned corner = i / 9;
        float part = ((float)corner + (float)(i % 9) / 8) / 4;
        points[i] = canvas_on_circle(middle[corner].x, middle[corner].y, radius, part);
    }
    canvas_polygon(canvas, points, 4 * 9);
}

/* Enough corners that none is seen at the size it has on the canvas. */
static unsigned canvas_corners(const struct canvas *canvas, float radius)
{
    float pixels = radius * (fabsf(canvas->transform.a) + fabsf(canvas->transform.b));

    return (unsigned)canvas_between(8, (int)(8 + 6 * sqrtf(pixels)), 96);
}

static void canvas_add_circle(struct canvas *canvas, float x, float y, float radius, float sign)
{
    unsigned n = canvas_corners(canvas, radius);
    struct point points[96];

    for (unsigned i = 0; i < n; i++)
        points[i] = canvas_on_circle(x, y, radius, sign * (float)i / (float)n);
    canvas_polygon(canvas, points, n);
}

void canvas_circle(struct canvas *canvas, float x, float y, float radius)
{
    canvas_add_circle(canvas, x, y, radius, 1);
}

void canvas_hole(struct canvas *canvas, float x, float y, float radius)
{
    canvas_add_circle(canvas, x, y, radius, -1);
}

/* Each stretch is a bar, each corner a circle; bars go round as circles do, so nothing cancels. */
void canvas_line(struct canvas *canvas, const struct point *points, size_t n, float width)
{
    for (size_t i = 0; i < n; i++)
        canvas_circle(canvas, points[i].x, points[i].y, width / 2);
    for (size_t i = 1; i < n; i++) {
        struct point a = points[i - 1], b = points[i];
        float length = hypotf(b.x - a.x, b.y - a.y);
        float across = length > 0 ? width / 2 / length : 0;
        float dx = -(b.y - a.y) * across, dy = (b.x - a.x) * across;
        struct point bar[4] = {
            {a.x - dx, a.y - dy}, {b.x - dx, b.y - dy}, {b.x + dx, b.y + dy}, {a.x + dx, a.y + dy}};
        if (length > 0)
            canvas_polygon(canvas, bar, 4);
    }
}

/* ---- filling ---- */

static int canvas_compare(const void *one, const void *other)
{
    float a = ((const struct crossing *)one)->x;
    float b = ((const struct crossing *)other)->x;

    return (a > b) - (a < b);
}

/* All edges that cross the horizontal line at `y`, from left to right. */
static size_t canvas_cross(const struct canvas *canvas, float y, struct crossing *crossings)
{
    size_t n = 0;

    for (size_t i = 0; i < canvas->outlines; i++) {
        size_t first = canvas->outline[i];
        size_t end = i + 1 < canvas->outlines ? canvas->outline[i + 1] : canvas->points;

        for (size_t j = first; j < end; j++) {
            struct point a = canvas->point[j];
            struct point b = canvas->point[j + 1 < end ? j + 1 : first];

            if ((a.y <= y) == (b.y <= y) || n == CANVAS_CROSSINGS)
                continue;
            crossings[n].x = a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y);
            crossings[n++].direction = a.y < b.y ? 1 : -1;
        }
    }
    qsort(crossings, n, sizeof(*crossings), canvas_compare);
    return n;
}

/* Adds one slice's stretch from x0 to x1 to the row's cover. */
static void canvas_cover(struct canvas *canvas, float x0, float x1)
{
    float left = (float)canvas->clip.x;
    float right = (float)(canvas->clip.x + canvas->clip.width);
    const float slice = 1.0f / CANVAS_SLICES;
    int first, last;

    x0 = x0 < left ? left : x0;
    x1 = x1 > right ? right : x1;
    if (x0 >= x1)
        return;
    first = (int)x0;
    last = (int)x1;
    if (first == last) {
        canvas->cover[first] += (x1 - x0) * slice;
        return;
    }
    canvas->cover[first] += ((float)first + 1 - x0) * slice;
    for (int x = first + 1; x < last; x++)
        canvas->cover[x] += slice;
    canvas->cover[last] += (x1 - (float)last) * slice;
}

static void canvas_cover_row(struct canvas *canvas, int row)
{
    struct crossing crossings[CANVAS_CROSSINGS];

    for (unsigned slice = 0; slice < CANVAS_SLICES; slice++) {
        float y = (float)row + ((float)slice + 0.5f) / CANVAS_SLICES;
        size_t n = canvas_cross(canvas, y, crossings);
        int winding = 0;

        for (size_t i = 0; i + 1 < n; i++) {
            winding += crossings[i].direction;
            if (winding)
                canvas_cover(canvas, crossings[i].x, crossings[i + 1].x);
        }
    }
}

/* How far along a gradient a pixel is, 0 .. 1. `paint` is in pixels. */
static float canvas_along(const struct paint *paint, float x, float y)
{
    float dx = paint->to.x - paint->from.x, dy = paint->to.y - paint->from.y;
    float px = x - paint->from.x, py = y - paint->from.y;
    float square = dx * dx + dy * dy;
    float t;

    if (square <= 0)
        return 0;
    if (paint->kind == PAINT_LINEAR)
        t = (px * dx + py * dy) / square;
    else
        t = sqrtf((px * px + py * py) / square);
    return fminf(fmaxf(t, 0), 1);
}

static void canvas_paint_row(struct canvas *canvas, const struct paint *paint, int row, int left,
                             int right)
{
    for (int x = left; x < right; x++) {
        float cover = fminf(canvas->cover[x], 1);
        uint32_t *pixel = &canvas->pixels[(size_t)row * (size_t)canvas->width + (size_t)x];
        float t;

        if (cover <= 0)
            continue;
        if (paint->kind == PAINT_SOLID) {
            canvas_blend(canvas, x, row, paint->one, cover);
            continue;
        }
        t = canvas_along(paint, (float)x + 0.5f, (float)row + 0.5f);
        if (paint->kind == PAINT_GLOW)
            *pixel = canvas_add(*pixel, paint->one,
                                cover * (1 - t) * (1 - t) * (float)(paint->one >> 24) / 255);
        else
            canvas_blend(canvas, x, row, colour_mix(paint->one, paint->other, t), cover);
    }
}

/* The pixels that the outlines may touch. */
static struct rect canvas_bounds(const struct canvas *canvas)
{
    struct rect clip = canvas->clip;
    float left = 1e9f, top = 1e9f, right = -1e9f, bottom = -1e9f;
    struct rect bounds;

    for (size_t i = 0; i < canvas->points; i++) {
        left = fminf(left, canvas->point[i].x);
        right = fmaxf(right, canvas->point[i].x);
        top = fminf(top, canvas->point[i].y);
        bottom = fmaxf(bottom, canvas->point[i].y);
    }
    left = fminf(fmaxf(left, (float)clip.x), (float)(clip.x + clip.width));
    right = fminf(fmaxf(right, (float)clip.x), (float)(clip.x + clip.width));
    top = fminf(fmaxf(top, (float)clip.y), (float)(clip.y + clip.height));
    bottom = fminf(fmaxf(bottom, (float)clip.y), (float)(clip.y + clip.height));
    bounds.x = (int)left;
    bounds.y = (int)top;
    bounds.width = (int)ceilf(right) - bounds.x;
    bounds.height = (int)ceilf(bottom) - bounds.y;
    return bounds;
}

void canvas_fill(struct canvas *canvas, const struct paint *paint)
{
    struct rect bounds = canvas_bounds(canvas);
    struct paint mapped = *paint;

    mapped.from = canvas_map(canvas, paint->from);
    mapped.to = canvas_map(canvas, paint->to);
    for (int row = bounds.y; row < bounds.y + bounds.height; row++) {
        memset(canvas->cover, 0, ((size_t)canvas->width + 1) * sizeof(float));
        canvas_cover_row(canvas, row);
        canvas_paint_row(canvas, &mapped, row, bounds.x, bounds.x + bounds.width);
    }
    canvas->points = 0;
    canvas->outlines = 0;
}

void canvas_fill_colour(struct canvas *canvas, uint32_t colour)
{
    struct paint paint = {.kind = PAINT_SOLID, .one = colour};

    canvas_fill(canvas, &paint);
}

void canvas_fill_gradient(struct canvas *canvas, float x0, float y0, uint32_t one, float x1,
                          float y1, uint32_t other)
{
    struct paint paint = {PAINT_LINEAR, one, other, {x0, y0}, {x1, y1}};

    canvas_fill(canvas, &paint);
}
