/* SPDX-License-Identifier: MIT */
/*
 * backing.h: the page frames behind the heap, whichever allocator serves.
 *
 * An allocator writes a word of its own, the owner, into the entry of each page that it holds
 * (mem/frame_table.h). That is how it finds out, in constant time, what any pointer is.
 */
#pragma once

#include "heap/allocator.h"
#include "mem/frame_table.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * `pages` pages, 1 .. FRAME_PAGES_MAX, aligned to 2^align_order pages, with NULL as their owner; or
 * NULL. Caches are asked for memory first if the caller is unmasked and holds no spinlock. Any
 * context.
 */
HAL_MUST_CHECK void *backing_take(size_t pages, unsigned align_order);

/** Makes `owner` the owner of each of the `pages` pages at `run`. */
void backing_own(void *run, size_t pages, void *owner);

/** Gives back what backing_take returned. Any context. */
void backing_give(void *run);

/** How many pages the run that begins at `run` has. */
size_t backing_pages(const void *run);

/** The owner of the page that holds `pointer`, any value; NULL if that is none of the heap's. */
static inline void *backing_owner(const void *pointer)
{
    const struct frame *frame = frame_find(pointer);
    enum frame_state state;

    if (!frame)
        return NULL;
    state = frame_state(frame);
    return state == FRAME_USED || state == FRAME_INSIDE ? frame->owner : NULL;
}

/** As backing_owner, but any word without one of the marks below if the page is not in use. */
static inline uintptr_t backing_word(const void *pointer)
{
    uint64_t number = ((uintptr_t)pointer - (uintptr_t)frame_table.base) / HAL_PAGE_SIZE;

    return frame_known(number) ? (uintptr_t)frame_table.frames[number].owner : 0;
}

/*
 * Owner words: a pointer with a mark in the place of its upper 16 bits, which are copies of bit 47
 * on either machine: 0 in the simulator, 1 on the Pi. The links of free pages stand in the same
 * place, and never have one of these marks there.
 */
#define BACKING_MARK_SHIFT 48
#define BACKING_SLAB 0x5a00u  /* a page of a slab; with its header */
#define BACKING_BLOCK 0x5b00u /* a page of a block of its own; with the block's start */
#define BACKING_ARENA 0x5b01u /* bin.c */
#define BACKING_CHUNK 0x5b02u /* bump.c */
#define BACKING_SPENT 0x5b03u /* a block of its own that was freed, and stays */

static inline void *backing_mark(const void *pointer, unsigned mark)
{
    uintptr_t low = (uintptr_t)pointer & (((uintptr_t)1 << BACKING_MARK_SHIFT) - 1);

    return (void *)(low | (uintptr_t)mark << BACKING_MARK_SHIFT);
}

static inline unsigned backing_mark_of(uintptr_t owner)
{
    return (unsigned)(owner >> BACKING_MARK_SHIFT);
}

static inline void *backing_unmark(uintptr_t owner)
{
    return (void *)((intptr_t)(owner << (64 - BACKING_MARK_SHIFT)) >> (64 - BACKING_MARK_SHIFT));
}

/*
 * --- blocks that have pages of their own: too large for an allocator's usual way ---
 */

/** A block of `bytes` bytes, at least 1, aligned to `alignment`, a power of two; or NULL. */
HAL_MUST_CHECK void *backing_take_block(size_t bytes, size_t alignment);

/** Gives back such a block. False: `pointer`, any value, is not the start of one. */
HAL_MUST_CHECK bool backing_give_block(void *pointer);

/** The same, but its memory stays where it is, and find tells that it was freed. */
HAL_MUST_CHECK bool backing_spend_block(void *pointer);

/** What `pointer` is, whose page has `owner`, which has the mark of such a block. */
enum heap_pointer backing_find_block(const void *pointer, uintptr_t owner, size_t *usable);

/** Adds the blocks in use, and all frames of the heap. */
void backing_read_stats(struct heap_stats *stats);
