/* SPDX-License-Identifier: MIT */
/*
 * frame.c: who has which frames. Below it is the buddy allocator (buddy.c), which knows only free
 * runs and is guarded by one lock; here are the CPUs' caches in front of it, references, sites, and
 * what happens when there is nothing left.
 *
 * Nearly all requests are for one frame. Each CPU keeps some free ones on a stack, which only it
 * touches, with interrupts masked and without a lock: the one that was freed last, still in the
 * processor's cache, is the next to go. An empty stack is filled, and a full one emptied, by half:
 *
 *     frame_alloc(0) <- | 7 | 4 | 9 |  <- half of a stack -- buddy
 *     frame_put      -> | 7 | 4 | 9 |  -- half of a stack -> buddy
 *
 * Frames on a stack cannot join with their neighbours, so all stacks together hold at most 1/64 of
 * RAM, and they are emptied before an allocation fails: this CPU's at once, the others' when each
 * gets to it (their `drain` flag, and an interrupt that reminds them).
 *
 * The life of a frame:
 *
 *     FREE or INSIDE --> CACHED --> USED --+--> CACHED      a run of one frame
 *           |                              |
 *           +------------> USED, INSIDE... +--> FREE        a longer one
 *
 * The machine is told of a frame's first use just before it is handed out (hal_mem_first_use), so
 * that RAM that nobody asks for is never touched. Free frames are closed to tools that watch
 * memory.
 */
#include "mem/frame.h"

#include "boot/panic.h"
#include "site/fail.h"
#include "mem/frame_table.h"
#include "mem/memory.h"
#include "mem/reclaim.h"
#include "sync/spinlock.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/mem.h>
#include <hal/runtime.h>
#include <hal/upcall.h>

#define CACHE_MAX 32u
#define CACHES_SHARE 64u     /* the caches hold no more of RAM than one part in so many */
#define LOW_SHARE 32u        /* the watermark `low`; `high` is twice that */
#define LOW_MAX 1024u        /* frames */
#define RECLAIM_LEAST 16u    /* frames that are asked for at a time */
#define RECLAIM_ROUNDS 8u    /* how often an allocation asks */
#define DRAIN_PATIENCE 1000u /* rounds to wait for other CPUs */

struct frame_cache {
    /* Written by its own CPU only, masked. */
    uint32_t count;
    uint64_t served;                 /* allocations that succeeded */
    uint32_t numbers[CACHE_MAX + 1]; /* of the cached frames, the oldest first */

    bool drain; /* set by any CPU, to have it emptied */
};

static KSTATE struct frames_state {
    struct spinlock lock; /* guards the buddy allocator */
    uint32_t cache_size;  /* constant after boot; 0: too little RAM for caches */
    uint64_t low, high;   /* constant after boot */
    uint64_t touched;     /* frames that were ever handed out; atomic */
    uint64_t failures;    /* atomic */
} frames;

static KSTATE _Alignas(64) struct frame_cache caches[HAL_CPU_MAX];

/* ---- the CPUs' caches; the caller is masked ---- */

/* Memory becomes scarce: somebody should do something about it, but not here. */
static void look_at_watermark(uint64_t free_before)
{
    if (free_before >= frames.low && buddy_free() < frames.low)
        reclaim_wake();
}

/* Fills an empty cache by half. False: there is nothing to fill it with. */
static bool refill(struct frame_cache *cache)
{
    hal_irq_state_t state = spinlock_acquire(&frames.lock);
    uint64_t number, before = buddy_free();

    __atomic_store_n(&cache->drain, false, __ATOMIC_RELAXED);
    while (cache->count < frames.cache_size / 2 + 1 && (number = buddy_take(1, 0)) != BUDDY_NONE) {
        frame_set_state(&frame_table.frames[number], FRAME_CACHED);
        cache->numbers[cache->count] = (uint32_t)number;
        __atomic_store_n(&cache->count, cache->count + 1, __ATOMIC_RELAXED);
    }
    look_at_watermark(before);
    spinlock_release(&frames.lock, state);
    return cache->count > 0;
}

