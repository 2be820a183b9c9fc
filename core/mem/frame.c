/* SPDX-License-Identifier: MIT */
/*
 * frame.c: a buddy allocator over the frames of RAM.
 *
 * Free memory is kept in runs of 2^order frames that start at multiples of their size. A run is
 * split in halves (buddies) until it fits; when both halves are free again they become one run. The
 * buddy of the run at frame f with order o is the run at f XOR 2^o: for f = 12 and o = 2 that is 8,
 * and together they are the run 8 .. 15 of order 3.
 *
 * One byte a frame says what begins there; the links of the free lists lie in the free runs
 * themselves. A frame's memory is announced to the machine (hal_mem_first_use) just before its
 * first use, so RAM that is never handed out is never touched, but for the first frame of each free
 * run.
 */
#include "mem/frame.h"

#include "boot/panic.h"
#include "lib/list.h"
#include "mem/memory.h"
#include "sync/spinlock.h"

#include <hal/errno.h>
#include <hal/inspect.h>
#include <hal/kstate.h>
#include <hal/mem.h>
#include <hal/runtime.h>

/* A byte of the map: the low bits are an order. */
#define FRAME_ORDER 0x0fu
#define FRAME_FREE 0x40u    /* a free run begins here */
#define FRAME_USED 0x80u    /* a run that was handed out begins here */
#define FRAME_TOUCHED 0x20u /* the memory of this frame has been announced */

static KSTATE struct frame_state {
    struct spinlock lock;
    struct list free[FRAME_ORDER_MAX + 1];
    uint8_t *map; /* a byte for each frame from 0 to `end` */
    uint64_t end; /* the first frame number behind all RAM */
    uint64_t total;
    uint64_t free_count;
    uint64_t metadata;
} frames;

static void *frame_pointer(uint64_t frame)
{
    return hal_mem_pointer(frame * HAL_PAGE_SIZE);
}

static uint64_t frame_number(const void *pointer)
{
    return hal_mem_physical(pointer) / HAL_PAGE_SIZE;
}

/* Announces the frames of a run that nobody has used yet, in stretches. */
static void touch(uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count;) {
        uint64_t start = i;

        while (i < first + count && !(frames.map[i] & FRAME_TOUCHED))
            frames.map[i++] |= FRAME_TOUCHED;
        if (i > start)
            hal_mem_first_use(start * HAL_PAGE_SIZE, (i - start) * HAL_PAGE_SIZE);
        else
            i++;
    }
}

static void mark(uint64_t frame, unsigned what)
{
    frames.map[frame] = (uint8_t)((frames.map[frame] & FRAME_TOUCHED) | what);
}

static void push_free(uint64_t frame, unsigned order)
{
    touch(frame, 1);
    mark(frame, FRAME_FREE | order);
    list_add_head(&frames.free[order], frame_pointer(frame));
}

static void take_free(uint64_t frame)
{
    list_remove(frame_pointer(frame));
    mark(frame, 0);
}

static bool is_free_run(uint64_t frame, unsigned order)
{
    return frame < frames.end && (frames.map[frame] & ~FRAME_TOUCHED) == (FRAME_FREE | order);
}

/* Adds a run that is not in use, joining it with its buddies. Caller holds the lock. */
static void release(uint64_t frame, unsigned order)
{
    frames.free_count += 1ull << order;
    while (order < FRAME_ORDER_MAX && is_free_run(frame ^ 1ull << order, order)) {
        take_free(frame ^ 1ull << order);
        frame &= ~(1ull << order);
        order++;
    }
    push_free(frame, order);
}

static void *allocate_locked(unsigned order)
{
    unsigned from = order;
    struct list *link;
    uint64_t frame;

    while (from <= FRAME_ORDER_MAX && list_empty(&frames.free[from]))
        from++;
    if (from > FRAME_ORDER_MAX)
        return NULL;
    link = list_take_head(&frames.free[from]);
    frame = frame_number(link);
    while (from > order) {
        from--;
        push_free(frame + (1ull << from), from);
    }
    mark(frame, FRAME_USED | order);
    frames.free_count -= 1ull << order;
    touch(frame, 1ull << order);
    return link;
}

void *frame_alloc_at(unsigned order, const struct alloc_site *site)
{
    hal_irq_state_t state;
    void *run;

    (void)site;
    if (order > FRAME_ORDER_MAX)
        return NULL;
    state = spinlock_acquire(&frames.lock);
    run = allocate_locked(order);
    spinlock_release(&frames.lock, state);
    return run;
}

