/* SPDX-License-Identifier: MIT */
/*
 * unpack.h: what the parts of the unpacker share.
 */
#pragma once

#include "fs/cpio/cpio.h"
#include "lib/list.h"
#include "lib/tree.h"

#include <stdbool.h>

#define CPIO_HEADER 110u
#define CPIO_CHUNK 524288u

/** Kinds of files in `mode`, which are Unix's. */
enum {
    CPIO_TYPE = 0170000,
    CPIO_FIFO = 0010000,
    CPIO_CHARACTER = 0020000,
    CPIO_DIRECTORY = 0040000,
    CPIO_BLOCK = 0060000,
    CPIO_FILE = 0100000,
    CPIO_SYMLINK = 0120000
};

struct cpio_header {
    bool summed; /**< 070702 */
    uint32_t inode, mode, uid, gid, links, mtime, size;
    uint32_t major, minor, device_major, device_minor;
    uint32_t name_bytes, sum;
};

/** Bytes of the source, in order. */
struct cpio_reader {
    const struct cpio_source *source;
    uint64_t offset;    /**< of the next byte */
    size_t next, ready; /**< in the chunk */
    uint8_t chunk[CPIO_CHUNK];
};

struct cpio_unpacker {
    struct cpio_reader reader;
    struct cpio_header header;
    char name[VFS_PATH_MAX]; /**< of this entry, without what leads to the root */
    char text[VFS_PATH_MAX]; /**< of a symbolic link */
    struct vnode *base;
    struct tree links;       /**< the first name of each file with several */
    struct list directories; /**< whose times are to be set at the end */
    struct cpio_totals *totals;
    struct problem *problem;
};

/* ---- read.c ---- */

/**
 * Copies the next `n` bytes to `to` (NULL: nowhere). 0, -EINVAL (the archive ends before), or the
 * source's error.
 */
HAL_MUST_CHECK int cpio_read(struct cpio_unpacker *unpacker, void *to, size_t n);

/** The next bytes that are ready, at most `n`, and past them. >0, or an error as cpio_read. */
HAL_MUST_CHECK int64_t cpio_read_part(struct cpio_unpacker *unpacker, size_t n,
                                      const uint8_t **part);

/** Goes past zeros. 1: something else follows; 0: the end; or an error. */
HAL_MUST_CHECK int cpio_skip_zeros(struct cpio_unpacker *unpacker);

/**
 * Reads a header and the name behind it, and goes past the padding. *last: it is the trailer.
 * 0 or an error.
 */
HAL_MUST_CHECK int cpio_read_header(struct cpio_unpacker *unpacker, bool *last);

/* ---- place.c ---- */

/** Puts the entry whose header was read where it belongs, with its data. 0 or an error. */
HAL_MUST_CHECK int cpio_place(struct cpio_unpacker *unpacker);

/** Forgets which names are those of one file: inode numbers mean nothing in the next archive. */
void cpio_forget_links(struct cpio_unpacker *unpacker);

/** Gives the directories their times. */
void cpio_set_times(struct cpio_unpacker *unpacker);
