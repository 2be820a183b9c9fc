/* SPDX-License-Identifier: MIT */
/*
 * memory.c: the memory map: (tags AND machine) minus reserved, by cutting ranges with ranges.
 */
#include "mem/memory.h"

#include "boot/tags.h"

#include <hal/machine.h>
#include <hal/runtime.h>

static uint64_t range_end(const struct hal_range *range)
{
    return range->bytes > UINT64_MAX - range->start ? UINT64_MAX : range->start + range->bytes;
}

/* Adds [start, end), cut to whole pages, in order, joined with a range that it overlaps or touches.
 */
static void add_range(struct memory_map *map, uint64_t start, uint64_t end)
{
    unsigned at = 0, joined;

    if (start > UINT64_MAX - HAL_PAGE_SIZE)
        return;
    start = (start + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    end = end / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    if (start >= end)
        return;
    while (at < map->count && range_end(&map->ranges[at]) < start)
        at++;
    joined = at;
    while (joined < map->count && map->ranges[joined].start <= end) {
        if (map->ranges[joined].start < start)
            start = map->ranges[joined].start;
        if (range_end(&map->ranges[joined]) > end)
            end = range_end(&map->ranges[joined]);
        joined++;
    }
    if (joined == at && map->count == MEMORY_RANGES_MAX)
        return;
    memmove(&map->ranges[at + 1], &map->ranges[joined],
            (map->count - joined) * sizeof map->ranges[0]);
    map->ranges[at] = (struct hal_range){.start = start, .bytes = end - start};
    map->count = map->count - (joined - at) + 1;
}

/* Takes [start, end), widened to whole pages, out of the map. */
static void cut_range(struct memory_map *map, uint64_t start, uint64_t end)
{
    struct memory_map old = *map;

    start = start / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    if (end <= UINT64_MAX - HAL_PAGE_SIZE)
        end = (end + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    map->count = 0;
    for (unsigned i = 0; i < old.count; i++) {
        uint64_t from = old.ranges[i].start, to = range_end(&old.ranges[i]);

        add_range(map, from, to < start ? to : start);
        add_range(map, from > end ? from : end, to);
    }
}

/* Adds what `range` and the machine's RAM have in common. */
static void add_common(struct memory_map *map, const struct hal_range *range)
{
    struct hal_range ram;

    for (unsigned i = 0; hal_mem_ram(i, &ram); i++) {
        uint64_t start = range->start > ram.start ? range->start : ram.start;
        uint64_t end = range_end(range) < range_end(&ram) ? range_end(range) : range_end(&ram);

        add_range(map, start, end);
    }
}

void memory_map_build(const struct boot_info *info, struct memory_map *map)
{
    static const struct hal_range everything = {.start = 0, .bytes = UINT64_MAX};
    struct hal_range reserved;

    map->count = 0;
    for (unsigned i = 0; i < info->ram_count; i++)
        add_common(map, &info->ram[i]);
    if (map->count == 0)
        add_common(map, &everything);
    for (unsigned i = 0; hal_mem_reserved(i, &reserved); i++)
        cut_range(map, reserved.start, range_end(&reserved));
}

bool memory_is_ram(uint64_t physical, uint64_t bytes)
{
    struct hal_range ram;

    for (unsigned i = 0; hal_mem_ram(i, &ram); i++)
        if (physical >= ram.start && physical - ram.start <= ram.bytes &&
            bytes <= ram.bytes - (physical - ram.start))
            return true;
    return false;
}
