/* SPDX-License-Identifier: MIT */
/*
 * archive.h: cpio archives made by hand, sound or not, and unpacked from memory.
 */
#pragma once

#include "fs/cpio/cpio.h"

#include <stddef.h>
#include <stdint.h>

struct archive {
    uint8_t *bytes;
    size_t size;
};

/** An entry to be: fields that are 0 get what is usual. */
struct archive_entry {
    const char *name;
    uint32_t mode;
    const char *data; /**< of `size` bytes, or NUL-terminated */
    uint32_t size;
    uint32_t inode, links, uid, gid, mtime, major, minor;
    bool summed;    /**< as 070702, with the right sum */
    uint32_t wrong; /**< added to the sum */
};

void archive_add(struct archive *archive, const struct archive_entry *entry);
void archive_add_bytes(struct archive *archive, const void *bytes, size_t n);
void archive_end(struct archive *archive); /**< the trailer */
void archive_free(struct archive *archive);

/** Unpacks the first `size` bytes, given out `step` at a time (0: all), into the root. */
int archive_unpack(const struct archive *archive, size_t size, size_t step,
                   struct cpio_totals *totals, struct problem *problem);

/** A sound one with files of all types in it. */
void archive_sample(struct archive *archive, bool summed);
