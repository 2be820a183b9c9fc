/* SPDX-License-Identifier: MIT */
/*
 * map.c: regions come and go: mapping, unmapping, and moving.
 *
 * Each call first gets all the memory that it may need, checks all that may be wrong, and then does
 * what can no longer fail.
 */
#include "vm/region/region.h"

#include "fs/file.h"
#include "vm/region/origin.h"

#include <hal/errno.h>

/* ---- unmapping ---- */

int vm_unmap_reserve(struct vm_space *space, uintptr_t start, uintptr_t end,
                     struct vm_region **spare)
{
    const struct vm_region *region = vm_region_find(space, start);

    *spare = NULL;
    if (!region || region->start >= start || region->end <= end)
        return 0;
    if (space->region_count >= VM_REGIONS_MAX)
        return -ENOMEM;
    *spare = vm_region_create(region);
    return *spare ? 0 : -ENOMEM;
}

void vm_unmap_locked(struct vm_space *space, uintptr_t start, uintptr_t end,
                     struct vm_region **spare)
{
    struct vm_region *region = vm_region_from(space, start), *next;

    vm_pages_drop(space, start, end);
    for (; region && region->start < end; region = next) {
        next = vm_region_next(region);
        if (region->start < start && region->end > end)
            vm_region_split(region, end, spare);
        if (region->start < start) {
            vm_region_set(region, region->start, start);
        } else if (region->end > end) {
            vm_region_set(region, end, region->end);
        } else {
            vm_region_remove(region);
            vm_region_free(region);
        }
    }
}

int vm_unmap(struct vm_space *space, uintptr_t start, size_t bytes)
{
    struct vm_region *spare;
    uintptr_t end;
    int error;

    if (!vm_range_valid(start, bytes, &end))
        return -EINVAL;
    rwlock_write(&space->lock);
    error = vm_unmap_reserve(space, start, end, &spare);
    if (!error) {
        vm_unmap_locked(space, start, end, &spare);
        vm_pages_trim(space, start, end);
    }
    rwlock_end_write(&space->lock);
    return error;
}

/* ---- mapping ---- */

int vm_check_access(const struct vm_space *space, const struct vm_region *region, unsigned access)
{
    bool writes = access & HAL_USER_WRITE;

    if (space->limits.strict && writes && (access & HAL_USER_EXECUTE))
        return -EACCES;
    if (writes && region->file && (region->flags & VM_SHARED) &&
        (region->file->flags & FILE_ACCESS) != FILE_READ_WRITE)
        return -EACCES;
    return 0;
}

bool vm_may_add(const struct vm_space *space, uint64_t bytes)
{
    return space->region_count + 2 <= VM_REGIONS_MAX && bytes <= space->limits.bytes &&
           space->mapped <= space->limits.bytes - bytes;
}

static int check_file(const struct file *file, uint64_t offset, size_t bytes)
{
    if (offset % HAL_PAGE_SIZE)
        return -EINVAL;
    if (offset > INT64_MAX || bytes > INT64_MAX - offset)
        return -EOVERFLOW;
    if ((file->flags & FILE_ACCESS) == FILE_WRITE_ONLY)
        return -EACCES;
    return origin_has_pages(file) ? 0 : -ENODEV;
}

static int check_flags(unsigned flags, const struct file *file)
{
    bool shared = flags & VM_SHARED, private = flags & VM_PRIVATE;

    if (shared == private || ((flags & VM_GROWS_DOWN) && (shared || file)))
        return -EINVAL;
    return 0;
}

/* How many bytes are mapped in the range. */
static uint64_t mapped_in(const struct vm_space *space, uintptr_t start, uintptr_t end)
{
    const struct vm_region *region = vm_region_from(space, start);
    uint64_t bytes = 0;

    for (; region && region->start < end; region = vm_region_next(region))
        bytes += (region->end < end ? region->end : end) -
                 (region->start > start ? region->start : start);
    return bytes;
}

/* Where `bytes` bytes, whole pages, are to be: *start. */
static int place(const struct vm_space *space, uintptr_t hint, size_t bytes, unsigned flags,
                 uintptr_t *start)
{
    uintptr_t end;

    if (flags & (VM_FIXED | VM_FIXED_NOREPLACE)) {
        if (!vm_range_valid(hint, bytes, &end))
            return hint % HAL_PAGE_SIZE ? -EINVAL : -ENOMEM;
        if ((flags & VM_FIXED_NOREPLACE) && mapped_in(space, hint, end) > 0)
            return -EEXIST;
        *start = hint;
        return 0;
    }
    *start = hint / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    if (!vm_range_valid(*start, bytes, &end) || !vm_range_free(space, *start, end))
        *start = vm_range_find(space, bytes);
    return *start ? 0 : -ENOMEM;
}

