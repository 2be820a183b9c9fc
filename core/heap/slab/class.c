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
#include "site/fail.h"

#include <hal/kstate.h>

KSTATE struct object_cache slab_classes[SLAB_CLASSES];
KSTATE struct slab_front slab_front;

_Static_assert(sizeof slab_front.cpus[0] <= UINT16_MAX, "two bytes can say where a store lies");
_Static_assert(SLAB_BYTES_MAX == ALLOC_UNASKED_MAX, "what need not ask has a class");

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
        for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
            slab_store_init(cache, &slab_front.cpus[cpu].stores[i], cpu);
        (void)format_text(cache->label, sizeof cache->label, "kmalloc-%u", cache->bytes);
    }
    for (size_t bytes = HEAP_ALIGNMENT; bytes <= SLAB_BYTES_MAX; bytes += HEAP_ALIGNMENT)
        slab_front.places[(bytes - 1) / HEAP_ALIGNMENT] =
            (uint16_t)(slab_class(bytes) * sizeof(struct slab_store));
}

struct object_cache *slab_cache_of(const void *pointer)
{
    struct slab *slab = slab_of(pointer);

    return slab && slab_is_in_use(slab, pointer) ? slab_cache(slab) : NULL;
}

static void free_block(void *block)
{
    bool good = slab_give(block) || backing_give_block(block);

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
    return slab_take_own(cache);
}

static enum heap_pointer slab_find(const void *pointer, size_t *usable)
{
    uintptr_t owner = (uintptr_t)backing_owner(pointer);
    struct slab *slab = backing_unmark(owner);

    if (owner == 0)
        return HEAP_FOREIGN;
    if (backing_mark_of(owner) == BACKING_BLOCK)
        return backing_find_block(pointer, owner, usable);
    if (slab_find_index(slab, pointer) == UINT32_MAX)
        return HEAP_INTERIOR;
    *usable = slab_cache(slab)->bytes;
    return slab_is_in_use(slab, pointer) && !slab_waits(slab, pointer) ? HEAP_BLOCK : HEAP_FREED;
}

static void add_cache(struct object_cache *cache, void *context)
{
    struct heap_stats *stats = context;
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    struct slab_sum sum;

    if (!cache->inside) {
        slab_add_up(cache, &sum);
        stats->live_blocks += sum.live - sum.magazines;
        stats->live_bytes += sum.live * cache->bytes - sum.magazine_bytes;
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
