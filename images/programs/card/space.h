/* SPDX-License-Identifier: MIT */
/*
 * space.h: the clusters of a volume, as put.c takes them: the FAT in memory, data past the cache.
 */
#pragma once

#include "fs/fat32/layout/geometry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPACE_CLUSTER_MAX 65536u /**< bytes; volumes with larger ones are refused */

struct space {
    int fd;
    uint64_t offset; /**< of the volume in the file */
    struct fat32_geometry geometry;
    uint32_t cluster_bytes;
    uint32_t *fat; /**< all of it, as on the card but for the byte order */
    uint32_t next; /**< no free cluster is before it */
    char message[256];
};

/** What is being written to a chain. */
struct space_chain {
    uint32_t first, last; /**< 0: it has none yet */
};

/** Finds the volume. False: the message says why. space_close in any case. */
bool space_open(struct space *space, int fd);

/** Writes the FATs and the count of free clusters. */
bool space_save(struct space *space);

void space_close(struct space *space);

/** Takes a free cluster and hangs it on the chain. 0: there is none. */
uint32_t space_take(struct space *space, struct space_chain *chain);

/** The cluster after `cluster`, or 0 at the end. */
uint32_t space_after(const struct space *space, uint32_t cluster);

/** Reads or writes `n` bytes at the beginning of a cluster. */
bool space_read(struct space *space, uint32_t cluster, void *data, size_t n);
bool space_write(struct space *space, uint32_t cluster, const void *data, size_t n);

/** Adds `n` bytes, whose room goes up to the next whole cluster and is zero there, to a chain. */
bool space_append(struct space *space, struct space_chain *chain, const void *data, size_t n);

uint64_t space_free_bytes(const struct space *space);
