/* SPDX-License-Identifier: MIT */
/*
 * class.c: blocks of any size from caches: 72 classes of them, and pages of their own above.
 *
 * Up to 256 bytes the classes are 16 bytes apart, beyond that there are eight for each power of
 * two, so at most 1/8 of a block is lost to rounding. An object that is aligned to more than 16
 * bytes comes from the class of the next multiple of its alignment, whose objects are all so
 * aligned; only what a class has borrowed is not.
 */
#include "heap/slab/parts.h"

#include "boot/panic.h"
#include "heap/allocator.h"
#include "lib/format.h"

#include <hal/kstate.h>

KSTATE struct object_cache slab_classes[SLAB_CLASSES];
KSTATE struct slab_cpu slab_cpus[HAL_CPU_MAX];
KSTATE uint8_t slab_class_of[SLAB_BYTES_MAX / 16 + 1];

/* ---- what the front end asks for ---- */

static void slab_init(void)
{
    slab_list_init();
    slab_own_init();
    for (unsigned i = 0; i < SLAB_CLASSES; i++) {
        unsigned octave = i < 16 ? 0 : i / 8 - 1;
        size_t bytes = (size_t)(i + 1 - octave * 8) * (HEAP_ALIGNMENT << octave);
        struct object_cache *cache = &slab_classes[i];

        slab_cache_init(cache, bytes, bytes & -bytes & (2 * HAL_PAGE_SIZE - 1), NULL);
        cache->number = (uint16_t)i;
        cache->room = (uint16_t)slab_room(bytes);
        for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
            cache->magazines[cpu] = &slab_cpus[cpu].magazines[i];
        (void)format_text(cache->label, sizeof cache->label, "kmalloc-%u", cache->bytes);
    }
    for (size_t bytes = HEAP_ALIGNMENT; bytes <= SLAB_BYTES_MAX; bytes += HEAP_ALIGNMENT)
        slab_class_of[bytes / HEAP_ALIGNMENT] = (uint8_t)slab_class(bytes);
}

/* An object that is aligned, past the magazines and what they have borrowed. */
static void *take_aligned(struct object_cache *cache)
{
    hal_irq_state_t state;
    void *object;

    do {
        state = spinlock_acquire(&cache->lock);
        if (slab_take_objects(cache, &object, 1) > 0)
            cache->served++;
        else
            object = NULL;
        spinlock_release(&cache->lock, state);
    } while (!object && slab_grow(cache));
    return object;
}

struct object_cache *slab_cache_of(const void *pointer)
{
    uintptr_t owner = (uintptr_t)backing_owner(pointer);
    const struct slab *slab = backing_unmark(owner);

    if (backing_mark_of(owner) - BACKING_SLAB > SLAB_CLASSES || !slab_holds(slab, pointer))
        return NULL;
    return slab->cache;
}

bool slab_free(void *pointer)
{
    struct object_cache *cache = slab_cache_of(pointer);

    return cache ? slab_give(cache, pointer) : backing_give_block(pointer);
}

static void free_block(void *block)
{
    bool good = slab_free(block);

    kassert(good);
}

static void *slab_allocate(size_t bytes, size_t alignment)
{
    struct object_cache *cache;
    void *object;

    bytes = (bytes + alignment - 1) & ~(alignment - 1);
    if (bytes > SLAB_BYTES_MAX || alignment > HAL_PAGE_SIZE)
        return backing_take_block(bytes, alignment);
    cache = &slab_classes[slab_class(bytes)];
    object = slab_take(cache);
    if (((uintptr_t)object & (alignment - 1)) == 0)
        return object;
    free_block(object);
    return take_aligned(cache);
}

static enum heap_pointer slab_find(const void *pointer, size_t *usable)
{
    uintptr_t owner = (uintptr_t)backing_owner(pointer);
    const struct slab *slab = backing_unmark(owner);
    uint32_t index;

    if (owner == 0)
        return HEAP_FOREIGN;
    if (backing_mark_of(owner) == BACKING_BLOCK)
        return backing_find_block(pointer, owner, usable);
    index = slab_index(slab, (uint64_t)((uintptr_t)pointer - (uintptr_t)slab->start));
    if (index == UINT32_MAX)
        return HEAP_INTERIOR;
    *usable = slab->cache->bytes;
    if (!slab_busy(slab, index) || slab_in_magazine(slab->cache, pointer))
        return HEAP_FREED;
    return HEAP_BLOCK;
}

static void add_cache(struct object_cache *cache, void *context)
{
    struct heap_stats *stats = context;
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    uint64_t used = slab_used(cache);

    if (!cache->inside) {
        stats->live_blocks += used - slab_magazine_objects(cache);
        stats->live_bytes += used * cache->bytes - slab_magazine_bytes(cache);
    }
    spinlock_release(&cache->lock, state);
}

static void slab_read_stats(struct heap_stats *stats)
{
    for (unsigned i = 0; slab_list_look(i, add_cache, stats); i++)
        ;
    backing_read_stats(stats);
}

const struct heap_allocator heap_slab = {
    .name = "slab",
    .init = slab_init,
    .allocate = slab_allocate,
    .free = free_block,
    .find = slab_find,
    .read_stats = slab_read_stats,
};
