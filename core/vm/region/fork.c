/* SPDX-License-Identifier: MIT */
/*
 * fork.c: a space is copied.
 *
 * The copy has the same regions, and for each page that is there a word of its own. A page of
 * private zeros, or one that was copied from a file, is copied at once if there are few of them:
 * up to some 250 pages that costs less than to keep both from writing, and later to trap and copy.
 * If there are many, both words lose the right to write, and who writes first gets a copy
 * (make_writable in fault.c); and where memory is too short for copies, likewise. The pages of
 * files and of shared memory are simply shared.
 *
 * Words go over in batches. A file that is cut short meanwhile takes pages away from both spaces,
 * so no batch is under way while that happens.
 */
#include "vm/region/region.h"

#include "mem/frame.h"
#include "vm/region/origin.h"

#include <hal/errno.h>
#include <hal/mem.h>
#include <hal/runtime.h>

#define COPY_MAX 256u /* pages: what is copied at once */
#define BATCH 64u     /* pages that go over at once, all of one leaf */

struct fork {
    struct vm_space *from, *to;
    const struct vm_region *region; /* of `from` */
    bool alone;
    bool copies; /* little enough is there to be copied at once */
};

/* Pages of the region that follow each other. */
struct batch {
    uint64_t first;
    unsigned n;
    uintptr_t words[BATCH]; /* for `to`; 0: nothing is there */
    uint8_t *run;           /* frames for copies, or NULL: there will be none */
    unsigned run_pages, run_used;
};

/* True if both may not go on with the same page. */
static bool is_own(const struct vm_region *region, uintptr_t word)
{
    return (region->flags & VM_PRIVATE) && (region->access & HAL_USER_WRITE) &&
           !(word & PAGE_CACHED);
}

/* Own pages of the batch; caller holds no lock. */
static unsigned count_own(const struct fork *fork, const struct batch *batch)
{
    hal_irq_state_t state = spinlock_acquire(&fork->from->pages_lock);
    unsigned own = 0;

    for (unsigned i = 0; i < batch->n; i++) {
        uintptr_t word = vm_word(fork->from, batch->first + i);

        own += word && is_own(fork->region, word);
    }
    spinlock_release(&fork->from->pages_lock, state);
    return own;
}

/* Frames for the copies of a batch, unless memory is short. */
static void allocate_copies(const struct fork *fork, struct batch *batch)
{
    batch->run_pages = fork->copies ? count_own(fork, batch) : 0;
    if (batch->run_pages > 0)
        batch->run = frame_alloc_pages(batch->run_pages, 0);
    if (!batch->run)
        batch->run_pages = 0;
    else
        frame_split(batch->run);
}

/* The word that `to` gets for the one in `slot`; 0: there are too many references. */
static uintptr_t take_word(const struct fork *fork, uintptr_t *slot, struct batch *batch)
{
    unsigned access = page_access(*slot);
    bool own = is_own(fork->region, *slot);

    if (own && batch->run_used < batch->run_pages) {
        uint8_t *frame = batch->run + (size_t)batch->run_used++ * HAL_PAGE_SIZE;

        memcpy(frame, page_bytes(*slot), HAL_PAGE_SIZE);
        return page_with_access((uintptr_t)frame, fork->region->access);
    }
    if (!page_share(*slot))
        return 0;
    if (own || (*slot & PAGE_CACHED)) /* a copy, or a note, comes before the first write */
        access &= ~(unsigned)HAL_USER_WRITE;
    if (own)
        *slot = page_with_access(*slot, access);
    return page_with_access(*slot, access);
}

/* True if user code must not write to the pages of a batch from now on. */
static bool must_stop(const struct fork *fork, const struct batch *batch, unsigned own)
{
    return own > batch->run_pages || (own > 0 && !fork->alone);
}

/* Fills the words of the batch. 0 or -ENOMEM. */
static int take_words(const struct fork *fork, struct batch *batch)
{
    struct vm_space *from = fork->from;
    hal_irq_state_t state = spinlock_acquire(&from->pages_lock);
    unsigned own = 0;
    int error = 0;

    for (unsigned i = 0; i < batch->n; i++) {
        uintptr_t word = vm_word(from, batch->first + i);

        own += word && is_own(fork->region, word);
    }
    if (must_stop(fork, batch, own))
        vm_stop_writes(from, batch->first, batch->first + batch->n, fork->region->access);
    for (unsigned i = 0; i < batch->n && !error; i++) {
        uintptr_t *slot = page_map_find(&from->map, batch->first + i);

        if (!slot || !*slot)
            continue;
        batch->words[i] = take_word(fork, slot, batch);
        error = batch->words[i] ? 0 : -ENOMEM;
    }
    spinlock_release(&from->pages_lock, state);
    return error;
}

/* Pages in a row are shown to the processor already: it may keep what both have. That it has no
 * memory for it is no matter: then the first touch does it. Caller holds `to`'s pages_lock. */
