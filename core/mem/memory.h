/* SPDX-License-Identifier: MIT */
/*
 * memory.h: which RAM the kernel may use.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/mem.h>

#include <stdint.h>

#define MEMORY_RANGES_MAX 16

/** Sorted, apart from each other, whole pages. */
struct memory_map {
    struct hal_range ranges[MEMORY_RANGES_MAX];
    unsigned count;
};

struct boot_info;

/**
 * What both the boot tags and the machine call RAM, less what the machine reserves. Without a range
 * from the tags it is all that the machine has. Ranges beyond MEMORY_RANGES_MAX are left out. Boot
 * only.
 */
void memory_map_build(const struct boot_info *info, struct memory_map *map);

/** True if all of the bytes are RAM that the machine has mapped: safe to look at. Any context. */
bool memory_is_ram(uint64_t physical, uint64_t bytes);

/**
 * Hands the frames of `map` to the frame allocator. 0, or -ENOMEM when there is no room for its own
 * table. Boot only.
 */
HAL_MUST_CHECK int frame_init(const struct memory_map *map);
