/* SPDX-License-Identifier: MIT */
/*
 * backing.c: frames for the heap. They are taken for a request that has been asked whether it is to
 * fail, so they are not asked again.
 */
#include "heap/backing.h"

#include "heap/site.h"
#include "mem/frame.h"

#include <hal/kstate.h>

static KSTATE struct backing_state {
    uint64_t frames; /* atomic */
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

uint64_t backing_frames(void)
{
    return __atomic_load_n(&backing.frames, __ATOMIC_RELAXED);
}
