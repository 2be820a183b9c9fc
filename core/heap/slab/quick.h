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

/**
 * True if `object`, number `index`, is in use, as far as its bit and the top of the stack tell, and
 * its slab this CPU's. The caller is masked.
 */
static inline bool slab_is_quick(const struct slab *slab, uint32_t index, const void *object)
{
    return slab->cpu == hal_cpu_id() && slab_is_busy(slab, index) &&
           slab->store->stack[slab->store->count] != object;
}

/** Puts such an object on the stack, which is not full. The caller is masked. */
static inline void slab_push(struct slab_store *store, void *object)
{
    store->stack[++store->count] = object;
    store->pushed++;
    __builtin_prefetch(object, 1); /* its next owner will write there, soon */
}

/** Frees such an object. True: now slab_low is to be called. The caller is masked. */
HAL_MUST_CHECK static inline bool slab_give_quickly(struct slab *slab, uint32_t index)
{
    uint64_t *word = &slab->busy[index / 64], bit = index % 64;

    __atomic_store_n(word, *word & ~(1ull << bit), __ATOMIC_RELAXED);
    slab->store->used--;
    return --slab->left == 0;
}

/** Frees `object`, which is number `index` of `slab`; or returns false for no particular reason.
 * Any context. */
HAL_MUST_CHECK static inline bool slab_free_found(struct slab *slab, uint32_t index, void *object)
{
    bool good;

    if (!hal_irq_try_mask())
        return false;
    good = slab_is_quick(slab, index, object);
    if (good && slab->store->count < slab->store->capacity) {
        slab_push(slab->store, object);
    } else if (good && slab_give_quickly(slab, index)) {
        slab_low(slab);
        return true;
    }
    hal_irq_end_mask();
    return good;
}

/** The same for the object that begins at `pointer`, any value. */
HAL_MUST_CHECK static inline bool slab_free_quickly(void *pointer)
{
    uint32_t index;
    struct slab *slab = slab_find_quickly(pointer, &index);

    return slab && slab_free_found(slab, index, pointer);
}
