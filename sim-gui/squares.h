/* SPDX-License-Identifier: MIT */
/*
 * squares.h: many things as a field of small squares: frames of RAM, clusters of a card.
 *
 *   +---------------------------------------------------+
 *   | a headline                                        |
 *   | ################------##---------################ |
 *   | ##...                                             |  a square for each group of things
 *   | # one kind 1.2 MiB   # another 96 KiB             |  a legend
 *   +---------------------------------------------------+
 *
 * A square stands for 2^n things, as few as the area has room for. Here is where the squares are,
 * and what is around them; what they show is the business of memory_view.c and card_view.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "draw/canvas.h"
#include "draw/font.h"

#define SQUARES_NONE UINT32_MAX

#define SQUARES_GROUND 0x0d1117
#define SQUARES_MARK 0xffffff

struct squares {
    struct rect area, field; /* all of it; the squares */
    int scale, size;         /* a square's side with its gap */
    unsigned columns;        /* squares in a row */
    uint32_t group;          /* things in a square; 0: no room for any */
    unsigned legend_rows;
    uint64_t total; /* things */
};

/* Lays out an area for `total` things and a legend of `entries` entries. */
void squares_lay_out(struct squares *squares, uint64_t total, unsigned entries);

/* How many squares there are. */
uint32_t squares_count(const struct squares *squares);

struct rect squares_rect(const struct squares *squares, uint32_t square);

/* The square at canvas pixel (x, y), or SQUARES_NONE. */
uint32_t squares_at(const struct squares *squares, int x, int y);

void squares_paint(const struct squares *squares, struct canvas *canvas, uint32_t square,
                   uint32_t colour, bool marked);
void squares_paint_ground(const struct squares *squares, struct canvas *canvas);
void squares_paint_headline(const struct squares *squares, struct canvas *canvas, const char *text);

/* The legend: clear it, and then draw entry after entry. */
void squares_clear_legend(const struct squares *squares, struct canvas *canvas);
void squares_paint_entry(const struct squares *squares, struct canvas *canvas, unsigned entry,
                         uint32_t colour, const char *text);
