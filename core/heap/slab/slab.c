/* SPDX-License-Identifier: MIT */
/*
 * slab.c: slabs: runs of pages cut into equal objects.
 *
 * The header of a slab lies elsewhere, so that 64 objects of 64 bytes fit into a page, and objects
 * of a power of two lie at multiples of their size. It has a bit for each object: freeing one does
 * not touch the object, which may be cold, and freeing it twice is noticed.
 *
 *     header: | start | bits: 1 1 0 1 ... |          owner of each page of the slab
 *                |
 *     pages:     | object 0 | object 1 | object 2 | ...  | tail |
 *
 * How many pages: as few as leave a tail of less than 1/32, but never more than half of what the
 * cache has already, so that one of 2,304 bytes starts with a page that holds one object, and is
 * soon at 4 pages with 7. 48 bytes: 1 page, 85 objects, 16 bytes left over. A cache with many slabs
 * makes them of up to 4 pages: that is less often, and each has more room when it is loaded.
 *
 * Colouring: the tail is shared out, so that object 0 lies up to a tail further in every next slab,
 * and the first lines of objects, which are used most, do not all compete for the same sets of the
 * processor's caches. That helps for objects of a few hundred bytes and more that are no power of
 * two. Those that are have no tail, and must keep their alignment; small ones spread over all sets
 * by themselves.
 *
 * Sorting: a store has a list for each quarter that a slab may be full, and one for those that are
 * full. Objects are taken from the fullest slabs with room, so that the emptiest become empty and
 * can be given back. When a slab is put on a list, its header notes how many objects may be freed
 * until it belongs to another; only then it is looked at again. A full one waits until 1/16 of its
 * objects are free, so that it is worth loading. One empty slab a store is kept if it is small.
 *
 *     loaded --> full --> 3/4 .. --> 1/2 .. --> 1/4 .. --> less --> empty --> given back
 *       ^                   |          |          |         |         |
 *       +-------------------+----------+----------+---------+---------+
 */
#include "heap/slab/parts.h"

#include "boot/panic.h"
#include "heap/heap.h"
#include "lib/format.h"
#include "mem/frame.h"

#include <hal/kstate.h>
#include <hal/runtime.h>

#define TAIL_SHARE 32u
#define PAGES_MAX 16u
#define GROWN_PAGES 4u  /* that a slab has when the cache has */
#define GROWN_SHARE 16u /* so many times as many */
#define KEEP_PAGES 8u
#define KEEP_SHARE 8u
#define LEAST(a, b) ((a) < (b) ? (a) : (b))
#define MOST(a, b) ((a) > (b) ? (a) : (b))
#define LINE 64u /* colours are apart by one line of the processor's caches */

#define STACK_BYTES 32768u /* that a stack may hold, */
#define STACK_SHARE 32u    /* and this part of the objects in use, */
#define STACK_LEAST 8192u  /* or what is less than this, or a page, */
#define STACK_FEW 4u       /* and these few */
#define WAIT_SHARE 16u     /* a full slab waits until one in so many objects is free */

/* A small header is one line. A large one is two, with the link at the end of the first. */
#define SMALL_FRONT (sizeof(uint64_t))
#define LARGE_FRONT (LINE - sizeof(struct list))
#define HEADER_OBJECTS ((SLAB_HEADER_LARGE - LARGE_FRONT - sizeof(struct slab)) / 8 * 64)

KSTATE void *slab_no_stack[1];
KSTATE struct object_cache slab_own_caches[SLAB_OWN_CACHES];

static const size_t own_sizes[SLAB_OWN_CACHES] = {SLAB_HEADER_SMALL, SLAB_HEADER_LARGE,
                                                  SLAB_STACK_BYTES};

_Static_assert(SMALL_FRONT + sizeof(struct slab) + sizeof(uint64_t) == SLAB_HEADER_SMALL,
               "a small header is full");
_Static_assert(HEADER_OBJECTS >= PAGES_MAX * HAL_PAGE_SIZE / 256,
               "a slab of many pages has objects of 256 bytes at least");
_Static_assert(HEADER_OBJECTS >= HAL_PAGE_SIZE / 16, "a slab of objects of 16 bytes has one page");

void slab_store_init(struct object_cache *cache, struct slab_store *store, unsigned cpu)
{
    memset(store, 0, sizeof *store);
    store->cache = cache;
    store->bytes = cache->bytes;
    store->stack = slab_no_stack;
    store->cpu = (uint8_t)cpu;
    for (unsigned level = 0; level <= SLAB_LEVELS; level++)
        list_init(&store->with_room[level]);
    list_init(&store->full);
    if (cpu < HAL_CPU_MAX)
        cache->stores[cpu] = store;
}

