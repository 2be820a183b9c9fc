/* SPDX-License-Identifier: MIT */
/*
 * boot.h: what boot found out, for those who show it.
 */
#pragma once

#include <hal/compiler.h>

#include <stdint.h>

struct boot_info;
struct memory_map;

#define BOOT_VERSION "0.1.0"

/** The RAM that the frame allocator was given. Constant after boot. */
const struct memory_map *boot_memory(void);

/** How long a CPU may stay masked, or wait for a spinlock, before that is a panic; 0: for ever. ns.
 * Constant after boot. */
uint64_t boot_watch(void);

/** What the boot tags said (boot/tags/tags.h). Constant after boot. */
const struct boot_info *boot_tags(void);

/**
 * Ends a boot that cannot go on: one line "boot: ..." on the console, which names what could not be
 * had, and the machine stops with the status of a panic. Boot only.
 */
HAL_NORETURN void boot_fail(const char *format, ...) HAL_FORMAT(1, 2);
