/* SPDX-License-Identifier: MIT */
/*
 * write.h: what it takes to change a volume: clusters to give out, slots in directories, names, and
 * the marks that say whether all is in order.
 *
 * Everything here is called with the volume's mutex held, may sleep, and returns 0 or a negative
 * error. Changes are made in transactions of the batch (batch/batch.h); a function that says
 * "in a transaction" is to be called between begin and commit or abort.
 *
 * Clusters and the batch. A cluster is free only if its entry in the FAT is 0 both now and on the
 * card, so one that the batch has freed is not given out again before it has been written. Data
 * goes to free clusters before the entry that leads to it is committed, and the batch flushes it
 * first.
 */
#pragma once

#include "fs/fat32/batch/batch.h"
#include "fs/fat32/entry/entry.h"
#include "fs/fat32/volume.h"

struct fat32_writer {
    struct fat32_layout layout; /**< constant */
    uint64_t info;              /**< sector of FSInfo, 0: none; constant */
    bool info_seen;             /**< it has been one since the mount */
    struct fat32_batch batch;
    uint32_t next;  /**< cluster from which on a free one is looked for */
    uint32_t free;  /**< clusters that are free once the batch is written, if `counted` */
    int32_t change; /**< of `free`, by the transaction that is open */
    bool counted;
    bool marked;           /**< the volume says that it is in use */
    uint64_t batches;      /**< number of the batch that is being collected, from 1 on */
    uint64_t cut_and_left; /**< of the batch that has cut a file which nobody has any more */
    struct list fresh;     /**< nodes with pages that go to the card before the batch */
    bool broken;           /**< damage was met: nothing is written any more */
    bool leaks;            /**< there are clusters that could not be freed */
    uint8_t *full;         /**< a bit for each sector of the FAT that has no free cluster */
};

/* --- state.c --- */

/** Makes the volume writable. Leaves it read-only, with a log line, if something is against it. */
int fat32_writer_start(struct fat32_volume *volume);

/**
 * Puts everything on the card, marks the volume as clean if all went well, and frees the writer, in
 * case of an error only if `anyway`. 0 or the error.
 */
int fat32_writer_stop(struct fat32_volume *volume, bool anyway);

/** Begins a transaction over up to `sectors` sectors. -EROFS, -EIO, ... */
HAL_MUST_CHECK int fat32_begin(struct fat32_volume *volume, unsigned sectors);

/** Ends it: commits if `error` is 0, aborts otherwise. Returns `error`. */
int fat32_end(struct fat32_volume *volume, int error);

/** The byte at `offset` of the volume, to change to the end of its sector. In a transaction. */
HAL_MUST_CHECK int fat32_change(struct fat32_volume *volume, uint64_t offset, uint8_t **data);

/** Writes to `bytes` bytes at `offset` of the volume, which are of no metadata; NULL: zeros. */
HAL_MUST_CHECK int fat32_put(struct fat32_volume *volume, uint64_t offset, const void *data,
                             uint64_t bytes);

/** Readies what has a batch written that nobody asks for; a cache object, to be finished. */
void fat32_later_init(struct fat32_volume *volume);

/** Puts everything on the card to stay. */
HAL_MUST_CHECK int fat32_sync(struct fat32_volume *volume);

/** The same but for pages that replace others, which those write whose files they are of. */
HAL_MUST_CHECK int fat32_sync_batch(struct fat32_volume *volume);

/* --- recover.c --- */

/**
 * Looks at the whole volume: frees clusters that no file has, cuts chains that are longer than
 * their files. -EIO or -EINVAL: there is damage that only fsck can mend. *lost: how many.
 */
HAL_MUST_CHECK int fat32_recover(struct fat32_volume *volume, uint32_t *lost);

/* --- space.c --- */

/** Finds up to `want` free clusters in a row, near `near` (0: anywhere). -ENOSPC. */
HAL_MUST_CHECK int fat32_space_find(struct fat32_volume *volume, uint32_t near, uint32_t want,
                                    uint32_t *first, uint32_t *count);

