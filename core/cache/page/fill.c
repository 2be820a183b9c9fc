/* SPDX-License-Identifier: MIT */
/*
 * fill.c: pages that are not there yet: asked where they are, allocated, entered, read.
 *
 * The order is what keeps this free of circles: the file system is asked before anything is locked;
 * then the pages are entered, locked, if the object has not been resized since; and then they are
 * read. Who comes meanwhile finds them READING and waits.
 */
#include "cache/page/page.h"

#include "mem/frame.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

/* A run of pages on its way. */
struct fill {
    struct cache_object *object;
    uint64_t number;
    unsigned n;
    bool reads; /* else: they will be overwritten */
    uint32_t generation;
    bool stored;   /* the medium has something of them */
    uint64_t have; /* bytes that it has of the object */
    struct cache_page *pages[CACHE_FILL_PAGES];
    uint8_t *data; /* of the first one; those of the others follow it */
    struct cache_map map;
};

#define FILL_SHARE 128u /* of RAM is read at once, at most */
#define FILL_LEAST 64u  /* pages, but for that */

static KSTATE unsigned fill_most;

void cache_fill_init(void)
{
    struct frame_stats stats;
    uint64_t most;

    frame_read_stats(&stats);
    most = stats.total / FILL_SHARE;
    fill_most = most < FILL_LEAST         ? FILL_LEAST
                : most > CACHE_FILL_PAGES ? CACHE_FILL_PAGES
                                          : (unsigned)most;
}

unsigned cache_fill_most(void)
{
    return fill_most;
}

/* Caller holds the lock. What somebody is about to want is read with it, and once; and no more
 * than may be read at once. */
static void want_more(struct fill *fill)
{
    struct cache_object *object = fill->object;
    uint64_t end = fill->number + fill->n;
    unsigned most = cache_fill_most();

    if (fill->number >= object->wanted && end < object->wanted_end)
        end = object->wanted_end;
    if (end - fill->number > most)
        end = fill->number + most;
    if (end > object->wanted)
        object->wanted = end;
    fill->n = (unsigned)(end - fill->number);
}

