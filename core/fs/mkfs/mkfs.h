/* SPDX-License-Identifier: MIT */
/*
 * mkfs.h: makes a FAT32 volume: a boot sector, empty FATs, a root directory with a label or without
 * entries.
 *
 * It shares no code with the driver. It runs in the kernel (`mkfs`), in tests, and in a program of
 * the host, so it writes by a function that it is given.
 *
 * Source: Microsoft, FAT32 File System Specification (fatgen103), 2000: "FAT Volume Initialization"
 * for the sizes of clusters.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define MKFS_RESERVED_MIN 9u /**< sectors: up to the copies of the boot sectors */
#define MKFS_RESERVED 32u    /**< what is usual, and enough for the driver's record; or some more */
#define MKFS_CLUSTERS_USUAL 65525u /**< from which on everybody takes it for FAT32 */

struct mkfs_options {
    uint64_t sectors;       /**< of 512 bytes, that the volume's place has */
    uint64_t hidden;        /**< sectors before it on its medium */
    uint32_t sector_bytes;  /**< 512 to 4096, a power of two; 0: 512 */
    uint32_t cluster_bytes; /**< a power of two, up to 65536; 0: by the size of the volume */
    uint32_t volume_id;
    uint32_t reserved; /**< sectors before the FATs; 0: MKFS_RESERVED, and what aligns clusters */
    uint32_t fats;     /**< 1 or 2; 0: 2 */
    const char *label; /**< up to 11 characters; NULL or "": none */
    uint16_t date;     /**< of the label, as FAT writes it */
    uint16_t time;

    void *context;
    /** Writes `count` sectors of 512 bytes. 0 or a negative error. */
    int (*write)(void *context, uint64_t sector, const void *data, unsigned count);
};

struct mkfs_result {
    uint32_t sector_bytes, cluster_bytes, clusters, fat_sectors;
};

/**
 * Makes the volume. Returns 0; -EINVAL: the options do not fit each other, -ENOSPC: there is no
 * room for a single cluster, -EFBIG: more sectors or clusters than FAT32 can count; or the error of
 * a write. May sleep if `write` does.
 *
 * A volume of less than MKFS_CLUSTERS_USUAL clusters is FAT32 for this driver, Linux and fsck.fat,
 * but not for all systems: the caller may want to say so.
 */
HAL_MUST_CHECK int fat_format(const struct mkfs_options *options, struct mkfs_result *result);
