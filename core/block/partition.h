/* SPDX-License-Identifier: MIT */
/*
 * partition.h: where on a card a file system may lie.
 *
 * Sector 0 of a card is either a master boot record, whose table divides the card into up to four
 * partitions, or already the boot sector of a file system that fills the whole card (a
 * "superfloppy"). Table, at byte 446, four slots of 16 bytes:
 *
 *     0     boot flag: 0x80 the active one, 0x00 not
 *     1-3   first sector as cylinder, head, sector: meaningless today
 *     4     type: 0x0B or 0x0C for FAT32
 *     5-7   last sector, likewise
 *     8-11  first sector, little-endian
 *     12-15 how many sectors
 *
 * and at byte 510 the signature 55 AA. A sound table with a partition in it counts more than what
 * looks like a boot sector before it: that may be left from before there was a table. One of the
 * four may be an extended partition, which holds a chain of logical ones (table/mbr.c). If one has
 * the type 0xEE, the table is there only so that old tools keep off, and the real one is a GPT
 * (table/gpt.c).
 */
#pragma once

#include "block/block.h"
#include "block/problem.h"

#define PARTITION_MAX 128u

struct partition {
    unsigned number; /**< 1 .. 4, or 5 and up for logical ones; of a GPT 1 .. 128; 0: superfloppy */
    uint8_t type;    /**< as in an MBR; of a GPT what an MBR would say, 0xFF if it could not */
    struct block_device device;
};

/** About 8 KiB: not for a stack. */
struct partition_table {
    unsigned count;
    struct partition entries[PARTITION_MAX];
};

/** True if `type` is one that FAT32 volumes bear, hidden ones included. */
bool partition_type_is_fat32(uint8_t type);

/** True if `sector` (512 bytes) looks like the boot sector of a FAT file system, sound or not. */
bool partition_is_boot_sector(const uint8_t *sector);

/**
 * Reads the table of `card`, a whole disk, and keeps the partitions that lie inside the card; those
 * passed over are logged with the reason. They take the place of those in the table of devices
 * (block_find), unless some of these are open.
 *
 * Returns 0 and at least one entry; or none and -EINVAL, -EIO and what else block_read returns,
 * with the reason in `problem`. Any table ends after a bounded number of reads. May sleep.
 */
HAL_MUST_CHECK int partition_scan(const struct block_device *card, struct partition_table *table,
                                  struct problem *problem);
