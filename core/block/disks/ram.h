/* SPDX-License-Identifier: MIT */
/*
 * ram.h: disks in memory: fast, and empty (zeros) when they are made.
 */
#pragma once

#include "block/block.h"

#define BLOCK_RAM_MAX 16u /**< RAM disks at a time */

/**
 * Makes a RAM disk of `bytes` bytes, a multiple of 64 KiB, called ram0, ram1, ... 0 and the device;
 * -EINVAL, -ENOMEM, -EEXIST (all names are taken). block_remove ends it. May sleep.
 */
HAL_MUST_CHECK int block_ram_create(uint64_t bytes, const struct block_device **device);
