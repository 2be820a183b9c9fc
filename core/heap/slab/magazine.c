/* SPDX-License-Identifier: MIT */
/*
 * magazine.c: the CPUs' free objects: filling, flushing, lending between classes.
 *
 * A magazine has room for about 8 KiB of objects, 5 to 61 of them, and uses as much of it as 1/16
 * of the objects that are in use: a cache with few objects shall not keep many in reserve. What is
 * flushed are the oldest, which the processor's caches have forgotten first; the headers are all
 * that this touches.
 *
 * Lending: the number of blocks of one size goes up and down, and the slabs of a class stay as many
 * as its peak needed. Before a class grows, it borrows from one of the next larger classes if that
 * has many free objects. They stay the lender's, and go back to it when they are freed. Only
 * kmalloc's classes do this: its blocks may be larger than asked for.
 */
#include "heap/slab/parts.h"

#include "boot/panic.h"

#define CAPACITY_LEAST 5u
#define CAPACITY_MOST 61u
#define CAPACITY_SHARE 16u
#define MAGAZINE_BYTES 8192u
#define CHUNK 16u /* objects that are moved at a time, on the stack */

#define LENDERS 3u      /* how many larger classes are asked */
#define LENDER_SHARE 8u /* one lends if more than one in so many of its objects are free */

/* What a magazine with room for `room` objects takes. */
#define MAGAZINE_SIZE(room) (sizeof(struct magazine) + ((room) + 1u) * sizeof(void *))

_Static_assert(MAGAZINE_SIZE(CAPACITY_LEAST) == SLAB_HEADER_SMALL, "the smallest magazine");
_Static_assert(MAGAZINE_SIZE(CAPACITY_MOST) == SLAB_MAGAZINE_LARGE, "the largest magazine");

unsigned slab_room(size_t bytes)
{
    size_t room = MAGAZINE_BYTES / bytes;

    if (room < CAPACITY_LEAST)
        return CAPACITY_LEAST;
    return room < CAPACITY_MOST ? (unsigned)room : CAPACITY_MOST;
}

/* ---- the magazine itself; the caller is masked ---- */

static struct magazine *own_magazine(const struct object_cache *cache)
{
    return cache->magazines[hal_cpu_id()];
}

/* How much of its room a magazine uses. Caller holds the cache's lock. */
static uint32_t pick_capacity(const struct object_cache *cache)
{
    uint64_t share = cache->used / CAPACITY_SHARE;

    if (share < CAPACITY_LEAST)
        return CAPACITY_LEAST;
    return share < cache->room ? (uint32_t)share : cache->room;
}

/* Takes the oldest objects out, CHUNK at most, until `keep` are left. */
static size_t take_oldest(struct magazine *magazine, void **objects, uint32_t keep)
{
    uint32_t n = magazine->count > keep ? magazine->count - keep : 0;

    if (n > CHUNK)
        n = CHUNK;
    for (uint32_t i = 1; i <= n; i++)
        objects[i - 1] = magazine->objects[i];
    for (uint32_t i = n + 1; i <= magazine->count; i++)
        magazine->objects[i - n] = magazine->objects[i];
    magazine->count -= n;
    return n;
}

/* ---- to the slabs ---- */

size_t slab_put_all(void **objects, size_t n)
{
    struct object_cache *locked = NULL;
    hal_irq_state_t state = 0;
    struct list gone;

    list_init(&gone);
    for (size_t i = 0; i < n; i++) {
        struct object_cache *cache = slab_of(NULL, objects[i])->cache;

        if (cache != locked) {
            if (locked)
                spinlock_release(&locked->lock, state);
            locked = cache;
            state = spinlock_acquire(&locked->lock);
        }
        if (!slab_put_object(cache, objects[i], &gone))
            panic("heap: the block at %p (%s) was freed twice", objects[i], cache->name);
    }
    if (locked)
        spinlock_release(&locked->lock, state);
    return slab_destroy_list(&gone);
}

/* Flushes this CPU's magazine until `keep` objects are left. */
static size_t flush(struct object_cache *cache, uint32_t keep)
{
    void *objects[CHUNK];
    size_t n, frames = 0;

    do {
        hal_irq_state_t state = spinlock_acquire(&cache->lock);

        n = take_oldest(own_magazine(cache), objects, keep);
        spinlock_release(&cache->lock, state);
        frames += slab_put_all(objects, n);
    } while (n > 0);
    return frames;
}

size_t slab_drop_magazine(struct object_cache *cache)
{
    size_t frames = flush(cache, 0);
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    struct magazine *magazine = own_magazine(cache);

    cache->drain &= (uint8_t) ~(1u << hal_cpu_id());
    if (magazine == &slab_no_magazine || magazine->count > 0) {
        spinlock_release(&cache->lock, state);
        return frames;
    }
    cache->magazines[hal_cpu_id()] = &slab_no_magazine;
    cache->served += magazine->served;
    spinlock_release(&cache->lock, state);
    slab_own_give(magazine);
    return frames;
}

