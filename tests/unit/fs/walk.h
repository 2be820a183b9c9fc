/* SPDX-License-Identifier: MIT */
/*
 * walk.h: uses everything on a mounted card, sound or not.
 */
#pragma once

#include <stdint.h>

struct walk {
    uint64_t limit;   /**< of entries */
    uint64_t entries; /**< seen so far */
    uint64_t bytes;   /**< read so far */
    uint64_t errors;  /**< opens, reads and listings that failed */
};

/**
 * Lists and opens all that can be reached from the root, and reads the start, the middle and the
 * end of every file; at most `entries` entries, for a damaged card may show millions.
 */
void walk_card(struct walk *walk, uint64_t entries);
