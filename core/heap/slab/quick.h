/* SPDX-License-Identifier: MIT */
/*
 * quick.h: the fast way into the slab allocator: what an allocation or a free does nearly always.
 *
 * It is written for few instructions, and none that wait for one another. A pointer leads to the
 * word of its page, that to the header of the slab, and there lies all that is needed, in one line
 * of the processor's cache if the slab is small. The number of an object is found by a
 * multiplication. What is not simple is refused, and the caller takes the slow way.
 */
#pragma once

#include "heap/slab.h"

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

/** The store of a slab, if that may be another CPU's: then it may be in another one at once. */
static inline const struct slab_store *slab_store(const struct slab *slab)
{
    return __atomic_load_n(&slab->store, __ATOMIC_RELAXED);
}

/** The cache of any slab. It stays the same. */
static inline struct object_cache *slab_cache(const struct slab *slab)
{
    return slab_store(slab)->cache;
}

/** Whether the slab is this CPU's. The caller is masked. */
static inline bool slab_is_mine(const struct slab *slab)
{
    return __atomic_load_n(&slab->cpu, __ATOMIC_RELAXED) == hal_cpu_id();
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

/**
 * True if `object`, number `index`, is in use, as far as its bit and the top of the stack tell, and
 * its slab this CPU's. The caller is masked.
 */
static inline bool slab_is_quick(const struct slab *slab, uint32_t index, const void *object)
{
    return slab_is_mine(slab) && slab_is_busy(slab, index) &&
           slab->store->stack[slab->store->count] != object;
}

/** Puts such an object on the stack, which is not full. The caller is masked. */
static inline void slab_push(struct slab_store *store, void *object)
{
    store->stack[++store->count] = object;
    store->pushed++;
    __builtin_prefetch(object, 1); /* its next owner will write there, soon */
}

/** Frees such an object where it lies, and unmasks. The caller is masked. */
void slab_free_in_place(struct slab *slab, uint32_t index);

/** Frees `object`, which is number `index` of `slab`, and unmasks; or returns false for no
 * particular reason. The caller is masked, and is then still. */
HAL_MUST_CHECK static inline bool slab_free_masked(struct slab *slab, uint32_t index, void *object)
{
    if (__builtin_expect(!slab_is_quick(slab, index, object), 0))
        return false;
    if (__builtin_expect(slab->store->count >= slab->store->capacity, 0)) {
        slab_free_in_place(slab, index);
    } else {
        slab_push(slab->store, object);
        hal_irq_end_mask();
    }
    return true;
}

/** The same in any context. */
HAL_MUST_CHECK static inline bool slab_free_found(struct slab *slab, uint32_t index, void *object)
{
    if (!hal_irq_try_mask())
        return false;
    if (slab_free_masked(slab, index, object))
        return true;
    hal_irq_end_mask();
    return false;
}

/** The same for the object that begins at `pointer`, any value. */
HAL_MUST_CHECK static inline bool slab_free_quickly(void *pointer)
{
    uint32_t index;
    struct slab *slab = slab_find_quickly(pointer, &index);

    return slab && slab_free_found(slab, index, pointer);
}
