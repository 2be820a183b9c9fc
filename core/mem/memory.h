/* SPDX-License-Identifier: MIT */
/*
 * memory.h: which RAM the kernel may use.
 *
 * Two say what is RAM, the boot tags and the machine, and only what both call RAM counts. Of that,
 * what is in use already goes off: the machine's own (the kernel's image, page tables), the boot
 * tags themselves, and what the tags reserve.
 *
 *     tags      |======== MEM ========|        |== MEM ==|
 *     machine   |================== RAM ================|
 *     in use    |= image =|        |tree|
 *     the map             |========|    |=======|    ....        whole pages, sorted, apart
 *
 * The tags are not believed: each range that cannot be true is named in the log, and what is left
 * of it used.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/mem.h>

#include <stdint.h>

/** 64 ranges of the tags, each of whose reservations may part one of them, and the machine's. */
#define MEMORY_RANGES_MAX 136

/** Sorted, apart from each other, whole pages. */
struct memory_map {
    struct hal_range ranges[MEMORY_RANGES_MAX];
    unsigned count;
    unsigned flaws; /**< ranges of the tags that cannot be true, or that did not fit */
};

struct boot_info;

/**
 * What both the boot tags and the machine call RAM, less what is in use. Where the tags list none
 * that can be true it is all that the machine has. May be empty. Each flaw is logged as a warning
 * (the first 8 by a line each); ranges beyond MEMORY_RANGES_MAX are one, too. Boot only.
 */
void memory_map_build(const struct boot_info *info, struct memory_map *map);

/** True if all of the bytes are RAM that the machine has mapped: safe to look at. Any context. */
bool memory_is_ram(uint64_t physical, uint64_t bytes);

/**
 * Hands the frames of `map` to the frame allocator. 0, or -ENOMEM when there is no room for its own
 * table. Boot only.
 */
HAL_MUST_CHECK int frame_init(const struct memory_map *map);