/* Gives the oldest back until `keep` are left. Caller holds the frame lock. */
static void drain_locked(struct frame_cache *cache, uint32_t keep)
{
    uint32_t surplus = cache->count > keep ? cache->count - keep : 0;

    for (uint32_t i = 0; i < surplus; i++)
        buddy_give(cache->numbers[i], 1);
    for (uint32_t i = surplus; i < cache->count; i++)
        cache->numbers[i - surplus] = cache->numbers[i];
    __atomic_store_n(&cache->count, cache->count - surplus, __ATOMIC_RELAXED);
    if (keep == 0)
        __atomic_store_n(&cache->drain, false, __ATOMIC_RELAXED);
}

static void drain_own(uint32_t keep)
{
    hal_irq_state_t state = spinlock_acquire(&frames.lock);

    drain_locked(&caches[hal_cpu_id()], keep);
    spinlock_release(&frames.lock, state);
}

/* Has the other CPUs empty their caches. True if there is one that will. */
static bool ask_others(void)
{
    bool asked = false;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        struct frame_cache *cache = &caches[cpu];

        if (cpu == hal_cpu_id() || __atomic_load_n(&cache->count, __ATOMIC_RELAXED) == 0)
            continue;
        __atomic_store_n(&cache->drain, true, __ATOMIC_RELAXED);
        hal_cpu_ipi(cpu);
        asked = true;
    }
    return asked;
}

void frame_drain(void)
{
    hal_irq_state_t state = hal_irq_save();

    drain_own(0);
    (void)ask_others();
    hal_irq_restore(state);
}

void frame_interrupt(void)
{
    if (__atomic_load_n(&caches[hal_cpu_id()].drain, __ATOMIC_RELAXED))
        drain_own(0);
}

/* ---- a run from the buddies ---- */

/* This CPU's cached frames may be the missing neighbours, so they go back before it fails. */
static uint64_t take_run(size_t pages, unsigned align_order)
{
    hal_irq_state_t state = spinlock_acquire(&frames.lock);
    struct frame_cache *cache = &caches[hal_cpu_id()];
    uint64_t before = buddy_free(), number = buddy_take(pages, align_order);

    if (number == BUDDY_NONE && cache->count > 0) {
        drain_locked(cache, 0);
        number = buddy_take(pages, align_order);
    }
    if (number != BUDDY_NONE)
        __atomic_store_n(&cache->served, cache->served + 1, __ATOMIC_RELAXED);
    look_at_watermark(before);
    spinlock_release(&frames.lock, state);
    return number;
}

/* Waits a little until the other CPUs have emptied their caches. */
static void await_others(void)
{
    bool waiting = true;

    for (unsigned i = 0; waiting && i < DRAIN_PATIENCE; i++) {
        hal_cpu_relax();
        waiting = false;
        for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
            waiting = waiting || __atomic_load_n(&caches[cpu].drain, __ATOMIC_RELAXED);
    }
}

/*
 * Looks for memory that is not in use, but not free either. False: there is none, or the caller may
 * not wait for it.
 */
static bool find_more(size_t pages, unsigned align_order)
{
    uint64_t free = frame_free_total();
    size_t wanted = pages > 1u << align_order ? pages : 1u << align_order;
    bool asked = ask_others();
    size_t got;

    if (hal_irq_masked())
        return false;
    if (asked)
        await_others();
    got = reclaim_frames(wanted > RECLAIM_LEAST ? wanted : RECLAIM_LEAST);
    return got > 0 || frame_free_total() > free;
}

/* ---- beginning and ending use ---- */

