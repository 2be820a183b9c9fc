/* SPDX-License-Identifier: MIT */
/*
 * backing.c: frames for the heap. They are taken for a request that has been asked whether it is to
 * fail, so they are not asked again.
 */
#include "heap/backing.h"

#include "site/site.h"
#include "mem/frame.h"

#include <hal/kstate.h>

static KSTATE struct backing_state {
    uint64_t frames;               /* atomic, as all of these */
    uint64_t blocks, block_frames; /* with pages of their own, in use */
} backing;

void *backing_take(size_t pages, unsigned align_order)
{
    void *run = frame_take_pages(pages, align_order, ALLOC_SITE_FOR(ALLOC_CACHE));

    if (run)
        __atomic_fetch_add(&backing.frames, pages, __ATOMIC_RELAXED);
    return run;
}

void backing_own(void *run, size_t pages, void *owner)
{
    struct frame *frame = frame_find(run);

    for (size_t i = 0; i < pages; i++)
        frame[i].owner = owner;
}

void backing_give(void *run)
{
    size_t pages = backing_pages(run);

    /* A pointer into what was the heap's is foreign from here on. */
    backing_own(run, pages, NULL);
    __atomic_fetch_sub(&backing.frames, pages, __ATOMIC_RELAXED);
    frame_put(run);
}

size_t backing_pages(const void *run)
{
    return frame_find(run)->pages;
}

/* ---- blocks with pages of their own ---- */

static void count_block(uint64_t blocks, uint64_t frames)
{
    __atomic_fetch_add(&backing.blocks, blocks, __ATOMIC_RELAXED);
    __atomic_fetch_add(&backing.block_frames, frames, __ATOMIC_RELAXED);
}

void *backing_take_block(size_t bytes, size_t alignment)
{
    size_t pages = bytes / HAL_PAGE_SIZE + (bytes % HAL_PAGE_SIZE > 0);
    void *block;

    if (pages > FRAME_PAGES_MAX)
        return NULL;
    block = backing_take(pages, frame_order(alignment));
    if (!block)
        return NULL;
    backing_own(block, pages, backing_mark(block, BACKING_BLOCK));
    count_block(1, pages);
    return block;
}

bool backing_give_block(void *pointer)
{
    if (backing_owner(pointer) != backing_mark(pointer, BACKING_BLOCK))
        return false;
    count_block(-1ull, -(uint64_t)backing_pages(pointer));
    backing_give(pointer);
    return true;
}

bool backing_spend_block(void *pointer)
{
    size_t pages;

    if (backing_owner(pointer) != backing_mark(pointer, BACKING_BLOCK))
        return false;
    pages = backing_pages(pointer);
    count_block(-1ull, -(uint64_t)pages);
    backing_own(pointer, pages, backing_mark(pointer, BACKING_SPENT));
    return true;
}

enum heap_pointer backing_find_block(const void *pointer, uintptr_t owner, size_t *usable)
{
    const void *start = backing_unmark(owner);

    *usable = backing_pages(start) * HAL_PAGE_SIZE;
    if (pointer != start)
        return HEAP_INTERIOR;
    return backing_mark_of(owner) == BACKING_BLOCK ? HEAP_BLOCK : HEAP_FREED;
}

void backing_read_stats(struct heap_stats *stats)
{
    stats->live_blocks += __atomic_load_n(&backing.blocks, __ATOMIC_RELAXED);
    stats->live_bytes += __atomic_load_n(&backing.block_frames, __ATOMIC_RELAXED) * HAL_PAGE_SIZE;
    stats->frames += __atomic_load_n(&backing.frames, __ATOMIC_RELAXED);
}
