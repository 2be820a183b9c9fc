/* SPDX-License-Identifier: MIT */
/*
 * boot.h: what boot found out, for those who show it.
 */
#pragma once

struct memory_map;

#define BOOT_VERSION "0.1.0"

/** The RAM that the frame allocator was given. Constant after boot. */
const struct memory_map *boot_memory(void);
