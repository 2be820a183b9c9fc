/* SPDX-License-Identifier: MIT */
/*
 * memory_view.h: the machine's RAM as a field of small squares, live.
 *
 * A square (squares.h) stands for some page frames. Its colour is that of who has most of those in
 * use, the darker the more of them are free. A few times a second the library is asked what every
 * frame is; only squares whose colour changed are painted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tayberry.h>

#include "draw/canvas.h"

#define MEMORY_VIEW_PAGE 4096u /* bytes of a frame, on both machines */

struct memory_view;

/* A view of a machine; `host` is the host's monotonic clock in ns. NULL: no memory. */
struct memory_view *memory_view_create(struct tb_machine *machine, uint64_t (*host)(void));
void memory_view_destroy(struct memory_view *view);

/* Where it is to be drawn, and that all of it has to be, next time. */
void memory_view_place(struct memory_view *view, struct rect area, unsigned scale);

/* Looks at the machine if it is time to, and paints what changed; true if anything did. */
bool memory_view_draw(struct memory_view *view, struct canvas *canvas);

/* The mouse is at canvas pixel (x, y): marks the square there, if any. */
void memory_view_point(struct memory_view *view, int x, int y);

/* What is under the mouse: frames, address and owners. False: no square is. */
bool memory_view_describe(const struct memory_view *view, char *text, size_t size);

/* The square that has frame `frame`, for tests. False: none has. */
bool memory_view_find(const struct memory_view *view, uint64_t frame, struct rect *square);

/* The colour of a square whose frames are all of one kind: a value of enum hal_frame. */
uint32_t memory_view_colour(unsigned kind);
