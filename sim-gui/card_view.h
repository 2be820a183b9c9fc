/* SPDX-License-Identifier: MIT */
/*
 * card_view.h: the card as a field of squares (squares.h), live: whose the clusters are, which of
 * them belong to the file under the mouse, and where the card is being read and written.
 *
 * The first squares stand for what lies before the clusters: partition table, boot sectors, FATs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tayberry.h>

#include "card_map.h"
#include "draw/canvas.h"

struct card_view;

/* A view of a machine's card; `host` is the host's monotonic clock in ns. NULL: no memory. */
struct card_view *card_view_create(struct tb_machine *machine, uint64_t (*host)(void));
void card_view_destroy(struct card_view *view);

/* Where it is to be drawn, and that all of it has to be, next time. */
void card_view_place(struct card_view *view, struct rect area, unsigned scale);

/* Looks at the card if it is time to, and paints what changed; true if anything did. */
bool card_view_draw(struct card_view *view, struct canvas *canvas);

/* The mouse is at canvas pixel (x, y): lights up the chain of the file there, if any. */
void card_view_point(struct card_view *view, int x, int y);

/* What is under the mouse. False: no square is. */
bool card_view_describe(const struct card_view *view, char *text, size_t size);

/* The square that has cluster number `cluster` (2: the first), for tests. False: none has. */
bool card_view_find(const struct card_view *view, uint32_t cluster, struct rect *square);

/* The colour of a square whose clusters are all of one kind. */
uint32_t card_view_colour(enum card_kind kind);

/* The colour of a square that is being written, or read. */
uint32_t card_view_flash(bool written);
