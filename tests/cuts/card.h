/* SPDX-License-Identifier: MIT */
/*
 * card.h: the volume in memory, and logs of what is written to it.
 */
#pragma once

#include <hal/block.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEOMETRIES 7u

enum event_kind { EVENT_WRITE, EVENT_FLUSH, EVENT_DONE };

struct event {
    enum event_kind kind;
    uint32_t sector;
    uint32_t state;  /* EVENT_DONE: which of the model's states is reached ... */
    uint32_t synced; /* ... and which of them is on the card to stay */
    uint64_t hash;   /* EVENT_WRITE: of sector and data */
    uint8_t data[HAL_SECTOR_SIZE];
};

#define EVENTS_MAX 6000u

struct log {
    struct event *events;
    unsigned used;
    bool overflow;
};

struct card {
    uint8_t *image;   /* what the driver sees */
    uint64_t *hashes; /* of each sector and its number */
    uint64_t hash;    /* of all: those, added up */
    uint32_t sectors;
    struct log *recording; /* NULL: nobody wants to know */
    uint64_t writes;
    /* A planted bug: of so many flushes one is forgotten, the one behind so many others. 0: none */
    unsigned forget_each, forget_behind;
};

extern struct card card;

struct geometry {
    const char *name;
    uint32_t sectors, sector_bytes, cluster_bytes, reserved, fats;
    bool atomic;  /* there is room for the record */
    uint32_t bad; /* clusters from 8 on that are, so that files get to the FAT's next sector */
};

extern const struct geometry geometries[GEOMETRIES];

/** Starts the kernel's heap and the driver's device over an empty card. */
void card_start(const struct geometry *geometry);

/** Formats it. */
void card_format(const struct geometry *geometry);

/** The sector becomes `data`. */
void card_put(uint32_t sector, const uint8_t *data, uint64_t hash);

/** The same with the hash of its own. */
void card_put_new(uint32_t sector, const uint8_t *data);

void card_load(const uint8_t *image, const uint64_t *hashes);
void card_dump(const char *path);

void log_init(struct log *log);
void log_done(struct log *log, uint32_t state, uint32_t synced);