void slab_cache_init(struct object_cache *cache, size_t bytes, size_t align,
                     void (*construct)(void *object))
{
    memset(cache, 0, sizeof *cache);
    cache->bytes = (uint32_t)bytes;
    cache->reciprocal = (uint32_t)(((1ull << 32) + bytes - 1) / bytes);
    cache->align = (uint32_t)align;
    cache->construct = construct;
    cache->number = SLAB_CLASSES;
    cache->name = cache->label;
    spinlock_init(&cache->lock, LOCK_RANK_HEAP);
    slab_store_init(cache, &cache->shared, SLAB_SHARED);
    list_init(&cache->link);
}

/* ---- owning a store ---- */

/* The store that this CPU takes from. */
static struct slab_store *open_store(struct object_cache *cache, hal_irq_state_t *state)
{
    struct slab_store *store;

    if (!cache->stores[0]) {
        *state = spinlock_acquire(&cache->lock);
        return &cache->shared;
    }
    *state = hal_irq_save();
    store = cache->stores[hal_cpu_id()];
    return store;
}

static void close_store(struct slab_store *store, hal_irq_state_t state)
{
    if (store->cpu == SLAB_SHARED)
        spinlock_release(&store->cache->lock, state);
    else
        hal_irq_restore(state);
}

/* ---- making a slab ---- */

void *slab_own_take(size_t bytes)
{
    struct object_cache *cache = slab_own_caches;
    hal_irq_state_t state;
    void *object;

    while (cache->bytes < bytes)
        cache++;
    do {
        state = spinlock_acquire(&cache->lock);
        object = slab_take_one(&cache->shared);
        spinlock_release(&cache->lock, state);
    } while (!object && slab_grow(cache));
    return object;
}

void slab_own_give(void *object)
{
    /* The header of a slab of headers is small, and at the start of its page. */
    uintptr_t page = (uintptr_t)object & ~((uintptr_t)HAL_PAGE_SIZE - 1);
    struct slab *slab = (struct slab *)(page + SMALL_FRONT);
    struct object_cache *cache = slab->store->cache;
    struct list gone;
    hal_irq_state_t state;
    bool good;

    list_init(&gone);
    state = spinlock_acquire(&cache->lock);
    good = slab_give_one(slab, object, &gone);
    spinlock_release(&cache->lock, state);
    kassert(good);
    (void)slab_destroy_list(&gone);
}

static unsigned count_objects(const struct object_cache *cache, unsigned pages)
{
    size_t bytes = pages * HAL_PAGE_SIZE;

    unsigned objects = (unsigned)((cache->inside ? bytes - cache->bytes : bytes) / cache->bytes);

    /* There is always a bit behind the last object: see slab_find_quickly. */
    return objects % 64 == 0 && objects * cache->bytes < bytes ? objects - 1 : objects;
}

/*
 * The fewest pages with a small tail; else, of those that the cache may have, those with the least.
 */
