/* SPDX-License-Identifier: MIT */
/*
 * volume.h: what the files of this folder share: a mounted volume, its cache, its chains, its
 * nodes. What is in directories: entry/entry.h; what it takes to change them: write/write.h.
 *
 * One mutex a volume guards the cache and all chains. What is in files goes through the page cache
 * (core/cache, data/pages.h), which asks under the mutex where pages are, and carries them without.
 */
#pragma once

#include "block/block.h"
#include "block/problem.h"
#include "cache/cache.h"
#include "fs/fat32/layout/geometry.h"
#include "fs/mount.h"
#include "fs/vnode.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "mem/reclaim.h"
#include "sync/mutex.h"

#include <hal/block.h>

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- cache.c: recently used pieces of the volume, for FATs, directories and odd bytes --- */

#define FAT32_CACHE_BYTES 4096u /**< of one piece; pieces are aligned to it within the volume */
#define FAT32_CACHE_SLOTS 32u

struct fat32_cache_slot {
    uint8_t *data;    /**< FAT32_CACHE_BYTES, or NULL: not used yet */
    uint64_t piece;   /**< which piece, counted from the start of the volume */
    uint64_t used_at; /**< the cache's clock at its last use */
    uint8_t valid;    /**< a bit for each sector of the piece that has been read */
};

struct fat32_cache {
    const struct block_device *device;
    struct fat32_cache_slot slots[FAT32_CACHE_SLOTS];
    struct fat32_cache_slot *latest;
    uint64_t clock;
    bool failed; /**< something could not be read or written; changed atomically */
    bool keeps;  /**< one slot's memory, come what may: write-back has to read the FAT */

    uint64_t spoilt; /**< sector that a write has failed for and that is none of a batch; 0: none */
    uint8_t spoilt_data[HAL_SECTOR_SIZE]; /**< what should be there, and is read instead */
};

/**
 * The bytes of the volume from `offset` on: *data, and how many follow in *available (at least to
 * the end of their sector). They stay until the next call. -EIO and the like, also beyond the
 * device; -ENOMEM. Caller holds the volume's mutex. May sleep.
 */
HAL_MUST_CHECK int fat32_cache_get(struct fat32_cache *cache, uint64_t offset, const uint8_t **data,
                                   size_t *available);

/** Remembers that the card failed, if `error` says so; returns it. */
int fat32_cache_failed(struct fat32_cache *cache, int error);

/** The sector at `offset` is `data` on the card now; NULL: it is not known what. */
void fat32_cache_update(struct fat32_cache *cache, uint64_t offset, const uint8_t *data);

/** The sector at `offset`, not the first, is to be read as `data`, whatever is on the card, until
 * it is written. There is one such sector. */
void fat32_cache_spoil(struct fat32_cache *cache, uint64_t offset, const uint8_t *data);

/** Gives back the slots unused for longest, up to `frames`; how many. Caller holds the mutex. */
size_t fat32_cache_reclaim(struct fat32_cache *cache, size_t frames);

/** Gives back the memory of the cache. */
void fat32_cache_finish(struct fat32_cache *cache);

/* --- chain.c: the clusters of a file in their order --- */

/** Clusters that lie one after the other on the card as well as in the file. */
struct fat32_run {
    uint32_t index;   /**< of its first cluster in the file: 0, 1, 2, ... */
    uint32_t cluster; /**< the number of that cluster */
    uint32_t count;
};

#define FAT32_RUNS_INLINE 4u
#define FAT32_RUNS_MAX 1024u

/**
 * A chain, as far as it is known. Invariant: runs are sorted by index, the first has index 0, and
 * none shares a cluster with another. Guarded by the volume's mutex.
 */
struct fat32_chain {
    uint32_t start; /**< what the directory entry says; may be nonsense */
    uint32_t limit; /**< the file has no use for more clusters */
    struct fat32_run *runs;
    uint32_t used;
    uint32_t size; /**< room in `runs` */
    struct fat32_run few[FAT32_RUNS_INLINE];
};

struct fat32_volume;
struct fat32_writer;
struct fat32_index;

/** `limit` is cut to the number of clusters that there are. */
void fat32_chain_init(struct fat32_chain *chain, const struct fat32_volume *volume, uint32_t start,
                      uint64_t limit);
void fat32_chain_finish(struct fat32_chain *chain);

/**
 * Finds cluster number `index` of the chain: its number, and how many follow it without a gap
 * (itself included; there may be more than is said).
 *
 * -ENOENT: the chain has ended before. -EIO: it is broken before: a link to a free, bad or
 * nonexistent cluster, or back into itself; or the FAT cannot be read. Caller holds the volume's
 * mutex. May sleep.
 */
HAL_MUST_CHECK int fat32_chain_find(struct fat32_volume *volume, struct fat32_chain *chain,
                                    uint32_t index, uint32_t *cluster, uint32_t *count);

/** The FAT's entry for a valid cluster, without its four reserved bits. As fat32_chain_find. */
HAL_MUST_CHECK int fat32_table_get(struct fat32_volume *volume, uint32_t cluster, uint32_t *value);

/* --- mount.c --- */

/** What a mount asks for: see kind.c. */
struct fat32_options {
    uint32_t uid, gid;
    uint16_t fmask, dmask;
    bool quiet, read_only;
};

