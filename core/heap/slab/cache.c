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

/* A cache with its magazines, each on a line of the processor's caches of its own. */
struct named_cache {
    struct object_cache cache;
    struct {
        _Alignas(64) struct magazine magazine;
    } cpus[HAL_CPU_MAX];
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
    if (heap_is_plain())
        named->cache.room = (uint16_t)slab_room(bytes);
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        named->cache.magazines[cpu] = &named->cpus[cpu].magazine;
    slab_list_add(&named->cache);
    return &named->cache;
}

void object_cache_destroy(struct object_cache *cache)
{
    slab_list_remove(cache);
    slab_take_over(cache);
    (void)slab_trim(cache);
    if (cache->used > 0)
        panic("heap: the cache %s is destroyed with %llu objects in use", cache->name,
              (unsigned long long)cache->used);
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
    __atomic_fetch_add(&cache->used, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&cache->served, 1, __ATOMIC_RELAXED);
    return object;
}

static void *take_quickly(struct object_cache *cache)
{
    void *object;

    if (!hal_irq_try_mask())
        return NULL;
    object = magazine_take(cache->magazines[hal_cpu_id()]);
    hal_irq_end_mask();
    return object;
}

static bool give_quickly(struct object_cache *cache, void *object)
{
    bool good;

    if (!hal_irq_try_mask())
        return false;
    good = magazine_give(cache->magazines[hal_cpu_id()], object);
    hal_irq_end_mask();
    return good;
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
        __atomic_fetch_sub(&cache->used, 1, __ATOMIC_RELAXED);
    } else if (slab_cache_of(object) != cache ||
               (!give_quickly(cache, object) && !slab_give(cache, object))) {
        panic_at(file, (int)line, "object_free of %p, which is no object in use of the cache %s",
                 object, cache->name);
    }
}

static void read_cache(struct object_cache *cache, void *context)
{
    struct object_cache_info *info = context;
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    uint64_t magazines = slab_magazine_objects(cache), used = slab_used(cache);

    *info = (struct object_cache_info){.name = cache->name,
                                       .bytes = cache->bytes,
                                       .live = used > magazines ? used - magazines : 0,
                                       .total = cache->total,
                                       .magazines = magazines,
                                       .slabs = cache->slabs,
                                       .frames = cache->frames,
                                       .allocations = slab_served(cache)};
    spinlock_release(&cache->lock, state);
}

int object_cache_read_info(unsigned index, struct object_cache_info *info)
{
    return slab_list_look(index, read_cache, info) ? 0 : -ENOENT;
}
