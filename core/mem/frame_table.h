/* SPDX-License-Identifier: MIT */
/*
 * frame_table.h: a word about each page frame, for the frame allocator and the heap only.
 *
 * The table has 16 bytes for each frame from 0 to the end of RAM, in RAM of its own. It is made
 * ready by blocks of 2 MiB of RAM, when the first frame of a block is handed out, so that a machine
 * boots without touching the whole table: frame_find looks whether the block is ready.
 */
#pragma once

#include <hal/kstate.h>
#include <hal/machine.h>

#include <stddef.h>
#include <stdint.h>

#define FRAME_BLOCK_PAGES 512u                     /* of a block */
#define FRAME_BLOCKS_MAX ((1u << 30) / (2u << 20)) /* 1 GiB: all RAM that a Pi 3 has */

enum frame_state {
    FRAME_ABSENT, /* no RAM, or not ours */
    FRAME_FREE,   /* a free run begins here */
    FRAME_INSIDE, /* inside a run, free or in use */
    FRAME_CACHED, /* free, in a CPU's cache */
    FRAME_USED,   /* a run in use begins here */
    FRAME_TABLE   /* holds the table itself */
};

struct frame {
    union {
        struct {
            uint32_t next, prev; /* free: neighbours on the list of free runs, by number */
        };
        void *owner; /* in use: any word of who asked for it, set for each page of a run; NULL at
                        first */
    };
    uint16_t pages; /* of the run that begins here */
    uint16_t references;
    uint16_t site; /* number of the site that asked for the run */
    uint8_t state; /* enum frame_state */
    uint8_t touched;
};

struct frame_table {
    uint8_t *base;                   /* the kernel's pointer to frame 0 */
    struct frame *frames;            /* frames[number] */
    uint64_t end;                    /* the first number behind all RAM */
    uint8_t ready[FRAME_BLOCKS_MAX]; /* the frames of this block have valid entries */
};

extern struct frame_table frame_table;

/** The entry of the frame that holds `pointer`, any value; NULL if nothing is known about it. */
static inline struct frame *frame_find(const void *pointer)
{
    uint64_t number = ((uintptr_t)pointer - (uintptr_t)frame_table.base) / HAL_PAGE_SIZE;

    if (number >= frame_table.end || !frame_table.ready[number / FRAME_BLOCK_PAGES])
        return NULL;
    return &frame_table.frames[number];
}
