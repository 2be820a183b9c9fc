/* SPDX-License-Identifier: MIT */
/*
 * parts.h: what the parts of the slab allocator tell each other.
 *
 *     class.c    the sizes of kmalloc, runs of pages, heap_slab
 *     cache.c    caches of objects of one kind, with constructors
 *     magazine.c the CPUs' free objects: filling, flushing, lending
 *     trim.c     giving memory back
 *     slab.c     slabs: making them, taking objects and putting them back
 *
 * Each calls only what stands further down.
 */
#pragma once

#include "heap/slab.h"

/* --- slab.c --- */

/** What headers of slabs with few and with many objects take. */
#define SLAB_HEADER_SMALL 64u
#define SLAB_HEADER_LARGE 128u

#define SLAB_ROOM_MAX 64u /* for objects in a magazine */

/** The magazine of caches that have none: empty, and full. */
extern struct magazine slab_no_magazine;

/** Caches for what the slab allocator itself needs: headers and magazines. They have no magazines.
 */
#define SLAB_OWN_CACHES 4u
extern struct object_cache slab_own_caches[SLAB_OWN_CACHES];

/**
 * Readies a cache of objects of `bytes` bytes, 1 .. SLAB_BYTES_MAX, at multiples of `align`, a
 * power of two up to a page, that divides them. It has no magazines before its `room` is set.
 */
void slab_cache_init(struct object_cache *cache, size_t bytes, size_t align,
                     void (*construct)(void *object));

/** Readies slab_own_caches. Boot only. */
void slab_own_init(void);

/** Memory for what the slab allocator itself needs, of one of the sizes above; or NULL. */
HAL_MUST_CHECK void *slab_own_take(size_t bytes);
void slab_own_give(void *object);

/** Adds a slab to `cache`. False: out of memory. Caller holds no spinlock of the heap. */
HAL_MUST_CHECK bool slab_grow(struct object_cache *cache);

/** The slab that holds `object`, which is in use, of any cache but the own ones. */
static inline struct slab *slab_of(const void *object)
{
    return backing_unmark(backing_word(object));
}

/** Takes up to `n` objects; returns how many. Caller holds the cache's lock. */
size_t slab_take_objects(struct object_cache *cache, void **objects, size_t n);

/**
 * Puts an object back into `slab`, which goes on the list `gone` if it is to be given up. False:
 * the object is there already. Caller holds the cache's lock.
 */
HAL_MUST_CHECK bool slab_put_object(struct slab *slab, void *object, struct list *gone);

/** Moves the empty slabs to the list `gone`. Caller holds the cache's lock. */
void slab_give_up(struct object_cache *cache, struct list *gone);

/** Frees the slabs on the list, and returns how many frames they had. Caller holds no lock. */
size_t slab_destroy_list(struct list *gone);

/** Objects in use or in magazines. With the checks on, a cache is counted without its lock. */
static inline uint64_t slab_used(const struct object_cache *cache)
{
    return __atomic_load_n(&cache->used, __ATOMIC_RELAXED);
}

/* --- magazine.c --- */

/** How many objects of `bytes` bytes a magazine has room for: a power of two. */
unsigned slab_room(size_t bytes);

/** Empties this CPU's magazine of `cache` and gives up its room; returns frames that became free.
 */
size_t slab_drop_magazine(struct object_cache *cache);

/** Gives up the magazines of all CPUs. Nobody uses the cache any more. */
void slab_take_over(struct object_cache *cache);

/** True if `object` lies in this CPU's magazine of `cache`. */
bool slab_in_magazine(const struct object_cache *cache, const void *object);

/** Objects in the magazines of all CPUs, and their bytes. Caller holds the cache's lock. */
uint64_t slab_magazine_objects(const struct object_cache *cache);
uint64_t slab_magazine_bytes(const struct object_cache *cache);

/** Allocations from the magazines of all CPUs, and past them. */
uint64_t slab_served(const struct object_cache *cache);

/* --- trim.c --- */

/** The list of caches: index 0 .. are the classes, then the own ones, then the named ones. */
void slab_list_init(void);
void slab_list_add(struct object_cache *cache);
void slab_list_remove(struct object_cache *cache);

/** Calls look(cache, context) for cache number `index`. False: there is none. */
bool slab_list_look(unsigned index, void (*look)(struct object_cache *cache, void *context),
                    void *context);

/** Empties what can be emptied of a cache: this CPU's magazine, and slabs without objects. */
size_t slab_trim(struct object_cache *cache);
