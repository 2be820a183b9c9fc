/* SPDX-License-Identifier: MIT */
/*
 * lru.c: which pages are given back when frames get scarce.
 *
 * Two lists, so that a file that is read once from end to end does not drive out what is used again
 * and again. A page begins at the head of the first and moves towards its tail as others come. If
 * it was used twice by the time that it is looked at there, it moves to the second list; else it is
 * given back. Of the second list, when it has grown to twice the first, the page at the tail goes
 * back to the first, unless it has been used meanwhile.
 *
 *     new --> [ first ........ ] --> used once: given back
 *                ^          |
 *                |          +-----> used twice:  [ second ........ ] --> used again: to its head
 *                +---------------------------------- not used <---+
 *
 * Uses are only counted in the page (cache_page_touch), so a hit moves nothing and takes no lock of
 * all objects. The lists' lock comes before those of objects: a page on a list has an object.
 */
#include "cache/page/page.h"

#include "mem/reclaim.h"

#include <hal/kstate.h>

#define LOOK_MAX 32u /* pages that are looked at with the lock held */

static KSTATE struct lru {
    struct spinlock lock; /* guards the lists */
    struct list first, second;
    uint64_t in_first, in_second;
    struct reclaimer reclaimer;
} lru;

static size_t reclaim(void *context, size_t frames)
{
    (void)context;
    return cache_lru_reclaim(frames);
}

void cache_lru_init(void)
{
    spinlock_init(&lru.lock, LOCK_RANK_PAGES);
    list_init(&lru.first);
    list_init(&lru.second);
    lru.reclaimer.name = "page cache";
    lru.reclaimer.reclaim = reclaim;
    reclaim_register(&lru.reclaimer);
}

static void put_first(struct cache_page *page)
{
    list_add_head(&lru.first, &page->link);
    page->active = false;
    lru.in_first++;
}

static void take_off(struct cache_page *page)
{
    if (page->active)
        lru.in_second--;
    else
        lru.in_first--;
    list_remove(&page->link);
}

void cache_lru_add(struct cache_page *const *pages, unsigned n)
{
    hal_irq_state_t state = spinlock_acquire(&lru.lock);

    for (unsigned i = 0; i < n; i++)
        put_first(pages[i]);
    spinlock_release(&lru.lock, state);
}

void cache_lru_remove(struct cache_page *pages)
{
    hal_irq_state_t state;

    if (!pages)
        return;
    state = spinlock_acquire(&lru.lock);
    for (; pages; pages = pages->next)
        if (!list_empty(&pages->link))
            take_off(pages);
    spinlock_release(&lru.lock, state);
}

/* Gives pages of the second list another chance in the first. Caller holds the lock. */
static void balance(void)
{
    for (unsigned i = 0; i < LOOK_MAX && lru.in_second > 2 * lru.in_first; i++) {
        struct cache_page *page = list_entry(lru.second.prev, struct cache_page, link);
        hal_irq_state_t state = spinlock_acquire(&page->object->lock);
        bool used = page->touches > 0;

        page->touches = 0;
        spinlock_release(&page->object->lock, state);
        take_off(page);
        if (used) {
            list_add_head(&lru.second, &page->link);
            lru.in_second++;
        } else {
            put_first(page);
        }
    }
}

/* What becomes of a page; caller holds both locks. True: it is detached and on the chain. */
static bool judge(struct cache_page *page, struct cache_page **chain, bool *dirty)
{
    if (page->gone || !cache_page_unused(page) || page->holds > 0 || page->dirty) {
        *dirty |= page->dirty;
        take_off(page);
        put_first(page);
        return false;
    }
    take_off(page);
    if (page->touches < 2) {
        cache_page_detach(page, chain);
        return true;
    }
    page->touches = 0;
    page->active = true;
    list_add_head(&lru.second, &page->link);
    lru.in_second++;
    return false;
}

/* Looks at up to LOOK_MAX pages, and detaches up to `pages` of them. */
static size_t look(size_t pages, struct cache_page **chain, bool *dirty)
{
    hal_irq_state_t state = spinlock_acquire(&lru.lock);
    size_t got = 0;

    balance();
    for (unsigned i = 0; i < LOOK_MAX && got < pages && !list_empty(&lru.first); i++) {
        struct cache_page *page = list_entry(lru.first.prev, struct cache_page, link);
        struct cache_object *object = page->object;
        hal_irq_state_t inner = spinlock_acquire(&object->lock);

        got += judge(page, chain, dirty);
        spinlock_release(&object->lock, inner);
    }
    spinlock_release(&lru.lock, state);
    return got;
}

size_t cache_lru_reclaim(size_t pages)
{
    uint64_t most = 2 * cache_counted(&cache_counts.pages) / LOOK_MAX + 2;
    bool dirty = false;
    size_t got = 0;

    /* In vain, each list is looked at twice; as long as there is something to give it goes on. */
    for (uint64_t in_vain = 0; in_vain < most && got < pages; in_vain++) {
        struct cache_page *chain = NULL;
        size_t n = look(pages - got, &chain, &dirty);

        cache_page_drop(chain);
        got += n;
        if (n > 0)
            in_vain = 0;
    }
    cache_count(&cache_counts.reclaimed, (int64_t)got);
    if (dirty)
        cache_writeback_kick(true);
    return got;
}
