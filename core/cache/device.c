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

/* The pieces of memory for sectors `at` to `stop` of the pages: those in a row in RAM are one. */
static unsigned gather(uint32_t at, uint32_t stop, void *const *pages, struct block_vector *vectors)
{
    const uint8_t *end = NULL;
    unsigned count = 0;

    while (at < stop) {
        uint8_t *data = (uint8_t *)pages[at / PAGE_SECTORS] + at % PAGE_SECTORS * HAL_SECTOR_SIZE;
        uint32_t n = PAGE_SECTORS - at % PAGE_SECTORS;

        if (n > stop - at)
            n = stop - at;
        if (count > 0 && data == end)
            vectors[count - 1].sectors += n;
        else
            vectors[count++] = (struct block_vector){data, n};
        end = data + n * HAL_SECTOR_SIZE;
        at += n;
    }
    return count;
}

/* Of a run that begins at sector `at` of the pages, the sectors before sector `end`. */
static uint32_t within(const struct cache_run *run, uint32_t at, uint32_t end)
{
    return run->sectors < end - at ? run->sectors : end - at;
}

int cache_write_sectors(const struct block_device *device, const struct cache_map *map, unsigned n,
                        void *const *pages)
{
    uint32_t at = 0, end = n * PAGE_SECTORS;
    int error = 0;

    for (unsigned i = 0; i < map->count && at < end && !error; i++) {
        struct block_vector vectors[CACHE_RUN_PAGES];
        uint32_t sectors = within(&map->runs[i], at, end);
        unsigned count = gather(at, at + sectors, pages, vectors);

        error = block_transfer(device, BLOCK_WRITE, map->runs[i].sector, vectors, count);
        at += sectors;
    }
    return error;
}

int cache_read_sectors(const struct block_device *device, const struct cache_map *map, unsigned n,
                       uint8_t *data)
{
    uint32_t at = 0, end = n * PAGE_SECTORS;
    int error = 0;

    for (unsigned i = 0; i < map->count && at < end && !error; i++) {
        uint32_t sectors = within(&map->runs[i], at, end);

        error =
            block_read(device, map->runs[i].sector, data + (size_t)at * HAL_SECTOR_SIZE, sectors);
        at += sectors;
    }
    if (!error)
        memset(data + (size_t)at * HAL_SECTOR_SIZE, 0, (size_t)(end - at) * HAL_SECTOR_SIZE);
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

static int read_device(struct cache_object *object, uint64_t page, unsigned n, uint8_t *data,
                       const struct cache_map *map)
{
    (void)page;
    return cache_read_sectors(object->context, map, n, data);
}

static int write_device(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                        const struct cache_map *map)
{
    (void)page;
    return cache_write_sectors(object->context, map, n, pages);
}

const struct cache_ops cache_device_ops = {
    .map = map_device, .read = read_device, .write = write_device};
