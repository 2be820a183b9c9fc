/* SPDX-License-Identifier: MIT */
/*
 * pages.c: see pages.h. Where pages are follows from the chain of the file, and behind its end from
 * that of the clusters that a write has taken.
 */
#include "fs/fat32/data/pages.h"

#include "fs/fat32/write/write.h"
#include "lib/log.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define TRIES 2u /* to write what cannot be kept */

/* ---- where pages are; caller holds the mutex ---- */

/* The place on the volume of byte `offset` of a file, and how many bytes lie there in a row. */
static int locate(struct fat32_node *node, uint64_t offset, uint64_t *place, uint64_t *bytes)
{
    const struct fat32_geometry *geometry = &node->volume->geometry;
    uint64_t within = offset & (((uint64_t)1 << geometry->cluster_shift) - 1);
    uint32_t index = (uint32_t)(offset >> geometry->cluster_shift), cluster, count;
    bool pending = node->pending_count > 0 && index >= node->chain.limit;
    int error = fat32_chain_find(node->volume, pending ? &node->pending : &node->chain,
                                 pending ? index - node->chain.limit : index, &cluster, &count);

    if (error == -ENOENT) {
        fat32_complain(node->volume, "the chain from cluster %u is shorter than its file",
                       node->chain.start);
        error = -EIO;
    }
    if (error)
        return error;
    *place = fat32_cluster_offset(geometry, cluster) + within;
    *bytes = ((uint64_t)count << geometry->cluster_shift) - within;
    return 0;
}

static void add_run(struct cache_map *map, uint64_t place, uint64_t bytes)
{
    struct cache_run *last = map->count ? &map->runs[map->count - 1] : NULL;
    uint64_t sector = place / HAL_SECTOR_SIZE;
    uint32_t sectors = (uint32_t)(bytes / HAL_SECTOR_SIZE);

    if (last && last->sector + last->sectors == sector)
        last->sectors += sectors;
    else
        map->runs[map->count++] = (struct cache_run){sector, sectors};
}

/* Bytes that are on the volume: what the last clusters have behind the end is nobody's. */
static uint64_t measure(const struct fat32_node *node)
{
    uint64_t clusters = (uint64_t)node->chain.limit + node->pending_count;
    uint64_t all = clusters << node->volume->geometry.cluster_shift;
    uint64_t sectors = (node->pages.size + HAL_SECTOR_SIZE - 1) / HAL_SECTOR_SIZE;

    return sectors * HAL_SECTOR_SIZE < all ? sectors * HAL_SECTOR_SIZE : all;
}

static int fill_map(struct fat32_node *node, uint64_t page, unsigned n, struct cache_map *map)
{
    uint64_t start = page * HAL_PAGE_SIZE, at = start, end = start + n * HAL_PAGE_SIZE;
    uint64_t all = measure(node);
    int error = 0;

    map->count = 0;
    if (end > all)
        end = all;
    while (at < end && map->count < CACHE_MAP_RUNS && !error) {
        uint64_t place, bytes;

        error = locate(node, at, &place, &bytes);
        if (error)
            break;
        if (bytes > end - at)
            bytes = end - at;
        add_run(map, place, bytes);
        at += bytes;
    }
    if (at <= start)
        return error ? error : -EIO;
    /* Where the file ends, so does the last page; elsewhere only whole ones count. */
    map->pages = (unsigned)((at - start + (at == end ? HAL_PAGE_SIZE - 1 : 0)) / HAL_PAGE_SIZE);
    return map->pages > 0 ? 0 : error ? error : -EIO;
}

/* ---- what the page cache asks for ---- */

static int map_pages(struct cache_object *object, uint64_t page, unsigned n, bool held,
                     struct cache_map *map)
{
    struct fat32_node *node = object->context;
    int error;

    if (!held)
        mutex_lock(&node->volume->mutex);
    error = fill_map(node, page, n, map);
    if (!held)
        mutex_unlock(&node->volume->mutex);
    return error;
}