static void show_words(const struct fork *fork, const struct batch *batch)
{
    unsigned steady = fork->region->flags & VM_PRIVATE ? HAL_USER_STEADY : 0;
    int error = 0;

    for (unsigned i = 0, n; i < batch->n && !error; i += n) {
        uintptr_t word = batch->words[i];
        uint64_t physical = word ? hal_mem_physical(page_bytes(word)) : 0;

        for (n = 1; word && i + n < batch->n && batch->words[i + n]; n++)
            if (page_access(batch->words[i + n]) != page_access(word) ||
                hal_mem_physical(page_bytes(batch->words[i + n])) != physical + n * HAL_PAGE_SIZE)
                break;
        if (word && page_access(word))
            error = hal_aspace_map(&fork->to->aspace, (batch->first + i) * HAL_PAGE_SIZE, physical,
                                   n, page_access(word) | steady);
    }
}

static void put_words(const struct fork *fork, const struct batch *batch,
                      struct page_spares *spares)
{
    struct vm_space *to = fork->to;
    hal_irq_state_t state = spinlock_acquire(&to->pages_lock);
    uintptr_t *slots = page_map_make(&to->map, batch->first, spares);

    for (unsigned i = 0; i < batch->n; i++) {
        slots[i] = batch->words[i];
        to->resident += batch->words[i] != 0;
    }
    show_words(fork, batch);
    spinlock_release(&to->pages_lock, state);
}

/* Copies the pages of a batch, of which there is at least one. 0 or -ENOMEM. */
static int copy_batch(const struct fork *fork, struct batch *batch, struct page_spares *spares)
{
    struct origin_lock lock;
    int error = page_spares_fill(spares);

    if (error)
        return error;
    allocate_copies(fork, batch);
    lock = origin_lock(fork->region->file, NULL);
    error = take_words(fork, batch);
    put_words(fork, batch, spares);
    origin_unlock(lock);
    for (unsigned i = batch->run_used; i < batch->run_pages; i++)
        frame_put(batch->run + (size_t)i * HAL_PAGE_SIZE);
    return error;
}

/* Goes to the next page that is there. False: there is none. */
static bool find_page(const struct fork *fork, uint64_t *number)
{
    hal_irq_state_t state = spinlock_acquire(&fork->from->pages_lock);
    bool found = page_map_next(&fork->from->map, number, fork->region->end / HAL_PAGE_SIZE);

    spinlock_release(&fork->from->pages_lock, state);
    return found;
}

static int copy_pages(const struct fork *fork)
{
    uint64_t number = fork->region->start / HAL_PAGE_SIZE, end = fork->region->end / HAL_PAGE_SIZE;
    struct page_spares spares = {{NULL}, 0};
    int error = 0;

    while (!error && find_page(fork, &number)) {
        struct batch batch = {.first = number, .run = NULL};
        uint64_t last = (number / BATCH + 1) * BATCH;

        batch.n = (unsigned)((last < end ? last : end) - number);
        error = copy_batch(fork, &batch, &spares);
        number += batch.n;
    }
    page_spares_free(&spares);
    return error;
}

/* True if there are so few own pages that they are copied at once. */
static bool is_small(struct fork *fork)
{
    unsigned own = 0;

    fork->region = vm_region_from(fork->from, 0);
    for (; fork->region && own <= COPY_MAX; fork->region = vm_region_next(fork->region)) {
        uint64_t number = fork->region->start / HAL_PAGE_SIZE;

        if (!(fork->region->flags & VM_PRIVATE) || !(fork->region->access & HAL_USER_WRITE))
            continue;
        while (own <= COPY_MAX && find_page(fork, &number)) {
            struct batch batch = {.first = number, .n = BATCH};
            uint64_t end = fork->region->end / HAL_PAGE_SIZE;

            if (end - number < BATCH)
                batch.n = (unsigned)(end - number);
            own += count_own(fork, &batch);
            number += batch.n;
        }
    }
    return own <= COPY_MAX;
}

static int copy_regions(struct fork *fork)
{
    fork->region = vm_region_from(fork->from, 0);
    for (; fork->region; fork->region = vm_region_next(fork->region)) {
        struct vm_region *copy = vm_region_create(fork->region);
        int error;

        if (!copy)
            return -ENOMEM;
        vm_region_insert(fork->to, copy);
        error = copy_pages(fork);
        if (error)
            return error;
    }
    return 0;
}

int vm_space_fork(struct vm_space *from, bool alone, struct vm_space **to)
{
    struct fork fork = {.from = from, .alone = alone};
    int error = vm_space_create(&fork.to);

    if (error)
        return error;
    rwlock_write(&from->lock);
    fork.to->limits = from->limits;
    fork.to->break_start = from->break_start;
    fork.to->break_end = from->break_end;
    fork.copies = is_small(&fork);
    error = copy_regions(&fork);
    rwlock_end_write(&from->lock);
    if (error) {
        vm_space_put(fork.to);
        return error;
    }
    *to = fork.to;
    return 0;
}
