/* SPDX-License-Identifier: MIT */
/*
 * change.c: what becomes of pages that are mapped already: other rights, advice, writing back.
 */
#include "vm/region/region.h"

#include "cache/cache.h"
#include "fs/file.h"
#include "vm/region/origin.h"

#include <hal/errno.h>

#define NOTES_MAX 32u /* pages of files that are noted as modified at once */

/* ---- the rights of pages ---- */

/* Pages of files that could be written to, and cannot any more: each with a hold. */
struct notes {
    uintptr_t words[NOTES_MAX];
    unsigned n;
};

/* What a page that is there may be used for when its region allows `access`. */
static unsigned fit(const struct vm_region *region, uintptr_t word, unsigned access)
{
    if (!(access & HAL_USER_WRITE) || (page_access(word) & HAL_USER_WRITE))
        return access;
    if (region->flags & VM_SHARED ? !(word & PAGE_CACHED) : page_is_sole(word))
        return access;
    return access & ~(unsigned)HAL_USER_WRITE;
}

/* Goes over pages from *number on, until the notes are full: true, and there may be more. */
static bool set_words(struct vm_region *region, uint64_t *number, uint64_t end, unsigned access,
                      struct notes *notes)
{
    struct vm_space *space = region->space;
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uint64_t first = *number, last = first;
    uintptr_t *word = NULL;

    notes->n = 0;
    while (notes->n < NOTES_MAX && (word = page_map_next(&space->map, number, end))) {
        unsigned now = fit(region, *word, access);

        if (last == first)
            first = *number;
        if ((*word & PAGE_CACHED) && (page_access(*word) & ~now & HAL_USER_WRITE) &&
            page_share(*word))
            notes->words[notes->n++] = *word;
        *word = page_with_access(*word, now);
        last = ++*number;
    }
    if (last > first)
        vm_stop_writes(space, first, last, access);
    spinlock_release(&space->pages_lock, state);
    return word;
}

/* Gives the pages in the range, all of `region`, what its new right `access` allows. May sleep. */
static void set_access(struct vm_region *region, uintptr_t start, uintptr_t end, unsigned access)
{
    uint64_t number = start / HAL_PAGE_SIZE;
    struct notes notes;
    bool more;

    do {
        more = set_words(region, &number, end / HAL_PAGE_SIZE, access, &notes);
        for (unsigned i = 0; i < notes.n; i++)
            page_give(notes.words[i]); /* which notes it */
    } while (more);
}

/* ---- protecting ---- */

static int check_protect(const struct vm_space *space, uintptr_t start, uintptr_t end,
                         unsigned access)
{
    const struct vm_region *region = vm_region_from(space, start);
    int error = 0;

    if (!vm_region_covers(space, start, end) || space->region_count + 2 > VM_REGIONS_MAX)
        return -ENOMEM;
    for (; region && region->start < end && !error; region = vm_region_next(region))
        error = vm_check_access(space, region, access);
    return error;
}

/* What cutting at `address` takes: *spare, or NULL if no region goes across it. */
static int reserve_cut(const struct vm_space *space, uintptr_t address, struct vm_region **spare)
{
    const struct vm_region *region = vm_region_find(space, address);

    *spare = NULL;
    if (!region || region->start == address)
        return 0;
    *spare = vm_region_create(region);
    return *spare ? 0 : -ENOMEM;
}

static int protect_locked(struct vm_space *space, uintptr_t start, uintptr_t end, unsigned access)
{
    struct vm_region *low = NULL, *high = NULL, *region;
    int error = check_protect(space, start, end, access);

    if (!error)
        error = reserve_cut(space, start, &low);
    if (!error)
        error = reserve_cut(space, end, &high);
    if (error) {
        vm_region_free(low);
        return error;
    }
    if (high)
        vm_region_split(vm_region_find(space, end), end, &high);
    if (low)
        vm_region_split(vm_region_find(space, start), start, &low);
    region = vm_region_from(space, start);
    for (; region && region->start < end; region = vm_region_next(region)) {
        region->access = access;
        set_access(region, region->start, region->end, access);
    }
    vm_region_join(space, start, end);
    return 0;
}

