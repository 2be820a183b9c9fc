/* SPDX-License-Identifier: MIT */
/*
 * cache.c: objects: reading and writing through pages, and changing their size.
 *
 * A hit takes the object's lock twice for the first page and once for each further one: to find the
 * page and count as its reader, and, when the bytes have been copied without any lock, to be none
 * any more and find the next.
 */
#include "cache/page/page.h"

#include "mem/frame.h"

#include <hal/errno.h>
#include <hal/runtime.h>

static uint64_t pages_for(uint64_t bytes)
{
    return bytes / HAL_PAGE_SIZE + (bytes % HAL_PAGE_SIZE != 0);
}

void cache_init(void)
{
    cache_lru_init();
    cache_writeback_init();
    cache_ahead_init();
}

int cache_start(void)
{
    int error = cache_writeback_start();

    return error ? error : cache_ahead_start();
}

/* ---- objects ---- */

void cache_object_init(struct cache_object *object, const struct cache_ops *ops, void *context,
                       uint64_t size)
{
    *object = (struct cache_object){.ops = ops, .context = context, .size = size, .stored = size};
    object->latest = UINT64_MAX;
    spinlock_init(&object->lock, LOCK_RANK_WAIT);
    wait_init(&object->waiters);
    list_init(&object->link);
}

/* Detaches all pages from number `from` on, and waits for those that are in use. */
static void forget_from(struct cache_object *object, uint64_t from)
{
    struct cache_page *chain = NULL, *page;
    hal_irq_state_t state = spinlock_acquire(&object->lock);
    uint64_t number;

    while ((page = cache_index_next(&object->index, from, CACHE_ALL, &number))) {
        if (cache_page_unused(page))
            cache_page_detach(page, &chain);
        else
            cache_page_wait(object);
    }
    spinlock_release(&object->lock, state);
    cache_page_drop(chain);
}

void cache_object_finish(struct cache_object *object)
{
    cache_ahead_cancel(object);
    cache_await_users(object);
    forget_from(object, 0);
}

/* Makes the bytes of the last page that are behind the end zero. Caller holds the lock. */
static void clear_end(struct cache_object *object)
{
    uint64_t size = object->size;
    struct cache_page *page;

    if (size % HAL_PAGE_SIZE == 0)
        return;
    while ((page = cache_index_get(&object->index, size / HAL_PAGE_SIZE)) &&
           !cache_page_unused(page))
        cache_page_wait(object);
    if (page)
        memset((uint8_t *)page->data + size % HAL_PAGE_SIZE, 0,
               HAL_PAGE_SIZE - size % HAL_PAGE_SIZE);
}

void cache_resize(struct cache_object *object, uint64_t size)
{
    hal_irq_state_t state = spinlock_acquire(&object->lock);
    bool shorter = size < object->size;

    object->generation++;
    object->size = size;
    if (object->stored > size)
        object->stored = size;
    if (shorter)
        clear_end(object);
    spinlock_release(&object->lock, state);
    if (shorter)
        forget_from(object, pages_for(size));
}

void cache_forget(struct cache_object *object, uint64_t offset, uint64_t n)
{
    uint64_t number = offset / HAL_PAGE_SIZE, end = pages_for(offset + n);
    struct cache_page *chain = NULL, *page;
    hal_irq_state_t state = spinlock_acquire(&object->lock);

    while ((page = cache_index_next(&object->index, number, CACHE_ALL, &number)) && number < end) {
        if (cache_page_unused(page) && !page->dirty)
            cache_page_detach(page, &chain);
        number++;
    }
    spinlock_release(&object->lock, state);
    cache_page_drop(chain);
}

/* ---- reading ---- */

/* Where a read is. */
struct reading {
    struct cache_object *object;
    uint64_t offset; /* of the next byte */
    size_t left;
    struct cache_page *page; /* of which the caller is a reader; or NULL */
    size_t within, length;   /* of the bytes in it */
    unsigned hits;
};

/* True if somebody who wants to read the page has to wait. */
static bool is_closed(const struct cache_page *page)
{
    return page->state == CACHE_READING || page->state == CACHE_CHANGING || page->wanting > 0;
}

