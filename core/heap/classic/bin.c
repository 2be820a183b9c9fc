/* SPDX-License-Identifier: MIT */
/*
 * bin.c: power-of-two sizes, each with a list of its free blocks. (cs140e, lab 1; buddies after
 * Knowlton, "A Fast Storage Allocator", CACM 1965)
 *
 * Blocks lie in arenas: up to 64 KiB of pages, at a multiple of their size. A block of 2^k bytes
 * lies at a multiple of 2^k, so every alignment is a matter of size alone. A
 * block that is too large for what is wanted is split in halves, and when both halves are free
 * again they are joined; the buddy of the block at offset b is at b XOR its size. That bounds what
 * is lost to fragmentation, while rounding up to a power of two may lose almost half of each block:
 * this is the price that slab was invented to save.
 *
 * The links of a bin's list lie in the free blocks themselves, which costs nothing. What an arena
 * knows apart from them is a byte for each 32 bytes:
 *
 *     arena: | header with the map | block in use, 128 | free, 64 | in use, 64 | free, 256 | ...
 *     map:    (64 + 2048 bytes)      U7 0 0 0            F6 0       U6 0         F8 0 0 0 ...
 *
 * so that what any pointer is can be told without believing what a block holds: a start has a byte
 * that says its size and whether it is in use, all else has 0.
 *
 * What needs more than 16 KiB has pages of its own. One empty arena is kept, others are given back.
 */
#include "heap/allocator.h"

#include "boot/panic.h"
#include "heap/backing.h"
#include "lib/list.h"
#include "mem/reclaim.h"
#include "sync/spinlock.h"

#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define GRANULE_SHIFT 5u /* 32 bytes: the smallest block */
#define ARENA_SHIFT 16u  /* 64 KiB: the largest arena */
#define BLOCK_SHIFT 15u  /* of the largest free block: the arena's other half has the header */
#define SERVED_SHIFT 14u /* 16 KiB: what needs more has pages of its own */
#define PAGE_SHIFT 12u

#define MAP_SHIFT 0x1fu /* the size of the block that starts here, as a power of two */
#define MAP_USED 0x40u
#define MAP_FREE 0x80u

struct arena {
    struct list link;
    uint32_t bytes;
    uint32_t used;                                     /* blocks in use */
    uint8_t map[(1u << ARENA_SHIFT) >> GRANULE_SHIFT]; /* as many as the arena has granules */
};

static KSTATE struct bin_state {
    struct spinlock lock;
    /* Guarded by the lock. */
    struct list bins[BLOCK_SHIFT + 1]; /* of free blocks of 2^index bytes */
    uint32_t filled;                   /* a bit for each bin that has blocks */
    struct list arenas;
    unsigned empty_arenas;
    uint64_t live_blocks, live_bytes;
    struct reclaimer reclaimer;
} bin;

_Static_assert(HAL_PAGE_SIZE == 1u << PAGE_SHIFT, "pages of 4 KiB");

/* ---- free blocks; the caller holds the lock ---- */

static uint8_t *map_of(struct arena *arena, const void *block)
{
    return &arena->map[((uintptr_t)block - (uintptr_t)arena) >> GRANULE_SHIFT];
}

static void push_free(struct arena *arena, void *block, unsigned shift)
{
    *map_of(arena, block) = (uint8_t)(MAP_FREE | shift);
    list_add_head(&bin.bins[shift], block);
    bin.filled |= 1u << shift;
}

static void take_free(struct arena *arena, void *block, unsigned shift)
{
    *map_of(arena, block) = 0;
    list_remove(block);
    if (list_empty(&bin.bins[shift]))
        bin.filled &= ~(1u << shift);
}

static struct arena *arena_of(const void *pointer)
{
    uintptr_t owner = (uintptr_t)backing_owner(pointer);

    return backing_mark_of(owner) == BACKING_ARENA ? backing_unmark(owner) : NULL;
}