struct fat32_volume {
    struct mount *mount; /**< NULL: it is used without one, and goes with its root */
    struct vnode *root;  /**< while there is one; not a reference */
    struct fat32_options options;
    struct fat32_geometry geometry; /**< constant */
    struct block_device device;     /**< constant */
    struct mutex mutex;
    struct fat32_cache cache; /**< guarded by the mutex */
    struct reclaimer reclaimer;
    struct object_cache *nodes;  /**< where its nodes come from; constant */
    unsigned complaints;         /**< damages reported so far; guarded by the mutex */
    struct fat32_writer *writer; /**< NULL: read-only */
    struct tree open;            /**< nodes by their place; guarded by the mutex */
    struct condition released;   /**< one of them is no more */
    struct cache_object later;   /**< has the batch written after a while */
    int lost;                    /**< why what was in a file could not be written; likewise */
    unsigned writing;            /**< threads that write to files; guarded by the mutex */
    struct list indexes;         /**< of directories, the one used last first; likewise */
    unsigned index_count;
    unsigned orphans;   /**< nodes of what was removed */
    uint64_t orphan_id; /**< the last one's number */
};

/**
 * The bytes of the volume from `offset` on as they are now, which is not always as they are on the
 * card: *data, and how many follow. They stay until the next call. Otherwise as fat32_cache_get.
 */
HAL_MUST_CHECK int fat32_look(struct fat32_volume *volume, uint64_t offset, const uint8_t **data,
                              size_t *available);

/** Logs damage; only the first few of a mount. Caller holds the mutex. */
void fat32_complain(struct fat32_volume *volume, const char *format, ...) HAL_FORMAT(2, 3);

/**
 * Mounts the volume on `device`: *created, whose root has a reference. As fat32_mount. `mount`
 * NULL: the volume goes with its root; otherwise by fat32_volume_destroy. May sleep.
 */
HAL_MUST_CHECK int fat32_volume_create(const struct block_device *device,
                                       const struct fat32_options *options, struct mount *mount,
                                       struct fat32_volume **created, struct problem *problem);

/** Writes what is to be written, and frees it; nobody has a node of it. 0 or what went wrong. */
int fat32_volume_destroy(struct fat32_volume *volume);

/** True if there is nothing about the volume that is against writing to it. */
bool fat32_may_be_written(const struct fat32_volume *volume);

/* --- kind.c --- */

void fat32_options_usual(struct fat32_options *options);

/** Sets what `text` says. -EINVAL and the reason: there is no such option. */
HAL_MUST_CHECK int fat32_options_read(const char *text, struct fat32_options *options,
                                      struct problem *problem);

/* A remount may change the options: the caller holds the mutex. */

/** Sets mode and owner. */
void fat32_permit(const struct fat32_volume *volume, struct vnode_attributes *attributes);

/** True if a file that is made with this mode is to be marked as read-only. */
bool fat32_mode_is_read_only(const struct fat32_volume *volume, unsigned mode);

/** Takes out of *which what cannot be set. -EPERM: something that was wanted cannot. */
HAL_MUST_CHECK int fat32_allow(const struct fat32_volume *volume,
                               const struct vnode_attributes *now,
                               const struct vnode_attributes *wanted, unsigned *which);

/* --- node.c --- */

struct fat32_node {
    struct vnode vnode;
    struct fat32_volume *volume; /**< constant */
    struct fat32_node *parent;   /**< holds a reference; NULL in the root, which owns the volume */
    struct fat32_chain chain;
    struct tree_node open;     /**< among those of the volume */
    uint64_t place;            /**< byte of its entry on the volume; 0: it has none */
    bool removed;              /**< it had one */
    struct fat32_index *index; /**< of a directory: its names; NULL: none was made */

    /* Of a file: see data/pages.h. Guarded by the volume's mutex, but for the object itself. */
    struct cache_object pages;
    struct fat32_chain pending; /**< clusters that a write has taken, and will hang on its chain */
    uint32_t pending_count;     /**< 0: none */
    struct list fresh_link;     /**< among the writer's fresh ones, as long as it is one */
    uint64_t fresh_from;        /**< byte from which on it is */
    uint64_t cut_in; /**< number of the batch that cuts it inside of a cluster; 0: none */
};

#define FAT32_ROOT_ID 1u /**< of other files it is the number of their entry on the volume */

extern const struct vnode_ops fat32_node_ops; /**< ops.c's */

struct fat32_node *fat32_node_of(struct vnode *vnode);

/** The volume that a vnode is of. */
struct fat32_volume *fat32_volume_of(struct vnode *vnode);

/** A node for an entry of `parent`, with one reference, or NULL. With parent NULL: the root. */
HAL_MUST_CHECK struct fat32_node *fat32_node_create(struct fat32_volume *volume,
                                                    struct fat32_node *parent, uint32_t cluster,
                                                    const struct vnode_attributes *attributes);

/** The number of the file with that entry and first cluster, of which only the type is looked at.
 */
uint64_t fat32_id(const struct vnode_attributes *attributes, uint32_t cluster, uint64_t place);

/** Sets how much room a file, by its size, or a directory, by its chain, has on the volume. */
void fat32_node_measure(struct fat32_node *node);

/** vnode_ops.release. */
void fat32_node_release(struct vnode *vnode);
