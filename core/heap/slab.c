/* SPDX-License-Identifier: MIT */
/*
 * heap.c: objects of up to 1 KiB from pages of one size class each; larger ones as runs of frames.
 *
 * A slab is one page: a header, then objects of its class. A bit for each object says whether it is
 * in use, so giving back twice, or giving back what never was an object, is noticed at once.
 *
 *     page:  | header | object 0 | object 1 | ... | object n - 1 |
 *
 * No object begins at the start of a page, and every run of frames does: that tells them apart.
 * Objects of a class that is a power of two lie at multiples of their size, which gives alignment
 * for free.
 */
#include "heap/allocator.h"

#include "boot/panic.h"
#include "lib/list.h"
#include "mem/frame.h"
#include "mem/memory.h"
#include "sync/spinlock.h"

#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define SLAB_MAGIC 0x51ab51abu
#define SLAB_WORDS (HAL_PAGE_SIZE / 16 / 64)
#define FREED_BYTE 0xdf
#define OBJECT_ALIGN 16u

static const uint16_t class_sizes[] = {16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024};
#define CLASSES (sizeof class_sizes / sizeof class_sizes[0])

struct slab {
    uint32_t magic;
    uint16_t class;
    uint16_t used;         /* objects */
    uint16_t objects;      /* that fit */
    uint16_t first_offset; /* of object 0 in the page */
    struct list link;      /* on the class's list while it has room */
    uint64_t bits[SLAB_WORDS];
};

static KSTATE struct heap_state {
    struct spinlock lock;
    struct list partial[CLASSES]; /* slabs with room */
    struct heap_stats stats;
} heap;

static void slab_init(void)
{
    spinlock_init(&heap.lock, LOCK_RANK_HEAP);
    for (size_t i = 0; i < CLASSES; i++)
        list_init(&heap.partial[i]);
}

static bool is_power_of_two(size_t n)
{
    return n && (n & (n - 1)) == 0;
}

/* The class for `bytes` bytes at `alignment`, or CLASSES if only a run of frames will do. */
static size_t find_class(size_t bytes, size_t alignment)
{
    for (size_t i = 0; i < CLASSES; i++) {
        size_t size = class_sizes[i];

        if (size >= bytes &&
            (alignment <= OBJECT_ALIGN || (is_power_of_two(size) && size >= alignment)))
            return i;
    }
    return CLASSES;
}

static struct slab *create_slab(size_t class)
{
    struct slab *slab = frame_alloc(0);
    size_t size = class_sizes[class], first = (sizeof *slab + 15) / 16 * 16;

    if (!slab)
        return NULL;
    if (is_power_of_two(size))
        first = (sizeof *slab + size - 1) / size * size;
    memset(slab, 0, sizeof *slab);
    slab->magic = SLAB_MAGIC;
    slab->class = (uint16_t) class;
    slab->first_offset = (uint16_t)first;
    slab->objects = (uint16_t)((HAL_PAGE_SIZE - first) / size);
    list_add_head(&heap.partial[class], &slab->link);
    heap.stats.frames++;
    return slab;
}

/* Takes the first free object. Caller holds the lock; the slab has room. */
static void *take_object(struct slab *slab)
{
    unsigned word = 0, bit;

    while (slab->bits[word] == UINT64_MAX)
        word++;
    bit = (unsigned)__builtin_ctzll(~slab->bits[word]);
    slab->bits[word] |= 1ull << bit;
    if (++slab->used == slab->objects)
        list_remove(&slab->link);
    return (char *)slab + slab->first_offset + (word * 64 + bit) * class_sizes[slab->class];
}

static void *allocate_object(size_t class)
{
    struct slab *slab;

    if (!list_empty(&heap.partial[class]))
        slab = list_entry(heap.partial[class].next, struct slab, link);
    else
        slab = create_slab(class);
    if (!slab)
        return NULL;
    heap.stats.live_bytes += class_sizes[class];
    return take_object(slab);
}

