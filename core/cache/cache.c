/* SPDX-License-Identifier: MIT */
/*
 * cache.c: objects: reading and writing through pages, and changing their size.
 *
 * The object's lock is not held while bytes are copied, and is taken once for each 16 pages: to
 * find them and count as their reader, or lock them for a change; and, when the bytes have been
 * copied, to be none any more and find the next.
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
    cache_fill_init();
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

#define READ_PAGES 16u /* that are read from at a time */

/* Where a read is: at pages that follow each other, of each of which it is a reader. */
struct reading {
    struct cache_object *object;
    uint64_t offset; /* of the next byte */
    size_t left;
    unsigned most; /* pages at a time, up to READ_PAGES */
    struct cache_page *pages[READ_PAGES];
    unsigned n;
    size_t length; /* of the bytes in them */
    unsigned hits;
};

/* True if somebody who wants to read the page has to wait. */
static bool is_closed(const struct cache_page *page)
{
    return page->state == CACHE_READING || page->state == CACHE_CHANGING || page->wanting > 0;
}

/* Caller holds the lock. Begins to read the pages that come next and are there. */
static void find_pages(struct reading *reading)
{
    struct cache_object *object = reading->object;
    size_t within = reading->offset % HAL_PAGE_SIZE;
    uint64_t number = reading->offset / HAL_PAGE_SIZE, end = pages_for(within + reading->left);
    struct cache_page *page;

    while (reading->n < end && reading->n < reading->most &&
           (page = cache_index_get(&object->index, number + reading->n))) {
        if (is_closed(page) && reading->n > 0)
            break;
        if (is_closed(page)) {
            cache_page_wait(object);
            continue;
        }
        page->readers++;
        cache_page_touch(page, reading->n == 0 ? within : 0);
        reading->pages[reading->n++] = page;
        reading->hits++;
    }
}

/* Caller holds the lock. */
static void end_pages(struct reading *reading)
{
    bool last = false;

    for (unsigned i = 0; i < reading->n; i++)
        if (--reading->pages[i]->readers == 0)
            last = true;
    if (last)
        cache_page_wake(reading->object);
    reading->n = 0;
}

/* Caller holds the lock. What is behind the end is not read. */
static void limit(struct reading *reading)
{
    uint64_t size = reading->object->size;

    if (reading->offset >= size)
        reading->left = 0;
    else if (reading->left > size - reading->offset)
        reading->left = (size_t)(size - reading->offset);
}

/* Bytes of what is left that lie in the pages. */
static void measure(struct reading *reading)
{
    size_t room = (size_t)reading->n * HAL_PAGE_SIZE - reading->offset % HAL_PAGE_SIZE;

    reading->length = reading->n == 0 ? 0 : room < reading->left ? room : reading->left;
}

/* Has the page read that is not there, and those behind it that will be wanted. */
static int fetch(struct reading *reading)
{
    uint64_t number = reading->offset / HAL_PAGE_SIZE;
    uint64_t n = pages_for(reading->offset % HAL_PAGE_SIZE + reading->left);
    hal_irq_state_t state;
    int error =
        cache_fill(reading->object, number, n < CACHE_FILL_PAGES ? (unsigned)n : CACHE_FILL_PAGES,
                   &reading->pages[0]);

    if (error)
        return error;
    reading->n = 1;
    cache_count(&cache_counts.misses, 1);
    state = spinlock_acquire(&reading->object->lock);
    cache_page_touch(reading->pages[0], reading->offset % HAL_PAGE_SIZE);
    find_pages(reading);
    spinlock_release(&reading->object->lock, state);
    return 0;
}

/* Goes to the next pages. With length 0: there are none. */
static int advance(struct reading *reading)
{
    struct cache_object *object = reading->object;
    int error = 0;

    do {
        hal_irq_state_t state = spinlock_acquire(&object->lock);

        end_pages(reading);
        limit(reading);
        if (reading->left > 0)
            find_pages(reading);
        spinlock_release(&object->lock, state);
        if (reading->n == 0 && reading->left > 0)
            error = fetch(reading);
        else
            error = 0;
    } while (error == -EAGAIN || (error == -ENOMEM && cache_writeback_some() > 0));
    measure(reading);
    return error;
}

/* Copies what the pages have. */
static void take(struct reading *reading, uint8_t *to)
{
    size_t within = reading->offset % HAL_PAGE_SIZE, done = 0;

    for (unsigned i = 0; i < reading->n; i++) {
        size_t n = HAL_PAGE_SIZE - within;

        if (n > reading->length - done)
            n = reading->length - done;
        memcpy(to + done, (const uint8_t *)reading->pages[i]->data + within, n);
        done += n;
        within = 0;
    }
    reading->offset += done;
    reading->left -= done;
}

int64_t cache_read(struct cache_object *object, uint64_t offset, void *data, size_t n)
{
    struct reading reading = {.object = object, .offset = offset, .left = n, .most = READ_PAGES};
    uint8_t *to = data;
    int error;

    while (!(error = advance(&reading)) && reading.length > 0) {
        take(&reading, to);
        to += reading.length;
    }
    if (reading.hits > 0)
        cache_count(&cache_counts.hits, reading.hits);
    return to == data ? error : to - (uint8_t *)data;
}

/* ---- writing ---- */

#define CHANGE_PAGES 16u /* that are changed at a time */

/* Where a write is: at pages that follow each other, each of which it has made CHANGING. */
struct changing {
    struct cache_object *object;
    uint64_t offset;     /* of the next byte */
    const uint8_t *data; /* NULL: zeros */
    size_t left;
    unsigned most; /* pages that it may change */
    struct cache_page *pages[CHANGE_PAGES];
    unsigned n;
};

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

