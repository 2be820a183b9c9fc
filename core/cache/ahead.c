/* SPDX-License-Identifier: MIT */
/*
 * ahead.c: pages read before somebody asks for them.
 *
 * What is asked for goes into a ring, and a thread reads it. The ring is small and never waits: if
 * the thread cannot keep up, then reading ahead does not pay.
 */
#include "cache/page/page.h"

#include "thread/thread.h"

#include <hal/kstate.h>

#define RING 16u
#define WINDOW_MIN 4u /* pages */

struct wish {
    struct cache_object *object;
    uint64_t number;
    unsigned n;
};

static KSTATE struct ahead {
    struct spinlock lock; /* guards the rest */
    struct wish ring[RING];
    unsigned first, count;
    struct wait_queue work; /* the thread */
} ahead;

void cache_ahead_init(void)
{
    spinlock_init(&ahead.lock, LOCK_RANK_WAIT);
    wait_init(&ahead.work);
}

static bool push(const struct wish *wish)
{
    hal_irq_state_t state = spinlock_acquire(&ahead.lock);
    bool fits = ahead.count < RING;

    if (fits) {
        ahead.ring[(ahead.first + ahead.count++) % RING] = *wish;
        wait_wake_all(&ahead.work);
    }
    spinlock_release(&ahead.lock, state);
    return fits;
}

static bool pop(struct wish *wish)
{
    hal_irq_state_t state = spinlock_acquire(&ahead.lock);
    bool any = ahead.count > 0;

    if (any) {
        *wish = ahead.ring[ahead.first];
        ahead.first = (ahead.first + 1) % RING;
        ahead.count--;
    }
    spinlock_release(&ahead.lock, state);
    return any;
}

void cache_ahead_cancel(struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&ahead.lock);
    unsigned count = ahead.count, gone = 0;

    ahead.count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct wish wish = ahead.ring[(ahead.first + i) % RING];

        if (wish.object == object)
            gone++;
        else
            ahead.ring[(ahead.first + ahead.count++) % RING] = wish;
    }
    spinlock_release(&ahead.lock, state);
    while (gone-- > 0)
        cache_unuse(object);
}

/* Leaves out what is there. False: all is. */
static bool trim(struct wish *wish)
{
    struct cache_object *object = wish->object;
    hal_irq_state_t state = spinlock_acquire(&object->lock);
    uint64_t end = (object->size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;

    if (wish->number >= end)
        wish->n = 0;
    else if (wish->n > end - wish->number)
        wish->n = (unsigned)(end - wish->number);
    while (wish->n > 0 && cache_index_get(&object->index, wish->number)) {
        wish->number++;
        wish->n--;
    }
    spinlock_release(&object->lock, state);
    return wish->n > 0;
}

void cache_prefetch(struct cache_object *object, uint64_t offset, uint64_t n)
{
    uint64_t number = offset / HAL_PAGE_SIZE,
             end = (offset + n + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;

    while (number < end) {
        struct wish wish = {object, number, cache_fill_most()};

        if (wish.n > end - number)
            wish.n = (unsigned)(end - number);
        number += wish.n;
        if (!trim(&wish) || !cache_use(object))
            continue;
        if (!push(&wish)) {
            cache_unuse(object);
            return;
        }
    }
}

bool cache_ahead_step(void)
{
    struct wish wish;

    if (!pop(&wish))
        return false;
    /* Each round reads what lies together on the medium. */
    for (unsigned round = 0; round < CACHE_FILL_PAGES && trim(&wish); round++) {
        unsigned before = wish.n;
        int error = cache_fill(wish.object, wish.number, wish.n, NULL);

        (void)trim(&wish);
        cache_count(&cache_counts.ahead, before - wish.n);
        if (error)
            break;
    }
    cache_unuse(wish.object);
    return true;
}

static void ahead_main(void *unused)
{
    (void)unused;
    for (;;) {
        hal_irq_state_t state = spinlock_acquire(&ahead.lock);

        while (ahead.count == 0)
            wait_sleep_always(&ahead.work, &ahead.lock);
        spinlock_release(&ahead.lock, state);
        while (cache_ahead_step())
            ;
    }
}

int cache_ahead_start(void)
{
    struct thread *thread;
    int error = thread_create("read-ahead", ahead_main, NULL, &thread);

    if (!error)
        thread_detach(thread);
    return error;
}

static unsigned next_window(unsigned window)
{
    unsigned most = cache_fill_most();

    if (window == 0)
        return WINDOW_MIN;
    return 2 * window < most ? 2 * window : most;
}

/* Who reads the first of these bytes is to read all of them. */
static void note_wanted(struct cache_object *object, uint64_t from, uint64_t to)
{
    hal_irq_state_t state = spinlock_acquire(&object->lock);

    object->wanted = from / HAL_PAGE_SIZE;
    object->wanted_end = (to + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    spinlock_release(&object->lock, state);
}

void cache_read_ahead(struct cache_object *object, uint64_t *ahead_to, uint32_t *window,
                      uint64_t offset, size_t n)
{
    uint64_t end = offset + n, span = (uint64_t)*window * HAL_PAGE_SIZE, start;

    if (offset > *ahead_to || *ahead_to - offset > 2 * span) { /* not one after the other */
        *window = 0;
        *ahead_to = end;
        return;
    }
    if (*ahead_to >= end + span / 2 && span > 0)
        return; /* enough is on its way */
    *window = next_window(*window);
    start = *ahead_to > end ? *ahead_to : end;
    *ahead_to = end + (uint64_t)*window * HAL_PAGE_SIZE;
    note_wanted(object, offset, *ahead_to);
    if (*ahead_to > start)
        cache_prefetch(object, start, *ahead_to - start);
}
