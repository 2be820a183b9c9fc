/* SPDX-License-Identifier: MIT */
/*
 * cache.c: caches of objects of one kind, as cache.h offers them.
 *
 * With slab and without checks they are slab's own caches, beside those of kmalloc. Otherwise the
 * objects are blocks of the heap, so that they have its red zones and its history, and are
 * constructed each time.
 */
#include "heap/cache.h"

#include "heap/slab/parts.h"

#include "boot/panic.h"
#include "site/fail.h"
#include "heap/allocator.h"
#include "heap/heap.h"

#include <hal/errno.h>
#include <hal/runtime.h>

/* A cache with its stores. */
struct named_cache {
    struct object_cache cache;
    struct slab_store stores[HAL_CPU_MAX];
};

struct object_cache *object_cache_create_at(const char *name, size_t bytes, size_t alignment,
                                            void (*construct)(void *object),
                                            const struct alloc_site *site)
{
    struct named_cache *named;

    if (alignment < HEAP_ALIGNMENT) /* 0 too */
        alignment = HEAP_ALIGNMENT;
    if (bytes == 0 || bytes > SLAB_BYTES_MAX || alignment > HAL_PAGE_SIZE ||
        (alignment & (alignment - 1)))
        return NULL;
    bytes = (bytes + alignment - 1) & ~(alignment - 1);
    named = heap_allocate(sizeof *named, _Alignof(struct named_cache), site);
    if (!named)
        return NULL;
    memset(named, 0, sizeof *named);
    slab_cache_init(&named->cache, bytes, alignment, construct);
    named->cache.name = name;
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        slab_store_init(&named->cache, &named->stores[cpu], cpu);
    slab_list_add(&named->cache);
    return &named->cache;
}

void object_cache_destroy(struct object_cache *cache)
{
    struct slab_sum sum;

    slab_list_remove(cache);
    slab_close(cache);
    slab_add_up(cache, &sum);
    if (sum.live > 0)
        panic("heap: the cache %s is destroyed with %llu objects in use", cache->name,
              (unsigned long long)sum.live);
    kfree(cache);
}

/* A block of the heap as an object. */
static void *allocate_block(struct object_cache *cache, const struct alloc_site *site)
{
    void *object = heap_allocate(cache->bytes, cache->align, site);

    if (!object)
        return NULL;
    if (cache->construct)
        cache->construct(object);
    __atomic_fetch_add(&cache->shared.used, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&cache->shared.served, 1, __ATOMIC_RELAXED);
    return object;
}

static void *take_quickly(struct object_cache *cache)
{
    struct slab_store *store;
    void *object;

    if (!hal_irq_try_mask())
        return NULL;
    store = cache->stores[hal_cpu_id()];
    if (store->count > 0)
        object = slab_pop(store);
    else if (store->magazine.free)
        object = magazine_take(&store->magazine);
    else
        return slab_refill(store);
    hal_irq_end_mask();
    return object;
}

void *object_allocate_at(struct object_cache *cache, const struct alloc_site *site)
{
    void *object;

    if (!heap_is_plain())
        return allocate_block(cache, site);
    if (alloc_fail_watching() && alloc_fails(site))
        return NULL;
    object = take_quickly(cache);
    if (!object)
        object = slab_take(cache);
    return object ? object : heap_failed(site);
}

void object_free_at(struct object_cache *cache, void *object, const char *file, unsigned line)
{
    if (!object)
        return;
    if (!heap_is_plain()) {
        heap_free(object, file, line);
        __atomic_fetch_sub(&cache->shared.used, 1, __ATOMIC_RELAXED);
    } else if (slab_cache_of(object) != cache ||
               (!slab_free_quickly(object) && !slab_give(object))) {
        panic_at(file, (int)line, "object_free of %p, which is no object in use of the cache %s",
                 object, cache->name);
    }
}

static void read_cache(struct object_cache *cache, void *context)
{
    struct object_cache_info *info = context;
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    struct slab_sum sum;

    slab_add_up(cache, &sum);
    *info =
        (struct object_cache_info){.name = cache->name,
                                   .bytes = cache->bytes,
                                   .live = sum.live > sum.magazines ? sum.live - sum.magazines : 0,
                                   .total = sum.total,
                                   .magazines = sum.magazines,
                                   .slabs = sum.slabs,
                                   .frames = sum.frames,
                                   .allocations = sum.served - sum.magazines};
    spinlock_release(&cache->lock, state);
}

int object_cache_read_info(unsigned index, struct object_cache_info *info)
{
    return slab_list_look(index, read_cache, info) ? 0 : -ENOENT;
}