/* The same for those behind it, as long as none has to be waited for. */
static void lock_more(struct changing *change, unsigned most)
{
    struct cache_index *index = &change->object->index;
    uint64_t number = change->pages[0]->number;
    struct cache_page *page;

    while (change->n < most && (page = cache_index_get(index, number + change->n)) &&
           page->state == CACHE_IDLE && page->readers == 0) {
        page->state = CACHE_CHANGING;
        change->pages[change->n++] = page;
    }
}

static unsigned at_most(const struct changing *change, uint64_t n)
{
    return n < change->most ? (unsigned)n : change->most;
}

/* Of the pages that come next, those of which nothing stays. Caller holds the lock. */
static unsigned count_whole(const struct changing *change)
{
    uint64_t size = change->object->size;

    if (change->offset % HAL_PAGE_SIZE != 0)
        return 0;
    if (change->offset + change->left >= size)
        return at_most(change, pages_for(size - change->offset));
    return at_most(change, change->left / HAL_PAGE_SIZE);
}

/* Bytes of what is left that lie in the first `n` pages. */
static size_t length_of(const struct changing *change, unsigned n)
{
    size_t room = (size_t)n * HAL_PAGE_SIZE - change->offset % HAL_PAGE_SIZE;

    return room < change->left ? room : change->left;
}

/* Makes those CHANGING that are there: how many. *whole: of how many nothing would stay. */
static unsigned claim_present(struct changing *change, unsigned *whole)
{
    struct cache_object *object = change->object;
    uint64_t number = change->offset / HAL_PAGE_SIZE;
    struct cache_page *unused = NULL;
    hal_irq_state_t state = spinlock_acquire(&object->lock);

    *whole = count_whole(change);
    change->pages[0] = lock_page(object, number, &unused);
    change->n = change->pages[0] ? 1 : 0;
    if (change->n > 0)
        lock_more(change, at_most(change, pages_for(change->offset + change->left) - number));
    spinlock_release(&object->lock, state);
    if (unused)
        cache_page_free(unused);
    return change->n;
}

/* Pages that were not there, and of which the write leaves nothing. */
static int claim_blank(struct changing *change, unsigned whole)
{
    size_t length;
    int error;

    change->n = whole;
    error =
        cache_fill_blank(change->object, change->offset / HAL_PAGE_SIZE, &change->n, change->pages);
    if (error)
        return error;
    length = length_of(change, change->n);
    if (length % HAL_PAGE_SIZE != 0)
        memset((uint8_t *)change->pages[change->n - 1]->data + length % HAL_PAGE_SIZE, 0,
               HAL_PAGE_SIZE - length % HAL_PAGE_SIZE);
    return 0;
}

/* Makes the next pages CHANGING, one at least. */
static int claim(struct changing *change)
{
    unsigned whole;
    int error;

    do {
        if (claim_present(change, &whole) > 0)
            return 0;
        if (whole == 0)
            error = cache_fill(change->object, change->offset / HAL_PAGE_SIZE, 1, NULL);
        else
            error = claim_blank(change, whole);
        if (!error && whole > 0)
            return 0;
    } while (!error || error == -EAGAIN || (error == -ENOMEM && cache_writeback_some() > 0));
    return error;
}

/* The pages have what was to be written, and are free again. */
static void end_change(struct changing *change)
{
    struct cache_object *object = change->object;
    size_t within = change->offset % HAL_PAGE_SIZE;
    hal_irq_state_t state = spinlock_acquire(&object->lock);

    for (unsigned i = 0; i < change->n; i++) {
        change->pages[i]->state = CACHE_IDLE;
        cache_page_touch(change->pages[i], i == 0 ? within : 0);
        cache_page_soil(change->pages[i]);
    }
    cache_page_wake(object);
    spinlock_release(&object->lock, state);
}

/* Changes the pages that come next. */
static int change_next(struct changing *change)
{
    size_t within = change->offset % HAL_PAGE_SIZE, done = 0, length;
    unsigned room;
    int error = cache_throttle(change->object);

    room = cache_dirty_room();
    change->most = room < CHANGE_PAGES ? room : CHANGE_PAGES;
    if (!error)
        error = claim(change);
    if (error)
        return error;
    length = length_of(change, change->n);
    for (unsigned i = 0; i < change->n; i++) {
        uint8_t *to = (uint8_t *)change->pages[i]->data + within;
        size_t n = HAL_PAGE_SIZE - within < length - done ? HAL_PAGE_SIZE - within : length - done;

        if (change->data)
            memcpy(to, change->data + done, n);
        else
            memset(to, 0, n);
        done += n;
        within = 0;
    }
    end_change(change);
    change->offset += length;
    change->left -= length;
    if (change->data)
        change->data += length;
    return 0;
}

int64_t cache_write(struct cache_object *object, uint64_t offset, const void *data, size_t n)
{
    struct changing change = {.object = object, .offset = offset, .data = data, .left = n};
    int error = 0;

    while (change.left > 0 && !error)
        error = change_next(&change);
    if (change.left < n)
        cache_writeback_kick(false);
    return change.left < n ? (int64_t)(n - change.left) : error;
}

/* ---- single pages ---- */

int cache_get_ahead(struct cache_object *object, uint64_t number, unsigned n,
                    struct cache_page **page)
{
    struct reading reading = {.object = object,
                              .offset = number * HAL_PAGE_SIZE,
                              .left = (size_t)n * HAL_PAGE_SIZE,
                              .most = 1};
    hal_irq_state_t state;
    int error = advance(&reading);

    if (!error && reading.length == 0)
        error = -EINVAL;
    if (error)
        return error;
    state = spinlock_acquire(&object->lock);
    *page = reading.pages[0];
    (*page)->holds++;
    end_pages(&reading);
    spinlock_release(&object->lock, state);
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
