/* SPDX-License-Identifier: MIT */
/*
 * region.c: the line of regions: finding, cutting, joining, and free places between them.
 */
#include "vm/region/region.h"

#include "fs/file.h"
#include "heap/heap.h"
#include "vm/region/origin.h"

#include <hal/errno.h>

static struct vm_region *region_of(struct tree_node *node)
{
    return node ? tree_entry(node, struct vm_region, link) : NULL;
}

/* An address equals the region that it is in. */
static int compare(const void *key, const struct tree_node *node)
{
    const struct vm_region *region = tree_entry(node, const struct vm_region, link);
    uintptr_t address = *(const uintptr_t *)key;

    return address < region->start ? -1 : address >= region->end;
}

struct vm_region *vm_region_from(const struct vm_space *space, uintptr_t address)
{
    return region_of(tree_lower_bound(&space->regions, &address, compare));
}

struct vm_region *vm_region_find(const struct vm_space *space, uintptr_t address)
{
    return region_of(tree_find(&space->regions, &address, compare));
}

struct vm_region *vm_region_next(const struct vm_region *region)
{
    return region_of(tree_next(&region->link));
}

struct vm_region *vm_region_before(const struct vm_region *region)
{
    return region_of(tree_previous(&region->link));
}

/* ---- making and changing ---- */

struct vm_region *vm_region_create(const struct vm_region *model)
{
    struct vm_region *region = kmalloc(sizeof(*region));

    if (!region)
        return NULL;
    /* Not all of it: some of what the model has is guarded by other locks. */
    *region = (struct vm_region){.start = model->start,
                                 .end = model->end,
                                 .access = model->access,
                                 .flags = model->flags,
                                 .file = model->file,
                                 .share = model->share,
                                 .offset = model->offset,
                                 .space = model->space};
    tree_node_init(&region->link);
    list_init(&region->mapped);
    if (region->file)
        file_get(region->file);
    if (region->share)
        vm_share_get(region->share);
    return region;
}

void vm_region_free(struct vm_region *region)
{
    if (!region)
        return;
    file_put(region->file);
    vm_share_put(region->share);
    kfree(region);
}

static void insert(struct vm_space *space, struct vm_region *region)
{
    region->space = space;
    tree_insert(&space->regions, &region->link, &region->start, compare);
    space->region_count++;
    space->mapped += region->end - region->start;
    if (region->file)
        origin_list(region);
}

void vm_region_insert(struct vm_space *space, struct vm_region *region)
{
    struct origin_lock lock = origin_lock(region->file, space);

    insert(space, region);
    origin_unlock(lock);
}

static void take_out(struct vm_region *region)
{
    struct vm_space *space = region->space;

    if (region->file)
        origin_unlist(region);
    tree_remove(&space->regions, &region->link);
    space->region_count--;
    space->mapped -= region->end - region->start;
}

void vm_region_remove(struct vm_region *region)
{
    struct origin_lock lock = origin_lock(region->file, region->space);

    take_out(region);
    origin_unlock(lock);
}

static void set(struct vm_region *region, uintptr_t start, uintptr_t end)
{
    struct vm_space *space = region->space;

    space->mapped += (end - start) - (region->end - region->start);
    region->offset += start - region->start; /* also backwards: it wraps around */
    region->start = start;
    region->end = end;
}

void vm_region_set(struct vm_region *region, uintptr_t start, uintptr_t end)
{
    struct origin_lock lock = origin_lock(region->file, region->space);

    set(region, start, end);
    origin_unlock(lock);
}

void vm_region_split(struct vm_region *region, uintptr_t address, struct vm_region **spare)
{
    struct vm_region *behind = *spare;
    struct vm_space *space = region->space;
    struct origin_lock lock = origin_lock(region->file, space);

    *spare = NULL;
    behind->start = address;
    behind->end = region->end;
    behind->access = region->access;
    behind->offset = region->offset + (address - region->start);
    set(region, region->start, address);
    insert(space, behind);
    origin_unlock(lock);
}

/* Makes `left` as long as both. No cut of their file comes in between. */
static void join(struct vm_region *left, struct vm_region *right)
{
    struct origin_lock lock = origin_lock(left->file, left->space);

    take_out(right);
    set(left, left->start, right->end);
    origin_unlock(lock);
    vm_region_free(right);
}

static bool can_join(const struct vm_region *left, const struct vm_region *right)
{
    if (left->end != right->start || left->access != right->access || left->flags != right->flags ||
        left->flags & VM_GROWS_DOWN || left->file != right->file || left->share != right->share)
        return false;
    return (!left->file && !left->share) ||
           left->offset + (left->end - left->start) == right->offset;
}

void vm_region_join(struct vm_space *space, uintptr_t start, uintptr_t end)
{
    struct vm_region *left = vm_region_from(space, start > 0 ? start - 1 : 0), *right;

    while (left && left->start <= end && (right = vm_region_next(left))) {
        if (!can_join(left, right)) {
            left = right;
            continue;
        }
        end = end > right->end ? end : right->end;
        join(left, right);
    }
}

/* ---- ranges ---- */

bool vm_range_valid(uintptr_t start, size_t bytes, uintptr_t *end)
{
    if (start % HAL_PAGE_SIZE || start < HAL_USER_START || start >= HAL_USER_END || bytes == 0 ||
        bytes > HAL_USER_END - start)
        return false;
    *end = start + (bytes + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    return *end <= HAL_USER_END;
}

bool vm_region_covers(const struct vm_space *space, uintptr_t start, uintptr_t end)
{
    const struct vm_region *region = vm_region_from(space, start);

    while (region && region->start <= start && region->end < end) {
        start = region->end;
        region = vm_region_next(region);
    }
    return region && region->start <= start;
}

/* Where what belongs to the region begins: with the room below it that it may grow into. */
static uintptr_t foot(const struct vm_region *region)
{
    if (!(region->flags & VM_GROWS_DOWN))
        return region->start;
    return region->start > VM_GUARD ? region->start - VM_GUARD : 0;
}

bool vm_range_free(const struct vm_space *space, uintptr_t start, uintptr_t end)
{
    const struct vm_region *region = vm_region_from(space, start);

    return !region || foot(region) >= end;
}

uintptr_t vm_range_find(const struct vm_space *space, size_t bytes)
{
    const struct vm_region *region = region_of(tree_last(&space->regions));
    uintptr_t top = space->limits.top;

    for (; region; region = vm_region_before(region)) {
        if (region->end <= top && top - region->end >= bytes)
            return top - bytes;
        if (foot(region) < top)
            top = foot(region);
    }
    return top >= HAL_USER_START && top - HAL_USER_START >= bytes ? top - bytes : 0;
}
