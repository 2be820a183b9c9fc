/* SPDX-License-Identifier: MIT */
/*
 * page.c: single pages: made, used, forgotten.
 */
#include "cache/page/page.h"

#include "heap/heap.h"
#include "mem/frame.h"

#include <hal/kstate.h>
#include <hal/runtime.h>

#define TOUCHES_MAX 2u

KSTATE struct cache_counts cache_counts;

uint8_t *cache_frames(unsigned *n)
{
    uint8_t *run = NULL;

    for (; *n > 0; *n /= 2) {
        run = frame_alloc_pages_at(*n, 0, ALLOC_SITE_FOR(ALLOC_CACHE));
        if (run) {
            frame_split(run);
            break;
        }
    }
    return run;
}

struct cache_page *cache_page_create(struct cache_object *object, uint64_t number, void *frame)
{
    struct cache_page *page =
        heap_allocate(sizeof(*page), HEAP_ALIGNMENT, ALLOC_SITE_FOR(ALLOC_CACHE));

    if (!page)
        return NULL;
    memset(page, 0, sizeof(*page));
    page->data = frame;
    page->object = object;
    page->number = number;
    list_init(&page->link);
    return page;
}

void cache_page_free(struct cache_page *page)
{
    frame_free(page->data, 0);
    kfree(page);
}

void cache_page_wait(struct cache_object *object)
{
    wait_sleep_always(&object->waiters, &object->lock);
}

void cache_page_wake(struct cache_object *object)
{
    wait_wake_all(&object->waiters);
}

void cache_page_touch(struct cache_page *page, size_t within)
{
    struct cache_object *object = page->object;

    /* A page that is read bit by bit is used once. */
    if (object->latest == page->number && within != 0)
        return;
    object->latest = page->number;
    if (page->touches < TOUCHES_MAX)
        page->touches++;
}

void cache_page_soil(struct cache_page *page)
{
    struct cache_object *object = page->object;

    if (page->dirty || page->gone)
        return;
    page->dirty = true;
    cache_count(&cache_counts.dirty, 1);
    /* What is being written keeps its place in the order: it was dirty before. */
    if (page->state == CACHE_WRITING)
        return;
    page->stamp = object->stamp;
    cache_index_mark(&object->index, page->number, true);
    if (object->unclean++ == 0)
        cache_writeback_begin(object);
}

void cache_page_detach(struct cache_page *page, struct cache_page **chain)
{
    struct cache_object *object = page->object;

    cache_index_remove(&object->index, page->number);
    object->pages--;
    cache_count(&cache_counts.pages, -1);
    if (page->dirty) {
        page->dirty = false;
        cache_count(&cache_counts.dirty, -1);
        if (--object->unclean == 0)
            cache_writeback_end(object);
    }
    page->gone = true;
    page->held = page->holds > 0;
    page->next = *chain;
    *chain = page;
}

/* The page is on no list any more; true if the caller frees it. */
static bool loosen(struct cache_page *page)
{
    hal_irq_state_t state;
    bool last;

    if (!page->held) /* nobody can find it, and the object may be gone already */
        return true;
    state = spinlock_acquire(&page->object->lock);
    page->loose = true;
    last = page->holds == 0;
    spinlock_release(&page->object->lock, state);
    return last;
}

void cache_page_drop(struct cache_page *chain)
{
    cache_lru_remove(chain);
    while (chain) {
        struct cache_page *next = chain->next;

        if (loosen(chain))
            cache_page_free(chain);
        chain = next;
    }
}

bool cache_page_unhold(struct cache_page *page)
{
    return --page->holds == 0 && page->loose;
}