/* The smallest free block that will do, cut to size. */
static void *take_block(unsigned shift)
{
    uint32_t fitting = bin.filled >> shift << shift;
    unsigned from;
    struct arena *arena;
    char *block;

    if (!fitting)
        return NULL;
    from = (unsigned)__builtin_ctz(fitting);
    block = (char *)bin.bins[from].next;
    arena = arena_of(block);
    take_free(arena, block, from);
    while (from > shift) {
        from--;
        push_free(arena, block + ((size_t)1 << from), from);
    }
    *map_of(arena, block) = (uint8_t)(MAP_USED | shift);
    bin.empty_arenas -= arena->used++ == 0;
    bin.live_blocks++;
    bin.live_bytes += (uint64_t)1 << shift;
    return block;
}

/* Frees a block, and joins it with its buddy as long as that is free too. */
static void give_block(struct arena *arena, char *block)
{
    unsigned shift = *map_of(arena, block) & MAP_SHIFT;

    bin.live_blocks--;
    bin.live_bytes -= (uint64_t)1 << shift;
    *map_of(arena, block) = 0;
    for (; shift < BLOCK_SHIFT; shift++) {
        size_t offset = (size_t)(block - (char *)arena), other = offset ^ (size_t)1 << shift;

        if (other >= arena->bytes || arena->map[other >> GRANULE_SHIFT] != (MAP_FREE | shift))
            break;
        take_free(arena, (char *)arena + other, shift);
        block = (char *)arena + (offset & other);
    }
    push_free(arena, block, shift);
    bin.empty_arenas += --arena->used == 0;
}

/* ---- arenas ---- */

static size_t header_bytes(size_t arena_bytes)
{
    size_t bytes = offsetof(struct arena, map) + (arena_bytes >> GRANULE_SHIFT);

    return (bytes + (1u << GRANULE_SHIFT) - 1) & ~((size_t)(1u << GRANULE_SHIFT) - 1);
}

/* Makes what lies behind the header free blocks, each as large as its place allows. */
static void cut_arena(struct arena *arena)
{
    size_t offset = header_bytes(arena->bytes);

    while (offset < arena->bytes) {
        unsigned shift = (unsigned)__builtin_ctzl(offset);

        push_free(arena, (char *)arena + offset, shift);
        offset += (size_t)1 << shift;
    }
}

/* As many pages as can be had, 2^order, of which half an arena holds 2^shift bytes; or NULL. */
static struct arena *take_arena(unsigned shift)
{
    unsigned least = shift < PAGE_SHIFT ? 0 : shift + 1 - PAGE_SHIFT;

    for (unsigned order = ARENA_SHIFT - PAGE_SHIFT + 1; order-- > least;) {
        struct arena *arena = backing_take((size_t)1 << order, order);

        if (!arena)
            continue;
        arena->bytes = HAL_PAGE_SIZE << order;
        arena->used = 0;
        memset(arena->map, 0, arena->bytes >> GRANULE_SHIFT);
        backing_own(arena, (size_t)1 << order, backing_mark(arena, BACKING_ARENA));
        return arena;
    }
    return NULL;
}

/* Adds an arena with room for a block of 2^shift bytes. False: out of memory. No lock is held. */
static bool add_arena(unsigned shift)
{
    struct arena *arena = take_arena(shift);
    hal_irq_state_t state;

    if (!arena)
        return false;
    state = spinlock_acquire(&bin.lock);
    cut_arena(arena);
    list_add_tail(&bin.arenas, &arena->link);
    bin.empty_arenas++;
    spinlock_release(&bin.lock, state);
    return true;
}

/* Takes the free blocks of an empty arena off their lists. Caller holds the lock. */
static void withdraw_arena(struct arena *arena)
{
    size_t offset = header_bytes(arena->bytes);

    while (offset < arena->bytes) {
        unsigned shift = arena->map[offset >> GRANULE_SHIFT] & MAP_SHIFT;

        take_free(arena, (char *)arena + offset, shift);
        offset += (size_t)1 << shift;
    }
    list_remove(&arena->link);
    bin.empty_arenas--;
}