/* Tells the machine of the frames from `number` on, up to `most`, that were never used. */
static void announce(uint64_t number, size_t most)
{
    struct frame *frame = &frame_table.frames[number];
    size_t n = 0;

    while (n < most && !frame[n].touched)
        frame_set_touched(&frame[n++]);
    __atomic_fetch_add(&frames.touched, n, __ATOMIC_RELAXED);
    hal_mem_first_use(number * HAL_PAGE_SIZE, n * HAL_PAGE_SIZE);
}

/* Caller is masked. */
static inline void *begin_use(uint64_t number, size_t pages, const struct alloc_site *site)
{
    struct frame *frame = &frame_table.frames[number];

    for (size_t i = 0; i < pages; i++)
        if (__builtin_expect(!frame[i].touched, 0))
            announce(number + i, pages - i);
    frame_set_pages(frame, pages);
    frame->references = 1;
    frame_set_site(frame, alloc_site_number(site));
    frame_set_state(frame, FRAME_USED);
    alloc_live_add_masked(site, 1, (int64_t)(pages * HAL_PAGE_SIZE));
    hal_mem_open(frame_pointer(number), pages * HAL_PAGE_SIZE);
    return frame_pointer(number);
}

/* Caller is masked. */
static inline void end_use(struct frame *frame, size_t pages)
{
    hal_mem_close(frame_pointer(frame_number(frame)), pages * HAL_PAGE_SIZE);
    alloc_live_add_masked(alloc_site_at(frame->site), -1, -(int64_t)(pages * HAL_PAGE_SIZE));
    for (size_t i = 0; i < pages; i++)
        frame[i].owner = NULL;
}

static void give_run(struct frame *frame)
{
    size_t pages = frame->pages;
    hal_irq_state_t state = spinlock_acquire(&frames.lock);

    end_use(frame, pages);
    buddy_give(frame_number(frame), pages);
    spinlock_release(&frames.lock, state);
}

/* A frame from this CPU's cache, or NULL. */
static void *take_one(const struct alloc_site *site)
{
    hal_irq_state_t state = hal_irq_save();
    struct frame_cache *cache = &caches[hal_cpu_id()];
    void *page = NULL;

    if (__builtin_expect(cache->count > 0, 1) || refill(cache)) {
        uint32_t number = cache->numbers[cache->count - 1];

        __atomic_store_n(&cache->count, cache->count - 1, __ATOMIC_RELAXED);
        __atomic_store_n(&cache->served, cache->served + 1, __ATOMIC_RELAXED);
        page = begin_use(number, 1, site);
    }
    hal_irq_restore(state);
    return page;
}

static void give_one(struct frame *frame)
{
    hal_irq_state_t state = hal_irq_save();
    struct frame_cache *cache = &caches[hal_cpu_id()];

    end_use(frame, 1);
    frame_set_state(frame, FRAME_CACHED);
    cache->numbers[cache->count] = (uint32_t)frame_number(frame);
    __atomic_store_n(&cache->count, cache->count + 1, __ATOMIC_RELAXED);
    if (__builtin_expect(__atomic_load_n(&cache->drain, __ATOMIC_RELAXED), 0))
        drain_own(0);
    else if (__builtin_expect(cache->count > frames.cache_size, 0))
        drain_own(frames.cache_size / 2);
    hal_irq_restore(state);
}

/* ---- allocation ---- */

