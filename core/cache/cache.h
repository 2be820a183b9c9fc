/* SPDX-License-Identifier: MIT */
/*
 * cache.h: the page cache: what files and devices hold, in pages of RAM, read once and written
 * back later.
 *
 * Whose pages they are is a cache object: a file or a block device, a line of pages of
 * HAL_PAGE_SIZE bytes, with operations that carry pages from and to its medium. Pages are found by
 * their number in their object.
 *
 * A page is clean (as on the medium), dirty (newer), or under way. Dirty pages go to the medium by
 * cache_sync, by the flusher thread (those of objects that became dirty 5 s ago; all, from the
 * oldest on, when more than a share of RAM is dirty), and by writers themselves when far too much
 * is dirty. Clean pages are given back when frames get scarce, those unused for longest first.
 *
 * Errors. A page whose write-back failed stays dirty and is tried again; the object counts the
 * error, and everybody who asks with a count of his own learns of it once (cache_error_since).
 *
 * Locks. Where a page is on the medium is asked before the page is locked (ops->map), so map may
 * take the file system's locks, and somebody who holds those may wait for pages. While a page is
 * locked only ops->read and ops->write run, which carry sectors and take no such lock:
 *
 *     file's lock  ->  file system's lock (taken by map)  ->  pages under way
 *
 * So cache_resize, cache_forget and cache_sync_held may be called with the file system's lock held;
 * what may have to map (cache_read, cache_write, cache_get, cache_sync, cache_object_finish) not.
 * Between asking and locking the object may be resized: then the answer is thrown away, and asked
 * for again.
 */
#pragma once

#include "cache/page/index.h"
#include "lib/list.h"
#include "sync/spinlock.h"
#include "sync/wait.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_RUN_PAGES 64u   /**< that are written at once, at most */
#define CACHE_FILL_PAGES 256u /**< that are read at once, at most; fewer where RAM is small */
#define CACHE_MAP_RUNS 16u
#define CACHE_DIRTY_AGE 5000000000u /**< ns after which dirty pages are written, usually */

struct cache_object;
struct cache_page;
struct block_device;

/** Sectors of HAL_SECTOR_SIZE bytes that follow each other on the medium. */
struct cache_run {
    uint64_t sector;
    uint32_t sectors;
};

/** Where pages that follow each other in an object are on its medium. */
struct cache_map {
    unsigned pages;                        /**< how many this tells of, >= 1 */
    unsigned count;                        /**< of the runs */
    struct cache_run runs[CACHE_MAP_RUNS]; /**< as they follow; what is missing behind is zero */
};

struct cache_ops {
    /**
     * Finds out where `n` pages from number `page` on are: fills `map` for 1 .. n of them. `held`:
     * the caller of the cache holds the file system's lock. May sleep. NULL: read and write know.
     */
    int (*map)(struct cache_object *object, uint64_t page, unsigned n, bool held,
               struct cache_map *map);

    /**
     * Fills `n` pages (`map` tells of n at least) from number `page` on, whose content lies in a
     * row at `data`; what the medium has not becomes zero. Returns 0, or an error, when the pages
     * are not used. May sleep; waits for no page and no file system.
     */
    int (*read)(struct cache_object *object, uint64_t page, unsigned n, uint8_t *data,
                const struct cache_map *map);

    /** Writes `n` pages. After a cut each sector is old or new. Needs no memory. As read. */
    int (*write)(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                 const struct cache_map *map);

    /**
     * Of an object without pages, which only wants to be called some time after cache_flush_later,
     * by the flusher. An error: again after a while. May sleep.
     */
    int (*flush)(struct cache_object *object);
};

/** In memory of whoever owns it. The fields are the cache's but for ops and context. */
struct cache_object {
    const struct cache_ops *ops;
    void *context;
    struct spinlock lock; /**< guards what follows */
    struct cache_index index;
    struct wait_queue waiters; /**< for pages that are locked */
    uint64_t size;             /**< bytes that the object has */
    uint64_t stored;           /**< bytes that the medium has; pages behind need not be read */
    uint32_t generation;       /**< how often it was resized: maps of before do not count */
    uint32_t errors;           /**< write-backs that failed */
    int error;                 /**< the latest one's */
    uint64_t stamp;            /**< counts passes of write-back, see writeback.c */
    uint64_t pages, unclean;   /**< how many there are; of these, dirty or being written */
    uint64_t latest;           /**< page that was used last */
    /** Pages that somebody who reads one after the other is about to want: up to wanted_end. */
    uint64_t wanted, wanted_end;

    /* Guarded by the flusher's lock, see writeback.c. */
    struct list link; /**< among the objects that have dirty pages */
    uint64_t due;     /**< when they are to be written */
    uint64_t delay;   /**< ns from a failure to the next attempt; 0: all is well */
    unsigned users;   /**< the flusher and others that are at it */
    bool finishing;
};

/** An empty object of `size` bytes. Any context. */
void cache_object_init(struct cache_object *object, const struct cache_ops *ops, void *context,
                       uint64_t size);

/**
 * Gives all pages back; dirty ones are lost. Nobody uses the object any more, but the flusher may
 * be at it, which is waited for. May sleep.
 */
void cache_object_finish(struct cache_object *object);

/**
 * Reads up to `n` bytes at `offset`, from pages or the medium: the count (0 at or past the end, and
 * short only there or before an error), -ENOMEM, or what ops->read returned. May sleep.
 */
HAL_MUST_CHECK int64_t cache_read(struct cache_object *object, uint64_t offset, void *data,
                                  size_t n);

