/* SPDX-License-Identifier: MIT */
/*
 * cache.h: caches of objects of one kind, which keep their constructed state between uses.
 *
 * An object is constructed when memory for it is first set up, not each time it is allocated: what
 * the constructor set (a lock that is free, a list that is empty) must be so again when the object
 * is given back. With another allocator than slab, or with checks on, where freed memory is
 * poisoned, the constructor runs for each allocation instead.
 */
#pragma once

#include "site/site.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object_cache;

/**
 * A cache of objects of `bytes` bytes aligned to `alignment` (0: HEAP_ALIGNMENT), or NULL. `name`
 * must stay. `construct` may be NULL; it must not allocate or sleep. Thread context or boot.
 */
#define object_cache_create(name, bytes, alignment, construct) \
    object_cache_create_at(name, bytes, alignment, construct, ALLOC_SITE())

/** Gives the cache back. All its objects must have been. Thread context. */
void object_cache_destroy(struct object_cache *cache);

/** An object, constructed; or NULL. Any context that may take a spinlock. */
#define object_allocate(cache) object_allocate_at(cache, ALLOC_SITE())

/** Gives an object back, constructed. NULL is allowed. A wrong pointer is a panic. Any context. */
#define object_free(cache, object) object_free_at(cache, object, __FILE__, __LINE__)

HAL_MUST_CHECK struct object_cache *object_cache_create_at(const char *name, size_t bytes,
                                                           size_t alignment,
                                                           void (*construct)(void *object),
                                                           const struct alloc_site *site);
HAL_MUST_CHECK void *object_allocate_at(struct object_cache *cache, const struct alloc_site *site);
void object_free_at(struct object_cache *cache, void *object, const char *file, unsigned line);

/** What `slabs` shows of a cache, kmalloc's size classes included. */
struct object_cache_info {
    const char *name;
    size_t bytes;       /**< of an object, as it is laid out */
    uint64_t live;      /**< objects in use */
    uint64_t total;     /**< objects that the slabs have room for */
    uint64_t magazines; /**< free objects on the CPUs' stacks and in their magazines */
    uint64_t slabs;
    uint64_t frames;      /**< of all slabs together; slabs of one cache may differ */
    uint64_t allocations; /**< since boot */
};

/** Cache number `index` from 0 on: 0, or -ENOENT. Any context. */
HAL_MUST_CHECK int object_cache_read_info(unsigned index, struct object_cache_info *info);
