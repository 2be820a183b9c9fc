/* SPDX-License-Identifier: MIT */
/*
 * atags.h: the older format: a list of tags, each of 32-bit little-endian words:
 *
 *     word 0   size of the tag in words, these two included
 *     word 1   what it is
 *     word 2.. its content
 *
 * The list begins with CORE and ends with NONE, whose size is 0. MEM holds a size and a start; a
 * board with memory in several places has several. CMDLINE holds text, INITRD2 the start and size
 * of a file that the firmware has loaded.
 *
 * Source: Linux, Documentation/arm/booting.rst and arch/arm/include/uapi/asm/setup.h.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

#define ATAG_NONE 0x00000000u
#define ATAG_CORE 0x54410001u
#define ATAG_MEM 0x54410002u
#define ATAG_INITRD2 0x54420005u
#define ATAG_SERIAL 0x54410006u
#define ATAG_REVISION 0x54410007u
#define ATAG_CMDLINE 0x54410009u

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
