/* SPDX-License-Identifier: MIT */
/*
 * slab.c: slabs: runs of pages cut into equal objects.
 *
 * The header of a slab lies elsewhere, so that 64 objects of 64 bytes fit into a page, and objects
 * of a power of two lie at multiples of their size. It has a bit for each object, set while that is
 * in use or in a magazine: giving an object back does not touch it, and twice is noticed.
 *
 *     header: | start | bits: 1 1 0 1 ... |          owner of each page of the slab
 *                |
 *     pages:     | object 0 | object 1 | object 2 | ...  | tail |
 *
 * How many pages: as few as leave a tail of less than 1/32, but never more than half of what the
 * cache has already, so that one of 2,304 bytes starts with a page that holds one object, and is
 * soon at 4 pages with 7. 48 bytes: 1 page, 85 objects, 16 bytes left over.
 *
 * Colouring: the tail is shared out, so that object 0 lies up to a tail further in every next slab,
 * and the first lines of objects, which are used most, do not all compete for the same sets of the
 * processor's caches. That helps for objects of a few hundred bytes and more that are no power of
 * two. Those that are have no tail, and must keep their alignment; small ones spread over all sets
 * by themselves.
 *
 * Objects are taken from the fullest slabs, so that the emptiest become empty and can be given
 * back. One empty slab a cache is kept if it is small.
 */
#include "heap/slab/parts.h"

#include "boot/panic.h"
#include "lib/format.h"
#include "mem/frame.h"

#include <hal/kstate.h>
#include <hal/runtime.h>

#define TAIL_SHARE 32u
#define PAGES_MAX 16u
#define KEEP_SHARE 8u
#define LINE 64u /* colours are apart by one line of the processor's caches */

#define HEADER_OBJECTS(bytes) (((bytes) - sizeof(struct slab)) * 8)

KSTATE struct magazine slab_no_magazine;
KSTATE struct object_cache slab_own_caches[SLAB_OWN_CACHES];

static const size_t own_sizes[SLAB_OWN_CACHES] = {SLAB_HEADER_SMALL, SLAB_HEADER_LARGE, 256,
                                                  SLAB_ROOM_MAX * sizeof(void *)};

_Static_assert(HEADER_OBJECTS(SLAB_HEADER_LARGE) >= PAGES_MAX * HAL_PAGE_SIZE / 256,
               "a slab of many pages has objects of 256 bytes at least");
_Static_assert(HEADER_OBJECTS(SLAB_HEADER_LARGE) >= 2 * HAL_PAGE_SIZE / 16,
               "a slab of objects of 16 bytes has one page");

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
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        cache->magazines[cpu] = &slab_no_magazine;
    spinlock_init(&cache->lock, LOCK_RANK_HEAP);
    for (unsigned level = 0; level <= SLAB_LEVELS; level++)
        list_init(&cache->slabs_with_room[level]);
    list_init(&cache->link);
}

/* ---- making a slab ---- */

/* Who makes one goes by the size that the cache has, without its lock: which is held here. */
static void set_size(struct object_cache *cache, uint64_t slabs, uint64_t frames)
{
    __atomic_store_n(&cache->slabs, slabs, __ATOMIC_RELAXED);
    __atomic_store_n(&cache->frames, frames, __ATOMIC_RELAXED);
}

static unsigned count_objects(const struct object_cache *cache, unsigned pages)
{
    size_t bytes = pages * HAL_PAGE_SIZE;

    return (unsigned)((cache->inside ? bytes - cache->bytes : bytes) / cache->bytes);
}

/*
 * The fewest pages with a small tail; else, of those that a cache of so many frames may have, those
 * with the least.
 */
