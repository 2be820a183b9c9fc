/* SPDX-License-Identifier: MIT */
/*
 * block.h: block devices: the whole card and its partitions, read and written by threads that wait.
 *
 * A device is a range of the card's sectors. A transfer of any length is cut into requests for the
 * HAL, a few of which are under way at once; the calling thread sleeps until the last is done.
 *
 * Nothing here gives up on a request that is under way: its memory belongs to the card until it
 * completes. The backend promises that every request does (hal/block.h), so a card that
 * has died becomes -ETIMEDOUT there, where the hardware can be stopped.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_NAME_MAX 15

struct block_device {
    char name[BLOCK_NAME_MAX + 1]; /**< "mmcblk0", "mmcblk0p1" */
    uint64_t first;                /**< sector of the card where it starts */
    uint64_t sectors;              /**< how many sectors of HAL_SECTOR_SIZE bytes */
    bool read_only;
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

/** Counts since block_start. */
struct block_stats {
    uint64_t reads; /**< requests of each kind that have completed */
    uint64_t writes;
    uint64_t flushes;
    uint64_t sectors_read;
    uint64_t sectors_written;
    uint64_t errors;    /**< requests that failed */
    uint64_t bounced;   /**< sectors copied because of alignment */
    uint64_t sleeps;    /**< how often a thread had to wait */
    uint64_t in_flight; /**< requests under way, at most, at one time */
};

/** Any context. */
void block_read_stats(struct block_stats *stats);
