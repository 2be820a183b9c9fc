/* SPDX-License-Identifier: MIT */
/*
 * geometry.h: what a boot sector says, checked and turned into byte offsets.
 */
#pragma once

#include "block/problem.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define FAT32_FIRST_CLUSTER 2u
#define FAT32_BACKUP_SECTOR 6u

/** All offsets are bytes from the start of the volume. */
struct fat32_geometry {
    uint32_t sector_bytes;
    uint32_t cluster_shift; /**< a cluster has 1 << cluster_shift bytes */
    uint32_t clusters;      /**< valid numbers are 2 .. clusters + 1 */
    uint32_t root_cluster;
    uint64_t fat_start;  /**< the active FAT */
    uint64_t fat_spare;  /**< a copy of it, or 0 if there is none */
    uint64_t data_start; /**< cluster 2 */
    uint64_t fat_bytes;  /**< of each FAT */
    unsigned fats;       /**< that are kept alike, from fat_start on */
    uint64_t reserved;   /**< what is before the first FAT */
    uint64_t info;       /**< FSInfo, or 0 */
    uint64_t copy;       /**< of the boot sectors, or 0 */
    uint32_t volume_id;
    uint8_t media; /**< the lowest byte of the FAT's first entry, too */
    bool dirty;    /**< marked as not unmounted properly */
    bool clamped;  /**< the FAT was too small for the clusters; some are out of reach */
    bool torn;     /**< the FAT does not begin as it must */
    bool spare;    /**< this is what the copy of the boot sector says; the first is no good */
};

/**
 * Checks the 512 bytes of a boot sector against a device of `device_sectors` sectors of 512 bytes.
 *
 * Returns 0 and the geometry; or the reason in `problem` with -EINVAL (a FAT32 boot sector
 * that cannot be right, or no boot sector at all) or -ENOTSUP (another kind of file system).
 */
HAL_MUST_CHECK int fat32_geometry_parse(const uint8_t *sector, uint64_t device_sectors,
                                        struct fat32_geometry *geometry, struct problem *problem);

/** True if `cluster` is the number of a cluster of the volume. */
static inline bool fat32_cluster_valid(const struct fat32_geometry *geometry, uint32_t cluster)
{
    return cluster >= FAT32_FIRST_CLUSTER && cluster - FAT32_FIRST_CLUSTER < geometry->clusters;
}

/** True if a link, or an entry, may lead to `cluster`: nothing does to where the root starts. */
static inline bool fat32_cluster_linkable(const struct fat32_geometry *geometry, uint32_t cluster)
{
    return fat32_cluster_valid(geometry, cluster) && cluster != geometry->root_cluster;
}

/**
 * Where a valid cluster starts. Example: data at byte 1,040,384, clusters of 4,096 bytes
 * (shift 12): cluster 5 is the fourth, and starts at 1,040,384 + 3 * 4,096 = 1,052,672.
 */
static inline uint64_t fat32_cluster_offset(const struct fat32_geometry *geometry, uint32_t cluster)
{
    uint64_t index = cluster - FAT32_FIRST_CLUSTER;

    return geometry->data_start + (index << geometry->cluster_shift);
}