/* Caller holds the lock. The page that comes next, if it is there; with a reader more. */
static struct cache_page *find_page(struct reading *reading)
{
    struct cache_object *object = reading->object;
    uint64_t number = reading->offset / HAL_PAGE_SIZE;
    struct cache_page *page;

    while ((page = cache_index_get(&object->index, number)) && is_closed(page))
        cache_page_wait(object);
    if (page) {
        page->readers++;
        cache_page_touch(page, reading->within);
        reading->hits++;
    }
    return page;
}

/* Caller holds the lock. Bytes of the page that comes next. */
static void measure(struct reading *reading)
{
    uint64_t size = reading->object->size;

    reading->within = reading->offset % HAL_PAGE_SIZE;
    reading->length = HAL_PAGE_SIZE - reading->within;
    if (reading->length > reading->left)
        reading->length = reading->left;
    if (reading->offset >= size)
        reading->length = 0;
    else if (reading->length > size - reading->offset)
        reading->length = (size_t)(size - reading->offset);
}

/* Has the page read that is not there, and those behind it that will be wanted. */
static int fetch(struct reading *reading)
{
    uint64_t number = reading->offset / HAL_PAGE_SIZE;
    uint64_t n = pages_for(reading->within + reading->left);
    hal_irq_state_t state;
    int error = cache_fill(reading->object, number,
                           n < CACHE_RUN_PAGES ? (unsigned)n : CACHE_RUN_PAGES, &reading->page);

    if (error)
        return error;
    cache_count(&cache_counts.misses, 1);
    state = spinlock_acquire(&reading->object->lock);
    cache_page_touch(reading->page, reading->within);
    spinlock_release(&reading->object->lock, state);
    return 0;
}

/* Goes to the next page. With length 0: there is none. */
static int advance(struct reading *reading)
{
    struct cache_object *object = reading->object;
    int error;

    do {
        hal_irq_state_t state = spinlock_acquire(&object->lock);

        if (reading->page)
            cache_page_end_read(reading->page);
        measure(reading);
        reading->page = reading->length > 0 ? find_page(reading) : NULL;
        spinlock_release(&object->lock, state);
        if (reading->page || reading->length == 0)
            return 0;
        error = fetch(reading);
    } while (error == -EAGAIN || (error == -ENOMEM && cache_writeback_some() > 0));
    return error;
}

int64_t cache_read(struct cache_object *object, uint64_t offset, void *data, size_t n)
{
    struct reading reading = {.object = object, .offset = offset, .left = n};
    uint8_t *to = data;
    int error;

    while (!(error = advance(&reading)) && reading.length > 0) {
        memcpy(to, (const uint8_t *)reading.page->data + reading.within, reading.length);
        to += reading.length;
        reading.offset += reading.length;
        reading.left -= reading.length;
    }
    if (reading.hits > 0)
        cache_count(&cache_counts.hits, reading.hits);
    return to == data ? error : to - (uint8_t *)data;
}

/* ---- writing ---- */

/* Waits until the page may have become free; it may have gone, too. Caller holds the lock. */
static struct cache_page *await_page(struct cache_page *page)
{
    page->wanting++;
    page->holds++;
    cache_page_wait(page->object);
    page->wanting--;
    return cache_page_unhold(page) ? page : NULL;
}

/* Caller holds the lock. The page, which is CHANGING now, if it is there. */
static struct cache_page *lock_page(struct cache_object *object, uint64_t number,
                                    struct cache_page **unused)
{
    struct cache_page *page;

    while ((page = cache_index_get(&object->index, number))) {
        if (page->state == CACHE_IDLE && page->readers == 0) {
            page->state = CACHE_CHANGING;
            return page;
        }
        *unused = await_page(page);
        if (*unused)
            return NULL;
    }
    return NULL;
}

/* Makes the page CHANGING, for a change of `length` bytes from `within` on. */
static int claim(struct cache_object *object, uint64_t number, size_t within, size_t length,
                 struct cache_page **page)
{
    int error;