static bool asked_to_drain(const struct object_cache *cache)
{
    return __atomic_load_n(&cache->drain, __ATOMIC_RELAXED) >> hal_cpu_id() & 1;
}

void slab_give_slow(struct object_cache *cache, void *object)
{
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    struct magazine *magazine = own_magazine(cache);
    bool none = magazine == &slab_no_magazine || asked_to_drain(cache);

    if (!none)
        magazine->capacity = pick_capacity(cache);
    spinlock_release(&cache->lock, state);
    if (none) {
        (void)slab_drop_magazine(cache);
        (void)slab_put_all(&object, 1);
        return;
    }
    (void)flush(cache, pick_capacity(cache) / 2);
    if (!slab_give(cache, object))
        panic("heap: the block at %p (%s) was freed twice", object, cache->name);
}

/* ---- from the slabs ---- */

/* Gives this CPU a magazine, if memory for one can be had. */
static void provide_magazine(struct object_cache *cache)
{
    struct magazine *magazine = slab_own_take(MAGAZINE_SIZE(cache->room));
    hal_irq_state_t state;

    if (!magazine)
        return;
    *magazine = (struct magazine){.capacity = CAPACITY_LEAST};
    magazine->objects[0] = NULL;
    state = spinlock_acquire(&cache->lock);
    if (own_magazine(cache) == &slab_no_magazine) {
        cache->magazines[hal_cpu_id()] = magazine;
        magazine = NULL;
    }
    spinlock_release(&cache->lock, state);
    if (magazine)
        slab_own_give(magazine);
}

/*
 * One object of `from` for the caller, and half a magazine of `cache` if that is empty. NULL: there
 * are none. Caller holds the lock of `from`.
 */
static void *take_for(struct object_cache *cache, struct object_cache *from)
{
    struct magazine *magazine = own_magazine(cache);
    void *object;

    if (slab_take_objects(from, &object, 1) == 0)
        return NULL;
    from->served++;
    if (magazine != &slab_no_magazine && magazine->count == 0)
        magazine->count =
            (uint32_t)slab_take_objects(from, &magazine->objects[1], magazine->capacity / 2);
    return object;
}

static void *refill(struct object_cache *cache)
{
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    struct magazine *magazine = own_magazine(cache);
    void *object;

    if (magazine != &slab_no_magazine)
        magazine->capacity = pick_capacity(cache);
    object = take_for(cache, cache);
    spinlock_release(&cache->lock, state);
    return object;
}

static bool can_lend(const struct object_cache *cache)
{
    return (cache->total - cache->used) * LENDER_SHARE > cache->total;
}

static void *borrow(struct object_cache *cache)
{
    void *object = NULL;

    for (unsigned i = cache->number + 1u;
         !object && i <= cache->number + LENDERS && i < SLAB_CLASSES; i++) {
        struct object_cache *lender = &slab_classes[i];
        hal_irq_state_t state = spinlock_acquire(&lender->lock);

        if (can_lend(lender))
            object = take_for(cache, lender);
        spinlock_release(&lender->lock, state);
    }
    return object;
}

void *slab_take_slow(struct object_cache *cache)
{
    hal_irq_state_t state = hal_irq_save();
    bool none = own_magazine(cache) == &slab_no_magazine, drain = asked_to_drain(cache);
    void *object;

    hal_irq_restore(state);
    if (drain)
        (void)slab_drop_magazine(cache);
    else if (none && cache->room > 0)
        provide_magazine(cache);
    do {
        object = refill(cache);
        if (!object)
            object = borrow(cache);
    } while (!object && slab_grow(cache));
    return object;
}

/* ---- looking ---- */

bool slab_in_magazine(const struct object_cache *cache, const void *object)
{
    hal_irq_state_t state = hal_irq_save();
    const struct magazine *magazine = own_magazine(cache);
    bool found = false;

    for (uint32_t i = 1; i <= magazine->count && !found; i++)
        found = magazine->objects[i] == object;
    hal_irq_restore(state);
    return found;
}

/* What other CPUs change meanwhile may be missed; a magazine goes only while the lock is held. */
uint64_t slab_magazine_objects(const struct object_cache *cache)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        sum += __atomic_load_n(&cache->magazines[cpu]->count, __ATOMIC_RELAXED);
    return sum;
}

/* What is borrowed is larger; of other CPUs it cannot be told which that is. */
uint64_t slab_magazine_bytes(const struct object_cache *cache)
{
    uint64_t sum = slab_magazine_objects(cache) * cache->bytes;
    const struct magazine *magazine = own_magazine(cache);

    for (uint32_t i = 1; i <= magazine->count; i++)
        sum += slab_of(NULL, magazine->objects[i])->cache->bytes - cache->bytes;
    return sum;
}

uint64_t slab_served(const struct object_cache *cache)
{
    uint64_t sum = cache->served;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        sum += __atomic_load_n(&cache->magazines[cpu]->served, __ATOMIC_RELAXED);
    return sum;
}
