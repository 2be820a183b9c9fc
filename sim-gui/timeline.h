/* SPDX-License-Identifier: MIT */
/*
 * timeline.h: which thread each CPU ran, as coloured bars along the time.
 *
 *   Timeline 20.0 ms up to 1.250000 s                       F11 zoom, Shift+F10 hold
 *   CPU 0  87 %  |shell|      |busy-1            |busy-2    |
 *   CPU 1   0 %  |                                          |
 *                '        '        '        '        '
 *   # busy-1 52.1 %   # busy-2 31.0 %   # shell 4.2 %
 *
 * A bar has the colour of its thread; a gap is a CPU with nothing to do. Where many threads ran in
 * the time of one pixel, it has the colour of the one that ran longest there, the paler the more of
 * it was idle. The legend has the threads of the visible time, most busy first, in percent of one
 * CPU.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tayberry.h>

#include "draw/canvas.h"

#define TIMELINE_CPUS 4u

struct timeline;

/* A timeline of a machine. NULL: no memory. It hears of nothing yet. */
struct timeline *timeline_create(struct tb_machine *machine);
void timeline_destroy(struct timeline *timeline);

/* Has the machine keep what its scheduler does from now on, or no more. 0 or a negative errno. */
int timeline_listen(struct timeline *timeline, bool on);

/* Where it is to be drawn, and that all of it has to be, next time. */
void timeline_place(struct timeline *timeline, struct rect area, unsigned scale);

/* The height that it wants, in pixels. */
int timeline_height(unsigned scale);

/* Takes what happened, and paints; true if anything changed. */
bool timeline_draw(struct timeline *timeline, struct canvas *canvas);

/* Shows half (1) or twice (-1) as much time, within 10 us .. 10 s. */
void timeline_zoom(struct timeline *timeline, int steps);

/* The picture stands still, or goes on, whatever the machine does. */
void timeline_hold(struct timeline *timeline);

/* Whether (x, y) is inside. */
bool timeline_is_at(const struct timeline *timeline, int x, int y);

/* For tests: where the bars of `cpu` are; the ns that they stand for; a thread's colour. */
struct rect timeline_row(const struct timeline *timeline, unsigned cpu);
uint64_t timeline_span(const struct timeline *timeline);
uint32_t timeline_colour(uint32_t thread);