static int read_pages(struct cache_object *object, uint64_t page, unsigned n, uint8_t *data,
                      const struct cache_map *map)
{
    struct fat32_volume *volume = ((struct fat32_node *)object->context)->volume;

    (void)page;
    return fat32_cache_failed(&volume->cache, cache_read_sectors(&volume->device, map, n, data));
}

static int write_pages(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                       const struct cache_map *map)
{
    struct fat32_volume *volume = ((struct fat32_node *)object->context)->volume;
    int error =
        fat32_cache_failed(&volume->cache, cache_write_sectors(&volume->device, map, n, pages));

    (void)page;
    fat32_batch_wrote_data(&volume->writer->batch);
    return error;
}

static const struct cache_ops ops = {.map = map_pages, .read = read_pages, .write = write_pages};

/* ---- life ---- */

void fat32_pages_init(struct fat32_node *node)
{
    cache_object_init(&node->pages, &ops, node, node->vnode.attributes.size);
    if (node->vnode.attributes.type == VNODE_FILE)
        node->vnode.pages = &node->pages;
    node->pending_count = 0;
    node->fresh_from = 0;
    /* It may have been somebody's before, who cut it. */
    node->cut_in = node->volume->writer ? node->volume->writer->cut_and_left : 0;
    list_init(&node->fresh_link);
}

/* Writes what is dirty, if it matters. */
static void write_last(struct fat32_node *node)
{
    struct fat32_volume *volume = node->volume;
    bool removed;
    int error = 0;

    mutex_lock(&volume->mutex);
    removed = node->removed;
    mutex_unlock(&volume->mutex);
    for (unsigned i = 0; !removed && i < TRIES && cache_is_unclean(&node->pages); i++)
        error = cache_sync(&node->pages);
    if (!error)
        return;
    klog(KLOG_ERROR, "%s: what was written to a file is lost (error %d)", volume->device.name,
         -error);
    mutex_lock(&volume->mutex);
    volume->lost = error;
    mutex_unlock(&volume->mutex);
}

void fat32_pages_release(struct fat32_node *node)
{
    if (cache_is_unclean(&node->pages))
        write_last(node);
    cache_object_finish(&node->pages);
}

void fat32_pages_forget(struct fat32_node *node)
{
    struct fat32_writer *writer = node->volume->writer;

    list_remove(&node->fresh_link);
    if (writer && node->cut_in == writer->batches)
        writer->cut_and_left = writer->batches;
}

/* ---- reading ---- */

/* Reads one sector's bytes, of a page that cannot be read as a whole. */
static int64_t read_sector(struct fat32_node *node, uint64_t offset, uint8_t *data, uint64_t n)
{
    struct fat32_volume *volume = node->volume;
    uint64_t within = offset % HAL_SECTOR_SIZE, place, bytes;
    _Alignas(HAL_BLOCK_ALIGN) uint8_t sector[HAL_SECTOR_SIZE];
    int error;

    mutex_lock(&volume->mutex);
    error = locate(node, offset - within, &place, &bytes);
    mutex_unlock(&volume->mutex);
    if (!error)
        error = block_read(&volume->device, place / HAL_SECTOR_SIZE, sector, 1);
    if (error)
        return error;
    if (n > HAL_SECTOR_SIZE - within)
        n = HAL_SECTOR_SIZE - within;
    memcpy(data, sector + within, n);
    return (int64_t)n;
}

int64_t fat32_pages_read(struct fat32_node *node, uint64_t offset, void *data, size_t n)
{
    uint64_t size = node->vnode.attributes.size;
    uint8_t *to = data;
    size_t done = 0;
    int64_t now = 1;

    if (offset >= size)
        return 0;
    if (n > size - offset)
        n = (size_t)(size - offset); /* a sector by itself does not know where the file ends */
    while (done < n && now > 0) {
        now = cache_read(&node->pages, offset + done, to + done, n - done);
        if (now == -EIO)
            now = read_sector(node, offset + done, to + done, n - done);
        if (now > 0)
            done += (size_t)now;
    }
    return done > 0 ? (int64_t)done : now;
}

/* ---- writing ---- */

