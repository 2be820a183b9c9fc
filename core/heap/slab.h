/* SPDX-License-Identifier: MIT */
/*
 * slab.h: the fast way into the slab allocator, and what it walks over.
 *
 * Equal objects form a cache; kmalloc's sizes are 72 caches. Each CPU has a magazine for a cache:
 * free objects that only it touches, with interrupts masked and without a lock. Behind the
 * magazines are slabs: runs of pages cut into objects, with a header elsewhere that has a bit for
 * each object.
 *
 *     kmalloc <-- magazine of this CPU <-- half a magazine at a time -- slabs
 *     kfree   --> magazine of this CPU --> half a magazine at a time -> slabs
 *                 masked                   under the cache's lock
 *
 * (Bonwick, "The Slab Allocator: An Object-Caching Kernel Memory Allocator", USENIX 1994; Bonwick
 * and Adams, "Magazines and Vmem", USENIX 2001)
 *
 * An object counts as busy in its slab while it is in a magazine. So a double free is found at once
 * when the object was the last to be freed or has gone back to its slab, and otherwise when it gets
 * there a second time. The checks of a debug build (guard.h) find all of them at once.
 */
#pragma once

#include "heap/backing.h"
#include "lib/list.h"
#include "sync/spinlock.h"

#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_BYTES_MAX 32768u /**< of an object; what is larger is a run of pages */
#define SLAB_CLASSES 72u      /**< kmalloc's sizes up to there */
#define SLAB_LEVELS 4u        /**< how finely slabs are sorted by how full they are */
#define SLAB_NAME_MAX 15u

/**
 * A CPU's free objects of a cache, as a ring: what is freed goes to the tail, what is allocated
 * comes from the head. A stack would hand out what is still warmest, but then each allocation has
 * to wait until the processor knows where the last free wrote; with a ring they overlap, and that
 * gains more. Its own CPU only, masked; others may look at the head and the tail to count.
 */
struct magazine {
    uint32_t head;     /**< counts allocations; the next is objects[head & mask] */
    uint32_t tail;     /**< counts objects that came; tail - head are there */
    uint32_t capacity; /**< most that it is to hold: follows the number of objects in use */
    uint32_t mask;     /**< room for objects, a power of two, less 1 */
    void **objects;    /**< or NULL, and then the capacity is 0 */
};

struct object_cache {
    /* Constant. */
    struct magazine *magazines[HAL_CPU_MAX];
    uint32_t bytes;      /**< of an object, as it is laid out */
    uint32_t reciprocal; /**< 2^32 / bytes, rounded up */
    uint16_t room;       /**< of its magazines, a power of two; 0: it has none */
    uint16_t number;     /**< of a kmalloc class; or SLAB_CLASSES */
    uint32_t align;      /**< of each object */
    bool inside;         /**< headers lie in their slabs, which are pages: a cache of headers */
    void (*construct)(void *object);
    const char *name;
    char label[SLAB_NAME_MAX + 1];

    struct list link; /**< guarded by the list's lock */

    struct spinlock lock;
    uint8_t drain; /**< a bit for each CPU that is to empty its magazine; atomic */
    /* Guarded by the lock. */
    struct list slabs_with_room[SLAB_LEVELS + 1]; /**< 0: the empty ones; the last: the fullest */
    uint64_t slabs, frames;
    uint64_t total;  /**< objects that the slabs have room for */
    uint64_t used;   /**< of these, the ones in use or in magazines */
    uint64_t served; /**< allocations that no magazine counted */
};

struct slab {
    struct list link;           /**< guarded by the cache's lock, as is all that is not constant */
    struct object_cache *cache; /**< constant */
    char *start;                /**< object 0; constant */
    uint32_t reciprocal;        /**< the cache's; constant */
    uint16_t objects;           /**< that it has; constant */
    uint16_t used;
    uint16_t least, most; /**< it is on the right list while `used` is in between */
    uint8_t pages;        /**< constant */
    uint64_t busy[];
};

/** The caches behind kmalloc. */
extern struct object_cache slab_classes[SLAB_CLASSES];

/** Their magazines, which the fast way finds without asking the caches. */
struct slab_cpu {
    _Alignas(64) struct magazine magazines[SLAB_CLASSES];
};
extern struct slab_cpu slab_cpus[HAL_CPU_MAX];

/** The class of (bytes + 15) / 16, for all that have one. Constant after boot. */
extern uint8_t slab_class_of[SLAB_BYTES_MAX / 16 + 1];

/** An object of `cache`, or NULL. Any context. */
HAL_MUST_CHECK void *slab_take(struct object_cache *cache);

/** Gives an object in use back to `cache`. False: it lies in the magazine already. Any context. */
HAL_MUST_CHECK bool slab_give(struct object_cache *cache, void *object);

/**
 * The class for `bytes` bytes, 1 .. SLAB_BYTES_MAX: steps of 16 bytes up to 256, and then eight
 * classes for each power of two. Example: 700 lies between 2^9 and 2^10, whose step is 64, and 699
 * / 64 is 10: class 10 + 2 * 8 = 26, which has 704 bytes.
 *
 * Each class is a multiple of the step below it, so for any power of two up to a page, the class of
 * a multiple of it has objects aligned to it.
 */
