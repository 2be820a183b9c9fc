/* SPDX-License-Identifier: MIT */
/*
 * pages.h: the content of files in the page cache, and what that means for the batch.
 *
 * A write allocates clusters and commits size and links in memory, and leaves the data in dirty
 * pages. Those may lie in three places:
 *
 *   in place   bytes that the file has on the card already: written whenever it pleases the flusher
 *   fresh      in clusters that were free on the card, or behind the end that the card knows: also
 *              whenever, for nobody looks there; but before the batch that makes the file longer
 *   pending    in clusters that a write has taken and not yet hung on the file
 *
 * So a checkpoint first has the fresh pages of all files written and flushed, and a cut never shows
 * a size without its data. One thing must not happen: a file that the batch cuts inside of a
 * cluster is, on the card, still longer, and what is behind its new end is still its data. So the
 * page with the new end is written before it is cut, and stays clean until the batch is there: a
 * write to the file before that begins with a checkpoint.
 */
#pragma once

#include "fs/fat32/volume.h"

/** Gives a new node its pages. */
void fat32_pages_init(struct fat32_node *node);

/**
 * Writes the pages of a file that has a name, and gives all back. Nobody has the node any more, and
 * the caller not the mutex. May sleep.
 */
void fat32_pages_release(struct fat32_node *node);

/** As vnode_ops.read: what is damaged or unreadable reads up to there. Without the mutex. */
HAL_MUST_CHECK int64_t fat32_pages_read(struct fat32_node *node, uint64_t offset, void *data,
                                        size_t n);

/** Before a sync: writes most of what that would, and others use the volume. Without the mutex. */
void fat32_pages_write_early(struct fat32_volume *volume);

/* Caller holds the mutex. */

/** What was committed has made the file longer than `size`. */
void fat32_pages_grew(struct fat32_node *node, uint64_t size);

/** Nobody has the node any more, or the file has no name: it need not get to the card. */
void fat32_pages_forget(struct fat32_node *node);

/** Before a batch: writes what is fresh. Errors are those of the files, and told by their fsync. */
void fat32_pages_write_fresh(struct fat32_volume *volume);

/** The batch is on the card: nothing is fresh. */
void fat32_pages_settled(struct fat32_volume *volume);

/** Writes the dirty pages of all files that have a name. The first error. */
HAL_MUST_CHECK int fat32_pages_sync(struct fat32_volume *volume);

/** Before the file is cut to `size` bytes. An error: it cannot be. */
HAL_MUST_CHECK int fat32_pages_before_cut(struct fat32_node *node, uint64_t size);

/** That it is has been committed. */
void fat32_pages_cut(struct fat32_node *node, uint64_t size);

/** Before anything is written to the file. */
HAL_MUST_CHECK int fat32_pages_before_write(struct fat32_node *node);

/**
 * Writes to the pages of the file, which has become long enough. Zeros from `zeros` on up to
 * `offset`. The count of bytes from `offset` on. Releases the mutex meanwhile.
 */
HAL_MUST_CHECK int64_t fat32_pages_write(struct fat32_node *node, uint64_t zeros, uint64_t offset,
                                         const void *data, uint64_t n);