/** Makes these free clusters of one sector of the FAT a chain. In a transaction: 1 sector. */
HAL_MUST_CHECK int fat32_space_claim(struct fat32_volume *volume, uint32_t first, uint32_t count);

/** Sets the entry of `cluster` in the FAT. In a transaction: 1 sector. */
HAL_MUST_CHECK int fat32_link(struct fat32_volume *volume, uint32_t cluster, uint32_t next);

/** Frees the chain from `cluster` on in transactions of its own. Stops at whatever is wrong. */
HAL_MUST_CHECK int fat32_space_free(struct fat32_volume *volume, uint32_t cluster);

/** The same for what nobody has any more: if it fails, the unmount looks for those clusters. */
void fat32_space_give_up(struct fat32_volume *volume, uint32_t cluster);

/**
 * As fat32_space_free inside a transaction, as long as that takes no more than `sectors` sectors.
 * *rest: the cluster from which on it did not, 0: all is free.
 */
HAL_MUST_CHECK int fat32_space_free_some(struct fat32_volume *volume, uint32_t cluster,
                                         unsigned sectors, uint32_t *rest);

/** How many clusters are free. Reads all of the FAT the first time. */
HAL_MUST_CHECK int fat32_space_count(struct fat32_volume *volume, uint32_t *free);

/* --- ../node.c --- */

/** The node of the entry at `place` that somebody has, without a reference; or NULL. */
struct fat32_node *fat32_node_find(struct fat32_volume *volume, uint64_t place);

/** The entry of `node` is at `place` now; 0: it has none. */
void fat32_node_place(struct fat32_node *node, uint64_t place);

/** The entry is gone; the clusters go with the last reference. */
void fat32_node_orphan(struct fat32_node *node);

/**
 * The node of an entry of `parent`, the one that there is or a new one: *found with a reference.
 * -ENOMEM; -EIO, -ELOOP: a directory that cannot be one.
 */
HAL_MUST_CHECK int fat32_node_get(struct fat32_node *parent, const struct fat32_entry *entry,
                                  uint64_t place, struct vnode **found);

/** `node` is in the directory `parent` now. */
void fat32_node_move(struct fat32_node *node, struct fat32_node *parent);

/** Frees a node that nobody else has seen. */
void fat32_node_discard(struct fat32_node *node);

/* --- change.c, data.c: the operations; each is one, or nothing --- */

/** Writes start, size and time of change into the entry of `node`. In a transaction: 1 sector. */
HAL_MUST_CHECK int fat32_entry_update(struct fat32_node *node, uint32_t start, uint64_t size,
                                      int64_t now);

/** Enters a file or directory with these marks (entry.h). *created has a reference. */
HAL_MUST_CHECK int fat32_make(struct fat32_node *directory, const char *name, size_t n,
                              unsigned marks, struct fat32_node **created);

static inline int fat32_create(struct fat32_node *directory, const char *name, size_t n,
                               bool is_directory, struct fat32_node **created)
{
    return fat32_make(directory, name, n, is_directory ? FAT32_MARK_DIRECTORY : 0, created);
}

HAL_MUST_CHECK int fat32_remove(struct fat32_node *directory, const char *name, size_t n,
                                bool is_directory);
HAL_MUST_CHECK int fat32_rename(struct fat32_node *from, const char *name, size_t n,
                                struct fat32_node *to, const char *new_name, size_t m);

/**
 * Writes at `offset`, with zeros before it if that is past the end. Returns how many bytes. This
 * and the next release the mutex in the middle; the file's own lock keeps others away from it.
 */
HAL_MUST_CHECK int64_t fat32_write(struct fat32_node *node, uint64_t offset, const void *data,
                                   size_t n);
/** Sets those of mode (the mark for read-only), time of change and of access that `which` has. */
HAL_MUST_CHECK int fat32_set_attributes(struct fat32_node *node,
                                        const struct vnode_attributes *attributes, unsigned which);
HAL_MUST_CHECK int fat32_truncate(struct fat32_node *node, uint64_t size);
