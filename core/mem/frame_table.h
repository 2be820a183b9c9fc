/* SPDX-License-Identifier: MIT */
/*
 * frame_table.h: a word about each page frame, for the frame allocator and the heap only.
 *
 * The table has 16 bytes for each frame from 0 to the end of RAM, in RAM of its own. It is made
 * ready by blocks of 2 MiB of RAM, when the first frame of a block is handed out, so that a machine
 * boots without touching the whole table: frame_find looks whether the block is ready.
 *
 * The second half is the buddy allocator, which works on nothing but this table: see buddy.c.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/kstate.h>
#include <hal/machine.h>

#include <stdbool.h>
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

/*
 * Who may write an entry: the frame lock's holder while the run is free, the CPU in whose cache it
 * is while it is CACHED, and its user while it is in use. `state` alone is read by others (is my
 * buddy free?), so it is read and written as one atomic byte. Who only looks on (inspect.c) reads
 * `pages`, `site` and `touched` as well, so they are written by the functions below.
 */
struct frame {
    union {
        struct {
            uint32_t next, prev; /* FREE: neighbours on the list of free runs, by number */
        };
        void *owner; /* else: any word of the user's, for each page of a run; NULL at first, and
                        again when the run is free */
    };
    uint16_t pages; /* of the run that begins here */
    uint16_t references;
    uint16_t site;   /* number of the site that asked for the run */
    uint8_t state;   /* enum frame_state */
    uint8_t touched; /* the machine knows that this frame is used */
};

enum frame_block {
    FRAME_BLOCK_CLOSED,    /* nothing of ours, but for the table itself perhaps: no entries */
    FRAME_BLOCK_UNTOUCHED, /* all free, never used: no entries yet */
    FRAME_BLOCK_READY      /* its frames have valid entries */
};

struct frame_table {
    uint8_t *base;                    /* the kernel's pointer to frame 0 */
    struct frame *frames;             /* frames[number] */
    uint64_t end;                     /* the first number behind all RAM */
    uint64_t home;                    /* the first of the frames that hold the table */
    uint64_t home_pages;              /* and how many they are */
    uint8_t blocks[FRAME_BLOCKS_MAX]; /* enum frame_block */
};

extern HAL_INTERNAL struct frame_table frame_table;

/** True if frame number `number`, any value, has a valid entry. */
static inline bool frame_known(uint64_t number)
{
    return number < FRAME_BLOCKS_MAX * FRAME_BLOCK_PAGES &&
           __atomic_load_n(&frame_table.blocks[number / FRAME_BLOCK_PAGES], __ATOMIC_ACQUIRE) ==
               FRAME_BLOCK_READY;
}

/** The entry of the frame that holds `pointer`, any value; NULL if nothing is known about it. */
static inline struct frame *frame_find(const void *pointer)
{
    uint64_t number = ((uintptr_t)pointer - (uintptr_t)frame_table.base) / HAL_PAGE_SIZE;

    return frame_known(number) ? &frame_table.frames[number] : NULL;
}

static inline uint64_t frame_number(const struct frame *frame)
{
    return (uint64_t)(frame - frame_table.frames);
}

static inline void *frame_pointer(uint64_t number)
{
    return frame_table.base + number * HAL_PAGE_SIZE;
}

static inline enum frame_state frame_state(const struct frame *frame)
{
    return (enum frame_state)__atomic_load_n(&frame->state, __ATOMIC_RELAXED);
}

static inline void frame_set_state(struct frame *frame, enum frame_state state)
{
    __atomic_store_n(&frame->state, (uint8_t)state, __ATOMIC_RELEASE);
}

static inline size_t frame_pages(const struct frame *frame)
{
    return __atomic_load_n(&frame->pages, __ATOMIC_RELAXED);
}

static inline void frame_set_pages(struct frame *frame, size_t pages)
{
    __atomic_store_n(&frame->pages, (uint16_t)pages, __ATOMIC_RELAXED);
}

static inline void frame_set_site(struct frame *frame, unsigned site)
{
    __atomic_store_n(&frame->site, (uint16_t)site, __ATOMIC_RELAXED);
}

static inline void frame_set_touched(struct frame *frame)
{
    __atomic_store_n(&frame->touched, true, __ATOMIC_RELAXED);
}

/*
 * --- buddy.c, for frame.c: the free runs. The caller holds the frame lock, or is alone at boot ---
 */

#define BUDDY_NONE UINT64_MAX

struct memory_map;

/** Makes the table and fills it with the free runs of `map`. 0, or -ENOMEM: no room for it. */
HAL_MUST_CHECK int buddy_init(const struct memory_map *map);

/**
 * The number of a run of `pages` frames, 1 .. 512, at a multiple of 2^align_order, in state INSIDE;
 * or BUDDY_NONE.
 */
uint64_t buddy_take(size_t pages, unsigned align_order);

/** Gives back `pages` frames from `first` on, all part of one run or of several. */
void buddy_give(uint64_t first, size_t pages);

/** Frames under management, and free ones. Also without the lock. */
uint64_t buddy_total(void);
uint64_t buddy_free(void);

/** Free runs of 2^order frames. */
uint64_t buddy_free_runs(unsigned order);