/* Which of the pages are absent, in a row; and of the same kind. -EAGAIN: not even the first. */
static int plan(struct fill *fill)
{
    struct cache_object *object = fill->object;
    hal_irq_state_t state = spinlock_acquire(&object->lock);
    uint64_t stored = (object->stored + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE, found;
    uint64_t end = (object->size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    int error = 0;

    fill->generation = object->generation;
    fill->stored = fill->number < stored;
    fill->have = object->stored;
    if (fill->stored)
        end = stored;
    if (fill->reads)
        want_more(fill);
    if (fill->number >= end)
        error = -EINVAL;
    else if (fill->n > end - fill->number)
        fill->n = (unsigned)(end - fill->number);
    if (!error && cache_index_next(&object->index, fill->number, CACHE_ALL, &found)) {
        if (found == fill->number)
            error = -EAGAIN;
        else if (fill->n > found - fill->number)
            fill->n = (unsigned)(found - fill->number);
    }
    spinlock_release(&object->lock, state);
    return error;
}

/* True if what was planned may not hold any more. */
static bool is_resized(const struct fill *fill)
{
    hal_irq_state_t state = spinlock_acquire(&fill->object->lock);
    bool resized = fill->object->generation != fill->generation;

    spinlock_release(&fill->object->lock, state);
    return resized;
}

static int find_medium(struct fill *fill)
{
    struct cache_object *object = fill->object;
    int error = 0;

    fill->map.pages = fill->n;
    fill->map.count = 0;
    if (fill->stored && object->ops->map)
        error = object->ops->map(object, fill->number, fill->n, false, &fill->map);
    if (error && is_resized(fill))
        error = -EAGAIN;
    if (!error && fill->n > fill->map.pages)
        fill->n = fill->map.pages;
    return error;
}

static int create_pages(struct fill *fill)
{
    unsigned frames = fill->n, made = 0;
    uint8_t *run = cache_frames(&frames);

    while (made < frames &&
           (fill->pages[made] = cache_page_create(fill->object, fill->number + made,
                                                  run + (size_t)made * HAL_PAGE_SIZE)))
        made++;
    for (unsigned i = made; i < frames; i++)
        frame_put(run + (size_t)i * HAL_PAGE_SIZE);
    fill->n = made;
    fill->data = run;
    return made == 0 ? -ENOMEM : 0;
}

/* Frees those from `from` on. */
static void cut(struct fill *fill, unsigned from)
{
    for (unsigned i = from; i < fill->n; i++)
        cache_page_free(fill->pages[i]);
    fill->n = from;
}

/*
 * Caller holds the lock. Enters pages from the *entered-th on, as many as can be. How many tables
 * the next one takes; 0: all were entered, or there is one already.
 */
static unsigned enter_locked(struct fill *fill, enum cache_state to, struct cache_spares *spares,
                             unsigned *entered)
{
    struct cache_object *object = fill->object;

    for (; *entered < fill->n; ++*entered) {
        struct cache_page *page = fill->pages[*entered];
        unsigned missing;

        if (cache_index_get(&object->index, page->number))
            break;
        missing = cache_index_add(&object->index, page->number, page, spares);
        if (missing)
            return missing;
        page->state = to;
        object->pages++;
    }
    return 0;
}

/* Enters the pages in the state `to`; fewer, if need be. -EAGAIN: not even the first. */
static int enter(struct fill *fill, enum cache_state to)
{
    struct cache_object *object = fill->object;
    struct cache_spares spares = {NULL, 0};
    unsigned entered = 0, missing = 0;
    int error;

    do {
        hal_irq_state_t state;

        error = cache_spares_fill(&spares, missing);
        if (error)
            break;
        state = spinlock_acquire(&object->lock);
        missing = 0;
        if (object->generation != fill->generation)
            error = -EAGAIN;
        else
            missing = enter_locked(fill, to, &spares, &entered);
        spinlock_release(&object->lock, state);
    } while (missing > 0);
    cache_spares_free(&spares);
    cut(fill, entered);
    cache_count(&cache_counts.pages, entered);
    if (entered == 0)
        return error ? error : -EAGAIN;
    cache_lru_add(fill->pages, fill->n);
    return 0;
}

/* What is behind the end of what the medium has is zero, whatever it says. */
static void clear_rest(struct fill *fill)
{
    uint64_t start = fill->number * HAL_PAGE_SIZE;

    for (unsigned i = 0; i < fill->n; i++, start += HAL_PAGE_SIZE) {
        uint64_t have = fill->have > start ? fill->have - start : 0;

        if (have < HAL_PAGE_SIZE)
            memset(fill->data + i * HAL_PAGE_SIZE + have, 0, HAL_PAGE_SIZE - have);
    }
}

static int read_pages(struct fill *fill, unsigned n)
{
    struct cache_object *object = fill->object;

    return fill->stored ? object->ops->read(object, fill->number, n, fill->data, &fill->map) : 0;
}

/* The first `good` pages have been read, the others are forgotten. */
static void complete(struct fill *fill, unsigned good, struct cache_page **kept)
{
    struct cache_object *object = fill->object;
    struct cache_page *chain = NULL;
    hal_irq_state_t state = spinlock_acquire(&object->lock);

    for (unsigned i = 0; i < fill->n; i++) {
        fill->pages[i]->state = CACHE_IDLE;
        if (i >= good)
            cache_page_detach(fill->pages[i], &chain);
    }
    if (kept && good > 0) {
        *kept = fill->pages[0];
        (*kept)->readers++;
    }
    cache_page_wake(object);
    spinlock_release(&object->lock, state);
    cache_page_drop(chain);
}

int cache_fill(struct cache_object *object, uint64_t number, unsigned n, struct cache_page **kept)
{
    struct fill fill = {.object = object, .number = number, .n = n, .reads = true};
    unsigned good;
    int error = plan(&fill);

    if (!error)
        error = find_medium(&fill);
    if (!error)
        error = create_pages(&fill);
    if (!error)
        error = enter(&fill, CACHE_READING);
    if (error)
        return error;
    good = fill.n;
    error = read_pages(&fill, good);
    if (error && fill.n > 1) {
        /* A bad sector further on is not what was asked for. */
        good = 1;
        error = read_pages(&fill, good);
    }
    if (!error)
        clear_rest(&fill);
    complete(&fill, error ? 0 : good, kept);
    return error;
}

int cache_fill_blank(struct cache_object *object, uint64_t number, unsigned *n,
                     struct cache_page **pages)
{
    struct fill fill = {.object = object, .number = number, .n = *n};
    int error = plan(&fill);

    if (!error)
        error = create_pages(&fill);
    if (!error)
        error = enter(&fill, CACHE_CHANGING);
    if (error)
        return error;
    for (unsigned i = 0; i < fill.n; i++)
        pages[i] = fill.pages[i];
    *n = fill.n;
    return 0;
}
