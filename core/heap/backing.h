/* SPDX-License-Identifier: MIT */
/*
 * backing.h: the page frames behind the heap, whichever allocator serves.
 *
 * An allocator writes a word of its own, the owner, into the entry of each page that it holds
 * (mem/frame_table.h). That is how it finds out, in constant time, what any pointer is.
 */
#pragma once

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

/** How many frames the heap holds. Any context. */
uint64_t backing_frames(void);

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
