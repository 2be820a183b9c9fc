/* SPDX-License-Identifier: MIT */
/*
 * heap.h: memory for the kernel's objects, of any size.
 *
 * Any context that may take a spinlock; never sleeps. Allocation can fail at any time, and every
 * caller handles it. Memory is not zeroed unless asked for.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

/** `bytes` bytes aligned to 16, or NULL. 0 bytes: a unique pointer that may be freed. */
HAL_MUST_CHECK void *kmalloc(size_t bytes);

/** As kmalloc, aligned to `alignment`, a power of two. NULL for any other alignment. */
HAL_MUST_CHECK void *kmalloc_aligned(size_t bytes, size_t alignment);

/** `count` * `bytes` bytes of zeros, or NULL, also when the product overflows. */
HAL_MUST_CHECK void *kcalloc(size_t count, size_t bytes);

/** Gives back what kmalloc, kmalloc_aligned or kcalloc returned. NULL is allowed. */
void kfree(void *pointer);

struct heap_stats {
    uint64_t live_bytes; /**< of blocks in use, each rounded up to its class or run */
    uint64_t live_blocks;
    uint64_t frames;      /**< page frames that the heap holds */
    uint64_t allocations; /**< since boot */
    uint64_t failures;    /**< since boot */
};
void heap_read_stats(struct heap_stats *stats);
