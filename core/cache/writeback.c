/* SPDX-License-Identifier: MIT */
/*
 * writeback.c: dirty pages on their way to the medium: by sync, by the flusher, by writers.
 *
 * A pass goes through the dirty pages of an object once, from the lowest number on, and writes what
 * follows each other at once. Each pass has a stamp, counted up by the object; a page keeps the
 * stamp at which it became dirty, and a pass writes those from before it began only. So it ends
 * however fast somebody makes pages dirty behind its back.
 *
 * Nothing here allocates memory: it is what memory is waiting for.
 *
 * Objects with dirty pages are in a list in the order in which they are due: 5 s after their first
 * page became dirty, or when a failed attempt is to be repeated, after 1 s at first and twice as
 * long each time. The flusher takes them from its head; when more than a tenth of RAM is dirty also
 * before their time. When a fifth is, writers write themselves.
 */
#include "cache/page/page.h"

#include "mem/frame.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define DELAY_MIN 1000000000u  /* 1 s */
#define DELAY_MAX 64000000000u /* 64 s */
#define DIRTY_MIN 32u          /* pages that may be dirty in any case */
#define BACKGROUND_SHARE 10u   /* of RAM, from which on the flusher writes */
#define LIMIT_SHARE 5u         /* of RAM, from which on writers do */

static KSTATE struct writeback {
    struct spinlock lock;       /* guards the rest, and the part of objects that is the flusher's */
    struct list objects;        /* with dirty pages, nearest due first */
    struct wait_queue work;     /* the flusher, when there is nothing to do */
    struct wait_queue unused;   /* those who wait for an object to be left alone */
    bool kicked;                /* the flusher has to look again */
    bool pressure;              /* and to write, whether too much is dirty or not */
    uint64_t background, limit; /* pages; constant after boot */
    uint64_t age;               /* from the first change to write-back, ns; likewise */
} writeback;

void cache_writeback_init(void)
{
    struct frame_stats stats;

    frame_read_stats(&stats);
    spinlock_init(&writeback.lock, LOCK_RANK_DIRTY);
    list_init(&writeback.objects);
    wait_init(&writeback.work);
    wait_init(&writeback.unused);
    writeback.age = CACHE_DIRTY_AGE;
    writeback.background = stats.total / BACKGROUND_SHARE;
    writeback.limit = stats.total / LIMIT_SHARE;
    if (writeback.background < DIRTY_MIN)
        writeback.background = DIRTY_MIN;
    if (writeback.limit < 2 * DIRTY_MIN)
        writeback.limit = 2 * DIRTY_MIN;
}

void cache_set_dirty_age(uint64_t age)
{
    writeback.age = age;
}

static uint64_t count_unclean(void)
{
    return cache_counted(&cache_counts.dirty) + cache_counted(&cache_counts.writing);
}

/* ---- one pass ---- */

struct pass {
    struct cache_object *object;
    uint64_t from, end;    /* page numbers */
    uint64_t stamp;        /* pages of before are written */
    uint64_t single_until; /* pages before this one are written one by one */
    uint64_t size;         /* of the object, when the pages were locked */
    bool held;             /* the caller holds the file system's lock */
    int error;             /* the first */
};

static void begin_pass(struct pass *pass, struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&object->lock);

    *pass = (struct pass){.object = object, .end = UINT64_MAX, .stamp = ++object->stamp};
    spinlock_release(&object->lock, state);
}

static bool wants(const struct pass *pass, const struct cache_page *page)
{
    return page && page->dirty && page->state == CACHE_IDLE && page->stamp < pass->stamp;
}

/* Caller holds the lock. How many pages from pass->from on can be written now, at most `max`. */
static unsigned count_run(const struct pass *pass, unsigned max)
{
    unsigned n = 0;

    while (n < max && pass->end - pass->from > n &&
           wants(pass, cache_index_get(&pass->object->index, pass->from + n)))
        n++;
    return n;
}

/* Caller holds the lock. Moves pass->from to the next pages to write: how many; 0: no more. */
static unsigned find_run(struct pass *pass)
{
    struct cache_object *object = pass->object;
    struct cache_page *page;
    uint64_t number;

    while ((page = cache_index_next(&object->index, pass->from, CACHE_UNCLEAN, &number)) &&
           number < pass->end) {
        pass->from = number;
        if (page->stamp >= pass->stamp)
            pass->from++;
        else if (page->state != CACHE_IDLE)
            cache_page_wait(object);
        else
            return count_run(pass, number < pass->single_until ? 1 : CACHE_RUN_PAGES);
    }
    return 0;
}

