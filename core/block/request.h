/* SPDX-License-Identifier: MIT */
/*
 * request.h: requests to block devices that end later.
 *
 * Whoever submits a request owns its memory, its vectors and the data, and leaves all three alone
 * until done() is called:
 *
 *     block_submit -> WAITING (behind a barrier, or one that it overlaps) -> QUEUED (the elevator
 *     sorts and merges) -> STARTED (the driver has it) -> ENDED (done is called)
 *
 * Order. Requests are served in any order, but for these: of two that overlap, and one of which
 * writes, the one submitted first is done first. A flush, and any request with BLOCK_BARRIER,
 * begins when all that were submitted before it are done, and none that is submitted after it
 * begins before it is done. No request is passed by more than a fixed number of others
 * (elevator.h).
 *
 * Failure. A request that failed is tried again as often as its disk says. One that could not be
 * begun in time ends with -ETIMEDOUT; so does one that the driver took too long with, if the driver
 * can let go of it.
 */
#pragma once

#include "block/block.h"
#include "lib/list.h"
#include "lib/tree.h"

#include <hal/block.h>

#define BLOCK_VECTORS_MAX HAL_BLOCK_SEGMENTS
#define BLOCK_SECTORS_MAX HAL_BLOCK_SECTORS

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

enum {
    BLOCK_BARRIER = 1, /**< nothing passes it, in either direction */
    BLOCK_FUA = 2,     /**< a write that is on the medium to stay when it is done */
    BLOCK_SYNC = 4,    /**< somebody waits for it: a plug does not hold it back */
    BLOCK_ALONE = 8,   /**< is not merged with others */
    BLOCK_WATCHED = 16 /**< who waits for it calls block_expire in time */
};

struct block_vector {
    void *data;
    uint32_t sectors;
};

struct block_request {
    /* The caller's, set before block_submit; all other fields zero. */
    const struct block_device *device;
    enum block_op op;
    unsigned flags;
    uint64_t sector; /**< of the device */
    const struct block_vector *vectors;
    unsigned vector_count; /**< 0 for a flush */
    /**
     * The request is done: 0, -EIO, -ETIMEDOUT, -ENOMEDIUM, -EROFS. Called once, in an interrupt or
     * a thread, masked and without locks; it may submit requests, also this one, and free its
     * memory, but not sleep.
     */
    void (*done)(struct block_request *request, int error);
    void *context;

    /* The queue's, guarded by the lock of the disk. */
    struct block_disk *disk;
    struct block_counts *counts;
    enum { REQUEST_WAITING, REQUEST_QUEUED, REQUEST_STARTED, REQUEST_ENDED } state;
    struct list link;      /**< in the list of its state, or among the followers of another one */
    struct tree_node node; /**< QUEUED: by sector */
    struct list followers; /**< requests merged with this one, in the order of their sectors */
    enum block_op step;    /**< what the driver is to do: op, or the flush behind a BLOCK_FUA */
    uint64_t at;           /**< sector of the disk */
    uint32_t sectors;      /**< its own */
    uint32_t all_sectors;  /**< its followers', too */
    uint32_t all_vectors;  /**< the same */
    uint64_t ticket;       /**< QUEUED: how many were queued before it, ever */
    uint64_t queued_at, deadline;
    unsigned tries;
    bool late; /**< somebody was told that it takes long */
    int error;
};

/**
 * Queues `request`. 0, and done() will be called, maybe before this returns; or done() will not be
 * called: -EINVAL (outside the device; more sectors or vectors than its disk takes at a time, which
 * is BLOCK_SECTORS_MAX and BLOCK_VECTORS_MAX or less, or none; data that is not aligned to
 * HAL_BLOCK_ALIGN), -EROFS, -ENOMEDIUM. Any context that may take LOCK_RANK_DEVICE.
 */
HAL_MUST_CHECK int block_submit(struct block_request *request);

/**
 * For a thread that waits: reads or writes what follows each other from `sector` on, in any number
 * of pieces of memory, by as few requests as the disk takes. Returns the first error that a done()
 * was told, or that block_submit returned; then some of the rest may have been carried. May sleep.
 */
HAL_MUST_CHECK int block_transfer(const struct block_device *device, enum block_op op,
                                  uint64_t sector, const struct block_vector *vectors,
                                  unsigned count);

/**
 * Until block_unplug, the disk of `device` begins nothing that has no BLOCK_SYNC, so that requests
 * that are about to come can be merged. Pairs nest. Context as block_submit.
 */
void block_plug(const struct block_device *device);
void block_unplug(const struct block_device *device);

/** Ends or lets be tried again what has taken too long on `disk`. Context as block_submit. */
void block_expire(struct block_disk *disk);

/** How requests on disks made from now on are sorted: the name of an elevator. -EINVAL. Boot. */
HAL_MUST_CHECK int block_set_default_elevator(const char *name);

/** The same for the disk of `device`, at once. Any context. */
HAL_MUST_CHECK int block_set_elevator(const struct block_device *device, const char *name);
