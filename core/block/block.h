/* SPDX-License-Identifier: MIT */
/*
 * block.h: block devices: the whole card and its partitions, read and written by threads that wait.
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
 * Reads `sectors` sectors from `sector` on into `data` (kernel memory, aligned to HAL_BLOCK_ALIGN), split into as
 * many requests as needed.
 *
 * Returns 0, -EINVAL (outside the device), -EIO, -ENOMEDIUM, -ETIMEDOUT, -ENOMEM. May sleep.
 */
HAL_MUST_CHECK int block_read(const struct block_device *device, uint64_t sector, void *data,
                              size_t sectors);

/** As block_read, the other way; also -EROFS. On the medium to stay only after block_flush. May sleep. */
HAL_MUST_CHECK int block_write(const struct block_device *device, uint64_t sector, const void *data,
                               size_t sectors);

/** Returns when everything written before is on the medium to stay. May sleep. */
HAL_MUST_CHECK int block_flush(const struct block_device *device);
