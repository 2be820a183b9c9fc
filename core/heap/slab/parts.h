/* SPDX-License-Identifier: MIT */
/*
 * parts.h: what the parts of the slab allocator tell each other.
 *
 *     class.c    the sizes of kmalloc, runs of pages, heap_slab
 *     cache.c    caches of objects of one kind, with constructors
 *     trim.c     the list of caches, giving memory back
 *     magazine.c taking objects and giving them back: loading slabs, lending, other CPUs' objects
 *     slab.c     slabs and stores: making them, sorting them by how full they are
 *
 * Each calls only what stands further down. "Caller owns the store" says that it is masked and the
 * store is its CPU's, or that it holds the cache's lock and the store is the shared one, or that
 * nobody else uses the cache.
 */
#pragma once

#include "heap/slab/quick.h"

/* --- slab.c --- */

/** What headers of slabs with up to 64 and with up to 256 objects take. */
#define SLAB_HEADER_SMALL 64u
#define SLAB_HEADER_LARGE 128u

/** A stack, with NULL at its bottom. */
#define SLAB_STACK_MAX 31u
#define SLAB_STACK_BYTES (sizeof(void *) * (SLAB_STACK_MAX + 1))

/** Caches for headers and stacks. All that they have is in their shared stores. */
#define SLAB_OWN_CACHES 3u
extern struct object_cache slab_own_caches[SLAB_OWN_CACHES];

/**
 * Readies a cache of objects of `bytes` bytes, 1 .. SLAB_BYTES_MAX, at multiples of `align`, a
 * power of two up to a page, that divides them. It has no stores of CPUs.
 */
void slab_cache_init(struct object_cache *cache, size_t bytes, size_t align,
                     void (*construct)(void *object));

/** Makes `store`, of any content, the cache's store of `cpu`. */
void slab_store_init(struct object_cache *cache, struct slab_store *store, unsigned cpu);

/** Readies slab_own_caches. Boot only. */
void slab_own_init(void);

/** Memory for what the slab allocator itself needs, of one of the sizes above; or NULL. */
HAL_MUST_CHECK void *slab_own_take(size_t bytes);
void slab_own_give(void *object);

/** Adds a slab to this CPU's store of `cache`, or to the shared one if there is none. False: out
 * of memory. Caller holds no spinlock of the heap. */
HAL_MUST_CHECK bool slab_grow(struct object_cache *cache);

/** Words of bits that a slab has. */
static inline unsigned slab_words(const struct slab *slab)
{
    return (slab->objects + 63u) / 64;
}

/** Which object of the slab begins at `pointer`, which lies in its pages, or UINT32_MAX. */
static inline uint32_t slab_find_index(const struct slab *slab, const void *pointer)
{
    uint32_t index = slab_index((uint64_t)((uintptr_t)pointer - (uintptr_t)slab->start),
                                slab_cache(slab)->reciprocal);

    return index < slab->objects ? index : UINT32_MAX;
}

/** The bits of word `word` of objects that are free. */
static inline uint64_t slab_free_bits(const struct slab *slab, unsigned word)
{
    unsigned rest = slab->objects - word * 64;

    return ~slab->busy[word] & (rest < 64 ? (1ull << rest) - 1 : UINT64_MAX);
}

/** The bits of the objects that other CPUs have freed. */
static inline uint64_t *slab_returned(struct slab *slab)
{
    return (uint64_t *)slab - slab_words(slab);
}

static inline unsigned slab_count_bits(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555;
    bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned)(bits * 0x0101010101010101 >> 56);
}

/** Objects of the slab that are in use or in a magazine. Caller owns its store. */
static inline unsigned slab_used(const struct slab *slab)
{
    return (unsigned)(slab->left + slab->floor);
}

/** Notes at how many used objects it is to be settled. Caller owns its store. */
static inline void slab_set_floor(struct slab *slab, int floor)
{
    slab->left = (int16_t)((int)slab_used(slab) - floor);
    slab->floor = (int16_t)floor;
}

/** `n` more objects of the slab are used; or with a negative n, fewer. Caller owns its store. */
static inline void slab_add_used(struct slab *slab, int n)
{
    slab->left = (int16_t)(slab->left + n);
    slab->store->used += (uint64_t)(int64_t)n;
}

/** The slab to take from next: the fullest that has room, or NULL. Caller owns the store. */
struct slab *slab_best(struct slab_store *store);

/** A slab with any room, though it waits for more; or NULL. Caller owns the store. */
struct slab *slab_scrape(struct slab_store *store);

/**
 * Puts a slab that is not loaded on the list that fits how full it is, or on `gone` if it is empty
 * and to be given up. Caller owns its store.
 */
void slab_settle(struct slab *slab, struct list *gone);

/** Takes a slab that is not loaded off its list and into another store of its cache, on none of its
 * lists. Caller owns both. */
void slab_move(struct slab *slab, struct slab_store *to);

/** An object, past the magazine, or NULL. Caller owns the store. */
HAL_MUST_CHECK void *slab_take_one(struct slab_store *store);

/**
 * Gives an object back; the slab may come to be settled. False: no object in use begins there.
 * Caller owns the slab's store.
 */
HAL_MUST_CHECK bool slab_give_one(struct slab *slab, const void *object, struct list *gone);

/** Moves the empty slabs to the list `gone`. Caller owns the store. */
void slab_give_up(struct slab_store *store, struct list *gone);

/** Frees the slabs on the list, and returns how many frames they had. Caller holds no lock. */
size_t slab_destroy_list(struct list *gone);

/* --- magazine.c --- */

/** As slab_take, aligned as the cache's own objects are. */
HAL_MUST_CHECK void *slab_take_own(struct object_cache *cache);

/** Empties the magazine, and collects what other CPUs have freed. Caller owns the store. */
void slab_unload(struct slab_store *store, struct list *gone);

/** Does what other CPUs ask for: gives up this CPU's slabs with room; returns frames that became
 * free. */
size_t slab_drain(struct object_cache *cache);

/** True if an object in use begins at `pointer`, which lies in `slab`, as far as its bits tell. */
bool slab_is_in_use(struct slab *slab, const void *pointer);

/** True if `object`, which is in use as far as its bits tell, waits on this CPU's stack or in one
 * of its magazines. */
bool slab_waits(const struct slab *slab, const void *object);

/** What all stores of a cache have. */
struct slab_sum {
    uint64_t live, total, slabs, frames, served;
    uint64_t magazines;      /**< objects */
    uint64_t magazine_bytes; /**< theirs: what is borrowed is larger */
};

/** Adds up a cache's stores. Caller holds its lock; what other CPUs change meanwhile may be missed.
 */
void slab_add_up(const struct object_cache *cache, struct slab_sum *sum);

/* --- trim.c --- */

/** The list of caches: index 0 .. are the classes, then the own ones, then the named ones. */
void slab_list_init(void);
void slab_list_add(struct object_cache *cache);
void slab_list_remove(struct object_cache *cache);

/** Calls look(cache, context) for cache number `index`. False: there is none. */
bool slab_list_look(unsigned index, void (*look)(struct object_cache *cache, void *context),
                    void *context);

/** Gives up what a cache has in reserve on all CPUs. Nobody else uses it any more. */
void slab_close(struct object_cache *cache);
