/* SPDX-License-Identifier: MIT */
/*
 * block.h: block devices: cards, RAM disks and their partitions, read and written by threads that
 * wait.
 *
 * A disk is a row of sectors with a queue of requests before it (disk.h). A device is a range of a
 * disk: all of it, or a partition. It is a small value that may be copied; what it points to stays
 * for as long as the machine runs.
 *
 *     block_read  block_write  block_flush     here: threads that wait
 *              block_submit                    request.h: requests that end later
 *     queue: merging, order, elevator          queue/
 *     card | RAM disk | fault disk | ...       disk.h: what is behind it
 *
 * A transfer of any length is cut into requests, a few of which are under way at once; the calling
 * thread sleeps until the last is done. Transfers need no memory, but for the copy that unaligned
 * data costs.
 *
 * Nothing here gives up on a request that a card has begun: its memory belongs to the card until it
 * completes. The backend promises that every request does (hal/block.h), so a card that has died
 * becomes -ETIMEDOUT there, where the hardware can be stopped.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_NAME_MAX 15

struct block_disk;
struct block_counts;

struct block_device {
    char name[BLOCK_NAME_MAX + 1]; /**< "mmcblk0", "mmcblk0p1", "ram0" */
    uint64_t first;                /**< sector of the disk where it starts */
    uint64_t sectors;              /**< how many sectors of HAL_SECTOR_SIZE bytes */
    bool read_only;
    struct block_disk *disk;     /**< NULL: there is none, and nothing can be read */
    struct block_counts *counts; /**< of what is done to this partition; NULL: not counted */
};

/**
 * Looks for the card. Thread context, once at boot, and again when another card may be there; not
 * while transfers are under way. May sleep or poll for a second.
 *
 * Returns 0, or what hal_block_probe returns: -ENOMEDIUM (no card), -EIO, -ETIMEDOUT.
 */
HAL_MUST_CHECK int block_start(void);

/** The whole card, or NULL before a block_start that found one. Any context. */
const struct block_device *block_card(void);

/** What the card calls itself; "" without a card. Any context. */
const char *block_description(void);

/**
 * The part of `device` from `first` on, `sectors` long, as partition `number` of it.
 * Returns 0, or -EINVAL if that is not a part of it. Any context.
 */
HAL_MUST_CHECK int block_slice(const struct block_device *device, unsigned number, uint64_t first,
                               uint64_t sectors, struct block_device *slice);

/**
 * Reads `sectors` sectors from `sector` on into `data` (kernel memory), split into as many requests
 * as needed. Memory that is not aligned to HAL_BLOCK_ALIGN costs a copy.
 *
 * Returns 0, -EINVAL (outside the device), -EIO, -ENOMEDIUM, -ETIMEDOUT, -ENOMEM. After an error
 * the content of `data` is undefined. May sleep.
 */
HAL_MUST_CHECK int block_read(const struct block_device *device, uint64_t sector, void *data,
                              size_t sectors);

/**
 * As block_read, the other way; also -EROFS. On the medium to stay only after block_flush. After
 * an error each sector has its old or its new content. May sleep.
 */
HAL_MUST_CHECK int block_write(const struct block_device *device, uint64_t sector, const void *data,
                               size_t sectors);

/** Returns when everything written before is on the medium to stay. May sleep. */
HAL_MUST_CHECK int block_flush(const struct block_device *device);

/** HAL_IRQ_BLOCK: requests have completed. Interrupt context. */
void block_interrupt(void);

/* ---- the table of devices: disks and the partitions that were found on them ---- */

/** The device called `name`, or NULL. It stays, but may lose its medium. Any context. */
const struct block_device *block_find(const char *name);

/**
 * Opens the device called `name`: until block_close its disk cannot be removed, nor its partitions
 * be read anew. *device is the one in the table, and what block_close wants. 0, -ENOENT, -ENOMEDIUM
 * (there was one of that name). Any context.
 */
HAL_MUST_CHECK int block_open(const char *name, const struct block_device **device);
void block_close(const struct block_device *device);

/**
 * Removes the disk called `name`, a RAM disk or one over another: 0, -ENOENT, -EBUSY (it is open),
 * -EPERM (it cannot be removed). May sleep.
 */
HAL_MUST_CHECK int block_remove(const char *name);

/**
 * Makes partition `number` of the disk of `whole` known, as block_slice does, and *partition the
 * device in the table. -EINVAL, -EBUSY (one of that name is open, and is not the same), -ENOSPC.
 */
HAL_MUST_CHECK int block_add_partition(const struct block_device *whole, unsigned number,
                                       uint64_t first, uint64_t sectors,
                                       struct block_device *partition);

/** Forgets the partitions of the disk of `whole`: 0, or -EBUSY if one is open. Any context. */
HAL_MUST_CHECK int block_forget_partitions(const struct block_device *whole);

/* ---- numbers ---- */

/** What was done to a device since it was made known: what Linux's /proc/diskstats tells. */
struct block_counts {
    struct block_way {
        uint64_t requests; /**< that were done without an error; merged ones count as one */
        uint64_t merged;   /**< requests that went with another one */
        uint64_t sectors;
        uint64_t ns; /**< from submission to completion, of all requests together */
    } read, write, flush;
    uint64_t under_way;   /**< now: submitted and not done */
    uint64_t busy_ns;     /**< in which any was under way */
    uint64_t weighted_ns; /**< the same, each times how many were */
    uint64_t stamp;       /**< up to when the last two count */
};

/** The same, and what only the disk knows. */
struct block_stats {
    uint64_t reads; /**< requests of each kind that were done without an error */
    uint64_t writes;
    uint64_t flushes;
    uint64_t sectors_read;
    uint64_t sectors_written;
    uint64_t errors;    /**< requests that failed */
    uint64_t bounced;   /**< sectors copied because of alignment */
    uint64_t sleeps;    /**< how often a thread had to wait */
    uint64_t in_flight; /**< requests that the driver had, at most, at one time */
    uint64_t most;      /**< submitted and not done, at most, at one time */
    uint64_t retries;   /**< requests that were begun again */
    uint64_t split;     /**< merged requests that failed together and were begun one by one */
    uint64_t timeouts;  /**< requests that took too long */
    uint64_t barriers;  /**< requests that nothing passed, flushes too */
    uint64_t hurried;   /**< requests that were taken because others had passed them too often */
    struct block_counts counts;
};

/** Of the card. Any context. */
void block_read_stats(struct block_stats *stats);

/** Of the disk of `device`, with the counts of the device itself. Any context. */
void block_device_stats(const struct block_device *device, struct block_stats *stats);

/** A row of the table of devices. */
struct block_entry {
    struct block_device device;
    unsigned number; /**< of the partition; 0: all of the disk */
    unsigned opens;
    const char *kind;     /**< of the disk: "card", "ram", ... */
    const char *elevator; /**< of the disk */
};

/** Row `index`, from 0 on, disks before their partitions. False past the last. Any context. */
HAL_MUST_CHECK bool block_entry_at(unsigned index, struct block_entry *entry);