/* Caller holds the lock. Locks the first `n` pages and takes their content's places. */
static void lock_run(struct pass *pass, unsigned n, struct cache_page **pages, void **data)
{
    for (unsigned i = 0; i < n; i++) {
        pages[i] = cache_index_get(&pass->object->index, pass->from + i);
        pages[i]->state = CACHE_WRITING;
        pages[i]->dirty = false;
        data[i] = pages[i]->data;
    }
    pass->size = pass->object->size;
    cache_count(&cache_counts.dirty, -(int64_t)n);
    cache_count(&cache_counts.writing, n);
}

/* The page has been written, or not. Caller holds the lock. */
static void unlock_page(const struct pass *pass, struct cache_page *page, int error)
{
    struct cache_object *object = page->object;
    uint64_t size = pass->size < object->size ? pass->size : object->size;
    uint64_t end = (page->number + 1) * HAL_PAGE_SIZE;

    page->state = CACHE_IDLE;
    cache_count(&cache_counts.writing, -1);
    if (error && !page->dirty) {
        page->dirty = true;
        cache_count(&cache_counts.dirty, 1);
    }
    if (end > size) /* what the file has got meanwhile is not there */
        end = size;
    if (!error && object->stored < end)
        object->stored = end;
    if (page->dirty)
        return;
    cache_index_mark(&object->index, page->number, false);
    if (--object->unclean == 0)
        cache_writeback_end(object);
}

static void note_error(struct pass *pass, int error)
{
    pass->object->errors++;
    pass->object->error = error;
    if (!pass->error)
        pass->error = error;
    cache_count(&cache_counts.errors, 1);
}

/* Caller holds the lock. What has become of the `n` pages from pass->from on. */
static void end_run(struct pass *pass, unsigned n, struct cache_page **pages, int error)
{
    for (unsigned i = 0; i < n; i++)
        unlock_page(pass, pages[i], error);
    cache_page_wake(pass->object);
    if (error && n > 1) {
        pass->single_until = pass->from + n; /* one bad sector is not to keep the others */
        return;
    }
    if (error)
        note_error(pass, error);
    else
        cache_count(&cache_counts.written, n);
    pass->from += n;
}

/* Nobody knows where the page is. How many pages can be written, then. */
static unsigned skip_page(struct pass *pass, int error)
{
    note_error(pass, error);
    pass->from++;
    return 0;
}

/* Asks where the pages are; without the lock. */
static int find_place(struct pass *pass, unsigned n, struct cache_map *map)
{
    struct cache_object *object = pass->object;

    map->pages = n;
    map->count = 0;
    return object->ops->map ? object->ops->map(object, pass->from, n, pass->held, map) : 0;
}

/* Writes the next pages: how many, 0 when none are left. Errors are in the pass. */
static unsigned write_next(struct pass *pass)
{
    struct cache_object *object = pass->object;
    struct cache_page *pages[CACHE_RUN_PAGES];
    void *data[CACHE_RUN_PAGES];
    struct cache_map map;
    hal_irq_state_t state = spinlock_acquire(&object->lock);
    unsigned n = find_run(pass);
    uint32_t generation = object->generation;
    int error;

    spinlock_release(&object->lock, state);
    if (n == 0)
        return 0;
    error = find_place(pass, n, &map);
    state = spinlock_acquire(&object->lock);
    /* If it was resized, or somebody was faster, the next call looks again. */
    if (generation != object->generation)
        n = 0;
    else if (error)
        n = skip_page(pass, error);
    else
        n = count_run(pass, n < map.pages ? n : map.pages);
    lock_run(pass, n, pages, data);
    spinlock_release(&object->lock, state);
    if (n == 0)
        return 1;
    error = object->ops->write(object, pass->from, n, data, &map);
    state = spinlock_acquire(&object->lock);
    end_run(pass, n, pages, error);
    spinlock_release(&object->lock, state);
    return n;
}

/* ---- objects that are due; the lock of this file is held ---- */

static bool is_listed(const struct cache_object *object)
{
    return !list_empty(&object->link);
}

static void wake_flusher(void)
{
    writeback.kicked = true;
    wait_wake_all(&writeback.work);
}

