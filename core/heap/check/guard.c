/* SPDX-License-Identifier: MIT */
/*
 * guard.c: wrapping blocks, finding their headers again, and the quarantine.
 *
 * A header is trusted only after the allocator has said that a block in use begins where it should
 * lie, and after its magic number and its pointer to the caller's bytes agree. The lock is held for
 * the lists only, never around the allocator.
 */
#include "heap/check/guard.h"

#include "boot/panic.h"
#include "heap/check/block.h"
#include "mem/frame.h"
#include "mem/reclaim.h"

#include <hal/context.h>
#include <hal/mem.h>
#include <hal/runtime.h>

#define GARBAGE 0xa5                /* what new blocks hold */
#define QUARANTINE_MAX (256u << 10) /* bytes, */
#define QUARANTINE_SHARE 64u        /* and at most one part of RAM in so many */
#define QUARANTINE_LARGEST 4u       /* a block takes at most one part of it in so many */

KSTATE struct guard_state guard;

/* ---- headers ---- */

static unsigned bucket_of(const void *user)
{
    return (unsigned)((uintptr_t)user / GUARD_FRONT * 0x9e3779b1u >> 16) % 64;
}

static bool lies_apart(const struct guard_block *block)
{
    return block->start != (const char *)block; /* even if it lies right in front of the bytes */
}

/* What a block takes of the allocator, its header included. */
static size_t footprint(const struct guard_block *block)
{
    return (size_t)(block->user - block->start) + block->bytes + block->rear +
           (lies_apart(block) ? sizeof *block : 0);
}

static struct guard_block *find_apart(const void *pointer)
{
    struct guard_block *block = guard.apart[bucket_of(pointer)];

    while (block && block->user != pointer)
        block = block->next_apart;
    return block;
}

/* The header in front of `pointer`, any value, or NULL. The allocator is asked, so no lock is held.
 */
static struct guard_block *find_in_front(const void *pointer)
{
    struct guard_block *block = (struct guard_block *)((uintptr_t)pointer - GUARD_FRONT);
    size_t usable;

    if ((uintptr_t)pointer % HEAP_ALIGNMENT == 0 &&
        guard.allocator->find(block, &usable) == HEAP_BLOCK && usable > GUARD_FRONT &&
        (block->magic == GUARD_LIVE || block->magic == GUARD_FREED) && block->user == pointer)
        return block;
    return NULL;
}

/* The live block that begins at `pointer`, with the lock held in *state; or a panic. */
static struct guard_block *lock_block(void *pointer, const char *who, const char *file,
                                      unsigned line, hal_irq_state_t *state)
{
    struct guard_block *block = find_in_front(pointer);

    *state = spinlock_acquire(&guard.lock);
    if (!block)
        block = find_apart(pointer);
    if (block && block->magic == GUARD_LIVE)
        return block;
    spinlock_release(&guard.lock, *state);
    guard_refuse(pointer, who, file, line);
}

static void unlink_apart(struct guard_block *block)
{
    struct guard_block **link = &guard.apart[bucket_of(block->user)];

    while (*link != block)
        link = &(*link)->next_apart;
    *link = block->next_apart;
}

static void remember_calls(struct guard_trace *trace, uintptr_t frame)
{
    uintptr_t calls[GUARD_TRACE];
    size_t n = hal_context_backtrace(frame, calls, GUARD_TRACE);

    for (size_t i = 0; i < GUARD_TRACE; i++) {
        ptrdiff_t distance = i < n ? (ptrdiff_t)(calls[i] - (uintptr_t)guard_init) : 0;

        trace->calls[i] = (int32_t)distance == distance ? (int32_t)distance : 0;
    }
}

static void count(const struct guard_block *block, int64_t sign)
{
    alloc_live_add(block->site, sign, sign * (int64_t)block->bytes);
}

/* ---- the quarantine ---- */

/* The end: the allocator gets it all back. The block is on no list. */
static void give_back(struct guard_block *block)
{
    char *start = block->start;
    bool apart = lies_apart(block);

    guard_check_freed(block);
    hal_mem_open(apart ? block->user : block->user - GUARD_ZONE,
                 block->bytes + block->rear + (apart ? 0 : GUARD_ZONE));
    block->magic = 0;
    guard.allocator->free(start);
    if (apart)
        guard.allocator->free(block);
}

/* guard_drain looks without the lock. Caller holds it. */
static void set_quarantined(size_t bytes)
{
    __atomic_store_n(&guard.quarantined, bytes, __ATOMIC_RELAXED);
}

/* The block that has waited longest, if more than `keep` bytes wait. */
static struct guard_block *take_oldest(size_t keep)
{
    hal_irq_state_t state = spinlock_acquire(&guard.lock);
    struct list *link = guard.quarantined > keep ? list_take_head(&guard.quarantine) : NULL;
    struct guard_block *block = link ? list_entry(link, struct guard_block, link) : NULL;

    if (block) {
        set_quarantined(guard.quarantined - footprint(block));
        if (lies_apart(block))
            unlink_apart(block);
    }
    spinlock_release(&guard.lock, state);
    return block;
}

static size_t drain_to(size_t keep)
{
    struct guard_block *block;
    size_t drained = 0;

    while ((block = take_oldest(keep)) != NULL) {
        drained += footprint(block);
        give_back(block);
    }
    return drained;
}

size_t guard_drain(size_t bytes)
{
    size_t now = __atomic_load_n(&guard.quarantined, __ATOMIC_RELAXED);

    return drain_to(now > bytes ? now - bytes : 0);
}

static size_t reclaim(void *unused, size_t frames)
{
    (void)unused;
    return guard_drain(frames * HAL_PAGE_SIZE) / HAL_PAGE_SIZE;
}

