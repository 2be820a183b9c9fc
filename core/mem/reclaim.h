/* SPDX-License-Identifier: MIT */
/*
 * reclaim.h: memory that caches hold only as long as nobody needs it more.
 *
 * Caches are asked by an allocation that finds nothing, and, before it comes to that, by a thread
 * that wakes when fewer frames are free than the lower watermark and asks up to the higher one.
 */
#pragma once

#include "lib/list.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A cache that can give memory back. The cache owns the structure. */
struct reclaimer {
    const char *name;
    /**
     * Gives back about `frames` frames, whatever it can spare, and returns how many it gave, or how
     * many it gave to another cache that may now give them (what is freed stays in the heap at
     * first). Called unmasked, without any spinlock, from any thread, also while the same cache is
     * being used by that thread further up, and by several threads at once: it must not wait for a
     * lock (try, and give nothing). Must not allocate.
     */
    size_t (*reclaim)(void *context, size_t frames);
    void *context;

    /* Guarded by reclaim.c's lock. */
    struct list link;
    unsigned users; /**< threads that are in its function */
    bool leaving;   /**< it is asked no more */
};

/** Readies the list. frame_init calls it. */
void reclaim_init(void);

/** Adds a cache to those that are asked, the last one first. Thread context or boot. */
void reclaim_register(struct reclaimer *reclaimer);

/**
 * Takes it off; when this returns nobody is in its function. The caller holds no lock that the
 * function tries. May sleep.
 */
void reclaim_unregister(struct reclaimer *reclaimer);

/**
 * Asks one cache after the other, until `frames` more frames are free; returns how many the caches
 * say they gave. Asks none where that is not allowed: masked, or with a spinlock held. Any context.
 */
size_t reclaim_frames(size_t frames);

/** Starts the thread, unless RAM is so small that its stack would matter. 0 or -ENOMEM. Boot. */
HAL_MUST_CHECK int reclaim_start(void);

/** Has the thread look at the watermarks, soon. Any context, with any lock. */
void reclaim_wake(void);

/** HAL_IRQ_IPI: wakes the thread if it is wanted. Masked, without any lock. */
void reclaim_interrupt(void);

/** frame.c's: free frames, and how many are missing up to the higher watermark. Any context. */
uint64_t frame_free_total(void);
uint64_t frame_shortage(void);
