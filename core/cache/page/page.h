/* SPDX-License-Identifier: MIT */
/*
 * page.h: pages, and what the files of the cache have in common.
 *
 * Life of a page:
 *
 *     (none) -- fill --> READING --> IDLE, clean <--> CHANGING --> IDLE, dirty --> WRITING
 *                                      |                              ^    failed     |
 *                              reclaim, resize, forget                +---------------+--> clean
 *
 * A page that is not IDLE is locked by the thread that made it so; all others wait, but for readers
 * of a page that is being written. Readers are counted, and copy without any lock; who wants to
 * change the page waits for them, and new ones let him go first.
 */
#pragma once

#include "cache/cache.h"

#include <hal/machine.h>

enum cache_state { CACHE_IDLE, CACHE_READING, CACHE_CHANGING, CACHE_WRITING };

struct cache_page {
    /* Constant. */
    struct cache_object *object;
    uint64_t number;
    void *data;

    /* Guarded by the object's lock. */
    enum cache_state state;
    bool dirty;
    bool gone;        /* the object has forgotten it */
    bool held;        /* it was held then, so whoever does that last frees it */
    bool loose;       /* and it is on no list any more, so that he may */
    uint8_t touches;  /* how often it was used, up to two */
    uint32_t readers; /* that copy from it */
    uint32_t wanting; /* threads that wait to change it */
    uint32_t holds;   /* those of cache_get, and of threads that wait to change it */
    uint64_t stamp;   /* the object's when it became dirty */

    /* Guarded by the lock of the lists, in lru.c. */
    struct list link;
    bool active;

    struct cache_page *next; /* of those that are about to be freed */
};

/** Counts of all objects. Atomic. */
struct cache_counts {
    uint64_t pages, dirty, writing, hits, misses, ahead, written, reclaimed, errors, throttled;
};
extern struct cache_counts cache_counts;

static inline void cache_count(uint64_t *count, int64_t n)
{
    __atomic_fetch_add(count, (uint64_t)n, __ATOMIC_RELAXED);
}

static inline uint64_t cache_counted(const uint64_t *count)
{
    return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/* --- page.c: caller holds the object's lock, but where it says otherwise --- */

/**
 * Up to *n >= 1 frames in a row, each of which goes by itself, so that who maps pages that follow
 * each other finds them so in RAM; *n: how many. NULL: none. Without the lock.
 */
uint8_t *cache_frames(unsigned *n);

/** A page for `number` with this frame, which is its own now; or NULL. Without the lock. */
struct cache_page *cache_page_create(struct cache_object *object, uint64_t number, void *frame);

/** Frees a page that is on no list and in no object. Without the lock. */
void cache_page_free(struct cache_page *page);

/** Waits until the page may have changed its state, or be gone. Drops the lock meanwhile. */
void cache_page_wait(struct cache_object *object);

/** Wakes those who wait. */
void cache_page_wake(struct cache_object *object);

/** Notes that the page is used, from byte `within` on. */
void cache_page_touch(struct cache_page *page, size_t within);

/** Makes it dirty. */
void cache_page_soil(struct cache_page *page);

/** Takes the page, which nobody reads or writes, out of its object, dirty or not, and chains it. */
void cache_page_detach(struct cache_page *page, struct cache_page **chain);

/** Frees the pages of a chain of detached ones, unless somebody holds them. Without the lock. */
void cache_page_drop(struct cache_page *chain);

/** One hold less. True: the caller, when it has released the lock, frees the page. */
HAL_MUST_CHECK bool cache_page_unhold(struct cache_page *page);

/** True if nobody uses the page, so that it can go. */
static inline bool cache_page_unused(const struct cache_page *page)
{
    return page->state == CACHE_IDLE && page->readers == 0 && page->wanting == 0;
}

/* --- fill.c: without the lock --- */

void cache_fill_init(void);

/** How many pages are read at once, at most: CACHE_FILL_PAGES, or less where RAM is small. */
unsigned cache_fill_most(void);

/**
 * Reads up to `n` absent pages from `number` on, and more if somebody is about to want them; or
 * makes them zero where the medium has none. With `kept` the first one has a reader more, the
 * caller. -EAGAIN: somebody was faster.
 */
HAL_MUST_CHECK int cache_fill(struct cache_object *object, uint64_t number, unsigned n,
                              struct cache_page **kept);

/**
 * Enters up to *n pages, at most CACHE_FILL_PAGES, from `number` on as CHANGING, their content
 * undefined; *n: how many. -EAGAIN as above; -ENOMEM.
 */
HAL_MUST_CHECK int cache_fill_blank(struct cache_object *object, uint64_t number, unsigned *n,
                                    struct cache_page **pages);

/* --- lru.c --- */

void cache_lru_init(void);
void cache_lru_add(struct cache_page *const *pages, unsigned n);

/** Takes the pages of a chain off the lists. */
void cache_lru_remove(struct cache_page *pages);

/** Gives up to `pages` clean pages back; how many. */
size_t cache_lru_reclaim(size_t pages);

/* --- writeback.c --- */

void cache_writeback_init(void);

/** The object has its first dirty page, or its last one is clean. Caller holds its lock. */
void cache_writeback_begin(struct cache_object *object);
void cache_writeback_end(struct cache_object *object);

/**
 * Has the flusher look whether too much is dirty. With `pressure` some are written in any case:
 * frames are scarce, and dirty pages were in the way. Any context that may take LOCK_RANK_DIRTY.
 */
void cache_writeback_kick(bool pressure);

/** Writes some dirty pages of all objects back, the oldest first: how many. Without locks. */
size_t cache_writeback_some(void);

/** As long as too much is dirty, writes back. 0, or why nothing of `object` can be. */
HAL_MUST_CHECK int cache_throttle(struct cache_object *object);

/** How many pages may become dirty before there are too many; 1 at least. */
unsigned cache_dirty_room(void);

/** Keeps `object` from being finished; ends that. False: it is being finished. */
HAL_MUST_CHECK bool cache_use(struct cache_object *object);
void cache_unuse(struct cache_object *object);

/** Waits until nobody is at the object any more. */
void cache_await_users(struct cache_object *object);

/** Does what is due: the flusher's work. When it has to look again. */
uint64_t cache_writeback_run(void);

/* --- ahead.c --- */

void cache_ahead_init(void);

/** Reads what was asked for, if anything: the work of its thread. */
HAL_MUST_CHECK bool cache_ahead_step(void);

/** Forgets what was asked for of this object. */
void cache_ahead_cancel(struct cache_object *object);

HAL_MUST_CHECK int cache_ahead_start(void);
HAL_MUST_CHECK int cache_writeback_start(void);