void frame_free_at(void *run, unsigned order, const char *file, unsigned line)
{
    hal_irq_state_t state;
    uint64_t frame;

    (void)file;
    (void)line;
    if (!run)
        return;
    frame = frame_number(run);
    state = spinlock_acquire(&frames.lock);
    /* Twice, or something else than what was handed out: the caller has lost track of its memory.
     */
    kassert(frame < frames.end && (frames.map[frame] & ~FRAME_TOUCHED) == (FRAME_USED | order));
    mark(frame, 0);
    release(frame, order);
    spinlock_release(&frames.lock, state);
}

size_t frame_run_pages(const void *run)
{
    hal_irq_state_t state = spinlock_acquire(&frames.lock);
    uint64_t frame = frame_number(run);
    size_t pages = 0;

    if (frame < frames.end && (frames.map[frame] & FRAME_USED))
        pages = 1u << (frames.map[frame] & FRAME_ORDER);
    spinlock_release(&frames.lock, state);
    return pages;
}

void frame_put_at(void *run, const char *file, unsigned line)
{
    if (run)
        frame_free_at(run, frame_order(frame_run_pages(run) * HAL_PAGE_SIZE), file, line);
}

unsigned frame_order(size_t bytes)
{
    unsigned order = 0;

    while (order <= FRAME_ORDER_MAX && bytes > (size_t)HAL_PAGE_SIZE << order)
        order++;
    return order;
}

void frame_read_stats(struct frame_stats *stats)
{
    hal_irq_state_t state = spinlock_acquire(&frames.lock);

    *stats = (struct frame_stats){.total = frames.total,
                                  .free = frames.free_count,
                                  .used = frames.total - frames.free_count,
                                  .metadata = frames.metadata};
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
        if (!list_empty(&frames.free[order]))
            stats->largest_free_pages = 1u << order;
    spinlock_release(&frames.lock, state);
}

/* Frees the frames first .. end - 1 in the largest aligned runs there are. */
static void release_range(uint64_t first, uint64_t end)
{
    while (first < end) {
        unsigned order = 0;

        while (order < FRAME_ORDER_MAX && first % (2ull << order) == 0 &&
               first + (2ull << order) <= end)
            order++;
        release(first, order);
        first += 1ull << order;
    }
}

/* Puts the map at the start of the first range that can hold it, and returns that range's index. */
static unsigned place_map(const struct memory_map *map, uint64_t count)
{
    for (unsigned i = 0; i < map->count; i++) {
        if (map->ranges[i].bytes < count * HAL_PAGE_SIZE)
            continue;
        hal_mem_first_use(map->ranges[i].start, count * HAL_PAGE_SIZE);
        frames.map = hal_mem_pointer(map->ranges[i].start);
        return i;
    }
    return map->count;
}

int frame_init(const struct memory_map *map)
{
    uint64_t last = 0, map_frames;
    unsigned home;

    spinlock_init(&frames.lock, LOCK_RANK_FRAME);
    for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
        list_init(&frames.free[order]);
    for (unsigned i = 0; i < map->count; i++)
        last = (map->ranges[i].start + map->ranges[i].bytes) / HAL_PAGE_SIZE;
    map_frames = (last + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
    home = place_map(map, map_frames);
    if (home == map->count)
        return -ENOMEM;
    memset(frames.map, 0, last);
    frames.end = last;
    frames.metadata = map_frames;
    for (unsigned i = 0; i < map->count; i++) {
        uint64_t first = map->ranges[i].start / HAL_PAGE_SIZE;
        uint64_t end = first + map->ranges[i].bytes / HAL_PAGE_SIZE;

        frames.total += end - first;
        release_range(i == home ? first + map_frames : first, end);
    }
    return 0;
}

void hal_inspect_frames(uint64_t first, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t what = first + i < frames.end ? frames.map[first + i] : 0;

        out[i] = HAL_FRAME_NONE;
        if (what & FRAME_FREE)
            out[i] = what & FRAME_TOUCHED ? HAL_FRAME_FREE : HAL_FRAME_UNTOUCHED;
        else if (what & (FRAME_USED | FRAME_TOUCHED))
            out[i] = HAL_FRAME_TAGS;
    }
}
