/* SPDX-License-Identifier: MIT */
/*
 * device.c: pages that are sectors of a block device.
 */
#include "cache/cache.h"

#include "block/request.h"

#include <hal/block.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define PAGE_SECTORS (HAL_PAGE_SIZE / HAL_SECTOR_SIZE)

_Static_assert(CACHE_RUN_PAGES <= BLOCK_VECTORS_MAX, "a run of pages is one request");

/* The pieces of memory for sectors `at` to `stop` of the pages. */
static unsigned gather(uint32_t at, uint32_t stop, void *const *pages, struct block_vector *vectors)
{
    unsigned count = 0;

    while (at < stop) {
        uint8_t *data = (uint8_t *)pages[at / PAGE_SECTORS] + at % PAGE_SECTORS * HAL_SECTOR_SIZE;
        uint32_t n = PAGE_SECTORS - at % PAGE_SECTORS;

        if (n > stop - at)
            n = stop - at;
        vectors[count++] = (struct block_vector){data, n};
        at += n;
    }
    return count;
}

/* Carries one run, whose bytes begin at sector `at` of the pages: at most up to sector `end`. */
static int carry(const struct block_device *device, const struct cache_run *run, uint32_t at,
                 uint32_t end, void *const *pages, bool write)
{
    struct block_vector vectors[BLOCK_VECTORS_MAX];
    uint32_t stop = run->sectors < end - at ? at + run->sectors : end;
    unsigned count = gather(at, stop, pages, vectors);

    return block_transfer(device, write ? BLOCK_WRITE : BLOCK_READ, run->sector, vectors, count);
}

static void clear(uint32_t at, uint32_t end, void *const *pages)
{
    for (; at < end; at++)
        memset((uint8_t *)pages[at / PAGE_SECTORS] + at % PAGE_SECTORS * HAL_SECTOR_SIZE, 0,
               HAL_SECTOR_SIZE);
}

int cache_transfer(const struct block_device *device, const struct cache_map *map, unsigned n,
                   void *const *pages, bool write)
{
    uint32_t at = 0, end = n * PAGE_SECTORS;
    int error = 0;

    for (unsigned i = 0; i < map->count && at < end && !error; i++) {
        error = carry(device, &map->runs[i], at, end, pages, write);
        at += map->runs[i].sectors < end - at ? map->runs[i].sectors : end - at;
    }
    if (!error && !write)
        clear(at, end, pages);
    return error;
}

/* ---- the object of a whole device ---- */

static int map_device(struct cache_object *object, uint64_t page, unsigned n, bool held,
                      struct cache_map *map)
{
    const struct block_device *device = object->context;
    uint64_t first = page * PAGE_SECTORS, left = device->sectors - first;

    (void)held; /* there is no file system */
    map->pages = n;
    map->count = 1;
    map->runs[0] = (struct cache_run){
        first, left < n * PAGE_SECTORS ? (uint32_t)left : (uint32_t)(n * PAGE_SECTORS)};
    return 0;
}

static int read_device(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                       const struct cache_map *map)
{
    (void)page;
    return cache_transfer(object->context, map, n, pages, false);
}

static int write_device(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                        const struct cache_map *map)
{
    (void)page;
    return cache_transfer(object->context, map, n, pages, true);
}

const struct cache_ops cache_device_ops = {
    .map = map_device, .read = read_device, .write = write_device};
