/* SPDX-License-Identifier: MIT */
/*
 * tags.h: the boot tags, read with suspicion.
 *
 * The firmware of a Pi leaves a list of ATAGs at 0x100, or a flattened device tree. An ATAG is
 *
 *     word 0   size of the tag in 32-bit words, these two included
 *     word 1   what it is
 *     word 2.. its content
 *
 * The list begins with CORE and ends with NONE, whose size is 0. A device tree begins with the
 * big-endian word 0xd00dfeed.
 *
 * Source: Linux, Documentation/arm/booting.rst and arch/arm/include/uapi/asm/setup.h.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/mem.h>

#include <stddef.h>
#include <stdint.h>

#define ATAG_NONE 0x00000000u
#define ATAG_CORE 0x54410001u
#define ATAG_MEM 0x54410002u
#define ATAG_INITRD2 0x54420005u
#define ATAG_SERIAL 0x54410006u
#define ATAG_REVISION 0x54410007u
#define ATAG_CMDLINE 0x54410009u

#define BOOT_RAM_MAX 8
#define BOOT_CMDLINE_MAX 1024

enum tags_format { TAGS_MISSING, TAGS_ATAGS, TAGS_DEVICE_TREE, TAGS_UNKNOWN };

/** What lies at `tags`: by its magic number only. `bytes` is how far it may reach. Any context. */
enum tags_format tags_format(const void *tags, size_t bytes);

struct atag {
    uint32_t tag;
    uint32_t words;      /**< of the content, without the two of the header */
    const uint8_t *data; /**< the content, little-endian words */
};

/** A place in a list of ATAGs. Start with {tags, bytes}. */
struct atag_cursor {
    const uint8_t *at;
    size_t bytes; /**< that may still be read */
};

/**
 * Reads the tag at the cursor and moves on. Returns 0; -ENOENT at the end (NONE, a size of 0);
 * -EINVAL where a tag reaches past the memory that may hold it, or a size makes no sense. Any
 * context.
 */
HAL_MUST_CHECK int atag_next(struct atag_cursor *cursor, struct atag *atag);

/** Word `index` of the content. The caller has checked `words`. */
uint32_t atag_word(const struct atag *atag, uint32_t index);

struct boot_info {
    enum tags_format format;
    struct hal_range ram[BOOT_RAM_MAX]; /**< as the tags say; may overlap, may be nonsense */
    unsigned ram_count;
    char cmdline[BOOT_CMDLINE_MAX]; /**< NUL-terminated; unprintable bytes are '?' */
    const char *problem; /**< a sentence when the tags could not be read to the end, or NULL */
};

/** Reads the tags into `info`; what cannot be read is left out and named in `problem`. Any context.
 */
void tags_read(const void *tags, size_t bytes, struct boot_info *info);