    do {
        struct cache_page *unused = NULL;
        hal_irq_state_t state = spinlock_acquire(&object->lock);
        uint64_t left = object->size - number * HAL_PAGE_SIZE;
        bool whole = within == 0 && (length == HAL_PAGE_SIZE || length >= left);

        *page = lock_page(object, number, &unused);
        spinlock_release(&object->lock, state);
        if (*page)
            return 0;
        if (unused)
            cache_page_free(unused);
        if (whole)
            error = cache_fill_blank(object, number, page);
        else
            error = cache_fill(object, number, 1, NULL);
        if (!error && whole)
            memset((uint8_t *)(*page)->data + length, 0, HAL_PAGE_SIZE - length);
        if (!error && whole)
            return 0;
    } while (!error || error == -EAGAIN || (error == -ENOMEM && cache_writeback_some() > 0));
    return error;
}

static int change(struct cache_object *object, uint64_t offset, const uint8_t *data, size_t length)
{
    size_t within = offset % HAL_PAGE_SIZE;
    struct cache_page *page;
    hal_irq_state_t state;
    int error = cache_throttle(object);

    if (!error)
        error = claim(object, offset / HAL_PAGE_SIZE, within, length, &page);
    if (error)
        return error;
    if (data)
        memcpy((uint8_t *)page->data + within, data, length);
    else
        memset((uint8_t *)page->data + within, 0, length);
    state = spinlock_acquire(&object->lock);
    page->state = CACHE_IDLE;
    cache_page_touch(page, within);
    cache_page_soil(page);
    cache_page_wake(object);
    spinlock_release(&object->lock, state);
    return 0;
}

int64_t cache_write(struct cache_object *object, uint64_t offset, const void *data, size_t n)
{
    size_t done = 0;
    int error = 0;

    while (done < n && !error) {
        size_t length = HAL_PAGE_SIZE - (offset + done) % HAL_PAGE_SIZE;

        if (length > n - done)
            length = n - done;
        error = change(object, offset + done, data ? (const uint8_t *)data + done : NULL, length);
        if (!error)
            done += length;
    }
    if (done > 0)
        cache_writeback_kick(false);
    return done > 0 ? (int64_t)done : error;
}

/* ---- single pages ---- */

int cache_get_ahead(struct cache_object *object, uint64_t number, unsigned n,
                    struct cache_page **page)
{
    struct reading reading = {
        .object = object, .offset = number * HAL_PAGE_SIZE, .left = (size_t)n * HAL_PAGE_SIZE};
    hal_irq_state_t state;
    int error = advance(&reading);

    if (!error && reading.length == 0)
        error = -EINVAL;
    if (error)
        return error;
    state = spinlock_acquire(&object->lock);
    reading.page->holds++;
    cache_page_end_read(reading.page);
    spinlock_release(&object->lock, state);
    *page = reading.page;
    return 0;
}

int cache_get(struct cache_object *object, uint64_t number, struct cache_page **page)
{
    return cache_get_ahead(object, number, 1, page);
}

void cache_hold(struct cache_page *page)
{
    hal_irq_state_t state = spinlock_acquire(&page->object->lock);

    page->holds++;
    spinlock_release(&page->object->lock, state);
}

void cache_put(struct cache_page *page)
{
    hal_irq_state_t state = spinlock_acquire(&page->object->lock);
    struct cache_object *object = page->object;
    bool last = cache_page_unhold(page);

    spinlock_release(&object->lock, state);
    if (last)
        cache_page_free(page);
}

void *cache_page_data(struct cache_page *page)
{
    return page->data;
}

void cache_page_dirty_now(struct cache_page *page)
{
    hal_irq_state_t state = spinlock_acquire(&page->object->lock);

    cache_page_soil(page);
    spinlock_release(&page->object->lock, state);
}

void cache_page_dirty(struct cache_page *page)
{
    int error;

    cache_page_dirty_now(page);
    error = cache_throttle(page->object);
    (void)error; /* a page that is mapped cannot be refused */
}

/* ---- what is known of an object ---- */

bool cache_is_unclean(struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&object->lock);
    bool unclean = object->unclean > 0;

    spinlock_release(&object->lock, state);
    return unclean;
}

uint32_t cache_errors(struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&object->lock);
    uint32_t errors = object->errors;

    spinlock_release(&object->lock, state);
    return errors;
}

int cache_error_since(struct cache_object *object, uint32_t *seen)
{
    hal_irq_state_t state = spinlock_acquire(&object->lock);
    int error = *seen == object->errors ? 0 : object->error;

    *seen = object->errors;
    spinlock_release(&object->lock, state);
    return error;
}
