/* SPDX-License-Identifier: MIT */
/*
 * slab.h: the slab allocator: what it is made of. The fast way in is slab/quick.h.
 *
 * Equal objects form a cache; kmalloc's sizes are 72 caches. Their memory is slabs: runs of pages
 * cut into objects, with a header elsewhere that has a bit for each object. A slab belongs to the
 * CPU that made it, which alone changes it, with interrupts masked and without a lock. Each CPU has
 * a store for each cache:
 *
 *     stack      the objects that were freed last, 31 at most      <- kmalloc looks here first,
 *     magazine   up to 64 free objects side by side in one slab,   <- then here
 *                the loaded one, as the bits of a word
 *     lists      of all other slabs, sorted by how full they are   <- one is loaded from here
 *
 * kfree puts an object on the stack, and when that is full, clears its bit in the header of its
 * slab. So nothing is carried between the stack and the slabs when the number of objects goes up
 * and down: what does not fit is freed where it lies, and allocated where it lies. What another CPU
 * owns is left in the header, under the cache's lock, for the owner to collect.
 *
 * (Bonwick, "The Slab Allocator: An Object-Caching Kernel Memory Allocator", USENIX 1994; Bonwick
 * and Adams, "Magazines and Vmem", USENIX 2001; Leijen, Zorn and de Moura, "Mimalloc: Free List
 * Sharding in Action", APLAS 2019, for slabs of one CPU, and frees that are left for the owner)
 *
 * What is on a stack or in a magazine has its bit set as if it were in use. So a wrong pointer is
 * found out at once, unless it is to such an object and not to the newest of the stack: freeing
 * that twice may be noticed only later, or never. The checks of a debug build (guard.h) find all.
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
#define SLAB_SHARED UINT8_MAX /**< in the place of a CPU: guarded by the cache's lock */

/** Free objects of one slab, side by side. */
struct magazine {
    uint64_t free;     /**< a bit for each of them; 0: the magazine is empty */
    uint64_t *busy;    /**< the word in the slab's header that has the same bits, set */
    char *base;        /**< the object of bit 0 */
    size_t bytes;      /**< of an object */
    struct slab *slab; /**< the loaded one, or NULL; maybe of a cache of larger objects */
};

/**
 * A CPU's part of a cache: changed by that CPU only, masked. Or what a cache's CPUs share, under
 * its lock: slabs that a CPU has given up, and all of a cache that has no magazines.
 */
struct slab_store {
    _Alignas(64) struct magazine magazine;
    uint32_t count; /**< objects that were freed last: stack[1 .. count], the newest at the end */
    uint32_t capacity; /**< so many of them at most; 0: there is no stack */
    void **stack;      /**< stack[0] is NULL */
    uint64_t used;     /**< objects of its slabs that are in use, in a magazine or on a stack */

    struct object_cache *cache; /**< constant */
    uint64_t bytes;             /**< the cache's; constant */
    uint64_t served;            /**< of its slabs' objects, how many were put into magazines */
    uint64_t pushed;            /**< on the stack */

    /* All slabs but the loaded ones. */
    struct list with_room[SLAB_LEVELS + 1]; /**< 0: the empty ones; the last: the fullest */
    struct list full;                       /**< or with so little room that it can wait */
    uint32_t slabs, frames;                 /**< the loaded ones too */
    uint32_t total;                         /**< objects that they have */
    uint8_t cpu;                            /**< or SLAB_SHARED; constant */
};

struct object_cache {
    /* Constant. */
    struct slab_store *stores[HAL_CPU_MAX]; /**< NULL: only `shared` */
    uint32_t bytes;                         /**< of an object, as it is laid out */
    uint32_t reciprocal;                    /**< 2^32 / bytes, rounded up */
    uint32_t align;                         /**< of each object */
    uint16_t number;                        /**< of a kmalloc class; or SLAB_CLASSES */
    bool inside; /**< headers lie in their slabs, which are pages: a cache of headers */
    void (*construct)(void *object);
    const char *name;
    char label[SLAB_NAME_MAX + 1];

    struct list link; /**< guarded by the list's lock */

    struct spinlock lock;
    /* Guarded by the lock. */
    uint8_t drain;                  /**< a bit for each CPU that is to give up its slabs */
    uint32_t returned[HAL_CPU_MAX]; /**< a CPU's slabs with objects that others freed; parts.h */
    uint64_t returned_objects;      /**< in all of them */
    struct slab_store shared;
};

/**
 * The header of a slab. Changed by the CPU that owns it, or under the cache's lock if that is
 * SLAB_SHARED, but for what is said otherwise. It lies so that what follows the link is in one line
 * of the processor's caches: a free touches no other. In front of it are bits of the objects that
 * other CPUs have freed, as many words as `busy` has; guarded by the cache's lock.
 */
struct slab {
    struct list link;
    struct slab_store *store; /**< that it belongs to; read it after `cpu` */
    char *start;              /**< object 0; constant */
    uint32_t reciprocal;      /**< the cache's, or 0: not to be freed the fast way; constant */
    uint32_t next_returned;   /**< on the list of its owner; guarded by the cache's lock */
    uint16_t objects;         /**< that it has; constant */
    int16_t left;             /**< how many may be freed until it is to be settled; parts.h */
    int16_t floor; /**< so many are used then: in use or in a magazine. -1: never, it is loaded */
    uint8_t pages; /**< constant */
    uint8_t cpu;   /**< the store's; changed under the cache's lock */

    uint64_t busy[]; /**< a bit for each object: in use, in a magazine or on a stack */
};

/** The stack of a store without one: always empty. */
extern HAL_INTERNAL void *slab_no_stack[1];

/** The caches behind kmalloc. */
extern HAL_INTERNAL struct object_cache slab_classes[SLAB_CLASSES];

/** Their stores, which the fast way finds without asking the caches. */
struct slab_front {
    struct {
        struct slab_store stores[SLAB_CLASSES];
    } cpus[HAL_CPU_MAX];
    /** By (bytes - 1) / 16: how far behind a CPU's first store that of the class lies, in bytes;
     * constant. */
    uint16_t places[SLAB_BYTES_MAX / 16];
};
extern HAL_INTERNAL struct slab_front slab_front;

/** An object of `cache`, or NULL. Any context. */
HAL_MUST_CHECK void *slab_take(struct object_cache *cache);

/** Gives the object that begins at `object`, any value, back to its cache; false if there is none
 * in use. Any context. */
HAL_MUST_CHECK bool slab_give(void *object);

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

/** The cache of the object in use that begins at `pointer`, any value, or NULL. Any context. */
struct object_cache *slab_cache_of(const void *pointer);
