/* SPDX-License-Identifier: MIT */
/*
 * trim.c: the list of all caches, and giving back what they hold in reserve when memory is short.
 *
 * Slabs without objects go at once, also those that this CPU's magazines hold. Other CPUs' slabs
 * are theirs: a flag in the cache asks for them, which each sees the next time it needs more than
 * its magazine. It gives up those that are empty, and shares those with room.
 */
#include "heap/slab/parts.h"

#include "mem/reclaim.h"

#include <hal/kstate.h>

static KSTATE struct list_state {
    struct spinlock lock; /* guards named */
    struct list named;
    struct reclaimer reclaimer;
} caches;

/* ---- the list ---- */

void slab_list_add(struct object_cache *cache)
{
    hal_irq_state_t state = spinlock_acquire(&caches.lock);

    list_add_tail(&caches.named, &cache->link);
    spinlock_release(&caches.lock, state);
}

void slab_list_remove(struct object_cache *cache)
{
    hal_irq_state_t state = spinlock_acquire(&caches.lock);

    list_remove(&cache->link);
    spinlock_release(&caches.lock, state);
}

bool slab_list_look(unsigned index, void (*look)(struct object_cache *cache, void *context),
                    void *context)
{
    struct object_cache *cache = NULL;
    hal_irq_state_t state;

    if (index < SLAB_CLASSES + SLAB_OWN_CACHES) {
        look(index < SLAB_CLASSES ? &slab_classes[index] : &slab_own_caches[index - SLAB_CLASSES],
             context);
        return true;
    }
    state = spinlock_acquire(&caches.lock);
    index -= SLAB_CLASSES + SLAB_OWN_CACHES;
    list_for_each (link, &caches.named)
        if (index-- == 0)
            cache = list_entry(link, struct object_cache, link);
    if (cache)
        look(cache, context);
    spinlock_release(&caches.lock, state);
    return cache != NULL;
}

/* ---- giving back ---- */

static void ask_others(struct object_cache *cache)
{
    hal_irq_state_t state = hal_irq_save();

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        if (cpu != hal_cpu_id() && __atomic_load_n(&cache->stores[cpu]->slabs, __ATOMIC_RELAXED))
            __atomic_fetch_or(&cache->drain, (uint8_t)(1u << cpu), __ATOMIC_RELAXED);
    hal_irq_restore(state);
}

static size_t give_up_shared(struct object_cache *cache)
{
    struct list gone;
    hal_irq_state_t state;

    list_init(&gone);
    state = spinlock_acquire(&cache->lock);
    slab_give_up(&cache->shared, &gone);
    spinlock_release(&cache->lock, state);
    return slab_destroy_list(&gone);
}

static size_t give_up_own(struct object_cache *cache)
{
    hal_irq_state_t state = hal_irq_save();
    struct slab_store *store = cache->stores[hal_cpu_id()];
    struct list gone;

    list_init(&gone);
    slab_unload(store, &gone);
    slab_give_up(store, &gone);
    hal_irq_restore(state);
    return slab_destroy_list(&gone);
}

/* Gives up what can be given up of a cache; returns the frames. */
static size_t trim(struct object_cache *cache)
{
    size_t frames = 0;

    if (cache->stores[0]) {
        frames += give_up_own(cache);
        ask_others(cache);
    }
    return frames + give_up_shared(cache);
}

void slab_close(struct object_cache *cache)
{
    struct list gone;

    list_init(&gone);
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        slab_unload(cache->stores[cpu], &gone);
        slab_give_up(cache->stores[cpu], &gone);
    }
    (void)slab_destroy_list(&gone);
    (void)give_up_shared(cache);
}

static void trim_one(struct object_cache *cache, void *context)
{
    *(size_t *)context += trim(cache);
}

/*
 * Small objects first: they are the ones whose slabs are shared by most, so their reserves are
 * worth least. The own caches come after the classes, whose headers and magazines they hold.
 */
static size_t reclaim(void *context, size_t frames)
{
    size_t got = 0;

    (void)context;
    for (unsigned i = 0; got < frames && slab_list_look(i, trim_one, &got); i++)
        ;
    return got;
}

void slab_list_init(void)
{
    spinlock_init(&caches.lock, LOCK_RANK_CACHES);
    list_init(&caches.named);
    caches.reclaimer = (struct reclaimer){.name = "slab", .reclaim = reclaim};
    reclaim_register(&caches.reclaimer);
}