static void *failed(void)
{
    __atomic_fetch_add(&frames.failures, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void *begin_run(uint64_t number, size_t pages, const struct alloc_site *site)
{
    hal_irq_state_t state = hal_irq_save();
    void *run = begin_use(number, pages, site);

    hal_irq_restore(state);
    return run;
}

static void *take_more(size_t pages, unsigned align_order, const struct alloc_site *site)
{
    for (unsigned round = 0; round < RECLAIM_ROUNDS; round++) {
        uint64_t number = take_run(pages, align_order);

        if (number != BUDDY_NONE)
            return begin_run(number, pages, site);
        if (!find_more(pages, align_order))
            break;
    }
    return failed();
}

void *frame_take_pages(size_t pages, unsigned align_order, const struct alloc_site *site)
{
    if (pages == 1 && align_order == 0) {
        void *page = take_one(site);

        if (page)
            return page;
    }
    if (pages == 0 || pages > FRAME_PAGES_MAX || align_order > FRAME_ORDER_MAX)
        return failed();
    return take_more(pages, align_order, site);
}

void *frame_alloc_pages_at(size_t pages, unsigned align_order, const struct alloc_site *site)
{
    void *run;

    if (alloc_fail_watching() && alloc_fails(site))
        return failed();
    run = frame_take_pages(pages, align_order, site);
    if (!run)
        __atomic_fetch_add(&site->count->failures, 1, __ATOMIC_RELAXED);
    return run;
}

void *frame_alloc_at(unsigned order, const struct alloc_site *site)
{
    return frame_alloc_pages_at(order <= FRAME_ORDER_MAX ? (size_t)1 << order : 0, order, site);
}

unsigned frame_order(size_t bytes)
{
    unsigned order = 0;

    while (order <= FRAME_ORDER_MAX && bytes > (size_t)HAL_PAGE_SIZE << order)
        order++;
    return order;
}

/* ---- references ---- */

/* The entry of the run in use that begins at `run`, any value, or NULL. */
static struct frame *find_run(const void *run)
{
    struct frame *frame = frame_find(run);

    if (!frame || (uintptr_t)run % HAL_PAGE_SIZE || frame_state(frame) != FRAME_USED)
        return NULL;
    return frame;
}

/* True if a free run holds the frame, which is in state INSIDE. */
static bool inside_free_run(uint64_t number)
{
    for (unsigned order = 1; order <= FRAME_ORDER_MAX; order++) {
        const struct frame *head = &frame_table.frames[number & ~((1ull << order) - 1)];

        if (frame_state(head) == FRAME_FREE && head->pages >= 1u << order)
            return true;
    }
    return false;
}

static const char *describe(const void *run)
{
    const struct frame *frame = frame_find(run);
    enum frame_state state = frame ? frame_state(frame) : FRAME_ABSENT;

    if (state == FRAME_FREE || state == FRAME_CACHED ||
        (state == FRAME_INSIDE && inside_free_run(frame_number(frame))))
        return "it is free already";
    if (state == FRAME_INSIDE)
        return "it is inside a run, not at its start";
    if (state == FRAME_USED)
        return "it is inside a page, not at its start";
    return "it is no memory of the frame allocator's";
}

/* The entry of a run that must be in use. */
static struct frame *expect_run(const void *run, const char *call, const char *file, unsigned line)
{
    struct frame *frame = find_run(run);

    if (!frame)
        panic_at(file, (int)line, "%s of the memory at 0x%llx: %s", call,
                 (unsigned long long)((uintptr_t)run - (uintptr_t)frame_table.base), describe(run));
    return frame;
}

void frame_put_at(void *run, const char *file, unsigned line)
{
    struct frame *frame;

    if (!run)
        return;
    frame = expect_run(run, "frame_put", file, line);
    /* With one reference it is the caller's, and nobody else can add or drop any. */
    if (__atomic_load_n(&frame->references, __ATOMIC_ACQUIRE) == 1 ||
        __atomic_sub_fetch(&frame->references, 1, __ATOMIC_ACQ_REL) == 0) {
        if (frame->pages == 1)
            give_one(frame);
        else
            give_run(frame);
    }
}

void frame_free_at(void *run, unsigned order, const char *file, unsigned line)
{
    const struct frame *frame;

    if (!run)
        return;
    frame = expect_run(run, "frame_free", file, line);
    if (order > FRAME_ORDER_MAX || frame->pages != 1u << order || frame_references(run) != 1)
        panic_at(file, (int)line, "frame_free of order %u: the run has %u pages, %u references",
                 order, frame->pages, frame_references(run));
    frame_put_at(run, file, line);
}

void frame_get_at(void *run, const char *file, unsigned line)
{
    struct frame *frame = expect_run(run, "frame_get", file, line);

    if (__atomic_fetch_add(&frame->references, 1, __ATOMIC_RELAXED) == UINT16_MAX)
        panic_at(file, (int)line, "frame_get: too many references");
}

void frame_assign(void *run, const struct alloc_site *site)
{
    struct frame *frame = expect_run(run, "frame_assign", site->file, site->line);
    int64_t bytes = (int64_t)frame->pages * HAL_PAGE_SIZE;

    alloc_live_add(alloc_site_at(frame->site), -1, -bytes);
    frame_set_site(frame, alloc_site_number(site));
    alloc_live_add(site, 1, bytes);
}

void frame_split(void *run)
{
    struct frame *frame = expect_run(run, "frame_split", __FILE__, __LINE__);
    unsigned pages = frame->pages;

    frame_set_pages(frame, 1);
    for (unsigned i = 1; i < pages; i++) {
        frame_set_pages(&frame[i], 1);
        __atomic_store_n(&frame[i].references, 1, __ATOMIC_RELAXED);
        frame_set_site(&frame[i], frame->site);
        frame_set_state(&frame[i], FRAME_USED);
    }
    alloc_live_add(alloc_site_at(frame->site), (int64_t)pages - 1, 0);
}

unsigned frame_references(const void *run)
{
    const struct frame *frame = find_run(run);

    return frame ? __atomic_load_n(&frame->references, __ATOMIC_RELAXED) : 0;
}

size_t frame_run_pages(const void *run)
{
    const struct frame *frame = find_run(run);

    return frame ? frame->pages : 0;
}

/* ---- boot, and what can be seen ---- */

int frame_init(const struct memory_map *map)
{
    uint32_t share;

    spinlock_init(&frames.lock, LOCK_RANK_FRAME);
    reclaim_init();
    if (buddy_init(map))
        return -ENOMEM;
    share = (uint32_t)(buddy_total() / CACHES_SHARE / hal_cpu_count());
    frames.cache_size = share < CACHE_MAX ? share : CACHE_MAX;
    frames.low = buddy_total() / LOW_SHARE;
    if (frames.low > LOW_MAX)
        frames.low = LOW_MAX;
    frames.high = 2 * frames.low;
    return 0;
}

static uint64_t cached_frames(void)
{
    uint64_t cached = 0;

    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        cached += __atomic_load_n(&caches[cpu].count, __ATOMIC_RELAXED);
    return cached;
}

uint64_t frame_free_total(void)
{
    return buddy_free() + cached_frames();
}

uint64_t frame_shortage(void)
{
    uint64_t free = frame_free_total();

    return free < frames.high ? frames.high - free : 0;
}

void frame_read_stats(struct frame_stats *stats)
{
    hal_irq_state_t state = spinlock_acquire(&frames.lock);

    *stats = (struct frame_stats){.total = buddy_total(),
                                  .cached = cached_frames(),
                                  .metadata = frame_table.home_pages,
                                  .low = frames.low,
                                  .high = frames.high};
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++) {
        stats->free_runs[order] = buddy_free_runs(order);
        if (stats->free_runs[order])
            stats->largest_free_pages = 1u << order;
    }
    stats->free = buddy_free() + stats->cached;
    spinlock_release(&frames.lock, state);
    stats->used = stats->total - stats->free;
    stats->untouched =
        stats->total - stats->metadata - __atomic_load_n(&frames.touched, __ATOMIC_RELAXED);
    stats->failures = __atomic_load_n(&frames.failures, __ATOMIC_RELAXED);
    stats->allocations = stats->failures;
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++)
        stats->allocations += __atomic_load_n(&caches[cpu].served, __ATOMIC_RELAXED);
}

/* ---- for the machine's side: single frames as any ---- */

void *hal_upcall_table_alloc(void)
{
    return frame_alloc(0);
}

void hal_upcall_table_free(void *page)
{
    frame_free(page, 0);
}