static size_t reclaim(void *context, size_t frames)
{
    size_t got = 0;

    (void)context;
    while (got < frames) {
        hal_irq_state_t state = spinlock_acquire(&bin.lock);
        struct arena *found = NULL;

        list_for_each (link, &bin.arenas)
            if (bin.empty_arenas > 0 && list_entry(link, struct arena, link)->used == 0)
                found = list_entry(link, struct arena, link);
        if (found)
            withdraw_arena(found);
        spinlock_release(&bin.lock, state);
        if (!found)
            break;
        got += found->bytes / HAL_PAGE_SIZE;
        backing_give(found);
    }
    return got;
}

/* ---- what the front end asks for ---- */

static void bin_init(void)
{
    spinlock_init(&bin.lock, LOCK_RANK_HEAP);
    for (unsigned shift = 0; shift <= BLOCK_SHIFT; shift++)
        list_init(&bin.bins[shift]);
    list_init(&bin.arenas);
    bin.reclaimer = (struct reclaimer){.name = "bin", .reclaim = reclaim};
    reclaim_register(&bin.reclaimer);
}

static void *bin_allocate(size_t bytes, size_t alignment)
{
    size_t most = bytes > alignment ? bytes : alignment;
    unsigned shift = GRANULE_SHIFT;
    hal_irq_state_t state;
    void *block;

    if (most > (size_t)1 << SERVED_SHIFT)
        return backing_take_block(bytes, alignment);
    if (most > (size_t)1 << GRANULE_SHIFT)
        shift = 64 - (unsigned)__builtin_clzl(most - 1);
    do {
        state = spinlock_acquire(&bin.lock);
        block = take_block(shift);
        spinlock_release(&bin.lock, state);
    } while (!block && add_arena(shift));
    return block;
}

static void bin_free(void *block)
{
    struct arena *arena = arena_of(block);
    hal_irq_state_t state;
    bool surplus;

    if (!arena) {
        bool good = backing_give_block(block);

        kassert(good);
        return;
    }
    state = spinlock_acquire(&bin.lock);
    give_block(arena, block);
    surplus = arena->used == 0 && bin.empty_arenas > 1;
    if (surplus)
        withdraw_arena(arena);
    spinlock_release(&bin.lock, state);
    if (surplus)
        backing_give(arena);
}

/* Looks for the block around a place that is no start: the one of the least size that is a start.
 */
static enum heap_pointer find_around(const struct arena *arena, size_t offset)
{
    for (unsigned shift = GRANULE_SHIFT; shift <= BLOCK_SHIFT; shift++) {
        uint8_t start = arena->map[offset >> shift << shift >> GRANULE_SHIFT];

        if (start)
            return start & MAP_FREE ? HEAP_FREED : HEAP_INTERIOR;
    }
    return HEAP_INTERIOR; /* of the header */
}

static enum heap_pointer bin_find(const void *pointer, size_t *usable)
{
    uintptr_t owner = (uintptr_t)backing_owner(pointer);
    const struct arena *arena = backing_unmark(owner);
    size_t offset = (size_t)((uintptr_t)pointer - (uintptr_t)arena);
    uint8_t start;

    if (owner == 0)
        return HEAP_FOREIGN;
    if (backing_mark_of(owner) != BACKING_ARENA)
        return backing_find_block(pointer, owner, usable);
    if (offset % (1u << GRANULE_SHIFT))
        return HEAP_INTERIOR;
    start = arena->map[offset >> GRANULE_SHIFT];
    if (!(start & MAP_USED))
        return find_around(arena, offset);
    *usable = (size_t)1 << (start & MAP_SHIFT);
    return HEAP_BLOCK;
}

static void bin_read_stats(struct heap_stats *stats)
{
    hal_irq_state_t state = spinlock_acquire(&bin.lock);

    stats->live_blocks += bin.live_blocks;
    stats->live_bytes += bin.live_bytes;
    spinlock_release(&bin.lock, state);
    backing_read_stats(stats);
}

const struct heap_allocator heap_bin = {
    .name = "bin",
    .init = bin_init,
    .allocate = bin_allocate,
    .free = bin_free,
    .find = bin_find,
    .read_stats = bin_read_stats,
};