void fat32_pages_grew(struct fat32_node *node, uint64_t size)
{
    if (node->removed)
        return;
    if (list_empty(&node->fresh_link)) {
        list_add_tail(&node->volume->writer->fresh, &node->fresh_link);
        node->fresh_from = size;
    } else if (size < node->fresh_from) {
        node->fresh_from = size;
    }
}

void fat32_pages_write_fresh(struct fat32_volume *volume)
{
    list_for_each (link, &volume->writer->fresh) {
        struct fat32_node *node = list_entry(link, struct fat32_node, fresh_link);
        uint64_t from = node->fresh_from;
        int error = cache_sync_held(&node->pages, from, UINT64_MAX - from);

        if (error) /* once more; then the other files do not wait for this one */
            error = cache_sync_held(&node->pages, from, UINT64_MAX - from);
        if (error)
            fat32_complain(volume, "what was added to a file cannot be written (error %d)", -error);
    }
}

void fat32_pages_settled(struct fat32_volume *volume)
{
    volume->writer->batches++;
    while (list_take_head(&volume->writer->fresh))
        ;
}

int fat32_pages_sync(struct fat32_volume *volume)
{
    int first = volume->lost; /* of files that nobody can ask any more */

    volume->lost = 0;
    tree_for_each (at, &volume->open) {
        struct fat32_node *node = tree_entry(at, struct fat32_node, open);
        int error = 0;

        if (cache_is_unclean(&node->pages))
            error = cache_sync_held(&node->pages, 0, UINT64_MAX);
        if (!first)
            first = error;
    }
    return first;
}

/* A node behind `place` that has something to write, with a reference; or NULL. */
static struct fat32_node *next_unclean(struct fat32_volume *volume, uint64_t place)
{
    struct fat32_node *found = NULL;

    mutex_lock(&volume->mutex);
    tree_for_each (at, &volume->open) {
        struct fat32_node *node = tree_entry(at, struct fat32_node, open);

        if (node->place > place && cache_is_unclean(&node->pages) && vnode_try_get(&node->vnode)) {
            found = node;
            break;
        }
    }
    mutex_unlock(&volume->mutex);
    return found;
}

void fat32_pages_write_early(struct fat32_volume *volume)
{
    struct fat32_node *node;
    uint64_t place = 0;

    while ((node = next_unclean(volume, place))) {
        int error = cache_sync(&node->pages);

        (void)error; /* who syncs tries again, and tells of it */
        mutex_lock(&volume->mutex);
        place = node->place > place ? node->place : UINT64_MAX; /* it has moved, or is gone */
        mutex_unlock(&volume->mutex);
        vnode_put(&node->vnode);
    }
}

int fat32_pages_before_cut(struct fat32_node *node, uint64_t size)
{
    uint64_t mask = ((uint64_t)1 << node->volume->geometry.cluster_shift) - 1;

    return size & mask ? cache_sync_held(&node->pages, size, 1) : 0;
}

void fat32_pages_cut(struct fat32_node *node, uint64_t size)
{
    uint64_t mask = ((uint64_t)1 << node->volume->geometry.cluster_shift) - 1;

    if (size & mask)
        node->cut_in = node->volume->writer->batches;
    cache_resize(&node->pages, size);
}

int fat32_pages_before_write(struct fat32_node *node)
{
    struct fat32_writer *writer = node->volume->writer;

    return node->cut_in == writer->batches ? fat32_batch_checkpoint(&writer->batch) : 0;
}

int64_t fat32_pages_write(struct fat32_node *node, uint64_t zeros, uint64_t offset,
                          const void *data, uint64_t n)
{
    struct fat32_volume *volume = node->volume;
    int64_t done = 0;

    volume->writing++;
    mutex_unlock(&volume->mutex);
    while (zeros < offset && done >= 0) {
        uint64_t piece = offset - zeros < SIZE_MAX / 2 ? offset - zeros : SIZE_MAX / 2;

        done = cache_write(&node->pages, zeros, NULL, (size_t)piece);
        if (done > 0)
            zeros += (uint64_t)done;
    }
    if (done >= 0)
        done = n > 0 ? cache_write(&node->pages, offset, data, (size_t)n) : 0;
    mutex_lock(&volume->mutex);
    volume->writing--;
    return done;
}
