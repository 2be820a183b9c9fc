/* SPDX-License-Identifier: MIT */
/*
 * memory.c: the memory map: (tags AND machine) minus what is in use, by cutting ranges with ranges.
 *
 * Ranges are kept to the byte until the end and only then cut to whole pages. So two ranges of the
 * tags that meet inside a page lose nothing, and of a page that is partly in use nothing is used:
 *
 *     0x0000 .. 0x1800 and 0x1800 .. 0x4000     one range, 4 pages
 *     less 0x2400 .. 0x2600                     0x0000 .. 0x2400 and 0x2600 .. 0x4000
 *     in whole pages                            0x0000 .. 0x2000 and 0x3000 .. 0x4000
 */
#include "mem/memory.h"

#include "boot/tags/tags.h"
#include "lib/log.h"

#include <hal/boot.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define FLAWS_TOLD 8

static uint64_t range_end(const struct hal_range *range)
{
    return range->bytes > UINT64_MAX - range->start ? UINT64_MAX : range->start + range->bytes;
}

/* Counts a flaw of `range` and logs it, unless there were many. */
static void flaw(struct memory_map *map, const struct hal_range *range, const char *what)
{
    if (map->flaws++ < FLAWS_TOLD)
        klog(KLOG_WARNING, "memory: %s: 0x%llx bytes at 0x%llx", what,
             (unsigned long long)range->bytes, (unsigned long long)range->start);
}

/* Adds [start, end), in order, joined with what it overlaps or touches. */
static void add_range(struct memory_map *map, uint64_t start, uint64_t end)
{
    unsigned at = 0, joined;

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
    if (joined == at && map->count == MEMORY_RANGES_MAX) {
        flaw(map, &(struct hal_range){start, end - start}, "one range too many, left out");
        return;
    }
    memmove(&map->ranges[at + 1], &map->ranges[joined],
            (map->count - joined) * sizeof map->ranges[0]);
    map->ranges[at] = (struct hal_range){.start = start, .bytes = end - start};
    map->count = map->count - (joined - at) + 1;
}

static void remove_range(struct memory_map *map, unsigned index)
{
    map->count--;
    memmove(&map->ranges[index], &map->ranges[index + 1],
            (map->count - index) * sizeof map->ranges[0]);
}

/* Takes [start, end) out of the map: each range that it meets gives way to what is left of it. */
static void cut_range(struct memory_map *map, uint64_t start, uint64_t end)
{
    unsigned i = 0;

    if (start >= end)
        return;
    while (i < map->count && map->ranges[i].start < end) {
        uint64_t from = map->ranges[i].start, to = range_end(&map->ranges[i]);

        if (to <= start) {
            i++;
            continue;
        }
        remove_range(map, i);
        if (from < start) {
            add_range(map, from, start);
            i++;
        }
        if (to > end) {
            add_range(map, end, to);
            i++;
        }
    }
}

static void cut_to_pages(struct memory_map *map)
{
    for (unsigned i = 0; i < map->count;) {
        struct hal_range *range = &map->ranges[i];
        uint64_t before = (HAL_PAGE_SIZE - range->start % HAL_PAGE_SIZE) % HAL_PAGE_SIZE;

        if (range->bytes < before + HAL_PAGE_SIZE) {
            remove_range(map, i);
            continue;
        }
        range->start += before;
        range->bytes = (range->bytes - before) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
        i++;
    }
}

/* Adds what `range` and the machine's RAM have in common. Returns how many bytes that are. */
static uint64_t add_common(struct memory_map *map, const struct hal_range *range)
{
    uint64_t common = 0;
    struct hal_range ram;

    for (unsigned i = 0; hal_mem_ram(i, &ram); i++) {
        uint64_t start = range->start > ram.start ? range->start : ram.start;
        uint64_t end = range_end(range) < range_end(&ram) ? range_end(range) : range_end(&ram);

        if (start >= end)
            continue;
        common += end - start;
        add_range(map, start, end);
    }
    return common;
}

/* True if `range` and the map have a byte in common. */
static bool meets_map(const struct memory_map *map, const struct hal_range *range)
{
    for (unsigned i = 0; i < map->count; i++)
        if (range->start < range_end(&map->ranges[i]) && map->ranges[i].start < range_end(range))
            return true;
    return false;
}

static bool wraps(const struct hal_range *range)
{
    return range->bytes > UINT64_MAX - range->start;
}

/* Adds a range of the tags, and says what is wrong with it. */
static void add_ram(struct memory_map *map, const struct hal_range *range)
{
    bool again = meets_map(map, range);
    uint64_t common = add_common(map, range);

    if (range->bytes == 0)
        flaw(map, range, "a range without any bytes, left out");
    else if (common == 0)
        flaw(map, range, "the board has no such memory, left out");
    else if (wraps(range))
        flaw(map, range, "a range past the last address, cut");
    else if (common < range->bytes)
        flaw(map, range, "the board has not all of this memory, the rest was used");
    else if (again)
        flaw(map, range, "a range that overlaps others, joined with them");
}

static void add_tags(struct memory_map *map, const struct boot_info *info)
{
    static const struct hal_range everything = {.start = 0, .bytes = UINT64_MAX};

    for (unsigned i = 0; i < info->ram_count; i++)
        add_ram(map, &info->ram[i]);
    if (map->count > 0)
        return;
    if (info->ram_count > 0)
        klog(KLOG_WARNING, "memory: none of what the boot tags list; using what the board has");
    (void)add_common(map, &everything);
}

/* What the tags reserve may well be no RAM of ours: it is the firmware's, or a device's. */
static void cut_reserved(struct memory_map *map, const struct hal_range *range)
{
    if (range->bytes == 0)
        flaw(map, range, "a reserved range without any bytes, left out");
    else if (wraps(range))
        flaw(map, range, "a reserved range past the last address, cut");
    cut_range(map, range->start, range_end(range));
}

void memory_map_build(const struct boot_info *info, struct memory_map *map)
{
    struct hal_range reserved;
    size_t bytes;
    const void *tags = hal_boot_tags(&bytes);

    map->count = 0;
    map->flaws = 0;
    add_tags(map, info);
    for (unsigned i = 0; hal_mem_reserved(i, &reserved); i++)
        cut_range(map, reserved.start, range_end(&reserved));
    if (tags)
        cut_range(map, hal_mem_physical(tags), hal_mem_physical(tags) + info->bytes);
    for (unsigned i = 0; i < info->reserved_count; i++)
        cut_reserved(map, &info->reserved[i]);
    cut_to_pages(map);
    if (map->flaws > FLAWS_TOLD)
        klog(KLOG_WARNING, "memory: and %u more such ranges", map->flaws - FLAWS_TOLD);
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
