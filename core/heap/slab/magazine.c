/* SPDX-License-Identifier: MIT */
/*
 * magazine.c: the CPUs' free objects: filling, flushing, lending between classes.
 *
 * A magazine has room for 32 KiB of objects, up to 64 of them. It uses as much of it as makes a
 * page, or 1/32 of the objects that are in use: a cache with few objects shall not keep many in
 * reserve. What is flushed are the oldest; headers are all that this touches.
 *
 * Lending: the number of blocks of one size goes up and down, and the slabs of a class stay as many
 * as its peak needed. Before a class grows, it borrows from one of the next larger classes if that
 * has many free objects. They stay the lender's, and go back to it when they are freed. Only
 * kmalloc's classes do this: its blocks may be larger than asked for.
 */
#include "heap/slab/parts.h"

#include "boot/panic.h"

#define MAGAZINE_BYTES 32768u
#define CAPACITY_SHARE 32u
#define CAPACITY_LEAST 4u
#define LEAST_BYTES 8192u /* ... but of objects that are large, fewer */
#define CHUNK 32u         /* objects that are moved at a time, on the stack */

#define LENDERS 6u       /* how many larger classes are asked */
#define LENDER_SHARE 32u /* one lends if more than one in so many of its objects are free */

unsigned slab_room(size_t bytes)
{
    unsigned room = SLAB_ROOM_MAX;

    while (room > 1 && room * bytes > MAGAZINE_BYTES)
        room /= 2;
    return room;
}

/* ---- the magazine itself; who changes it is masked ---- */

static struct magazine *own_magazine(const struct object_cache *cache)
{
    return cache->magazines[hal_cpu_id()];
}

static uint32_t count_objects(const struct magazine *magazine)
{
    return __atomic_load_n(&magazine->tail, __ATOMIC_RELAXED) -
           __atomic_load_n(&magazine->head, __ATOMIC_RELAXED);
}

/* The oldest object of one that is not empty, taken out; and one more, for which there is room. */
static void *take_first(struct magazine *magazine)
{
    uint32_t head = magazine->head;

    magazine_set_head(magazine, head + 1);
    return magazine->objects[head & magazine->mask];
}

