/* SPDX-License-Identifier: MIT */
/*
 * picture.h: the board and the parts on it, drawn.
 *
 * What never changes (the board, bodies of parts, wires, labels) is drawn once for a given size
 * into a backdrop; what does (lit LEDs, buttons under a finger) is drawn over it in each frame that
 * differs from the one before.
 *
 * board_art.c draws the board, part_art.c LEDs, buttons and resistors, wire_art.c the wires.
 */
#pragma once

#include <stdbool.h>

#include "diagram/circuit.h"
#include "diagram/diagram.h"
#include "draw/canvas.h"
#include "draw/font.h"

/* Where the diagram lies on the canvas: diagram pixel (0, 0) is at (x, y), each `scale` pixels
 * large. */
struct view {
    float x, y, scale;
};

/* The largest view of all of the diagram, with room for labels, that fits into `area`. */
struct view picture_fit(const struct diagram *diagram, struct rect area);

/* The backdrop: fills `area` and draws all that does not change. */
void picture_draw_backdrop(struct canvas *canvas, const struct diagram *diagram,
                           const struct view *view, struct rect area);

/* What the frame has to show. `act` and `power` are the board's own LEDs. */
struct picture_state {
    const struct circuit *circuit;
    bool act, power;
};
void picture_draw_live(struct canvas *canvas, const struct diagram *diagram,
                       const struct view *view, const struct picture_state *state);

/* The button at canvas pixel (x, y), as an index of a part; -1: there is none. */
int picture_find_button(const struct diagram *diagram, const struct view *view, int x, int y);

/* How bright something looks that is on for `share` of the time, 0 .. 1: the eye's curve. */
float picture_brightness(float share);

/* ---- between the files of the picture ---- */

/* Makes one unit of the canvas a millimetre of the board, or a diagram pixel of a part's box. */
void picture_place_board(struct canvas *canvas, const struct part *part, const struct view *view);
void picture_place_part(struct canvas *canvas, const struct part *part, const struct view *view);

/* Text centred on a point in the units of the canvas's transform. */
void picture_text(struct canvas *canvas, enum font_size size, float x, float y, const char *text,
                  uint32_t colour, enum font_turn turn);

void board_art_draw(struct canvas *canvas, const struct part *part, const struct view *view);
void board_art_draw_labels(struct canvas *canvas, const struct part *part, const struct view *view);
void board_art_draw_lamp(struct canvas *canvas, const struct part *part, const struct view *view,
                         bool power, bool lit);
void part_art_draw(struct canvas *canvas, const struct part *part, const struct view *view);
void part_art_draw_light(struct canvas *canvas, const struct part *part, const struct view *view,
                         float brightness);
void part_art_draw_cap(struct canvas *canvas, const struct part *part, const struct view *view,
                       bool pressed);
void wire_art_draw(struct canvas *canvas, const struct diagram *diagram, size_t wire,
                   const struct view *view);
