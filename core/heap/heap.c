/* SPDX-License-Identifier: MIT */
/*
 * heap.c: the front of the heap: checks the arguments, asks whether this allocation has to fail,
 * and lets the chosen allocator do the work, behind the guard if checks are on.
 *
 * The usual case of a release (slab, no checks, no plan of failures) is decided together with the
 * size, by alloc_is_unasked, and goes straight to a stack or a magazine of slab.
 */
#include "heap/heap.h"

#include "boot/cmdline.h"
#include "boot/panic.h"
#include "config.h"
#include "heap/allocator.h"
#include "heap/check/guard.h"
#include "site/fail.h"
#include "heap/slab/quick.h"
#include "lib/log.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define COPY_BYTES 128u /* that are copied here and now; a call of memcpy takes longer */

/* A function that fills few lines of the instruction cache. What it costs would depend on where the
 * linker happens to put it. */
#define LINE_START __attribute__((aligned(64)))

static KSTATE struct heap_state {
    const struct heap_allocator *allocator;
    bool checks;
    uint64_t failures;
} heap;

/* ---- boot ---- */

static void choose_allocator(void)
{
    static const struct heap_allocator *const all[] = {&heap_slab, &heap_bin, &heap_bump};
    char name[16];

    heap.allocator = &heap_slab;
    if (!cmdline_value("allocator", name, sizeof name))
        return;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (string_equal(name, all[i]->name)) {
            heap.allocator = all[i];
            return;
        }
    klog(KLOG_WARNING, "boot: allocator=%s is not bump, bin or slab; using slab", name);
}

static void choose_checks(void)
{
    char text[8];

    heap.checks = CONFIG_CHECKS;
    if (!cmdline_value("checks", text, sizeof text))
        return;
    if (string_equal(text, "0") || string_equal(text, "1"))
        heap.checks = text[0] == '1';
    else
        klog(KLOG_WARNING, "boot: checks=%s is not 0 or 1", text);
}

static void choose_failures(void)
{
    char text[64];

    if (cmdline_value("fail_alloc", text, sizeof text) && alloc_fail_parse(text))
        klog(KLOG_WARNING,
             "boot: fail_alloc=%s is not N, N+, 1/N, 1/N:SEED or a FILE:LINE that allocates", text);
}

void heap_init(void)
{
    choose_allocator();
    choose_checks();
    heap_slab.init(); /* it has the list of all caches of objects */
    if (heap.allocator != &heap_slab)
        heap.allocator->init();
    if (heap.checks)
        guard_init(heap.allocator);
    alloc_fail_start(!heap_is_plain());
    choose_failures();
}

bool heap_is_plain(void)
{
    return heap.allocator == &heap_slab && !heap.checks;
}

const char *heap_allocator_name(void)
{
    return heap.allocator->name;
}

bool heap_is_checked(void)
{
    return heap.checks;
}

/* ---- allocating ---- */

/* An allocation that was made to fail: its site has counted that already. */
static void *fail_on_demand(void)
{
    __atomic_fetch_add(&heap.failures, 1, __ATOMIC_RELAXED);
    return NULL;
}

void *heap_failed(const struct alloc_site *site)
{
    __atomic_fetch_add(&site->count->failures, 1, __ATOMIC_RELAXED);
    return fail_on_demand();
}

/* Everything but the usual case. It takes its caller's place on the stack, or lies on top of it. */
static HAL_NOINLINE void *allocate_slowly(size_t bytes, size_t alignment,
                                          const struct alloc_site *site)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    void *block;

    if (alloc_fail_watching() && alloc_fails(site))
        return fail_on_demand();
    if (alignment == 0 || (alignment & (alignment - 1)) || alignment > HEAP_ALIGNMENT_MAX ||
        bytes > HEAP_BYTES_MAX)
        return heap_failed(site);
    if (alignment < HEAP_ALIGNMENT)
        alignment = HEAP_ALIGNMENT;
    block = heap.checks ? guard_allocate(bytes, alignment, site, frame)
                        : heap.allocator->allocate(bytes ? bytes : 1, alignment);
    return block ? block : heap_failed(site);
}

void *heap_allocate(size_t bytes, size_t alignment, const struct alloc_site *site)
{
    return alignment == HEAP_ALIGNMENT ? heap_allocate_usual(bytes, site)
                                       : allocate_slowly(bytes, alignment, site);
}

/* Called masked, because the magazine is empty. */
static HAL_NOINLINE void *allocate_and_refill(size_t bytes, const struct alloc_site *site)
{
    void *block = slab_refill(slab_store_for(bytes));

    return block ? block : allocate_slowly(bytes, HEAP_ALIGNMENT, site);
}

/* What follows the fast way takes its place on the stack: so it need not save anything for that. */
LINE_START void *heap_allocate_usual(size_t bytes, const struct alloc_site *site)
{
    struct slab_store *store;
    void *block;

    if (!alloc_is_unasked(bytes) || !hal_irq_try_mask())
        return allocate_slowly(bytes, HEAP_ALIGNMENT, site);
    store = slab_store_for(bytes);
    if (store->count > 0)
        block = slab_pop(store);
    else if (__builtin_expect(store->magazine.free != 0, 1))
        block = magazine_take(&store->magazine);
    else
        return allocate_and_refill(bytes, site);
    return hal_irq_end_mask_with(block);
}

void *heap_allocate_zeros(size_t count, size_t bytes, const struct alloc_site *site)
{
    size_t total;
    void *block;

    if (__builtin_mul_overflow(count, bytes, &total))
        total = SIZE_MAX; /* which nobody has */
    if (!alloc_fail_watching())
        block = heap_allocate_usual(total, site);
    else
        block = allocate_slowly(total, HEAP_ALIGNMENT, site);
    if (block)
        memset(block, 0, total);
    return block;
}

