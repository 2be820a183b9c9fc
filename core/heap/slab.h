/* SPDX-License-Identifier: MIT */
/*
 * slab.h: the fast way into the slab allocator, and what it walks over.
 *
 * Equal objects form a cache; kmalloc's sizes are 72 caches. Their memory is slabs: runs of pages
 * cut into objects, with a header elsewhere that has a bit for each object, set while that is in
 * use. Each slab belongs to the CPU that made it, which alone changes it, with interrupts masked
 * and without a lock. For each cache a CPU has a store of slabs, and a magazine: up to 64 free
 * objects of one slab, the loaded one, as the bits of one word.
 *
 *     kmalloc <- lowest bit of the magazine <- next word of bits <- next slab <- frames
 *     kfree   -> bit in the header of the object's slab: its own CPU at once, masked;
 *                another CPU leaves it there, under the cache's lock, for the owner to collect
 *
 * So an object is freed where it lies, and nothing has to be carried between a magazine and the
 * slabs when the number of objects goes up and down. What a magazine holds was free when it was
 * loaded; what is freed meanwhile is found the next time. That is also why an allocation does not
 * wait for what the last free has written.
 *
 * (Bonwick, "The Slab Allocator: An Object-Caching Kernel Memory Allocator", USENIX 1994; Leijen,
 * Zorn and de Moura, "Mimalloc: Free List Sharding in Action", APLAS 2019, for freeing an object
 * where it lies, by its owner or for its owner)
 *
 * The bits are exact, so what is no object in use is found out at once. Only what another CPU has
 * freed, and its owner frees again, is noticed later, when the owner collects it.
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

/** Free objects of one slab, side by side. They count as used, but their bits are not set. */
struct magazine {
    uint64_t free;     /**< a bit for each of them; 0: the magazine is empty */
    uint64_t *busy;    /**< the word in the slab's header that has the same bits */
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
    uint32_t count;    /**< objects that were freed last: stack[1 .. count], the newest at the end */
    uint32_t capacity; /**< so many of them at most; 0: there is no stack */
    void **stack;      /**< stack[0] is NULL; or NULL */
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
 * SLAB_SHARED, but for what is said otherwise.
 */
struct slab {
    struct list link;
    struct slab_store *store; /**< that it belongs to; read it after `cpu` */
    char *start;              /**< object 0; constant */
    uint32_t reciprocal;      /**< the cache's, or 0: not to be freed the fast way; constant */
    uint32_t next_returned;   /**< on the list of its owner; guarded by the cache's lock */
    uint16_t objects;         /**< that it has; constant */
    int16_t left;  /**< how many may be freed until it is to be settled; parts.h */
    int16_t floor; /**< so many are used then: in use or in a magazine. -1: never, it is loaded */
    uint8_t pages;            /**< constant */
    uint8_t cpu;              /**< the store's; changed under the cache's lock */