static inline unsigned slab_class(size_t bytes)
{
    unsigned top = 63 - (unsigned)__builtin_clzll((bytes - 1) | 128);

    return (unsigned)((bytes - 1) >> (top - 3)) + (top - 7) * 8;
}

/**
 * Which object of its slab begins `offset` bytes from the first, or UINT32_MAX: a multiplication
 * instead of a division. 48 bytes have the reciprocal 89,478,486, so offset 96 gives 2 * 2^32 + 64:
 * object 2, and a rest that is less than the reciprocal, as it is for multiples of 48 only; 97
 * gives 2 * 2^32 + 64 + 89,478,486. That is exact for slabs of up to 64 KiB.
 */
static inline uint32_t slab_index(const struct slab *slab, uint64_t offset)
{
    uint64_t product = offset * slab->reciprocal;
    uint32_t index = (uint32_t)(product >> 32);

    return (uint32_t)product < slab->reciprocal && index < slab->objects ? index : UINT32_MAX;
}

static inline bool slab_busy(const struct slab *slab, uint32_t index)
{
    return __atomic_load_n(&slab->busy[index / 64], __ATOMIC_RELAXED) >> index % 64 & 1;
}

/*
 * --- the fast way: nothing but the magazine, and only if that is simple. The caller is masked ---
 */

/** The only ways in which the head and the tail move. */
static inline void magazine_set_head(struct magazine *magazine, uint32_t head)
{
    __atomic_store_n(&magazine->head, head, __ATOMIC_RELAXED);
}

static inline void magazine_set_tail(struct magazine *magazine, uint32_t tail)
{
    __atomic_store_n(&magazine->tail, tail, __ATOMIC_RELAXED);
}

/** The next object of a magazine, or NULL. */
static inline void *magazine_take(struct magazine *magazine)
{
    uint32_t head = magazine->head;

    if (__builtin_expect(head == magazine->tail, 0))
        return NULL;
    magazine_set_head(magazine, head + 1);
    return magazine->objects[head & magazine->mask];
}

/** Adds an object to a magazine. False: that is full, or the object came just before. */
static inline bool magazine_give(struct magazine *magazine, void *object)
{
    uint32_t tail = magazine->tail, count = tail - magazine->head;

    if (__builtin_expect(count >= magazine->capacity, 0) ||
        __builtin_expect(count > 0 && magazine->objects[(tail - 1) & magazine->mask] == object, 0))
        return false;
    magazine->objects[tail & magazine->mask] = object;
    __builtin_prefetch(object, 1); /* its next owner will write there, soon */
    magazine_set_tail(magazine, tail + 1);
    return true;
}

/** 1 .. SLAB_BYTES_MAX bytes, aligned to 16; or NULL for no particular reason. Any context. */
HAL_MUST_CHECK static inline void *slab_allocate_quickly(size_t bytes)
{
    unsigned number = slab_class_of[(bytes + 15) / 16];
    void *object;

    if (!hal_irq_try_mask())
        return NULL;
    object = magazine_take(&slab_cpus[hal_cpu_id()].magazines[number]);
    hal_irq_end_mask();
    return object;
}

/** True if an object begins at `pointer`, which lies in `slab`, and is in use. */
static inline bool slab_holds(const struct slab *slab, const void *pointer)
{
    uint32_t index = slab_index(slab, (uint64_t)((uintptr_t)pointer - (uintptr_t)slab->start));

    return index != UINT32_MAX && slab_busy(slab, index);
}

/**
 * Frees a block from kmalloc; or returns false for no particular reason. Any context.
 *
 * The number of the class stands in the owner word of the page, so that the magazine is known
 * without waiting for the slab's header.
 */
HAL_MUST_CHECK static inline bool slab_free_quickly(void *pointer)
{
    uintptr_t owner = backing_word(pointer);
    unsigned number = backing_mark_of(owner) - BACKING_SLAB;
    bool good;

    if (__builtin_expect(number >= SLAB_CLASSES, 0) ||
        __builtin_expect(!slab_holds(backing_unmark(owner), pointer), 0) || !hal_irq_try_mask())
        return false;
    good = magazine_give(&slab_cpus[hal_cpu_id()].magazines[number], pointer);
    hal_irq_end_mask();
    return good;
}

/** Bytes of the block from kmalloc that begins at `pointer`, any value; 0 if none does. */
static inline size_t slab_usable(const void *pointer)
{
    uintptr_t owner = backing_word(pointer);
    unsigned number = backing_mark_of(owner) - BACKING_SLAB;

    if (number >= SLAB_CLASSES || !slab_holds(backing_unmark(owner), pointer))
        return 0;
    return slab_classes[number].bytes;
}

/**
 * Frees a block. False: `pointer`, any value, is no block in use, and nothing has changed;
 * heap_slab.find says what it is. Any context.
 */
HAL_MUST_CHECK bool slab_free(void *pointer);

/** The cache of the object in use that begins at `pointer`, any value, or NULL. Any context. */
struct object_cache *slab_cache_of(const void *pointer);