int vm_protect(struct vm_space *space, uintptr_t start, size_t bytes, unsigned access)
{
    uintptr_t end;
    int error;

    if (access > (HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE))
        return -EINVAL;
    if (bytes == 0 && start % HAL_PAGE_SIZE == 0)
        return 0;
    if (!vm_range_valid(start, bytes, &end))
        return start % HAL_PAGE_SIZE ? -EINVAL : -ENOMEM;
    rwlock_write(&space->lock);
    error = protect_locked(space, start, end, access ? access | HAL_USER_READ : 0);
    rwlock_end_write(&space->lock);
    return error;
}

/* ---- advice and writing back ---- */

/* 0, and *end behind the range; 0, and *end == start: nothing to do; or what is wrong. */
static int check_range(struct vm_space *space, uintptr_t start, size_t bytes, uintptr_t *end)
{
    bool covered;

    *end = start;
    if (start % HAL_PAGE_SIZE)
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!vm_range_valid(start, bytes, end))
        return -ENOMEM;
    rwlock_read(&space->lock);
    covered = vm_region_covers(space, start, *end);
    rwlock_end_read(&space->lock);
    return covered ? 0 : -ENOMEM;
}

static void prefetch(struct vm_space *space, uintptr_t start, uintptr_t end)
{
    const struct vm_region *region;

    rwlock_read(&space->lock);
    region = vm_region_from(space, start);
    for (; region && region->start < end; region = vm_region_next(region)) {
        uintptr_t low = region->start > start ? region->start : start;
        uintptr_t high = region->end < end ? region->end : end;

        if (region->file && region->file->vnode->pages)
            cache_prefetch(region->file->vnode->pages, region->offset + (low - region->start),
                           high - low);
    }
    rwlock_end_read(&space->lock);
}

int vm_advise(struct vm_space *space, uintptr_t start, size_t bytes, enum vm_advice advice)
{
    uintptr_t end;
    int error = check_range(space, start, bytes, &end);

    if (error || end == start)
        return error;
    if (advice == VM_WILL_NEED) {
        prefetch(space, start, end);
        return 0;
    }
    rwlock_write(&space->lock);
    vm_pages_drop(space, start, end);
    vm_pages_trim(space, start, end);
    rwlock_end_write(&space->lock);
    return 0;
}

/* What is left to be written back of one region. */
struct part {
    struct file *file; /* a reference, or NULL: nothing */
    uint64_t offset, bytes;
};

/* Stops writes to the part of a region that lies in *start .. end; moves *start behind it. */
static struct part stop_part(struct vm_space *space, uintptr_t *start, uintptr_t end)
{
    struct part part = {.file = NULL};
    struct vm_region *region;

    rwlock_write(&space->lock);
    region = vm_region_from(space, *start);
    if (region && region->start > *start)
        *start = region->start;
    if (!region || *start >= end) {
        *start = end;
    } else {
        uintptr_t high = region->end < end ? region->end : end;

        if (region->file && (region->flags & VM_SHARED) && region->file->vnode->pages) {
            set_access(region, *start, high, region->access & ~(unsigned)HAL_USER_WRITE);
            part.file = file_get(region->file);
            part.offset = region->offset + (*start - region->start);
            part.bytes = high - *start;
        }
        *start = high;
    }
    rwlock_end_write(&space->lock);
    return part;
}

int vm_sync(struct vm_space *space, uintptr_t start, size_t bytes, bool wait)
{
    uintptr_t end;
    int error = check_range(space, start, bytes, &end), other;

    if (error)
        return error;
    while (start < end) {
        struct part part = stop_part(space, &start, end);

        if (!part.file)
            continue;
        other = wait ? cache_sync_range(part.file->vnode->pages, part.offset, part.bytes) : 0;
        file_put(part.file);
        error = error ? error : other;
    }
    return error;
}
