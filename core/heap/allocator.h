/* SPDX-License-Identifier: MIT */
/*
 * allocator.h: what every allocator behind kmalloc offers, and the three that there are.
 *
 *   bump   takes the next bytes of a run of frames and never gives anything back. (cs140e, lab 1)
 *   bin    power-of-two sizes with a free list each, whose links lie in the free blocks; splits and
 *          joins buddies. (cs140e, lab 1)
 *   slab   caches of equal objects in slabs of frames that belong to CPUs, with a stack and a
 *          magazine of free objects in front (slab.h says after whom)
 *
 * The front end (heap.c) has checked the arguments: `bytes` is from 1 to a little over
 * HEAP_BYTES_MAX, `alignment` a power of two from HEAP_ALIGNMENT to HEAP_ALIGNMENT_MAX. No
 * allocator trusts a pointer that it is to free: `find` tells what it is, in constant time.
 */
#pragma once

#include "heap/heap.h"

#include <stdbool.h>

/** What a pointer is to an allocator. */
enum heap_pointer {
    HEAP_BLOCK,    /**< the start of a block that is in use */
    HEAP_INTERIOR, /**< inside one, or in between */
    HEAP_FREED,    /**< the start of a block that is not in use */
    HEAP_FOREIGN   /**< none of this allocator's memory */
};

struct heap_allocator {
    const char *name;
    /** Readies it. Boot only. */
    void (*init)(void);
    /** A block of at least `bytes` bytes, or NULL. Any context. */
    void *(*allocate)(size_t bytes, size_t alignment);
    /** Gives back a block that `find` calls HEAP_BLOCK. Any context. */
    void (*free)(void *block);
    /** What `pointer`, any value, is; for a block, *usable becomes its size. Any context. */
    enum heap_pointer (*find)(const void *pointer, size_t *usable);
    /** Adds what it holds to `stats`: frames, live blocks and bytes. Any context. */
    void (*read_stats)(struct heap_stats *stats);
};

extern const struct heap_allocator heap_bump, heap_bin, heap_slab;

/** Counts an allocation of `site` that failed for want of memory, and returns NULL. Any context. */
void *heap_failed(const struct alloc_site *site);