/**
 * Changes bytes that the object has (it must be long enough already) in its pages, which are dirty
 * then. The count, which is short only before an error: -ENOMEM, what ops->read returned for the
 * rest of a page, or the error for which nothing can be written back while too much is dirty.
 * Writes back itself when too much is. `data` NULL: zeros. May sleep.
 */
HAL_MUST_CHECK int64_t cache_write(struct cache_object *object, uint64_t offset, const void *data,
                                   size_t n);

/**
 * The object has `size` bytes now. Pages past that are forgotten, dirty or not, and the rest of the
 * last one is zero, but not dirty. What is added reads as zeros until its pages are reclaimed: who
 * makes an object longer writes all that is new. Waits for pages under way. May sleep.
 */
void cache_resize(struct cache_object *object, uint64_t size);

/** Writes all pages that are dirty now, and waits. The first error. May sleep. */
HAL_MUST_CHECK int cache_sync(struct cache_object *object);

/** The same for those that hold any of the `n` bytes from `offset` on. */
HAL_MUST_CHECK int cache_sync_range(struct cache_object *object, uint64_t offset, uint64_t n);

/**
 * Has ops->flush called as long after this as dirty pages stay in memory, unless it is going to be
 * already. Any context that may take LOCK_RANK_DIRTY.
 */
void cache_flush_later(struct cache_object *object);

/** As cache_sync_range, for a caller that holds the file system's lock. */
HAL_MUST_CHECK int cache_sync_held(struct cache_object *object, uint64_t offset, uint64_t n);

/** Forgets clean pages that hold any of this range: they will be read again. May sleep. */
void cache_forget(struct cache_object *object, uint64_t offset, uint64_t n);

/**
 * Has what of this range is not there yet read by another thread; errors do not matter, and when
 * there is much to do it is not done. Any context that may take LOCK_RANK_WAIT.
 */
void cache_prefetch(struct cache_object *object, uint64_t offset, uint64_t n);

/**
 * Read-ahead for somebody who reads: to be called with what he is about to read. *ahead and *window
 * are his, zero at first: up to which byte has been asked for, and how many pages at once. As long
 * as each read begins where what was asked for lies, the window doubles, and the next part is asked
 * for when half of it has been used. If the reader comes to it before the thread, he reads all of
 * it himself, at once.
 */
void cache_read_ahead(struct cache_object *object, uint64_t *ahead, uint32_t *window,
                      uint64_t offset, size_t n);

/** True if any page is dirty or being written. Any context that may take LOCK_RANK_WAIT. */
bool cache_is_unclean(struct cache_object *object);

/** How many write-backs have failed: what a new reader of errors begins with. Context as above. */
uint32_t cache_errors(struct cache_object *object);

/** 0, or the latest error if there was one since *seen was set here; sets it. Context as above. */
HAL_MUST_CHECK int cache_error_since(struct cache_object *object, uint32_t *seen);

/**
 * One page of an object, for who maps it: kept until cache_put, even if the object forgets it.
 * -ENOMEM, -EINVAL: past the end, or as ops->read. May sleep.
 */
HAL_MUST_CHECK int cache_get(struct cache_object *object, uint64_t number,
                             struct cache_page **page);
void cache_put(struct cache_page *page);

/** As cache_get; if the page has to be read, up to `n` pages from it on are read at once. */
HAL_MUST_CHECK int cache_get_ahead(struct cache_object *object, uint64_t number, unsigned n,
                                   struct cache_page **page);

/** Keeps a page that is kept already once more. Any context that may take LOCK_RANK_WAIT. */
void cache_hold(struct cache_page *page);

/** Its content: HAL_PAGE_SIZE bytes. */
void *cache_page_data(struct cache_page *page);

/** Its content has been changed by who holds it. May sleep (dirty limit). */
void cache_page_dirty(struct cache_page *page);

/** As cache_page_dirty, whatever the dirty limit. Any context that may take LOCK_RANK_WAIT. */
void cache_page_dirty_now(struct cache_page *page);

struct cache_stats {
    uint64_t pages, dirty, writing;      /**< now; the dirty ones without those being written */
    uint64_t hits, misses, read_ahead;   /**< pages, since power-on */
    uint64_t written, reclaimed, errors; /**< likewise */
    uint64_t dirty_limit, throttled;     /**< pages; how often a writer had to write itself */
};

/** Any context. */
void cache_read_stats(struct cache_stats *stats);

/** The operations of an object whose pages are the sectors of a block device, its context. */
extern const struct cache_ops cache_device_ops;

/**
 * Reads or writes the pages of a map that tells of sectors of `device`: what file systems do in
 * ops->read and ops->write. What the map does not tell of is read as zeros, and not written.
 */
HAL_MUST_CHECK int cache_read_sectors(const struct block_device *device,
                                      const struct cache_map *map, unsigned n, uint8_t *data);
HAL_MUST_CHECK int cache_write_sectors(const struct block_device *device,
                                       const struct cache_map *map, unsigned n, void *const *pages);

/**
 * From now on dirty pages are written after `age` ns instead of CACHE_DIRTY_AGE; HAL_TIME_NEVER:
 * only by cache_sync, or when too much is dirty. Boot, after cache_init.
 */
void cache_set_dirty_age(uint64_t age);

/** Readies the cache and makes it known to reclaim. Boot, with memory and threads. */
void cache_init(void);

/** Starts the flusher and the thread that reads ahead. 0 or -ENOMEM. Boot. */
HAL_MUST_CHECK int cache_start(void);
