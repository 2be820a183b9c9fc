/* SPDX-License-Identifier: MIT */
/*
 * tags.h: the boot tags, read with suspicion: what the firmware says about memory, and the command
 * line.
 *
 * The firmware of a Pi leaves one of two things: a list of ATAGs (atags.h) or a flattened device
 * tree (fdt.h). Both become the same struct boot_info. Nothing in them is believed: whatever the
 * bytes are, reading ends, stays within them, and leaves a sentence about what was wrong.
 *
 * Not here: whether the ranges make sense. They are kept as they were written, and judged where the
 * memory map is made (mem/memory.h).
 */
#pragma once

#include <hal/compiler.h>
#include <hal/mem.h>

#include <stddef.h>
#include <stdint.h>

#define BOOT_RAM_MAX 64
#define BOOT_RESERVED_MAX 64
#define BOOT_CMDLINE_MAX 1024
#define BOOT_PROBLEM_MAX 112

enum tags_format { TAGS_MISSING, TAGS_ATAGS, TAGS_DEVICE_TREE, TAGS_UNKNOWN };

/** What lies at `tags`: by its magic number only. `bytes` is how far it may reach. Any context. */
enum tags_format tags_format(const void *tags, size_t bytes);

struct boot_info {
    enum tags_format format;
    size_t bytes;                       /**< how much of the memory at the tags belongs to them */
    struct hal_range ram[BOOT_RAM_MAX]; /**< as the tags say; may overlap, may be nonsense */
    unsigned ram_count;
    struct hal_range reserved[BOOT_RESERVED_MAX]; /**< RAM that is in use already, the same way */
    unsigned reserved_count;
    char cmdline[BOOT_CMDLINE_MAX]; /**< one line, NUL-terminated; unprintable bytes are '?' */
    char problem[BOOT_PROBLEM_MAX]; /**< what is wrong and what was done; "" if nothing is */
    unsigned flaws;                 /**< how many there are; `problem` tells the first */
};

/** Reads the tags into `info`; what cannot be read is left out and named in `problem`. Any context.
 */
void tags_read(const void *tags, size_t bytes, struct boot_info *info);