static void *allocate_run(size_t bytes, size_t alignment)
{
    unsigned order = frame_order(bytes > alignment ? bytes : alignment);
    void *run = frame_alloc(order);

    if (run) {
        heap.stats.live_bytes += (uint64_t)HAL_PAGE_SIZE << order;
        heap.stats.frames += 1ull << order;
    }
    return run;
}

static void *slab_allocate(size_t bytes, size_t alignment)
{
    size_t class = find_class(bytes, alignment);
    hal_irq_state_t state;
    void *pointer;

    state = spinlock_acquire(&heap.lock);
    pointer = class < CLASSES ? allocate_object(class) : allocate_run(bytes, alignment);
    if (pointer)
        heap.stats.live_blocks++;
    spinlock_release(&heap.lock, state);
    return pointer;
}

/* Caller holds the lock. */
static void free_object(struct slab *slab, void *pointer)
{
    size_t size = class_sizes[slab->class];
    size_t offset = (size_t)((char *)pointer - (char *)slab) - slab->first_offset;
    size_t index = offset / size;
    uint64_t bit = 1ull << index % 64;

    kassert(offset % size == 0 && index < slab->objects);
    kassert(slab->bits[index / 64] & bit);
    memset(pointer, FREED_BYTE, size);
    slab->bits[index / 64] &= ~bit;
    if (slab->used-- == slab->objects)
        list_add_head(&heap.partial[slab->class], &slab->link);
    heap.stats.live_bytes -= size;
    if (slab->used == 0) {
        list_remove(&slab->link);
        slab->magic = 0;
        heap.stats.frames--;
        frame_free(slab, 0);
    }
}

static void free_run(void *pointer)
{
    size_t pages = frame_run_pages(pointer);

    heap.stats.live_bytes -= pages * HAL_PAGE_SIZE;
    heap.stats.frames -= pages;
    frame_put(pointer);
}

static void slab_free(void *pointer)
{
    uintptr_t offset = (uintptr_t)pointer % HAL_PAGE_SIZE;
    struct slab *slab = (struct slab *)((char *)pointer - offset);
    hal_irq_state_t state = spinlock_acquire(&heap.lock);

    if (offset == 0)
        free_run(pointer);
    else
        free_object(slab, pointer);
    heap.stats.live_blocks--;
    spinlock_release(&heap.lock, state);
}

static enum heap_pointer slab_find(const void *pointer, size_t *usable)
{
    uintptr_t offset = (uintptr_t)pointer % HAL_PAGE_SIZE;
    const struct slab *slab = (const struct slab *)((const char *)pointer - offset);
    size_t index;

    if (offset == 0) {
        *usable = frame_run_pages(pointer) * HAL_PAGE_SIZE;
        return *usable ? HEAP_BLOCK : HEAP_FOREIGN;
    }
    if (slab->magic != SLAB_MAGIC || offset < slab->first_offset)
        return HEAP_FOREIGN;
    *usable = class_sizes[slab->class];
    index = (offset - slab->first_offset) / *usable;
    if ((offset - slab->first_offset) % *usable)
        return HEAP_INTERIOR;
    return slab->bits[index / 64] >> index % 64 & 1 ? HEAP_BLOCK : HEAP_FREED;
}

static void slab_read_stats(struct heap_stats *stats)
{
    hal_irq_state_t state = spinlock_acquire(&heap.lock);

    stats->live_bytes += heap.stats.live_bytes;
    stats->live_blocks += heap.stats.live_blocks;
    stats->frames += heap.stats.frames;
    spinlock_release(&heap.lock, state);
}

const struct heap_allocator heap_slab = {
    .name = "slab",
    .init = slab_init,
    .allocate = slab_allocate,
    .free = slab_free,
    .find = slab_find,
    .read_stats = slab_read_stats,
};
