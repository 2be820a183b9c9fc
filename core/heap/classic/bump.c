/* SPDX-License-Identifier: MIT */
/*
 * bump.c: takes the next bytes, and never gives anything back. (cs140e, lab 1)
 *
 * The simplest allocator there is, and the fastest way to memory that is needed until power-off: it
 * rounds the place up to the alignment, and moves it on. Freed memory is lost, so a kernel that
 * runs for long ends without any; that is what a student shall see.
 *
 *     chunk: | header with two bitmaps | block | gap | block | block | free ...
 *                                                                    ^ next
 *     starts:                            1       1     1       1       0
 *     dead:                              0       1     0       1       0
 *
 * A bit for each 16 bytes says whether something starts there, and one whether it is dead: a gap in
 * front of an aligned block, or a block that was freed. That is enough to tell what a pointer is,
 * and where it ends. What needs more than 16 KiB has pages of its own; they stay, too.
 */
#include "heap/allocator.h"

#include "boot/panic.h"
#include "heap/backing.h"
#include "sync/spinlock.h"

#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define UNIT 16u
#define CHUNK_PAGES 16u
#define CHUNK_BYTES (CHUNK_PAGES * HAL_PAGE_SIZE)
#define BLOCK_MAX (CHUNK_BYTES / 4)
#define WORDS (CHUNK_BYTES / UNIT / 64)

struct chunk {
    _Alignas(UNIT) uint32_t bytes;
    uint32_t next;          /* offset of the first byte that was not taken */
    uint64_t starts[WORDS]; /* a bit for each unit of the chunk */
    uint64_t dead[WORDS];
};

_Static_assert(sizeof(struct chunk) % UNIT == 0, "blocks begin behind the header");
_Static_assert(sizeof(struct chunk) <= HAL_PAGE_SIZE - 2 * UNIT, "a page is a chunk");

static KSTATE struct bump_state {
    struct spinlock lock;
    /* Guarded by the lock. */
    struct chunk *chunk; /* that is being used; older ones are full */
    uint64_t live_blocks, live_bytes;
} bump;

static bool get_bit(const uint64_t *bits, size_t unit)
{
    return bits[unit / 64] >> unit % 64 & 1;
}

static void set_bit(uint64_t *bits, size_t unit)
{
    bits[unit / 64] |= 1ull << unit % 64;
}

/* Where the block that starts at `unit` ends: at the next start, or where nothing was taken yet. */
static size_t find_end(const struct chunk *chunk, size_t unit)
{
    size_t word = (unit + 1) / 64;
    uint64_t bits;

    if (word >= WORDS)
        return chunk->next;
    bits = chunk->starts[word] & ~0ull << (unit + 1) % 64;
    while (!bits && ++word < WORDS)
        bits = chunk->starts[word];
    return bits ? (word * 64 + (unsigned)__builtin_ctzll(bits)) * UNIT : chunk->next;
}

/* The next `bytes` bytes at `alignment`, or NULL: the chunk is full. Caller holds the lock. */
static void *take(struct chunk *chunk, size_t bytes, size_t alignment)
{
    uintptr_t place, base = (uintptr_t)chunk;
    size_t offset;

    if (!chunk)
        return NULL;
    place = (base + chunk->next + alignment - 1) & ~(uintptr_t)(alignment - 1);
    offset = place - base;
    if (offset > chunk->bytes || bytes > chunk->bytes - offset)
        return NULL;
    if (offset > chunk->next) {
        set_bit(chunk->starts, chunk->next / UNIT);
        set_bit(chunk->dead, chunk->next / UNIT);
    }
    set_bit(chunk->starts, offset / UNIT);
    chunk->next = (uint32_t)(offset + bytes);
    bump.live_blocks++;
    bump.live_bytes += bytes;
    return (void *)place;
}

/* Begins a new chunk with room for such a block. False: out of memory. No lock is held. */
static bool add_chunk(size_t bytes, size_t alignment)
{
    size_t first = (sizeof(struct chunk) + alignment - 1) & ~(alignment - 1); /* or less */
    size_t pages = CHUNK_PAGES;
    struct chunk *chunk = backing_take(pages, 0);
    hal_irq_state_t state;

    if (!chunk) {
        pages = (first + bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE;
        chunk = backing_take(pages, 0);
    }
    if (!chunk)
        return false;
    memset(chunk, 0, sizeof *chunk);
    chunk->bytes = (uint32_t)(pages * HAL_PAGE_SIZE);
    chunk->next = sizeof *chunk;
    backing_own(chunk, pages, backing_mark(chunk, BACKING_CHUNK));
    state = spinlock_acquire(&bump.lock);
    bump.chunk = chunk;
    spinlock_release(&bump.lock, state);
    return true;
}

/* ---- what the front end asks for ---- */

static void bump_init(void)
{
    spinlock_init(&bump.lock, LOCK_RANK_HEAP);
}

static void *bump_allocate(size_t bytes, size_t alignment)
{
    hal_irq_state_t state;
    void *block;

    if (bytes > BLOCK_MAX || alignment > BLOCK_MAX)
        return backing_take_block(bytes, alignment);
    bytes = (bytes + UNIT - 1) & ~(size_t)(UNIT - 1);
    do {
        state = spinlock_acquire(&bump.lock);
        block = take(bump.chunk, bytes, alignment);
        spinlock_release(&bump.lock, state);
    } while (!block && add_chunk(bytes, alignment));
    return block;
}

static void bump_free(void *block)
{
    uintptr_t owner = (uintptr_t)backing_owner(block);
    struct chunk *chunk = backing_unmark(owner);
    size_t offset = (size_t)((uintptr_t)block - (uintptr_t)chunk);
    hal_irq_state_t state;

    if (backing_mark_of(owner) != BACKING_CHUNK) {
        bool good = backing_spend_block(block);

        kassert(good);
        return;
    }
    state = spinlock_acquire(&bump.lock);
    set_bit(chunk->dead, offset / UNIT);
    bump.live_blocks--;
    bump.live_bytes -= find_end(chunk, offset / UNIT) - offset;
    spinlock_release(&bump.lock, state);
}

static enum heap_pointer bump_find(const void *pointer, size_t *usable)
{
    uintptr_t owner = (uintptr_t)backing_owner(pointer);
    const struct chunk *chunk = backing_unmark(owner);
    size_t offset = (size_t)((uintptr_t)pointer - (uintptr_t)chunk);

    if (owner == 0)
        return HEAP_FOREIGN;
    if (backing_mark_of(owner) != BACKING_CHUNK)
        return backing_find_block(pointer, owner, usable);
    if (offset % UNIT || !get_bit(chunk->starts, offset / UNIT))
        return HEAP_INTERIOR;
    *usable = find_end(chunk, offset / UNIT) - offset;
    return get_bit(chunk->dead, offset / UNIT) ? HEAP_FREED : HEAP_BLOCK;
}

static void bump_read_stats(struct heap_stats *stats)
{
    hal_irq_state_t state = spinlock_acquire(&bump.lock);

    stats->live_blocks += bump.live_blocks;
    stats->live_bytes += bump.live_bytes;
    spinlock_release(&bump.lock, state);
    backing_read_stats(stats);
}

const struct heap_allocator heap_bump = {
    .name = "bump",
    .init = bump_init,
    .allocate = bump_allocate,
    .free = bump_free,
    .find = bump_find,
    .read_stats = bump_read_stats,
};