/* Puts `region`, which has its length as `end`, where it is to be. */
static int64_t map_locked(struct vm_space *space, struct vm_region *region, uintptr_t hint,
                          unsigned flags)
{
    struct vm_region *spare = NULL;
    size_t bytes = region->end;
    uintptr_t start, end;
    int error = vm_check_access(space, region, region->access);

    if (!error)
        error = place(space, hint, bytes, flags, &start);
    if (error)
        return error;
    end = start + bytes;
    if (!vm_may_add(space, bytes - mapped_in(space, start, end)))
        return -ENOMEM;
    error = vm_unmap_reserve(space, start, end, &spare);
    if (error)
        return error;
    vm_unmap_locked(space, start, end, &spare);
    region->start = start;
    region->end = end;
    vm_region_insert(space, region);
    vm_region_join(space, start, end);
    return (int64_t)start;
}

int64_t vm_map(struct vm_space *space, uintptr_t hint, size_t bytes, unsigned access,
               unsigned flags, struct file *file, uint64_t offset)
{
    struct vm_region model = {.file = file, .offset = file ? offset : 0}, *region;
    int64_t result = check_flags(flags, file);

    if (!result && file)
        result = check_file(file, offset, bytes);
    if (!result && (bytes == 0 || access > (HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE)))
        result = -EINVAL;
    if (!result && bytes > HAL_USER_END)
        result = -ENOMEM;
    if (result)
        return result;
    model.end = (bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    model.access = access ? access | HAL_USER_READ : 0;
    model.flags = flags & (VM_PRIVATE | VM_SHARED | VM_GROWS_DOWN);
    if ((flags & VM_SHARED) && !file && !(model.share = vm_share_create()))
        return -ENOMEM;
    region = vm_region_create(&model);
    vm_share_put(model.share);
    if (!region)
        return -ENOMEM;
    rwlock_write(&space->lock);
    result = map_locked(space, region, hint, flags);
    rwlock_end_write(&space->lock);
    if (result < 0)
        vm_region_free(region);
    return result;
}

int vm_map_zeros(struct vm_space *space, uintptr_t start, uintptr_t end, unsigned flags)
{
    const struct vm_region model = {
        .start = start, .end = end, .access = HAL_USER_READ | HAL_USER_WRITE, .flags = flags};
    struct vm_region *region = vm_region_create(&model);

    if (!region)
        return -ENOMEM;
    vm_region_insert(space, region);
    vm_region_join(space, start, end);
    return 0;
}

/* ---- moving ---- */

/* What is to be moved where: whole pages. */
struct move {
    struct vm_space *space;
    struct vm_region *region; /* that it is in */
    uintptr_t from, from_end; /* what goes away */
    uintptr_t to, to_end;     /* what comes */
};

/* The number of the page to which page `number` moves. */
static uint64_t moved(const struct move *move, uint64_t number)
{
    return number - move->from / HAL_PAGE_SIZE + move->to / HAL_PAGE_SIZE;
}

/* The number behind the last page that moves. */
static uint64_t last_of(const struct move *move)
{
    uintptr_t old = move->from_end - move->from, new = move->to_end - move->to;

    return (move->from + (old < new ? old : new)) / HAL_PAGE_SIZE;
}

/* Makes tables for all pages that move. On failure some may have been made. */
static int reserve_tables(const struct move *move)
{
    struct vm_space *space = move->space;
    uint64_t number = move->from / HAL_PAGE_SIZE, end = last_of(move);
    struct page_spares spares = {{NULL}, 0};
    bool more = true;
    int error = 0;

    while (more && !error) {
        hal_irq_state_t state = spinlock_acquire(&space->pages_lock);

        while ((more = page_map_next(&space->map, &number, end)) &&
               page_map_make(&space->map, moved(move, number), &spares))
            number++;
        spinlock_release(&space->pages_lock, state);
        if (more)
            error = page_spares_fill(&spares);
    }
    page_spares_free(&spares);
    return error;
}

/* Whoever cuts the file finds a word here or there: none moves between his looks at the two. */
static void move_words(const struct move *move)
{
    struct vm_space *space = move->space;
    uint64_t number = move->from / HAL_PAGE_SIZE, end = last_of(move);
    bool more = true;

    while (more) {
        struct origin_lock lock = origin_lock(move->region->file, NULL);
        hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
        uintptr_t *word;

        for (unsigned i = 0; i < PAGE_LEAF && more; i++) {
            word = page_map_next(&space->map, &number, end);
            more = word;
            if (more) {
                *page_map_find(&space->map, moved(move, number)) = *word;
                *word = 0;
                vm_hide(space, number, number + 1);
                number++;
            }
        }
        spinlock_release(&space->pages_lock, state);
        origin_unlock(lock);
    }
}

static int move_region(const struct move *move)
{
    struct vm_space *space = move->space;
    struct vm_region *target = vm_region_create(move->region), *there = NULL, *here = NULL;
    int error = target ? 0 : -ENOMEM;

    if (!error)
        error = vm_unmap_reserve(space, move->to, move->to_end, &there);
    if (!error)
        error = vm_unmap_reserve(space, move->from, move->from_end, &here);
    if (!error)
        error = reserve_tables(move);
    if (error) {
        vm_pages_trim(space, move->to, move->to_end);
        vm_region_free(target);
    } else {
        target->start = move->to;
        target->end = move->to_end;
        target->offset += move->from - move->region->start;
        target->flags &= ~VM_BREAK;
        vm_unmap_locked(space, move->to, move->to_end, &there);
        vm_region_insert(space, target);
        move_words(move);
        vm_unmap_locked(space, move->from, move->from_end, &here);
        vm_pages_trim(space, move->from, move->from_end);
        vm_region_join(space, move->to, move->to_end);
    }
    vm_region_free(there);
    vm_region_free(here);
    return error;
}

/* Makes it shorter or longer where it is. -EAGAIN: there is no room for that. */
static int resize(const struct move *move)
{
    struct vm_space *space = move->space;
    uintptr_t end = move->from + (move->to_end - move->to);
    struct vm_region *spare;

    if (end > move->from_end) {
        if (move->region->end != move->from_end || end > HAL_USER_END || end < move->from ||
            !vm_range_free(space, move->from_end, end))
            return -EAGAIN;
        vm_region_set(move->region, move->region->start, end);
        vm_region_join(space, move->from, end);
    } else if (end < move->from_end) {
        if (vm_unmap_reserve(space, end, move->from_end, &spare))
            return -ENOMEM;
        vm_unmap_locked(space, end, move->from_end, &spare);
        vm_pages_trim(space, end, move->from_end);
    }
    return 0;
}

/* Both lengths are whole pages. */
static int64_t remap_locked(struct move *move, size_t new_bytes, unsigned flags)
{
    struct vm_space *space = move->space;
    size_t bytes = move->from_end - move->from;
    int error = -EAGAIN;

    move->region = vm_region_find(space, move->from);
    if (!move->region || move->region->end < move->from_end)
        return -EFAULT;
    if (new_bytes > bytes && !vm_may_add(space, new_bytes - bytes))
        return -ENOMEM;
    move->to_end = move->to + new_bytes;
    if (!(flags & VM_REMAP_FIXED)) {
        error = resize(move);
        if (!error)
            return (int64_t)move->from;
        if (error != -EAGAIN || !(flags & VM_REMAP_MAY_MOVE))
            return -ENOMEM;
        move->to = vm_range_find(space, new_bytes);
        if (!move->to)
            return -ENOMEM;
        move->to_end = move->to + new_bytes;
    }
    error = move_region(move);
    return error ? error : (int64_t)move->to;
}

int64_t vm_remap(struct vm_space *space, uintptr_t start, size_t bytes, size_t new_bytes,
                 unsigned flags, uintptr_t new_start)
{
    struct move move = {.space = space, .from = start};
    bool fixed = flags & VM_REMAP_FIXED;
    int64_t result;

    if (!vm_range_valid(start, bytes, &move.from_end) || new_bytes == 0 ||
        (fixed && !(flags & VM_REMAP_MAY_MOVE)))
        return -EINVAL;
    if (new_bytes > HAL_USER_END)
        return -ENOMEM;
    if (fixed && !vm_range_valid(new_start, new_bytes, &move.to_end))
        return -EINVAL;
    if (fixed && new_start < move.from_end && start < move.to_end)
        return -EINVAL;
    move.to = fixed ? new_start : start;
    new_bytes = (new_bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    rwlock_write(&space->lock);
    result = remap_locked(&move, new_bytes, flags);
    rwlock_end_write(&space->lock);
    return result;
}
