/* SPDX-License-Identifier: MIT */
/*
 * table.h: what the readers of the kinds of partition tables share. See block/partition.h.
 */
#pragma once

#include "block/partition.h"

#include <hal/block.h>

#include <stdalign.h>

#define LOGICAL_FIRST 5u /* number of the first partition in an extended one */
#define LOGICAL_MAX (PARTITION_MAX - LOGICAL_FIRST + 1)

/** A search for partitions. Too large for a stack. */
struct table_scan {
    alignas(64) uint8_t sector[HAL_SECTOR_SIZE]; /**< what was read last */
    const struct block_device *card;
    struct partition_table *table;
    struct problem *problem;     /**< the reason for what was passed over last, or "" */
    uint64_t chain[LOGICAL_MAX]; /**< sectors of the extended partition that have been read */
};

/** Reads a sector of the card into scan->sector: 0, or the error with its reason. May sleep. */
HAL_MUST_CHECK int table_read(struct table_scan *scan, uint64_t sector);

/** Adds a partition, if it lies within the card; else it is passed over with a reason. `kind` is
 * the adjective for it: "", "logical ". */
void table_add(struct table_scan *scan, const char *kind, unsigned number, uint8_t type,
               uint64_t first, uint64_t sectors);

/** The one in the table that has any of these sectors, or NULL. */
const struct partition *table_overlap(const struct table_scan *scan, uint64_t first,
                                      uint64_t sectors);

/** Logs the reason that stands in scan->problem. */
void table_tell(const struct table_scan *scan);

/* look.c */

#define MBR_SLOTS 4u
#define MBR_EMPTY 0x00u

struct mbr_slot {
    uint8_t flag;
    uint8_t type;
    uint64_t first;
    uint64_t sectors;
};

struct mbr_slot mbr_slot_at(const uint8_t *sector, unsigned index);
bool mbr_has_signature(const uint8_t *sector);

/** The first slot whose boot flag is none, as where there is a program instead of a table;
 * MBR_SLOTS: there is none. */
unsigned mbr_bad_slot(const uint8_t *sector);

/** True if the sector is the table of a card whose real table is a GPT. */
bool mbr_is_protective(const uint8_t *sector);

/** True if the sector has a table with a partition of a card of so many sectors: then it is none of
 * a file system, although it may look like one. Tools that make a table leave the bytes before it
 * alone, and so what is left of a file system that had all of the card. */
bool mbr_divides(const uint8_t *sector, uint64_t sectors);

/* mbr.c */

/** Reads the table in scan->sector, sector 0, without what hangs on it: 0, or -EINVAL. Extended
 * partitions are passed over; the first one is told to `extended` (first, sectors), unless NULL. */
HAL_MUST_CHECK int mbr_read(struct table_scan *scan, uint64_t extended[2]);

/** Reads the partitions inside an extended one. May sleep. */
void mbr_read_logical(struct table_scan *scan, const uint64_t extended[2]);

/* gpt.c */

/** Reads the table of a card whose sector 0 is protective: 0, -EINVAL, or an error of the card. */
HAL_MUST_CHECK int gpt_read(struct table_scan *scan);