/* Puts the object where it belongs; most often that is the tail. */
static void list_object(struct cache_object *object, uint64_t due)
{
    struct list *before = &writeback.objects;

    list_remove(&object->link);
    object->due = due;
    while (before->prev != &writeback.objects &&
           list_entry(before->prev, struct cache_object, link)->due > due)
        before = before->prev;
    list_insert_before(&object->link, before);
    if (writeback.objects.next == &object->link)
        wake_flusher();
}

/* When something is due that waits for so long. */
static uint64_t due_after(uint64_t ns)
{
    return ns == HAL_TIME_NEVER ? HAL_TIME_NEVER : hal_time_now() + ns;
}

void cache_writeback_begin(struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);

    if (!is_listed(object) && !object->finishing)
        list_object(object, due_after(writeback.age));
    spinlock_release(&writeback.lock, state);
}

void cache_writeback_end(struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);

    list_remove(&object->link);
    object->delay = 0;
    spinlock_release(&writeback.lock, state);
}

/* A pass has ended so: when the next one is due. */
static void settle(struct cache_object *object, int error)
{
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);
    uint64_t delay = object->delay;

    if (error)
        object->delay = delay == 0 ? DELAY_MIN : delay < DELAY_MAX ? 2 * delay : delay;
    else
        object->delay = 0;
    if (is_listed(object))
        list_object(object, due_after(error ? object->delay : writeback.age));
    spinlock_release(&writeback.lock, state);
}

bool cache_use(struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);
    bool usable = !object->finishing;

    if (usable)
        object->users++;
    spinlock_release(&writeback.lock, state);
    return usable;
}

void cache_unuse(struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);

    if (--object->users == 0 && object->finishing)
        wait_wake_all(&writeback.unused);
    spinlock_release(&writeback.lock, state);
}

void cache_await_users(struct cache_object *object)
{
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);

    object->finishing = true;
    list_remove(&object->link);
    while (object->users > 0)
        wait_sleep_always(&writeback.unused, &writeback.lock);
    list_remove(&object->link);
    spinlock_release(&writeback.lock, state);
}

/*
 * The first object that is due at `now`, or with `any` the first that has not failed; used. *due:
 * it is.
 */
static struct cache_object *pick(uint64_t now, bool any, bool *due)
{
    struct cache_object *picked = NULL;
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);

    list_for_each (link, &writeback.objects) {
        struct cache_object *object = list_entry(link, struct cache_object, link);

        *due = object->due <= now;
        if (*due || (any && object->delay == 0 && !object->ops->flush)) {
            picked = object;
            picked->users++;
            break;
        }
        if (!any)
            break;
    }
    spinlock_release(&writeback.lock, state);
    return picked;
}

/* ---- who writes, and when ---- */

static int sync_range(struct cache_object *object, uint64_t offset, uint64_t n, bool held)
{
    uint64_t last = n > UINT64_MAX - offset ? UINT64_MAX : offset + n;
    struct pass pass;

    begin_pass(&pass, object);
    pass.from = offset / HAL_PAGE_SIZE;
    pass.end = last / HAL_PAGE_SIZE + (last % HAL_PAGE_SIZE != 0);
    pass.held = held;
    while (write_next(&pass) > 0)
        ;
    if (pass.error)
        settle(object, pass.error);
    return pass.error;
}

int cache_sync(struct cache_object *object)
{
    return sync_range(object, 0, UINT64_MAX, false);
}

int cache_sync_range(struct cache_object *object, uint64_t offset, uint64_t n)
{
    return sync_range(object, offset, n, false);
}

int cache_sync_held(struct cache_object *object, uint64_t offset, uint64_t n)
{
    return sync_range(object, offset, n, true);
}

size_t cache_writeback_some(void)
{
    struct cache_object *object;
    unsigned n = 0;
    bool due;

    while (n == 0 && (object = pick(0, true, &due))) {
        struct pass pass;

        begin_pass(&pass, object);
        do /* if pages that failed together are tried one by one, to the one that is to blame */
            n = write_next(&pass);
        while (n > 0 && !pass.error && pass.from < pass.single_until);
        if (pass.error) {
            settle(object, pass.error);
            n = 0;
        } else if (n == 0) {
            n = 1; /* somebody else has, meanwhile */
        }
        cache_unuse(object);
    }
    return n;
}

