/* SPDX-License-Identifier: MIT */
/*
 * card_map.h: what a FAT32 card has in its clusters, read from the outside.
 *
 * The window looks at the card while the guest changes it, so what it sees need not fit together:
 * nothing of it is believed, every chain ends at the latest when it has met all clusters, and a
 * cluster belongs to whoever was found first. It shares no code with the kernel's driver: the
 * picture shall show what is on the card, not what the driver thinks.
 *
 * Source: Microsoft, FAT32 File System Specification (fatgen103), 2000.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARD_MAP_SECTOR 512u
#define CARD_MAP_NOBODY UINT32_MAX

enum card_kind { CARD_FREE, CARD_FILE, CARD_DIRECTORY, CARD_LOST, CARD_BAD, CARD_KINDS };

/* How the card is read: `count` sectors of 512 bytes. 0 or a negative errno. */
typedef int card_map_read(void *context, uint64_t sector, void *data, size_t count);

struct card_file {
    char *name;      /* its own, UTF-8 */
    uint32_t parent; /* number of its directory; CARD_MAP_NOBODY: it is the root */
    uint32_t start;  /* cluster, or 0 */
    uint32_t clusters;
    bool directory;
};

struct card_map {
    char problem[96];       /* why there is nothing to see; "" otherwise */
    uint64_t volume;        /* sector where it begins */
    uint64_t data;          /* sector of cluster 2 */
    uint32_t cluster_bytes; /* a power of two */
    uint32_t clusters;
    uint32_t *table; /* FAT entries of clusters 2, 3, ... */
    uint32_t *owner; /* of each: number of a file, or CARD_MAP_NOBODY */
    struct card_file *files;
    uint32_t file_count, file_room;
};

/* Reads the first FAT32 volume of the card. The map is empty afterwards if there is a problem. */
void card_map_load(struct card_map *map, card_map_read *read, void *context);

/* Forgets everything. */
void card_map_clear(struct card_map *map);

/* What cluster number `index` (0: cluster 2) is. */
enum card_kind card_map_kind(const struct card_map *map, uint32_t index);

/* The cluster (0: cluster 2) that holds sector `sector` of the card; CARD_MAP_NOBODY: none does. */
uint32_t card_map_cluster(const struct card_map *map, uint64_t sector);

/* The path of file number `file`, cut at the left if it does not fit. */
void card_map_path(const struct card_map *map, uint32_t file, char *text, size_t size);
