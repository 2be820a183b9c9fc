/* SPDX-License-Identifier: MIT */
/*
 * inspect.c: what each frame of RAM is, for those who look at the kernel from outside.
 *
 * Reads the table of frames without its lock: a run that is being split or joined at the moment may
 * be told wrong, but nothing outside of the table is looked at, and nothing is followed: the frames
 * of a run are known from the entry at its start, which is at most a block away.
 */
#include "mem/frame_table.h"

#include "site/site.h"

#include <hal/inspect.h>

/* A frame of a table that ends at `end`, without an entry. */
static uint8_t without_entry(uint64_t number, uint64_t end)
{
    uint64_t home = __atomic_load_n(&frame_table.home, __ATOMIC_RELAXED);

    if (number - home < __atomic_load_n(&frame_table.home_pages, __ATOMIC_RELAXED))
        return HAL_FRAME_KERNEL;
    if (number < end && __atomic_load_n(&frame_table.blocks[number / FRAME_BLOCK_PAGES],
                                        __ATOMIC_RELAXED) == FRAME_BLOCK_UNTOUCHED)
        return HAL_FRAME_UNTOUCHED;
    return HAL_FRAME_NONE;
}

static uint8_t tag_of(const struct frame *head)
{
    unsigned site = __atomic_load_n(&head->site, __ATOMIC_RELAXED); /* once: it may change */

    if (site >= alloc_site_total())
        return HAL_FRAME_TAGS;
    return (uint8_t)(HAL_FRAME_TAGS + alloc_site_tag(alloc_site_at(site)));
}

/* A frame with an entry, in the run that begins at `head`. */
static uint8_t with_entry(const struct frame *frame, const struct frame *head)
{
    uint16_t pages = __atomic_load_n(&head->pages, __ATOMIC_RELAXED);
    bool inside = frame == head ||
                  (frame_state(frame) == FRAME_INSIDE && frame > head && frame - head < pages);

    switch (inside ? frame_state(head) : frame_state(frame)) {
    case FRAME_USED:
        return tag_of(head);
    case FRAME_TABLE:
        return HAL_FRAME_KERNEL;
    case FRAME_ABSENT:
        return HAL_FRAME_NONE;
    default:
        return __atomic_load_n(&frame->touched, __ATOMIC_RELAXED) ? HAL_FRAME_FREE
                                                                  : HAL_FRAME_UNTOUCHED;
    }
}

/* The start of the run of frame `number`, or the start of its block if there is none before it. */
static const struct frame *find_head(uint64_t number)
{
    const struct frame *frame = &frame_table.frames[number];

    while (number % FRAME_BLOCK_PAGES && frame_state(frame) == FRAME_INSIDE) {
        frame--;
        number--;
    }
    return frame;
}

void hal_inspect_frames(uint64_t first, uint8_t *frames, size_t n)
{
    uint64_t end = __atomic_load_n(&frame_table.end, __ATOMIC_ACQUIRE);
    const struct frame *head = NULL;

    for (size_t i = 0; i < n; i++) {
        uint64_t number = first + i;

        if (number < first || number >= end || !frame_known(number)) {
            frames[i] = without_entry(number, end);
            head = NULL;
            continue;
        }
        if (!head || number % FRAME_BLOCK_PAGES == 0)
            head = find_head(number);
        else if (frame_state(&frame_table.frames[number]) != FRAME_INSIDE)
            head = &frame_table.frames[number];
        frames[i] = with_entry(&frame_table.frames[number], head);
    }
}