static unsigned pick_least_pages(const struct object_cache *cache, const struct slab_store *store)
{
    unsigned least = (cache->bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE, best = least;
    unsigned most = store->frames / 2 < PAGES_MAX ? store->frames / 2 : PAGES_MAX;
    size_t best_tail = SIZE_MAX;

    for (unsigned pages = least; pages == least || pages <= most; pages++) {
        size_t tail = pages * HAL_PAGE_SIZE % cache->bytes;

        if (tail * TAIL_SHARE <= pages * HAL_PAGE_SIZE)
            return pages;
        if (pages == least || tail * best < best_tail * pages) {
            best = pages;
            best_tail = tail;
        }
    }
    return best;
}

/* And more of them when there are many slabs, so that they are made and loaded less often. */
static unsigned pick_pages(const struct object_cache *cache, const struct slab_store *store)
{
    unsigned pages = pick_least_pages(cache, store);

    while (pages * 2 <= GROWN_PAGES && pages * 2 * GROWN_SHARE <= store->frames && !cache->inside &&
           count_objects(cache, pages * 2) <= HEADER_OBJECTS)
        pages *= 2;
    return pages;
}

static char *first_object(struct object_cache *cache, char *run, unsigned pages, unsigned objects,
                          unsigned number)
{
    size_t tail = pages * HAL_PAGE_SIZE - objects * cache->bytes;
    size_t step = cache->align > LINE ? cache->align : LINE;

    return run + (cache->inside ? cache->bytes : number % (tail / step + 1) * step);
}

/* Bytes of a header that lie in front of `struct slab`. */
static size_t front_of(unsigned objects)
{
    return objects <= 64 ? SMALL_FRONT : LARGE_FRONT;
}

/* A slab with all of its objects free, on no list and in no store. */
static struct slab *create_slab(struct object_cache *cache, unsigned pages, unsigned number)
{
    unsigned objects = count_objects(cache, pages);
    size_t bytes = objects <= 64 ? SLAB_HEADER_SMALL : SLAB_HEADER_LARGE;
    char *run = backing_take(pages, 0), *header;
    struct slab *slab;

    if (!run)
        return NULL;
    header = cache->inside ? run : slab_own_take(bytes);
    if (!header) {
        backing_give(run);
        return NULL;
    }
    memset(header, 0, bytes);
    slab = (struct slab *)(header + front_of(objects));
    list_init(&slab->link);
    slab->reciprocal = heap_is_plain() ? cache->reciprocal : 0;
    slab->start = first_object(cache, run, pages, objects, number);
    slab->objects = (uint16_t)objects;
    slab->pages = (uint8_t)pages;
    for (unsigned i = 0; cache->construct && i < objects; i++)
        cache->construct(slab->start + (size_t)i * cache->bytes);
    return slab;
}

/* Other CPUs look at the sums of a store while it changes. */
static void set_sums(struct slab_store *store, unsigned slabs, unsigned frames, uint64_t total,
                     uint64_t used)
{
    __atomic_store_n(&store->slabs, slabs, __ATOMIC_RELAXED);
    __atomic_store_n(&store->frames, frames, __ATOMIC_RELAXED);
    __atomic_store_n(&store->total, total, __ATOMIC_RELAXED);
    __atomic_store_n(&store->used, used, __ATOMIC_RELAXED);
}

/* Makes it known whose the slab is. */
static void add_slab(struct slab_store *store, struct slab *slab)
{
    __atomic_store_n(&slab->store, store, __ATOMIC_RELAXED);
    __atomic_store_n(&slab->cpu, store->cpu, __ATOMIC_RELEASE);
    set_sums(store, store->slabs + 1, store->frames + slab->pages, store->total + slab->objects,
             store->used + slab_used(slab));
}

static void remove_slab(struct slab *slab)
{
    struct slab_store *store = slab->store;

    list_remove(&slab->link);
    set_sums(store, store->slabs - 1, store->frames - slab->pages, store->total - slab->objects,
             store->used - slab_used(slab));
}

/* How many objects may be on the stack: a cache with few shall not keep many in reserve. */
static uint32_t pick_capacity(const struct slab_store *store)
{
    size_t bytes = store->cache->bytes;
    uint64_t few = LEAST(STACK_LEAST / bytes, STACK_FEW), share = store->used / STACK_SHARE;
    uint64_t page = HAL_PAGE_SIZE / bytes, most = LEAST(STACK_BYTES / bytes, SLAB_STACK_MAX);

    few = MOST(few, 1);
    return (uint32_t)LEAST(MOST(MOST(few, page), share), most);
}

/* The stack is set up when there are slabs, and may hold more with each. */
static void fit_stack(struct object_cache *cache)
{
    hal_irq_state_t state = hal_irq_save();
    struct slab_store *store = cache->stores[hal_cpu_id()];
    void **stack = store->stack == slab_no_stack ? slab_own_take(SLAB_STACK_BYTES) : NULL;

    if (stack) {
        stack[0] = NULL;
        store->stack = stack;
    }
    if (store->stack != slab_no_stack)
        store->capacity = pick_capacity(store);
    hal_irq_restore(state);
}

bool slab_grow(struct object_cache *cache)
{
    unsigned least = (cache->bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    hal_irq_state_t state;
    struct slab_store *store = open_store(cache, &state);
    unsigned pages = pick_pages(cache, store), number = store->slabs;
    struct slab *slab;

    close_store(store, state);
    slab = create_slab(cache, pages, number);
    if (!slab && pages > least)
        slab = create_slab(cache, least, number);
    if (!slab)
        return false;
    store = open_store(cache, &state); /* maybe another CPU's by now */
    add_slab(store, slab);
    list_add_head(&store->with_room[0], &slab->link);
    if (!cache->inside)
        backing_own(slab->start - (uintptr_t)slab->start % HAL_PAGE_SIZE, slab->pages,
                    backing_mark(slab, BACKING_SLAB));
    close_store(store, state);
    if (cache->stores[0])
        fit_stack(cache);
    return true;
}

static size_t destroy_slab(struct slab *slab)
{
    char *page = slab->start - (uintptr_t)slab->start % HAL_PAGE_SIZE;
    size_t pages = slab->pages;
    bool inside = slab->store->cache->inside;

    /* A slab with its header inside goes with its page. */
    backing_give(page);
    if (!inside)
        slab_own_give((char *)slab - front_of(slab->objects));
    return pages;
}

size_t slab_destroy_list(struct list *gone)
{
    struct list *link;
    size_t frames = 0;

    while ((link = list_take_head(gone)))
        frames += destroy_slab(list_entry(link, struct slab, link));
    return frames;
}

/* ---- sorting ---- */

/* The first empty slab, if it is small, absolutely or compared with the rest. */
static bool is_worth_keeping(const struct slab *slab)
{
    const struct slab_store *store = slab->store;

    return list_empty(&store->with_room[0]) &&
           (slab->pages <= KEEP_PAGES || slab->pages * KEEP_SHARE <= store->frames);
}

/* Finds the list for a slab with objects in use, and notes how many keep it there. */
static struct list *pick_list(struct slab *slab)
{
    unsigned wait = (slab->objects + WAIT_SHARE - 1) / WAIT_SHARE, level = 1;
    unsigned used = slab_used(slab);

    if (used + wait > slab->objects) {
        slab_set_floor(slab, (int)(slab->objects - wait));
        return &slab->store->full;
    }
    while (level < SLAB_LEVELS && used * SLAB_LEVELS >= level * slab->objects)
        level++;
    slab_set_floor(slab, level == 1 ? 0 : (int)(((level - 1) * slab->objects - 1) / SLAB_LEVELS));
    return &slab->store->with_room[level];
}

void slab_settle(struct slab *slab, struct list *gone)
{
    if (slab_used(slab) > 0) {
        list_remove(&slab->link);
        list_add_head(pick_list(slab), &slab->link);
    } else if (is_worth_keeping(slab)) {
        list_remove(&slab->link);
        list_add_head(&slab->store->with_room[0], &slab->link);
    } else {
        remove_slab(slab);
        list_add_head(gone, &slab->link);
    }
}

struct slab *slab_best(struct slab_store *store)
{
    for (unsigned level = SLAB_LEVELS + 1; level-- > 0;)
        if (!list_empty(&store->with_room[level]))
            return list_entry(store->with_room[level].next, struct slab, link);
    return NULL;
}

struct slab *slab_scrape(struct slab_store *store)
{
    list_for_each (link, &store->full) {
        struct slab *slab = list_entry(link, struct slab, link);

        if (slab_used(slab) < slab->objects)
            return slab;
    }
    return NULL;
}

void slab_move(struct slab *slab, struct slab_store *to)
{
    remove_slab(slab);
    add_slab(to, slab);
}

/* ---- objects ---- */

void *slab_take_one(struct slab_store *store)
{
    struct slab *slab = slab_best(store);
    unsigned word = 0, index;
    struct list none;

    if (!slab)
        return NULL;
    while (slab_free_bits(slab, word) == 0)
        word++;
    index = word * 64 + (unsigned)__builtin_ctzll(slab_free_bits(slab, word));
    __atomic_store_n(&slab->busy[word], slab->busy[word] | 1ull << index % 64, __ATOMIC_RELAXED);
    slab_add_used(slab, 1);
    store->served++;
    list_init(&none);
    slab_settle(slab, &none);
    return slab->start + (size_t)index * store->cache->bytes;
}

bool slab_give_one(struct slab *slab, const void *object, struct list *gone)
{
    uint32_t index = slab_find_index(slab, object);
    uint64_t *word;

    if (index == UINT32_MAX || !slab_is_busy(slab, index))
        return false;
    word = &slab->busy[index / 64];
    __atomic_store_n(word, *word & ~(1ull << index % 64), __ATOMIC_RELAXED);
    slab_add_used(slab, -1);
    if (slab->left <= 0)
        slab_settle(slab, gone);
    return true;
}

void slab_give_up(struct slab_store *store, struct list *gone)
{
    while (!list_empty(&store->with_room[0])) {
        struct slab *slab = list_entry(store->with_room[0].next, struct slab, link);

        remove_slab(slab);
        list_add_head(gone, &slab->link);
    }
}

void slab_own_init(void)
{
    for (unsigned i = 0; i < SLAB_OWN_CACHES; i++) {
        slab_cache_init(&slab_own_caches[i], own_sizes[i], LINE, NULL);
        slab_own_caches[i].inside = true;
        (void)format_text(slab_own_caches[i].label, sizeof slab_own_caches[i].label, "slab-%u",
                          slab_own_caches[i].bytes);
    }
}