int cache_throttle(struct cache_object *object)
{
    hal_irq_state_t state;
    int error = 0;

    if (count_unclean() < writeback.limit)
        return 0;
    cache_count(&cache_counts.throttled, 1);
    while (count_unclean() >= writeback.limit)
        if (cache_writeback_some() == 0)
            break;
    if (count_unclean() < writeback.limit)
        return 0;
    /* What is left cannot be written; that is the affair of those whose pages they are. */
    state = spinlock_acquire(&object->lock);
    if (object->unclean > 0)
        error = object->error;
    spinlock_release(&object->lock, state);
    return error;
}

unsigned cache_dirty_room(void)
{
    uint64_t unclean = count_unclean();

    return unclean < writeback.limit ? (unsigned)(writeback.limit - unclean) : 1;
}

/* ---- the flusher ---- */

void cache_writeback_kick(bool pressure)
{
    hal_irq_state_t state;

    if (!pressure && count_unclean() < writeback.background)
        return;
    state = spinlock_acquire(&writeback.lock);
    if (pressure && !list_empty(&writeback.objects))
        writeback.pressure = true;
    if (!writeback.kicked)
        wake_flusher();
    spinlock_release(&writeback.lock, state);
}

void cache_flush_later(struct cache_object *object)
{
    cache_writeback_begin(object);
}

/* Calls an object that is not about pages. What comes to it from here on is for the next time. */
static void call(struct cache_object *object)
{
    uint64_t delay = object->delay;
    int error;

    cache_writeback_end(object);
    error = object->ops->flush(object);
    if (!error)
        return;
    object->delay = delay;
    cache_writeback_begin(object);
    settle(object, error);
}

/* Writes what is dirty of an object; ahead of its time, as long as too much is. */
static void flush(struct cache_object *object, bool all)
{
    struct pass pass;

    begin_pass(&pass, object);
    while ((all || count_unclean() >= writeback.background) && write_next(&pass) > 0)
        ;
    if (all || pass.error)
        settle(object, pass.error);
}

/* When the first object is due. */
static uint64_t next_due(void)
{
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);
    uint64_t due = HAL_TIME_NEVER;

    if (!list_empty(&writeback.objects))
        due = list_entry(writeback.objects.next, struct cache_object, link)->due;
    spinlock_release(&writeback.lock, state);
    return due;
}

static bool take_pressure(void)
{
    hal_irq_state_t state = spinlock_acquire(&writeback.lock);
    bool pressure = writeback.pressure;

    writeback.pressure = false;
    spinlock_release(&writeback.lock, state);
    return pressure;
}

uint64_t cache_writeback_run(void)
{
    struct cache_object *object;

    for (;;) {
        uint64_t now = hal_time_now();
        bool too_many = count_unclean() >= writeback.background, due;

        if (take_pressure())
            (void)cache_writeback_some();
        object = pick(now, too_many, &due);
        if (!object)
            return next_due();
        if (object->ops->flush)
            call(object);
        else
            flush(object, due);
        cache_unuse(object);
    }
}

static void flusher_main(void *unused)
{
    (void)unused;
    for (;;) {
        uint64_t due = cache_writeback_run();
        hal_irq_state_t state = spinlock_acquire(&writeback.lock);

        if (!writeback.kicked) {
            int late = wait_sleep_firmly(&writeback.work, &writeback.lock, due);

            (void)late; /* woken or due: there is something to look at */
        }
        writeback.kicked = false;
        spinlock_release(&writeback.lock, state);
    }
}

int cache_writeback_start(void)
{
    struct thread *thread;
    int error = thread_create("flusher", flusher_main, NULL, &thread);

    if (!error)
        thread_detach(thread);
    return error;
}

void cache_read_stats(struct cache_stats *stats)
{
    const struct cache_counts *counts = &cache_counts;

    stats->pages = cache_counted(&counts->pages);
    stats->dirty = cache_counted(&counts->dirty);
    stats->writing = cache_counted(&counts->writing);
    stats->hits = cache_counted(&counts->hits);
    stats->misses = cache_counted(&counts->misses);
    stats->read_ahead = cache_counted(&counts->ahead);
    stats->written = cache_counted(&counts->written);
    stats->reclaimed = cache_counted(&counts->reclaimed);
    stats->errors = cache_counted(&counts->errors);
    stats->dirty_limit = writeback.limit;
    stats->throttled = cache_counted(&counts->throttled);
}