    /* A bit for each object, set while it is in use; behind these as many words again, for those
     * of them that other CPUs have freed: guarded by the cache's lock. */
    uint64_t busy[];
};

/** The caches behind kmalloc. */
extern HAL_INTERNAL struct object_cache slab_classes[SLAB_CLASSES];

/** Their stores, which the fast way finds without asking the caches. */
struct slab_front {
    struct {
        struct slab_store stores[SLAB_CLASSES];
    } cpus[HAL_CPU_MAX];
    /** By (bytes - 1) / 16: how many bytes behind a CPU's first store that of the class lies;
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

/**
 * Which object begins `offset` bytes from the first, or UINT32_MAX: a multiplication instead of a
 * division, by the reciprocal of an object's bytes. 48 bytes have 89,478,486, so offset 96 gives
 * 2 * 2^32 + 64: object 2, and a rest that is less than the reciprocal, as it is for multiples of
 * 48 only; 97 gives 2 * 2^32 + 64 + 89,478,486. That is exact for slabs of up to 64 KiB.
 */
static inline uint32_t slab_index(uint64_t offset, uint32_t reciprocal)
{
    uint64_t product = offset * reciprocal;

    return __builtin_expect((uint32_t)product < reciprocal, 1) ? (uint32_t)(product >> 32)
                                                               : UINT32_MAX;
}

/** The header of the slab whose page has the word `owner`; NULL: it is no slab's. */
static inline struct slab *slab_of_word(uintptr_t owner)
{
    return __builtin_expect(backing_mark_of(owner) == BACKING_SLAB, 1) ? backing_unmark(owner)
                                                                       : NULL;
}

/** The slab that holds `pointer`, any value; NULL if none does. */
static inline struct slab *slab_of(const void *pointer)
{
    return slab_of_word(backing_word(pointer));
}

/*
 * --- the fast way: what needs no decision. The caller is masked ---
 */

/** Takes the object that was freed last. The stack is not empty. */
static inline void *slab_pop(struct slab_store *store)
{
    return store->stack[store->count--];
}

/** Takes the next object of a magazine that is not empty. */
static inline void *magazine_take(struct magazine *magazine)
{
    uint64_t free = magazine->free;
    void *object = magazine->base + (unsigned)__builtin_ctzll(free) * magazine->bytes;

    magazine->free = free & (free - 1);
    __builtin_prefetch((char *)object + 4 * magazine->bytes, 1); /* it comes soon, if it is free */
    return object;
}

/** Fills the magazine of a class, takes an object, or NULL, and unmasks. The caller is masked. */
HAL_MUST_CHECK void *slab_refill(struct slab_store *store);

/** Has a slab settled of which an object was freed, and unmasks. The caller is masked. */
void slab_low(struct slab *slab);

/** This CPU's store for blocks of `bytes` bytes, 1 .. SLAB_BYTES_MAX. The caller is masked. */
static inline struct slab_store *slab_store_for(size_t bytes)
{
    char *stores = (char *)slab_front.cpus[hal_cpu_id()].stores;

    return (struct slab_store *)(stores + slab_front.places[(bytes - 1) / 16]);
}

/**
 * The slab of the object that begins at `pointer`, any value, and the number of it; or NULL for no
 * particular reason. Whether that object is in use is not looked at. Any context.
 *
 * Behind the last object of a slab there is room for less than one, so what is taken for the next
 * has a bit that is there, and never set.
 */
static inline struct slab *slab_find_quickly(const void *pointer, uint32_t *index)
{
    uintptr_t owner = backing_word(pointer);
    struct slab *slab = backing_unmark(owner);
    uint64_t product;

    if (__builtin_expect(backing_mark_of(owner) != BACKING_SLAB, 0))
        return NULL;
    product = (uint64_t)((uintptr_t)pointer - (uintptr_t)slab->start) * slab->reciprocal;
    *index = (uint32_t)(product >> 32);
    return __builtin_expect((uint32_t)product < slab->reciprocal, 1) ? slab : NULL;
}

static inline bool slab_is_busy(const struct slab *slab, uint32_t index)
{
    return __atomic_load_n(&slab->busy[index / 64], __ATOMIC_RELAXED) >> index % 64 & 1;
}

/** True if object `index` is in use, as far as its bit tells, and its slab this CPU's. The caller is
 * masked. */
static inline bool slab_is_quick(const struct slab *slab, uint32_t index)
{
    return slab->cpu == hal_cpu_id() && slab_is_busy(slab, index);
}

/** Puts an object on top of a stack that is not full. False: it is there. The caller is masked. */
HAL_MUST_CHECK static inline bool slab_push(struct slab_store *store, void *object)
{
    uint32_t count = store->count;

    if (__builtin_expect(store->stack[count] == object, 0))
        return false;
    store->stack[count + 1] = object;
    store->count = count + 1;
    store->pushed++;
    __builtin_prefetch(object, 1); /* its next owner will write there, soon */
    return true;
}

/** Frees such an object. True: now slab_low is to be called. The caller is masked. */
HAL_MUST_CHECK static inline bool slab_give_quickly(struct slab *slab, uint32_t index)
{
    uint64_t *word = &slab->busy[index / 64], bit = index % 64;

    __atomic_store_n(word, *word & ~(1ull << bit), __ATOMIC_RELAXED);
    slab->store->used--;
    return --slab->left == 0;
}

/** Frees the object that begins at `pointer`, any value; or returns false for no particular reason.
 * Any context. */
HAL_MUST_CHECK static inline bool slab_free_quickly(void *pointer)
{
    uint32_t index;
    struct slab *slab = slab_find_quickly(pointer, &index);
    bool good;

    if (!slab || !hal_irq_try_mask())
        return false;
    good = slab_is_quick(slab, index);
    if (good && slab->store->count < slab->store->capacity) {
        good = slab_push(slab->store, pointer);
    } else if (good && slab_give_quickly(slab, index)) {
        slab_low(slab);
        return true;
    }
    hal_irq_end_mask();
    return good;
}

/** Bytes of the object in use, as far as its bit tells, that begins at `pointer`, any value; or 0 for
 * no particular reason. Any context. */
static inline size_t slab_usable(const void *pointer)
{
    uint32_t index;
    const struct slab *slab = slab_find_quickly(pointer, &index);

    return slab && slab_is_busy(slab, index) ? slab->store->bytes : 0;
}

/** The cache of the object in use that begins at `pointer`, any value, or NULL. Any context. */
struct object_cache *slab_cache_of(const void *pointer);
