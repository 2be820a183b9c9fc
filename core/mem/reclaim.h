/* SPDX-License-Identifier: MIT */
/*
 * reclaim.h: memory that caches hold only as long as nobody needs it more.
 */
#pragma once

#include "lib/list.h"

#include <stddef.h>

/** A cache that can give memory back. The cache owns the structure. */
struct reclaimer {
    const char *name;
    /**
     * Gives back about `frames` frames, whatever it can spare, and returns how many it gave. Called
     * unmasked, without any spinlock, from any thread, also while the same cache is being used by
     * that thread further up: it must not wait for a lock (try, and give nothing). Must not
     * allocate.
     */
    size_t (*reclaim)(void *context, size_t frames);
    void *context;
    struct list link; /**< guarded by reclaim.c */
};

/** Adds a cache to those that are asked, the last one first. Thread context or boot. */
void reclaim_register(struct reclaimer *reclaimer);

/** Takes it off; when this returns nobody is in its function. Thread context. */
void reclaim_unregister(struct reclaimer *reclaimer);

/**
 * Asks the caches for `frames` frames; returns how many came. Gives nothing where it may not ask:
 * masked, or with a spinlock held. Any context.
 */
size_t reclaim_frames(size_t frames);