static void put_last(struct magazine *magazine, void *object)
{
    uint32_t tail = magazine->tail;

    magazine->objects[tail & magazine->mask] = object;
    magazine_set_tail(magazine, tail + 1);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* How much of its room a magazine uses. Caller holds the cache's lock. */
static uint32_t pick_capacity(const struct object_cache *cache)
{
    uint64_t few = most(least(LEAST_BYTES / cache->bytes, CAPACITY_LEAST), 1);
    uint64_t many = most(HAL_PAGE_SIZE / cache->bytes, cache->used / CAPACITY_SHARE);

    return (uint32_t)least(most(few, many), cache->room);
}

/*
 * Takes the oldest objects out, CHUNK at most, until `keep` are left. They do not count as
 * allocations. Caller holds the cache's lock.
 */
static size_t take_oldest(struct object_cache *cache, struct magazine *magazine, void **objects,
                          uint32_t keep)
{
    size_t n = 0;

    while (n < CHUNK && count_objects(magazine) > keep)
        objects[n++] = take_first(magazine);
    if (n > 0) /* else it may be one that is counted without the lock */
        cache->served -= n;
    return n;
}

/* Fills an empty magazine with up to n objects of `from`, whose lock the caller holds. */
static void fill(struct magazine *magazine, struct object_cache *from, uint32_t n)
{
    void *objects[CHUNK];
    size_t got = slab_take_objects(from, objects, n < CHUNK ? n : CHUNK);

    for (size_t i = 0; i < got; i++)
        put_last(magazine, objects[i]);
}

/* ---- to the slabs ---- */

HAL_NORETURN static void refuse(const void *object, const struct object_cache *cache)
{
    panic("heap: the block at %p (%s) was freed twice", object, cache->name);
}

/*
 * Puts those of `n` objects back that are of `cache`, whose lock the caller holds; the others,
 * which it had borrowed, move to the front. Returns how many.
 */
static size_t put_own(struct object_cache *cache, void **objects, size_t n, struct list *gone)
{
    size_t others = 0;

    for (size_t i = 0; i < n; i++) {
        struct slab *slab = slab_of(objects[i]);

        if (slab->cache != cache)
            objects[others++] = objects[i];
        else if (!slab_put_object(slab, objects[i], gone))
            refuse(objects[i], cache);
    }
    return others;
}

/* Puts `n` objects, of any caches, back into their slabs; returns frames that became free. */
static size_t put_all(void **objects, size_t n)
{
    struct list gone;

    list_init(&gone);
    while (n > 0) {
        struct object_cache *cache = slab_of(objects[0])->cache;
        hal_irq_state_t state = spinlock_acquire(&cache->lock);

        n = put_own(cache, objects, n, &gone);
        spinlock_release(&cache->lock, state);
    }
    return slab_destroy_list(&gone);
}

/* The magazine of a CPU, or of the one that this runs on at the moment. */
#define OWN HAL_CPU_MAX

static struct magazine *magazine_of(const struct object_cache *cache, unsigned cpu)
{
    return cache->magazines[cpu == OWN ? hal_cpu_id() : cpu];
}

/* Empties a magazine; returns frames that became free. */
static size_t flush(struct object_cache *cache, unsigned cpu)
{
    void *objects[CHUNK];
    size_t n, frames = 0;

    do {
        hal_irq_state_t state = spinlock_acquire(&cache->lock);

        n = take_oldest(cache, magazine_of(cache, cpu), objects, 0);
        spinlock_release(&cache->lock, state);
        frames += put_all(objects, n);
    } while (n > 0);
    return frames;
}

static size_t drop(struct object_cache *cache, unsigned cpu)
{
    size_t frames = flush(cache, cpu);
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    struct magazine *magazine = magazine_of(cache, cpu);
    void **objects = NULL;

    __atomic_fetch_and(&cache->drain, (uint8_t) ~(1u << hal_cpu_id()), __ATOMIC_RELAXED);
    if (count_objects(magazine) == 0) {
        objects = magazine->objects;
        magazine->objects = NULL;
        magazine->capacity = 0;
    }
    spinlock_release(&cache->lock, state);
    if (objects)
        slab_own_give(objects);
    return frames;
}

size_t slab_drop_magazine(struct object_cache *cache)
{
    return drop(cache, OWN);
}

/* Each by its number: the thread that does this may go from CPU to CPU meanwhile. */
void slab_take_over(struct object_cache *cache)
{
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        (void)drop(cache, cpu);
}

static bool asked_to_drain(const struct object_cache *cache)
{
    return __atomic_load_n(&cache->drain, __ATOMIC_RELAXED) >> hal_cpu_id() & 1;
}

/* True if `object` is the last that came to the magazine. */
static bool is_newest(const struct magazine *magazine, const void *object)
{
    return count_objects(magazine) > 0 &&
           magazine->objects[(magazine->tail - 1) & magazine->mask] == object;
}

/*
 * Adds an object to this CPU's magazine, or to what is to go back to the slabs, the oldest first,
 * of which it returns the number. Caller holds the cache's lock.
 */
static size_t add_object(struct object_cache *cache, void *object, void **objects)
{
    struct magazine *magazine = own_magazine(cache);
    size_t n = 0;

    if (!magazine->objects) {
        objects[n++] = object;
        return n;
    }
    if (count_objects(magazine) >= magazine->capacity) {
        magazine->capacity = pick_capacity(cache);
        n = take_oldest(cache, magazine, objects, magazine->capacity / 2);
    }
    put_last(magazine, object);
    return n;
}

bool slab_give(struct object_cache *cache, void *object)
{
    void *objects[CHUNK];
    struct list gone;
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    bool drain = asked_to_drain(cache), twice = is_newest(own_magazine(cache), object);
    size_t n = twice ? 0 : add_object(cache, object, objects);

    list_init(&gone);
    n = put_own(cache, objects, n, &gone);
    spinlock_release(&cache->lock, state);
    (void)slab_destroy_list(&gone);
    (void)put_all(objects, n);
    if (drain)
        (void)slab_drop_magazine(cache);
    return !twice;
}

/* ---- from the slabs ---- */

/* Gives this CPU's magazine room, if memory for it can be had. */
static void provide_room(struct object_cache *cache)
{
    void **objects = slab_own_take(cache->room * sizeof *objects);
    hal_irq_state_t state;
    struct magazine *magazine;

    if (!objects)
        return;
    state = spinlock_acquire(&cache->lock);
    magazine = own_magazine(cache);
    if (!magazine->objects) {
        magazine->objects = objects;
        magazine->mask = cache->room - 1u;
        magazine->capacity = pick_capacity(cache);
        objects = NULL;
    }
    spinlock_release(&cache->lock, state);
    if (objects)
        slab_own_give(objects);
}

/*
 * One object of `from` for the caller, and half a magazine of `cache`, which is empty. NULL: there
 * are none. Caller holds the lock of `from`.
 */
static void *take_for(struct object_cache *cache, struct object_cache *from)
{
    struct magazine *magazine = own_magazine(cache);
    void *object;

    if (slab_take_objects(from, &object, 1) == 0)
        return NULL;
    from->served++;
    if (count_objects(magazine) == 0)
        fill(magazine, from, magazine->capacity / 2);
    return object;
}

/* From this CPU's magazine, or else from the slabs, which fill it again. */
static void *refill(struct object_cache *cache)
{
    hal_irq_state_t state = spinlock_acquire(&cache->lock);
    struct magazine *magazine = own_magazine(cache);
    void *object;

    if (count_objects(magazine) > 0) {
        object = take_first(magazine);
    } else {
        if (magazine->objects)
            magazine->capacity = pick_capacity(cache);
        object = take_for(cache, cache);
    }
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

void *slab_take(struct object_cache *cache)
{
    void *object;

    if (asked_to_drain(cache))
        (void)slab_drop_magazine(cache);
    else if (cache->room > 0 && !own_magazine(cache)->objects)
        provide_room(cache);
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

    for (uint32_t i = magazine->head; i != magazine->tail && !found; i++)
        found = magazine->objects[i & magazine->mask] == object;
    hal_irq_restore(state);
    return found;
}

/* What other CPUs change meanwhile may be missed; a magazine goes only while the lock is held. */
uint64_t slab_magazine_objects(const struct object_cache *cache)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        int32_t n = (int32_t)count_objects(cache->magazines[cpu]);

        sum += n > 0 ? (uint32_t)n : 0; /* the tail may be older than the head */
    }
    return sum;
}

/* What is borrowed is larger; of other CPUs it cannot be told which that is. */
uint64_t slab_magazine_bytes(const struct object_cache *cache)
{
    uint64_t sum = slab_magazine_objects(cache) * cache->bytes;
    const struct magazine *magazine = own_magazine(cache);

    for (uint32_t i = magazine->head; i != magazine->tail; i++)
        sum += slab_of(magazine->objects[i & magazine->mask])->cache->bytes - cache->bytes;
    return sum;
}

uint64_t slab_served(const struct object_cache *cache)
{
    uint64_t sum = __atomic_load_n(&cache->served, __ATOMIC_RELAXED);

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        sum += __atomic_load_n(&cache->magazines[cpu]->head, __ATOMIC_RELAXED);
    return sum;
}
