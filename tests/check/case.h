/* SPDX-License-Identifier: MIT */
/*
 * case.h: damage that is done to a sound volume on purpose, and what has to come of it.
 *
 * The volume is the one that the power cuts of tests/cuts begin with, of its geometry 0.
 */
#pragma once

#include "../cuts/cuts.h"

#include "fs/check/check.h"

/* What the checker says of the volume at worst. */
enum opinion { SOUND, NOTED, UNTIDY, DAMAGED, REFUSED };

struct craft {
    const char *name;
    void (*damage)(void);
    enum opinion opinion;
    const char *says; /* a part of one of the checker's sentences */
    /* What the driver makes of it, by letters: "w": mounts it writable, "r": read-only, "x": not at
     * all. As it is; if the copy of the boot sector is damaged, too; if it was left in use. Then
     * come files that it shows under another name, as `victims`. */
    const char *driver;
    const char *victims; /* files that may differ afterwards, each followed by a comma */
};

extern const struct craft crafts[];
unsigned craft_count(void);

/* Where things are on the volume. */
uint8_t *place_sector(uint32_t sector);
uint8_t *place_slot(const char *name); /* by its 11 bytes, "DIR/" before it for those in "d" */
uint32_t slot_start(const uint8_t *slot);
uint32_t get_link(uint32_t cluster);
void set_link(uint32_t cluster, uint32_t value); /* in both FATs */
uint8_t *place_cluster(uint32_t cluster);

/* ---- verdict.c ---- */

/* Mounts the volume: which letter that is, and *wrong if there is no reason to be found for it. */
char verdict_mount(const char **wrong);

/* Writes to, cuts, moves and removes the victims, and fills the volume up. */
void verdict_operate(const char *victims);
