/* SPDX-License-Identifier: MIT */
/*
 * picture.c: what is drawn in which order, and where.
 */
#include "draw/picture.h"

#include <math.h>

#define PICTURE_BACK 0x1a1f29
#define PICTURE_DOT 0x2a313d
#define PICTURE_ROOM 14.0f /* around the parts, in diagram pixels */

struct bounds {
    float left, top, right, bottom;
};

static void picture_include(struct bounds *bounds, float x, float y)
{
    bounds->left = fminf(bounds->left, x);
    bounds->top = fminf(bounds->top, y);
    bounds->right = fmaxf(bounds->right, x);
    bounds->bottom = fmaxf(bounds->bottom, y);
}

static struct bounds picture_bounds(const struct diagram *diagram)
{
    struct bounds bounds = {1e9f, 1e9f, -1e9f, -1e9f};

    for (size_t i = 0; i < diagram->part_count; i++) {
        const struct part *part = &diagram->parts[i];
        float width, height;

        if (part->hidden)
            continue;
        diagram_part_size(part->kind, &width, &height);
        for (unsigned corner = 0; corner < 4; corner++) {
            float x = corner & 1 ? width : 0, y = corner & 2 ? height : 0;
            diagram_map_point(part, &x, &y);
            picture_include(&bounds, x, y);
        }
    }
    if (bounds.left > bounds.right)
        bounds = (struct bounds){0, 0, 1, 1};
    return bounds;
}

struct view picture_fit(const struct diagram *diagram, struct rect area)
{
    struct bounds bounds = picture_bounds(diagram);
    float width = bounds.right - bounds.left + 2 * PICTURE_ROOM;
    float height = bounds.bottom - bounds.top + 2 * PICTURE_ROOM;
    struct view view;

    view.scale = fminf((float)area.width / width, (float)area.height / height);
    view.x = (float)area.x + (float)area.width / 2 - (bounds.left + bounds.right) / 2 * view.scale;
    view.y = (float)area.y + (float)area.height / 2 - (bounds.top + bounds.bottom) / 2 * view.scale;
    return view;
}

void picture_place_board(struct canvas *canvas, const struct part *part, const struct view *view)
{
    canvas_place(canvas, view->x + part->left * view->scale, view->y + part->top * view->scale,
                 view->scale * BOARD_MM);
}

/* Three points tell the transform: where the box's corner goes, and which way right and down are.
 */
void picture_place_part(struct canvas *canvas, const struct part *part, const struct view *view)
{
    float x0 = 0, y0 = 0, x1 = 1, y1 = 0, x2 = 0, y2 = 1;
    float scale = view->scale;

    diagram_map_point(part, &x0, &y0);
    diagram_map_point(part, &x1, &y1);
    diagram_map_point(part, &x2, &y2);
    canvas->transform =
        (struct transform){(x1 - x0) * scale, (y1 - y0) * scale,    (x2 - x0) * scale,
                           (y2 - y0) * scale, view->x + x0 * scale, view->y + y0 * scale};
}

void picture_text(struct canvas *canvas, enum font_size size, float x, float y, const char *text,
                  uint32_t colour, enum font_turn turn)
{
    const struct transform *t = &canvas->transform;
    float length = (float)font_measure(size, text);
    float height = font_table[size].height;
    float px = t->a * x + t->c * y + t->e;
    float py = t->b * x + t->d * y + t->f;

    if (turn == FONT_ACROSS)
        font_draw(canvas, size, (int)lroundf(px - length / 2), (int)lroundf(py - height / 2), text,
                  colour, turn);
    else
        font_draw(canvas, size, (int)lroundf(px - height / 2), (int)lroundf(py - length / 2), text,
                  colour, turn);
}

float picture_brightness(float share)
{
    return powf(fminf(fmaxf(share, 0), 1), 1 / 2.2f);
}

/* ---- layers ---- */

static void picture_draw_table(struct canvas *canvas, struct rect area)
{
    const int step = 22;

    canvas_fill_rect(canvas, area, PICTURE_BACK);
    for (int y = area.y + step / 2; y < area.y + area.height; y += step) {
        for (int x = area.x + step / 2; x < area.x + area.width; x += step)
            canvas_fill_rect(canvas, (struct rect){x, y, 2, 2}, PICTURE_DOT);
    }
}

void picture_draw_backdrop(struct canvas *canvas, const struct diagram *diagram,
                           const struct view *view, struct rect area)
{
    const struct part *board = &diagram->parts[diagram->board];

    canvas_clip(canvas, area);
    picture_draw_table(canvas, area);
    if (!board->hidden)
        board_art_draw(canvas, board, view);
    for (size_t i = 0; i < diagram->wire_count; i++)
        wire_art_draw(canvas, diagram, i, view);
    if (!board->hidden)
        board_art_draw_labels(canvas, board, view);
    for (size_t i = 0; i < diagram->part_count; i++) {
        if (i != diagram->board && !diagram->parts[i].hidden)
            part_art_draw(canvas, &diagram->parts[i], view);
    }
    canvas_place(canvas, 0, 0, 1);
}

void picture_draw_live(struct canvas *canvas, const struct diagram *diagram,
                       const struct view *view, const struct picture_state *state)
{
    const struct part *board = &diagram->parts[diagram->board];

    if (!board->hidden) {
        board_art_draw_lamp(canvas, board, view, true, state->power);
        board_art_draw_lamp(canvas, board, view, false, state->act);
    }
    for (size_t i = 0; i < diagram->part_count; i++) {
        const struct part *part = &diagram->parts[i];

        if (part->hidden)
            continue;
        if (part->kind == PART_LED)
            part_art_draw_light(canvas, part, view, picture_brightness(state->circuit->light[i]));
        else if (part->kind == PART_BUTTON)
            part_art_draw_cap(canvas, part, view, state->circuit->held[i]);
    }
    canvas_place(canvas, 0, 0, 1);
}

int picture_find_button(const struct diagram *diagram, const struct view *view, int x, int y)
{
    for (size_t i = 0; i < diagram->part_count; i++) {
        const struct part *part = &diagram->parts[i];
        float width, height, mx, my;

        if (part->kind != PART_BUTTON || part->hidden)
            continue;
        diagram_part_size(part->kind, &width, &height);
        mx = width / 2;
        my = height / 2;
        diagram_map_point(part, &mx, &my);
        mx = view->x + mx * view->scale - (float)x;
        my = view->y + my * view->scale - (float)y;
        if (fabsf(mx) < height / 2 * view->scale && fabsf(my) < height / 2 * view->scale)
            return (int)i;
    }
    return -1;
}