static unsigned pick_pages(const struct object_cache *cache, uint64_t frames)
{
    unsigned least = (cache->bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE, best = least;
    uint64_t most = frames / 2 < PAGES_MAX ? frames / 2 : PAGES_MAX;
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

static char *first_object(struct object_cache *cache, char *run, unsigned pages, unsigned objects)
{
    size_t tail = pages * HAL_PAGE_SIZE - objects * cache->bytes;
    size_t step = cache->align > LINE ? cache->align : LINE;
    uint64_t slabs = __atomic_load_n(&cache->slabs, __ATOMIC_RELAXED);
    uint32_t colour = (uint32_t)(slabs % (tail / step + 1));

    return run + (cache->inside ? cache->bytes : colour * step);
}

/* A slab with all of its objects free, on no list. */
static struct slab *create_slab(struct object_cache *cache, unsigned pages)
{
    unsigned objects = count_objects(cache, pages);
    size_t header =
        objects <= HEADER_OBJECTS(SLAB_HEADER_SMALL) ? SLAB_HEADER_SMALL : SLAB_HEADER_LARGE;
    char *run = backing_take(pages, 0);
    struct slab *slab;

    if (!run)
        return NULL;
    slab = cache->inside ? (struct slab *)run : slab_own_take(header);
    if (!slab) {
        backing_give(run);
        return NULL;
    }
    memset(slab, 0, header);
    list_init(&slab->link);
    slab->cache = cache;
    slab->reciprocal = cache->reciprocal;
    slab->start = first_object(cache, run, pages, objects);
    slab->objects = (uint16_t)objects;
    slab->pages = (uint8_t)pages;
    for (unsigned i = 0; cache->construct && i < objects; i++)
        cache->construct(slab->start + (size_t)i * cache->bytes);
    if (!cache->inside)
        backing_own(run, pages, backing_mark(slab, BACKING_SLAB + cache->number));
    return slab;
}

bool slab_grow(struct object_cache *cache)
{
    unsigned least = (cache->bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    unsigned pages = pick_pages(cache, __atomic_load_n(&cache->frames, __ATOMIC_RELAXED));
    struct slab *slab = create_slab(cache, pages);
    hal_irq_state_t state;

    if (!slab && pages > least)
        slab = create_slab(cache, least);
    if (!slab)
        return false;
    state = spinlock_acquire(&cache->lock);
    list_add_head(&cache->slabs_with_room[0], &slab->link);
    set_size(cache, cache->slabs + 1, cache->frames + slab->pages);
    cache->total += slab->objects;
    spinlock_release(&cache->lock, state);
    return true;
}

static size_t destroy_slab(struct slab *slab)
{
    char *page = slab->start - (uintptr_t)slab->start % HAL_PAGE_SIZE;
    size_t pages = slab->pages;
    bool inside = slab->cache->inside;

    /* A slab with its header inside goes with its page. */
    backing_give(page);
    if (!inside)
        slab_own_give(slab);
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

/* ---- objects ---- */

/*
 * Puts the slab on the list that fits how full it is; a full one is on none. Until `used` leaves
 * the bounds that are noted then, it stays there.
 */
static void sort_slab(struct slab *slab)
{
    unsigned level = slab->used > 0;

    while (level > 0 && slab->used * SLAB_LEVELS >= level * slab->objects)
        level++;
    slab->least =
        (uint16_t)(level ? ((level - 1) * slab->objects + SLAB_LEVELS - 1) / SLAB_LEVELS : 0);
    if (level == 1)
        slab->least = 1;
    slab->most = (uint16_t)(level ? (level * slab->objects - 1) / SLAB_LEVELS : 0);
    list_remove(&slab->link);
    if (level <= SLAB_LEVELS)
        list_add_head(&slab->cache->slabs_with_room[level], &slab->link);
}

static void look_at_level(struct slab *slab)
{
    if (slab->used < slab->least || slab->used > slab->most)
        sort_slab(slab);
}

/* The slab to take from next: the fullest that has room, or NULL. */
static struct slab *best_slab(struct object_cache *cache)
{
    for (unsigned level = SLAB_LEVELS + 1; level-- > 0;)
        if (!list_empty(&cache->slabs_with_room[level]))
            return list_entry(cache->slabs_with_room[level].next, struct slab, link);
    return NULL;
}

/* Takes up to n free objects, the first ones. */
static size_t take_from(struct slab *slab, void **objects, size_t n)
{
    size_t bytes = slab->cache->bytes, taken = 0;

    for (unsigned word = 0; taken < n && slab->used + taken < slab->objects; word++) {
        uint64_t busy = slab->busy[word];

        while (taken < n && ~busy) {
            unsigned bit = (unsigned)__builtin_ctzll(~busy);

            if (word * 64 + bit >= slab->objects)
                break;
            busy |= 1ull << bit;
            objects[taken++] = slab->start + (word * 64 + bit) * bytes;
        }
        __atomic_store_n(&slab->busy[word], busy, __ATOMIC_RELAXED);
    }
    slab->used = (uint16_t)(slab->used + taken);
    look_at_level(slab);
    return taken;
}

size_t slab_take_objects(struct object_cache *cache, void **objects, size_t n)
{
    struct slab *slab;
    size_t taken = 0;

    while (taken < n && (slab = best_slab(cache)))
        taken += take_from(slab, objects + taken, n - taken);
    cache->used += taken;
    return taken;
}

static void remove_slab(struct slab *slab, struct list *gone)
{
    struct object_cache *cache = slab->cache;

    set_size(cache, cache->slabs - 1, cache->frames - slab->pages);
    cache->total -= slab->objects;
    list_remove(&slab->link);
    list_add_head(gone, &slab->link);
}

/* The first empty slab, if it is small, absolutely or compared with the rest. */
static bool is_worth_keeping(const struct slab *slab)
{
    const struct object_cache *cache = slab->cache;

    return list_empty(&cache->slabs_with_room[0]) &&
           (slab->pages == 1 || slab->pages * KEEP_SHARE <= cache->frames);
}

bool slab_put_object(struct slab *slab, void *object, struct list *gone)
{
    uint32_t index = slab_index(slab, (uint64_t)((char *)object - slab->start));

    if (index == UINT32_MAX || !slab_busy(slab, index))
        return false;
    __atomic_store_n(&slab->busy[index / 64], slab->busy[index / 64] & ~(1ull << index % 64),
                     __ATOMIC_RELAXED);
    slab->used--;
    slab->cache->used--;
    if (slab->used == 0 && !is_worth_keeping(slab))
        remove_slab(slab, gone);
    else
        look_at_level(slab);
    return true;
}

void slab_give_up(struct object_cache *cache, struct list *gone)
{
    while (!list_empty(&cache->slabs_with_room[0]))
        remove_slab(list_entry(cache->slabs_with_room[0].next, struct slab, link), gone);
}

/* ---- what the allocator itself needs ---- */

void slab_own_init(void)
{
    for (unsigned i = 0; i < SLAB_OWN_CACHES; i++) {
        slab_cache_init(&slab_own_caches[i], own_sizes[i], LINE, NULL);
        slab_own_caches[i].inside = true;
        (void)format_text(slab_own_caches[i].label, sizeof slab_own_caches[i].label, "slab-%u",
                          slab_own_caches[i].bytes);
    }
}

void *slab_own_take(size_t bytes)
{
    struct object_cache *cache = slab_own_caches;
    hal_irq_state_t state;
    void *object;

    while (cache->bytes < bytes)
        cache++;
    do {
        state = spinlock_acquire(&cache->lock);
        if (slab_take_objects(cache, &object, 1) == 0)
            object = NULL;
        spinlock_release(&cache->lock, state);
    } while (!object && slab_grow(cache));
    return object;
}

void slab_own_give(void *object)
{
    /* The header of such a slab is the start of its page. */
    struct slab *slab = (struct slab *)((uintptr_t)object & ~((uintptr_t)HAL_PAGE_SIZE - 1));
    struct object_cache *cache = slab->cache;
    struct list gone;
    hal_irq_state_t state;
    bool good;

    list_init(&gone);
    state = spinlock_acquire(&cache->lock);
    good = slab_put_object(slab, object, &gone);
    spinlock_release(&cache->lock, state);
    kassert(good);
    (void)slab_destroy_list(&gone);
}
