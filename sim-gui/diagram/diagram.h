/* SPDX-License-Identifier: MIT */
/*
 * diagram.h: what hangs on the board's pins, as read from a diagram.json (tayberry_gui.h has the
 * format). A diagram is immutable once it is read; what changes (contacts, light) is circuit.h's.
 *
 * Every part has contacts, numbered from 0 in the order of diagram_contact_name: 40 for the board
 * (contact n is place n + 1 of the header), A C for an LED, 1.l 2.l 1.r 2.r for a push button, 1 2
 * for a resistor. Lengths are CSS pixels, x to the right and y down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum part_kind { PART_BOARD, PART_LED, PART_BUTTON, PART_RESISTOR };

#define PART_TEXT 32

struct part {
    enum part_kind kind;
    char id[PART_TEXT];
    char label[PART_TEXT]; /* what the picture says beside it; may be empty */
    char key[PART_TEXT];   /* a button's key: one character, or F1 .. F12; may be empty */
    float left, top;       /* of the part's box before it is turned */
    unsigned turns;        /* quarter turns clockwise about the middle of the box */
    uint32_t colour;       /* 0xRRGGBB */
    double ohms;           /* a resistor's */
    bool bounces;          /* a button's contacts bounce */
    bool hidden;           /* takes part, but is not drawn */
};

struct contact {
    uint16_t part;
    uint16_t pin;
};

/* A step of a wire that is laid by hand; one of dx and dy is 0. */
struct wire_step {
    float dx, dy;
};

#define WIRE_STEPS 16

struct wire {
    struct contact ends[2];
    uint32_t colour;                    /* 0xRRGGBB */
    struct wire_step steps[WIRE_STEPS]; /* `first` from ends[0], then `last` from ends[1] */
    uint8_t first, last;
};

#define DIAGRAM_PARTS 256
#define DIAGRAM_WIRES 1024

struct diagram {
    size_t part_count;
    size_t wire_count;
    size_t board; /* index of the part that is the board: there is exactly one */
    struct part parts[DIAGRAM_PARTS];
    struct wire wires[DIAGRAM_WIRES];
};

/* Where a failing function leaves one sentence. */
struct diagram_error {
    char text[512];
};

/*
 * Reads `length` bytes of JSON. `name` is the file's, for messages. 0 and a diagram for
 * diagram_free; or -EINVAL (the sentence names file, line and column) or -ENOMEM.
 */
int diagram_parse(const char *name, const char *text, size_t length, struct diagram **diagram,
                  struct diagram_error *error);

/* As diagram_parse, from the file at `path`, at most 1 MiB; or -ENOENT, -EACCES, -EIO ... */
int diagram_read(const char *path, struct diagram **diagram, struct diagram_error *error);

/* NULL is allowed. */
void diagram_free(struct diagram *diagram);

unsigned diagram_contact_count(enum part_kind kind);

/* The place of a contact in the diagram. */
void diagram_place_contact(const struct diagram *diagram, struct contact contact, float *x,
                           float *y);

/* The size of a part's box before it is turned. */
void diagram_part_size(enum part_kind kind, float *width, float *height);

/* From a part's own coordinates (its box before it is turned) to the diagram's. */
void diagram_map_point(const struct part *part, float *x, float *y);
