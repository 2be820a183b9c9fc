/* SPDX-License-Identifier: MIT */
/*
 * space.c: spaces as a whole: their life, their limits, the break, and what is known of them.
 */
#include "vm/region/region.h"

#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "vm/region/origin.h"

#include <hal/errno.h>

#define STACK_USUAL (8ull << 20)

void vm_init(void)
{
    origin_init();
    vm_reclaim_init();
    vfs_set_cut_hook(vm_file_cut);
}

/* ---- life ---- */

int vm_space_create(struct vm_space **result)
{
    struct vm_space *space = kcalloc(1, sizeof(*space));
    int error;

    if (!space)
        return -ENOMEM;
    error = hal_aspace_init(&space->aspace);
    if (error) {
        kfree(space);
        return error;
    }
    space->references = 1;
    rwlock_init(&space->lock);
    tree_init(&space->regions);
    spinlock_init(&space->pages_lock, LOCK_RANK_SPACE);
    space->limits = (struct vm_limits){
        .bytes = UINT64_MAX, .data = UINT64_MAX, .stack = STACK_USUAL, .top = HAL_USER_END};
    vm_reclaim_add(space);
    *result = space;
    return 0;
}

struct vm_space *vm_space_get(struct vm_space *space)
{
    __atomic_add_fetch(&space->references, 1, __ATOMIC_RELAXED);
    return space;
}

/* Who cuts a file comes to the spaces that map it, and changes what the processor knows of them: no
 * more to this one. */
static void leave_files(struct vm_space *space)
{
    struct vm_region *region;

    for (region = vm_region_from(space, 0); region; region = vm_region_next(region)) {
        struct origin_lock lock = origin_lock(region->file, NULL);

        if (region->file)
            origin_unlist(region);
        origin_unlock(lock);
    }
}

void vm_space_put(struct vm_space *space)
{
    struct vm_region *region;

    if (!space || __atomic_sub_fetch(&space->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    vm_reclaim_remove(space);
    rwlock_write(&space->lock);
    leave_files(space);
    /* All at once costs the processor's tables less than page by page. */
    hal_aspace_unmap(&space->aspace, HAL_USER_START,
                     (HAL_USER_END - HAL_USER_START) / HAL_PAGE_SIZE);
    while ((region = vm_region_from(space, 0))) {
        vm_pages_drop(space, region->start, region->end);
        vm_region_remove(region);
        vm_region_free(region);
    }
    vm_pages_trim(space, 0, HAL_USER_END);
    rwlock_end_write(&space->lock);
    hal_aspace_finish(&space->aspace);
    kfree(space);
}

struct hal_aspace *vm_space_aspace(struct vm_space *space)
{
    return &space->aspace;
}

/* ---- limits and the break ---- */

void vm_read_limits(struct vm_space *space, struct vm_limits *limits)
{
    rwlock_read(&space->lock);
    *limits = space->limits;
    rwlock_end_read(&space->lock);
}

void vm_set_limits(struct vm_space *space, const struct vm_limits *limits)
{
    rwlock_write(&space->lock);
    space->limits = *limits;
    space->limits.top = limits->top / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    if (space->limits.top > HAL_USER_END)
        space->limits.top = HAL_USER_END;
    rwlock_end_write(&space->lock);
}

static uintptr_t page_up(uintptr_t address)
{
    return (address + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
}

void vm_place_break(struct vm_space *space, uintptr_t start)
{
    rwlock_write(&space->lock);
    space->break_start = page_up(start);
    space->break_end = space->break_start;
    rwlock_end_write(&space->lock);
}

/* True if the break was moved from `old` to `end`, both whole pages. */
static bool move_break(struct vm_space *space, uintptr_t old, uintptr_t end)
{
    struct vm_region *spare;

    if (end > old)
        return end - space->break_start <= space->limits.data && vm_range_free(space, old, end) &&
               vm_may_add(space, end - old) &&
               vm_map_zeros(space, old, end, VM_PRIVATE | VM_BREAK) == 0;
    if (end < old) {
        if (vm_unmap_reserve(space, end, old, &spare))
            return false;
        vm_unmap_locked(space, end, old, &spare);
        vm_pages_trim(space, end, old);
    }
    return true;
}

uintptr_t vm_set_break(struct vm_space *space, uintptr_t end)
{
    uintptr_t now;

    rwlock_write(&space->lock);
    now = space->break_end;
    if (end >= space->break_start && space->break_start >= HAL_USER_START && end <= HAL_USER_END &&
        move_break(space, page_up(now), page_up(end)))
        space->break_end = now = end;
    rwlock_end_write(&space->lock);
    return now;
}

/* ---- what is known ---- */

bool vm_region_at(struct vm_space *space, uintptr_t address, struct vm_region_info *info)
{
    const struct vm_region *region;

    rwlock_read(&space->lock);
    region = vm_region_from(space, address);
    if (region) {
        info->start = region->start;
        info->end = region->end;
        info->access = region->access;
        info->flags = region->flags & (VM_PRIVATE | VM_SHARED | VM_GROWS_DOWN);
        info->file = region->file ? file_get(region->file) : NULL;
        info->offset = region->offset;
        info->is_break = region->flags & VM_BREAK;
    }
    rwlock_end_read(&space->lock);
    return region;
}

uint64_t vm_resident(struct vm_space *space, uintptr_t start, unsigned pages)
{
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uint64_t bits = 0;

    for (unsigned i = 0; i < pages && i < 64; i++)
        if (vm_word(space, start / HAL_PAGE_SIZE + i))
            bits |= 1ull << i;
    spinlock_release(&space->pages_lock, state);
    return bits;
}

uint64_t vm_resident_pages(struct vm_space *space)
{
    hal_irq_state_t state = spinlock_acquire(&space->pages_lock);
    uint64_t pages = space->resident;

    spinlock_release(&space->pages_lock, state);
    return pages;
}

void vm_read_usage(struct vm_space *space, struct vm_usage *usage)
{
    hal_irq_state_t state;

    rwlock_read(&space->lock);
    usage->mapped = space->mapped;
    usage->break_start = space->break_start;
    usage->break_end = space->break_end;
    state = spinlock_acquire(&space->pages_lock);
    usage->resident = space->resident;
    usage->faults = space->faults;
    usage->loads = space->loads;
    spinlock_release(&space->pages_lock, state);
    rwlock_end_read(&space->lock);
}

int vm_key_of(struct vm_space *space, uintptr_t address, struct vm_key *key)
{
    const struct vm_region *region;

    rwlock_read(&space->lock);
    region = vm_region_find(space, address);
    if (region && (region->flags & VM_SHARED)) {
        key->object = region->file ? (const void *)region->file->vnode : region->share;
        key->offset = region->offset + (address - region->start);
    } else {
        key->object = space;
        key->offset = address;
    }
    rwlock_end_read(&space->lock);
    return region ? 0 : -EFAULT;
}
