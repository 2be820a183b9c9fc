/* SPDX-License-Identifier: MIT */
/*
 * heap.h: memory for the kernel's objects, of any size.
 *
 * kmalloc and its sisters are macros: each use is a site with a number (site.h). Behind them stands
 * one of three allocators, chosen by the boot word `allocator=` (allocator.h): slab, the best and
 * the default; bin and bump, for those who want to see how it began. With checks on (`checks=1`,
 * the default of a build with debug information; check/guard.h) every block carries red zones and
 * its history, so a misuse ends in a panic that names who did it.
 *
 * Any context that may take a spinlock; never sleeps. Allocation can fail at any time, by want or
 * on demand (fail.h), and every caller handles it. Memory is not zeroed unless asked for.
 *
 * Defined for every argument: 0 bytes give a unique pointer that may be freed; sizes above
 * HEAP_BYTES_MAX, and alignments above HEAP_ALIGNMENT_MAX or not a power of two, give NULL.
 */
#pragma once

#include "site/site.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_ALIGNMENT 16u            /**< of every block */
#define HEAP_ALIGNMENT_MAX (2u << 20) /**< that can be asked for */
#define HEAP_BYTES_MAX (SIZE_MAX / 2) /**< so no sum with alignments and zones overflows */

/** `bytes` bytes aligned to HEAP_ALIGNMENT, or NULL. */
#define kmalloc(bytes) heap_allocate_usual(bytes, ALLOC_SITE())

/** As kmalloc, aligned to `alignment`, a power of two. */
#define kmalloc_aligned(bytes, alignment) heap_allocate(bytes, alignment, ALLOC_SITE())

/** `count` * `bytes` bytes of zeros, or NULL, also when the product overflows. */
#define kcalloc(count, bytes) heap_allocate_zeros(count, bytes, ALLOC_SITE())

/**
 * Makes the block at `pointer` (NULL: a new one) `bytes` bytes long, moving it if it has to be:
 * returns where it is now, or NULL with the block as it was. What is beyond the shorter of both
 * lengths is not defined.
 */
#define krealloc(pointer, bytes) heap_reallocate(pointer, bytes, ALLOC_SITE())

/**
 * Gives back what the functions above returned. NULL is allowed. Anything else (a block that was
 * freed, a pointer into a block or to something else) is a panic that names this line.
 */
#define kfree(pointer) heap_free(pointer, __FILE__, __LINE__)

/** `heap_allocate_usual` is heap_allocate with HEAP_ALIGNMENT. */
HAL_MUST_CHECK void *heap_allocate_usual(size_t bytes, const struct alloc_site *site);
HAL_MUST_CHECK void *heap_allocate(size_t bytes, size_t alignment, const struct alloc_site *site);
HAL_MUST_CHECK void *heap_allocate_zeros(size_t count, size_t bytes, const struct alloc_site *site);
HAL_MUST_CHECK void *heap_reallocate(void *pointer, size_t bytes, const struct alloc_site *site);
void heap_free(void *pointer, const char *file, unsigned line);

struct heap_stats {
    uint64_t live_bytes; /**< of blocks in use, each as the allocator rounded it up */
    uint64_t live_blocks;
    uint64_t frames;      /**< page frames that the heap holds */
    uint64_t allocations; /**< attempts since boot, as far as they are counted: with checks on,
                               with another allocator than slab, or under a plan (site/fail.h) */
    uint64_t failures;    /**< since boot */
};
void heap_read_stats(struct heap_stats *stats);

/**
 * True if slab serves and nothing is checked: then caches of objects (cache.h) have slabs of their
 * own. Constant after boot. Any context.
 */
bool heap_is_plain(void);

/** The name of the allocator that serves: "slab", ... Constant after boot. Any context. */
const char *heap_allocator_name(void);

/** True if blocks are guarded: `checks=1`. Constant after boot. Any context. */
bool heap_is_checked(void);

/**
 * With checks on: looks at the zones of all blocks and at freed memory, and panics with the name of
 * a block that is damaged. Any context.
 */
void heap_check(void);

/** With checks on: makes freed memory available again at once. Any context. */
void heap_settle(void);

/** Readies the heap as the command line says. Boot only, after frame_init. */
void heap_init(void);
