/* SPDX-License-Identifier: MIT */
/*
 * wire_art.c: wires as jumper leads with rounded corners.
 *
 * A wire's way is a list of corners. With steps in the diagram it follows them from both ends and
 * joins the two with one bend; without, it leaves each pin in that pin's direction by a length of
 * its own, so that wires side by side stay apart.
 */
#include <math.h>
#include <string.h>

#include "draw/picture.h"

#define WIRE_CORNERS (WIRE_STEPS + 6)
#define WIRE_WIDTH 2.4f
#define WIRE_RADIUS 5.0f
#define WIRE_BEND 5 /* points of a rounded corner */

struct way {
    struct point corner[WIRE_CORNERS];
    size_t count;
};

static void wire_art_add(struct way *way, float x, float y)
{
    if (way->count < WIRE_CORNERS)
        way->corner[way->count++] = (struct point){x, y};
}

/* Where a wire leaves a contact to: the header upwards, others away from their part's middle. */
static struct wire_step wire_art_exit(const struct diagram *diagram, struct contact contact)
{
    const struct part *part = &diagram->parts[contact.part];
    float width, height, mx, my, x, y;

    if (part->kind == PART_BOARD)
        return (struct wire_step){0, -1};
    diagram_part_size(part->kind, &width, &height);
    mx = width / 2;
    my = height / 2;
    diagram_map_point(part, &mx, &my);
    diagram_place_contact(diagram, contact, &x, &y);
    if (fabsf(x - mx) > fabsf(y - my))
        return (struct wire_step){x > mx ? 1 : -1, 0};
    return (struct wire_step){0, y > my ? 1 : -1};
}

/* Ways of the first and of the second end, when the diagram does not lay the wire. */
static void wire_art_leave(const struct diagram *diagram, struct contact contact, size_t lane,
                           struct way *way)
{
    struct wire_step exit = wire_art_exit(diagram, contact);
    bool board = diagram->parts[contact.part].kind == PART_BOARD;
    float length = board ? 26 + 4 * (float)(lane % 8) : 7 + 3 * (float)(lane % 3);
    struct point at = way->corner[way->count - 1];

    /* Inner pins first step aside, to pass between those of the outer row. */
    if (board && contact.pin % 2 == 0) {
        at.x += BOARD_PITCH / 2;
        wire_art_add(way, at.x, at.y);
    }
    wire_art_add(way, at.x + exit.dx * length, at.y + exit.dy * length);
}

static void wire_art_step(struct way *way, const struct wire_step *step)
{
    struct point at = way->corner[way->count - 1];

    wire_art_add(way, at.x + step->dx, at.y + step->dy);
}

static void wire_art_begin(const struct diagram *diagram, struct contact contact, struct way *way)
{
    float x, y;

    way->count = 0;
    diagram_place_contact(diagram, contact, &x, &y);
    wire_art_add(way, x, y);
}

/* Joins the two ways with a bend; a way that last went up or down goes on across. */
static void wire_art_join(struct way *way, const struct way *back)
{
    struct point a = way->corner[way->count - 1];
    struct point b = back->corner[back->count - 1];
    bool was_down = way->count > 1 && fabsf(way->corner[way->count - 2].x - a.x) < 0.01f;

    if (fabsf(a.x - b.x) > 0.01f && fabsf(a.y - b.y) > 0.01f) {
        if (was_down)
            wire_art_add(way, b.x, a.y);
        else
            wire_art_add(way, a.x, b.y);
    }
    for (size_t i = back->count; i-- > 0;)
        wire_art_add(way, back->corner[i].x, back->corner[i].y);
}

static void wire_art_route(const struct diagram *diagram, size_t index, struct way *way)
{
    const struct wire *wire = &diagram->wires[index];
    struct way back;

    wire_art_begin(diagram, wire->ends[0], way);
    wire_art_begin(diagram, wire->ends[1], &back);
    if (wire->first + wire->last == 0) {
        wire_art_leave(diagram, wire->ends[0], index, way);
        wire_art_leave(diagram, wire->ends[1], index, &back);
    }
    for (unsigned i = 0; i < wire->first; i++)
        wire_art_step(way, &wire->steps[i]);
    for (unsigned i = wire->last; i-- > 0;)
        wire_art_step(&back, &wire->steps[wire->first + i]);
    wire_art_join(way, &back);
}

/* Writes the points of a rounded corner at b, between a and c; returns how many. */
static size_t wire_art_bend(struct point a, struct point b, struct point c, struct point *out)
{
    float before = hypotf(a.x - b.x, a.y - b.y), after = hypotf(c.x - b.x, c.y - b.y);
    float radius = fminf(WIRE_RADIUS, fminf(before, after) / 2);
    struct point p, q;

    if (radius < 0.1f) {
        out[0] = b;
        return 1;
    }
    p = (struct point){b.x + (a.x - b.x) * radius / before, b.y + (a.y - b.y) * radius / before};
    q = (struct point){b.x + (c.x - b.x) * radius / after, b.y + (c.y - b.y) * radius / after};
    for (unsigned i = 0; i < WIRE_BEND; i++) {
        float t = (float)i / (WIRE_BEND - 1), s = 1 - t;
        out[i].x = s * s * p.x + 2 * s * t * b.x + t * t * q.x;
        out[i].y = s * s * p.y + 2 * s * t * b.y + t * t * q.y;
    }
    return WIRE_BEND;
}

static size_t wire_art_round(const struct way *way, struct point *points)
{
    size_t n = 0;

    points[n++] = way->corner[0];
    for (size_t i = 1; i + 1 < way->count; i++)
        n += wire_art_bend(way->corner[i - 1], way->corner[i], way->corner[i + 1], points + n);
    points[n++] = way->corner[way->count - 1];
    return n;
}

void wire_art_draw(struct canvas *canvas, const struct diagram *diagram, size_t wire,
                   const struct view *view)
{
    struct way way;
    struct point points[2 * WIRE_CORNERS * WIRE_BEND];
    uint32_t colour = 0xff000000 | diagram->wires[wire].colour;
    size_t n;

    wire_art_route(diagram, wire, &way);
    n = wire_art_round(&way, points);
    canvas_place(canvas, view->x, view->y, view->scale);
    canvas_line(canvas, points, n, WIRE_WIDTH + 1.2f);
    canvas_fill_colour(canvas, colour_mix(colour, 0xff0a0d12, 0.7f));
    canvas_line(canvas, points, n, WIRE_WIDTH);
    canvas_fill_colour(canvas, colour_mix(colour, 0xff0a0d12, 0.12f));
    canvas_place(canvas, view->x - 0.3f * view->scale, view->y - 0.3f * view->scale, view->scale);
    canvas_line(canvas, points, n, WIRE_WIDTH * 0.28f);
    canvas_fill_colour(canvas, colour_mix(colour, 0xffffffff, 0.45f));
}