void guard_init(const struct heap_allocator *allocator)
{
    static KSTATE struct reclaimer reclaimer;
    struct frame_stats stats;

    spinlock_init(&guard.lock, LOCK_RANK_HEAP);
    list_init(&guard.live);
    list_init(&guard.quarantine);
    guard.allocator = allocator;
    guard.code_base = hal_context_code_base();
    frame_read_stats(&stats);
    guard.quarantine_most = stats.total * HAL_PAGE_SIZE / QUARANTINE_SHARE;
    if (guard.quarantine_most > QUARANTINE_MAX)
        guard.quarantine_most = QUARANTINE_MAX;
    reclaimer.name = "quarantine";
    reclaimer.reclaim = reclaim;
    reclaim_register(&reclaimer);
}

/* ---- allocating ---- */

/* From the allocator; what waits in the quarantine is given up before that fails. */
static void *take(size_t bytes, size_t alignment)
{
    void *start = guard.allocator->allocate(bytes, alignment);

    if (!start && drain_to(0) > 0)
        start = guard.allocator->allocate(bytes, alignment);
    return start;
}

/* A block whose header lies in front of the bytes. */
static struct guard_block *take_whole(size_t bytes, size_t alignment)
{
    struct guard_block *block = take(GUARD_FRONT + bytes + GUARD_ZONE, alignment);

    if (!block)
        return NULL;
    block->start = (char *)block;
    block->user = (char *)block + GUARD_FRONT;
    block->rear = GUARD_ZONE;
    return block;
}

/* A block and a header. Whole pages get no rear zone: it would take a page. */
static struct guard_block *take_apart(size_t bytes, size_t alignment)
{
    uint32_t rear = bytes > 0 && bytes % HAL_PAGE_SIZE == 0 ? 0 : GUARD_ZONE;
    struct guard_block *block = take(sizeof *block, HEAP_ALIGNMENT);

    if (!block)
        return NULL;
    block->magic = 0;
    block->start = take(bytes + rear, alignment);
    if (!block->start) {
        guard.allocator->free(block);
        return NULL;
    }
    block->user = block->start;
    block->rear = rear;
    return block;
}

static void enter(struct guard_block *block)
{
    hal_irq_state_t state = spinlock_acquire(&guard.lock);
    struct guard_block **bucket = &guard.apart[bucket_of(block->user)];

    list_add_tail(&guard.live, &block->link);
    guard.live_blocks++;
    guard.live_bytes += footprint(block);
    if (lies_apart(block)) {
        block->next_apart = *bucket;
        *bucket = block;
    }
    block->magic = GUARD_LIVE;
    spinlock_release(&guard.lock, state);
}

void *guard_allocate(size_t bytes, size_t alignment, const struct alloc_site *site, uintptr_t frame)
{
    struct guard_block *block;

    if (bytes > UINT32_MAX - GUARD_FRONT - GUARD_ZONE)
        return NULL;
    block = alignment <= GUARD_FRONT ? take_whole(bytes, alignment) : take_apart(bytes, alignment);
    if (!block)
        return NULL;
    block->site = site;
    block->bytes = (uint32_t)bytes;
    block->freed_file = NULL;
    remember_calls(&block->allocated, frame);
    guard_fill_zones(block);
    memset(block->user, GARBAGE, bytes);
    hal_mem_block(block->user, bytes, !lies_apart(block));
    count(block, 1);
    enter(block);
    return block->user;
}

/* ---- freeing ---- */

/* Takes the block off the list of live ones: from here on it is the caller's, freed. */
static struct guard_block *leave(void *pointer, const char *file, unsigned line)
{
    hal_irq_state_t state;
    struct guard_block *block = lock_block(pointer, "kfree", file, line, &state);

    list_remove(&block->link);
    guard.live_blocks--;
    guard.live_bytes -= footprint(block);
    block->magic = GUARD_FREED;
    block->freed_file = file;
    block->freed_line = line;
    spinlock_release(&guard.lock, state);
    return block;
}

void guard_free(void *pointer, const char *file, unsigned line, uintptr_t frame)
{
    struct guard_block *block = leave(pointer, file, line);
    size_t bytes = footprint(block);
    hal_irq_state_t state;

    guard_check_zones(block, file, line);
    remember_calls(&block->freed, frame);
    count(block, -1);
    guard_fill_freed(block);
    hal_mem_block_end(block->user, block->bytes, !lies_apart(block));
    state = spinlock_acquire(&guard.lock);
    list_add_tail(&guard.quarantine, &block->link);
    set_quarantined(guard.quarantined + bytes);
    spinlock_release(&guard.lock, state);
    (void)drain_to(bytes > guard.quarantine_most / QUARANTINE_LARGEST ? 0 : guard.quarantine_most);
}

size_t guard_bytes(void *pointer, const char *file, unsigned line)
{
    hal_irq_state_t state;
    size_t bytes = lock_block(pointer, "krealloc", file, line, &state)->bytes;

    spinlock_release(&guard.lock, state);
    return bytes;
}

void guard_read_stats(struct heap_stats *stats)
{
    hal_irq_state_t state = spinlock_acquire(&guard.lock);

    stats->live_blocks = guard.live_blocks;
    stats->live_bytes = guard.live_bytes;
    spinlock_release(&guard.lock, state);
}

void guard_check(void)
{
    hal_irq_state_t state = spinlock_acquire(&guard.lock);

    list_for_each (link, &guard.live)
        guard_check_zones(list_entry(link, struct guard_block, link), NULL, 0);
    list_for_each (link, &guard.quarantine)
        guard_check_freed(list_entry(link, struct guard_block, link));
    spinlock_release(&guard.lock, state);
}