/* ---- freeing ---- */

/* The allocator says what is wrong with a pointer that is no block. */
HAL_NORETURN static void refuse(const void *pointer, const char *path, unsigned line,
                                const char *caller)
{
    const char *file = alloc_file(path);
    size_t usable;

    switch (heap.allocator->find(pointer, &usable)) {
    case HEAP_INTERIOR:
        panic_at(file, (int)line, "%s at %s:%u: the pointer is into the middle of a block", caller,
                 file, line);
    case HEAP_FREED:
        panic_at(file, (int)line, "%s at %s:%u: the block was freed before", caller, file, line);
    case HEAP_FOREIGN:
        panic_at(file, (int)line, "%s at %s:%u: the pointer is none of the heap's", caller, file,
                 line);
    default: /* it is a block, and yet was refused: it waits in a magazine to be used again */
        panic_at(file, (int)line, "%s at %s:%u: the block was freed just before", caller, file,
                 line);
    }
}

static HAL_NOINLINE void free_slowly(void *pointer, const char *file, unsigned line)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    size_t usable;

    if (!pointer)
        return;
    if (heap.checks) {
        guard_free(pointer, file, line, frame);
        return;
    }
    if (heap_is_plain() ? !slab_give(pointer) && !backing_give_block(pointer)
                        : heap.allocator->find(pointer, &usable) != HEAP_BLOCK)
        refuse(pointer, file, line, "kfree");
    if (!heap_is_plain())
        heap.allocator->free(pointer);
}

/* Called masked, because it is no matter for the fast way. */
static HAL_NOINLINE void free_masked(void *pointer, const char *file, unsigned line)
{
    hal_irq_end_mask();
    free_slowly(pointer, file, line);
}

/* As slab_free_quickly; but what follows takes its place on the stack, as above. */
LINE_START void heap_free(void *pointer, const char *file, unsigned line)
{
    uint32_t index;
    struct slab *slab = slab_find_quickly(pointer, &index);

    if (!slab || !hal_irq_try_mask())
        free_slowly(pointer, file, line);
    else if (!slab_free_masked(slab, index, pointer))
        free_masked(pointer, file, line);
}

/* ---- the rest ---- */

/* Bytes of the block at `pointer` that belong to its owner. */
static HAL_NOINLINE size_t size_of(const void *pointer, const struct alloc_site *site)
{
    size_t usable = 0;

    if (!pointer)
        return 0;
    if (heap.checks)
        return guard_bytes((void *)pointer, site->file, site->line);
    if (heap.allocator->find(pointer, &usable) != HEAP_BLOCK)
        refuse(pointer, site->file, site->line, "krealloc");
    return usable;
}

/*
 * With checks on a block always moves, so that whoever kept the old address is found out. Zero
 * bytes never fit: they are a block of their own, also where there was none.
 */
static inline bool fits_in_place(size_t usable, size_t bytes)
{
    return bytes - 1 < usable && bytes >= usable / 2 && !heap.checks;
}

/* Copies a block's bytes; blocks of slab have room for a multiple of HEAP_ALIGNMENT. */
static inline void copy(void *to, const void *from, size_t bytes)
{
    if (bytes > COPY_BYTES || !heap_is_plain()) {
        memcpy(to, from, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i += HEAP_ALIGNMENT)
        __builtin_memcpy((char *)to + i, (const char *)from + i, HEAP_ALIGNMENT);
}

static void free_moved(void *pointer, const struct alloc_site *site)
{
    if (!heap_is_plain())
        free_slowly(pointer, site->file, site->line);
    else if (!slab_give(pointer) && !backing_give_block(pointer))
        refuse(pointer, site->file, site->line, "krealloc");
}

/* `slab` is NULL, or that of `pointer`, which is its object number `index`. */
static inline void *move(void *pointer, size_t usable, size_t bytes, struct slab *slab,
                         uint32_t index, const struct alloc_site *site)
{
    void *block = heap_allocate_usual(bytes, site);

    if (!block || !pointer)
        return block;
    if (block == pointer) /* it had been freed, and was just allocated again */
        refuse(pointer, site->file, site->line, "krealloc");
    copy(block, pointer, usable < bytes ? usable : bytes);
    if (!slab || !slab_free_found(slab, index, pointer))
        free_moved(pointer, site);
    return block;
}

void *heap_reallocate(void *pointer, size_t bytes, const struct alloc_site *site)
{
    uint32_t index = 0;
    struct slab *slab = slab_find_quickly(pointer, &index);
    size_t usable;

    if (slab && !slab_is_busy(slab, index))
        slab = NULL;
    usable = slab ? slab_store(slab)->bytes : size_of(pointer, site);
    if (!fits_in_place(usable, bytes))
        return move(pointer, usable, bytes, slab, index, site);
    return alloc_fail_watching() && alloc_fails(site) ? fail_on_demand() : pointer;
}

void heap_check(void)
{
    if (heap.checks)
        guard_check();
}

void heap_settle(void)
{
    if (heap.checks)
        (void)guard_drain(SIZE_MAX);
}

void heap_read_stats(struct heap_stats *stats)
{
    *stats = (struct heap_stats){.allocations = alloc_attempts(),
                                 .failures = __atomic_load_n(&heap.failures, __ATOMIC_RELAXED)};
    heap.allocator->read_stats(stats);
    if (heap.checks)
        guard_read_stats(stats);
}
