/* SPDX-License-Identifier: MIT */
/*
 * image.h: small FAT32 cards in memory, for tests to build and to spoil byte by byte.
 *
 * Layout: a partition table, the volume from sector IMAGE_PART on with 8 reserved sectors, two FATs
 * and clusters of one sector. Cluster 2 is the root directory, one cluster and empty.
 */
#pragma once

#include "fs/root/root.h"
#include "fs/vfs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_SECTOR 512u
#define IMAGE_PART 4u
#define IMAGE_RESERVED 8u
#define IMAGE_END 0x0FFFFFFFu
#define IMAGE_ROOT 2u
#define IMAGE_FILE 0x20
#define IMAGE_DIRECTORY 0x10
#define IMAGE_LABEL 0x08

struct image {
    uint8_t *bytes;
    size_t size;
    uint32_t clusters;
    uint32_t fat_sectors;
};

/** A volume of so many clusters. */
void image_build(struct image *image, uint32_t clusters);
void image_free(struct image *image);

/** The boot sector and its copy as bytes; set fields of both with image_boot16 and its kin. */
uint8_t *image_boot(struct image *image);
void image_boot8(struct image *image, unsigned offset, uint8_t value);
void image_boot16(struct image *image, unsigned offset, uint16_t value);
void image_boot32(struct image *image, unsigned offset, uint32_t value);

/** Sets an entry in both FATs. */
void image_link(struct image *image, uint32_t cluster, uint32_t value);

/** Links the clusters `first` .. `first + count - 1` in order, with an end mark. */
void image_chain(struct image *image, uint32_t first, uint32_t count);

/** The 512 bytes of a cluster. */
uint8_t *image_cluster(struct image *image, uint32_t cluster);

/** Fills the clusters with the pattern of image_pattern as if they were a file from `offset` on. */
void image_fill(struct image *image, uint32_t first, uint32_t count, uint64_t offset);

/** The byte that test files have at `offset`. */
uint8_t image_pattern(uint64_t offset);

/** Writes an entry of 32 bytes with the 11-byte name; dates are 2026-01-01 12:00:00. */
void image_entry(uint8_t *slot, const char *name, uint8_t attributes, uint32_t cluster,
                 uint32_t size);

/** Writes the slots of a long name of `n` units for the short name; returns how many slots. */
unsigned image_long(uint8_t *slots, const uint16_t *units, unsigned n, const char *name);

/** The checksum of a short name. */
uint8_t image_checksum(const char *name);

/* --- use.c, which needs Check --- */

/** Starts a kernel with this card and mounts it: what vfs_mount_root returns. */
int image_mount(struct image *image);

/** Opens a path that must be there. */
struct vnode *image_open(const char *path);

/** The names of the directory, each with a newline behind it, in `text`; 0 or what ended it. */
int image_list(const char *path, char *text, size_t size);
