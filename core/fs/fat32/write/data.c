/* SPDX-License-Identifier: MIT */
/*
 * data.c: the content of files: written, made longer, cut.
 *
 * Data that is new goes into pages for clusters that are still free, or behind the end in the last
 * one; then one transaction hangs the new chain on the old and sets the size. So a file has all of
 * what was appended, or nothing. Data that replaces other data is written in place, sector by
 * sector. When pages are written: data/pages.h.
 */
#include "fs/fat32/data/pages.h"
#include "fs/fat32/write/write.h"

#include "dev/clock.h"
#include "fs/vfs.h"
#include "lib/bytes.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#include <stdalign.h>

#define SIZE_MAX_FAT32 0xFFFFFFFFu
#define LINK_END 0x0FFFFFFFu
#define FREE_SECTORS 8u
#define ZEROS 4096u

/* ---- bytes on the card ---- */

static const alignas(HAL_BLOCK_ALIGN) uint8_t zeros[ZEROS];

/* Writes a part of one sector. */
static int put_part(struct fat32_volume *volume, uint64_t offset, const void *data, size_t n)
{
    uint8_t sector[HAL_SECTOR_SIZE];
    size_t within = offset % HAL_SECTOR_SIZE, available;
    const uint8_t *cached;
    int error = fat32_cache_get(&volume->cache, offset - within, &cached, &available);

    if (error)
        return error;
    memcpy(sector, cached, HAL_SECTOR_SIZE);
    memcpy(sector + within, data, n);
    return fat32_batch_write(&volume->writer->batch, offset / HAL_SECTOR_SIZE, sector);
}

/* Writes whole sectors. */
static int put_sectors(struct fat32_volume *volume, uint64_t offset, const void *data, size_t n)
{
    int error =
        fat32_cache_failed(&volume->cache, block_write(&volume->device, offset / HAL_SECTOR_SIZE,
                                                       data, n / HAL_SECTOR_SIZE));

    fat32_batch_wrote(&volume->writer->batch);
    for (size_t at = 0; at < n; at += HAL_SECTOR_SIZE)
        fat32_cache_update(&volume->cache, offset + at, error ? NULL : (const uint8_t *)data + at);
    return error;
}

int fat32_put(struct fat32_volume *volume, uint64_t offset, const void *data, uint64_t bytes)
{
    const uint8_t *from = data;
    int error = 0;

    while (bytes > 0 && !error) {
        uint64_t within = offset % HAL_SECTOR_SIZE, n = bytes;

        if (!data && n > ZEROS)
            n = ZEROS;
        if (within > 0 || n < HAL_SECTOR_SIZE) {
            if (n > HAL_SECTOR_SIZE - within)
                n = HAL_SECTOR_SIZE - within;
            error = put_part(volume, offset, data ? from : zeros, n);
        } else {
            n -= n % HAL_SECTOR_SIZE;
            error = put_sectors(volume, offset, data ? from : zeros, n);
        }
        if (data)
            from += n;
        offset += n;
        bytes -= n;
    }
    return error;
}

/* ---- new clusters ---- */

/* A chain that nobody has yet. */
struct fresh {
    uint32_t first, last, count;
};

static void discard(struct fat32_volume *volume, const struct fresh *fresh)
{
    if (fresh->count > 0)
        fat32_space_give_up(volume, fresh->first);
}

/* Adds up to `want` clusters to it. */
static int add_run(struct fat32_volume *volume, struct fresh *fresh, uint32_t near, uint32_t want)
{
    uint32_t first, count;
    int error = fat32_space_find(volume, near, want, &first, &count);

    if (!error)
        error = fat32_begin(volume, 2);
    if (error)
        return error;
    error = fat32_space_claim(volume, first, count);
    if (!error && fresh->count > 0)
        error = fat32_link(volume, fresh->last, first);
    if (fat32_end(volume, error))
        return error;
    if (fresh->count == 0)
        fresh->first = first;
    fresh->last = first + count - 1;
    fresh->count += count;
    return 0;
}

/* As many of `want` clusters as there are; the error if there are none. */
static int take_clusters(struct fat32_volume *volume, uint32_t near, uint32_t want,
                         struct fresh *fresh)
{
    int error = 0;

    *fresh = (struct fresh){0, 0, 0};
    while (fresh->count < want && !error) {
        error = add_run(volume, fresh, near, want - fresh->count);
        near = fresh->last + 1;
    }
    if (error && (error != -ENOSPC || fresh->count == 0)) {
        discard(volume, fresh);
        return error;
    }
    return 0;
}

/* ---- writing ---- */

static uint32_t clusters_for(const struct fat32_volume *volume, uint64_t bytes)
{
    unsigned shift = volume->geometry.cluster_shift;

    return (uint32_t)((bytes + ((uint64_t)1 << shift) - 1) >> shift);
}

/* The last cluster of the file, or 0. */
static int find_last(struct fat32_node *node, uint32_t *last)
{
    uint32_t have = clusters_for(node->volume, node->vnode.attributes.size), count;
    int error = 0;

    *last = 0;
    if (have > 0)
        error = fat32_chain_find(node->volume, &node->chain, have - 1, last, &count);
    return error == -ENOENT ? -EIO : error;
}

/* What is known of the chain of `node` is not true any more. */
static void forget_chain(struct fat32_node *node, uint32_t start)
{
    fat32_chain_finish(&node->chain);
    fat32_chain_init(&node->chain, node->volume, start,
                     clusters_for(node->volume, node->vnode.attributes.size));
}

/* What is told of the file, as its entry has it now. */
static void changed(struct fat32_node *node, int64_t now)
{
    struct vnode_attributes *attributes = &node->vnode.attributes;
    uint8_t date[2];

    attributes->modified = attributes->changed = fat32_time_kept(now);
    fat32_time_put(now, date, NULL, NULL);
    attributes->accessed = fat32_time_read(le16(date), 0, 0);
    fat32_node_measure(node);
}

/* The last transaction of a write: the entry says what the file has become. */
static int enter(struct fat32_node *node, uint32_t last, const struct fresh *fresh, uint64_t size)
{
    struct fat32_volume *volume = node->volume;
    int64_t now = wall_now() * WALL_NS;
    uint32_t start = node->chain.start;
    int error = fat32_begin(volume, 2);

    if (error)
        return error;
    if (fresh->count > 0 && last)
        error = fat32_link(volume, last, fresh->first);
    else if (fresh->count > 0)
        start = fresh->first;
    if (!error && node->place)
        error = fat32_entry_update(node, start, size, now);
    if (fat32_end(volume, error))
        return error;
    node->vnode.attributes.size = size;
    changed(node, now);
    if (fresh->count > 0 && last) /* what is known of it stays true */
        node->chain.limit = clusters_for(volume, size);
    else if (fresh->count > 0)
        forget_chain(node, start);
    return 0;
}

/* Writes what is new into pages: zeros from the old end up to `offset`, and the data. */
static int fill(struct fat32_node *node, const struct fresh *fresh, uint64_t offset,
                const uint8_t *data, uint64_t n)
{
    uint64_t gap = node->vnode.attributes.size;
    int64_t done;

    fat32_chain_init(&node->pending, node->volume, fresh->first, fresh->count);
    node->pending_count = fresh->count;
    cache_resize(&node->pages, offset + n);
    do {
        done = fat32_pages_write(node, gap, offset, data, n);
        if (done > 0) {
            data += done;
            offset += (uint64_t)done;
            n -= (uint64_t)done;
        }
        gap = offset;
    } while (done > 0 && n > 0);
    return done < 0 ? (int)done : 0;
}

/* The clusters that were pending are the file's, or nobody's. */
static void end_pending(struct fat32_node *node)
{
    if (node->pending_count > 0)
        fat32_chain_finish(&node->pending);
    node->pending_count = 0;
}

static int shorten(struct fat32_node *node, uint32_t size);

/* Another system may have left a file with more clusters than its size needs; they are not lost. */
static int drop_surplus(struct fat32_node *node, uint32_t last)
{
    struct fat32_volume *volume = node->volume;
    uint32_t next = node->chain.start;
    int error = last ? fat32_table_get(volume, last, &next) : 0;

    if (error || !fat32_cluster_valid(&volume->geometry, next))
        return error;
    return shorten(node, (uint32_t)node->vnode.attributes.size);
}

/*
 * Makes the file longer: by as many of `n` bytes at `offset` as there is room for. Without room for
 * one of them, or for all that is before `offset`, not at all.
 */
static int64_t append(struct fat32_node *node, uint64_t offset, const uint8_t *data, uint64_t n)
{
    struct fat32_volume *volume = node->volume;
    uint64_t size = node->vnode.attributes.size, room;
    uint32_t have = clusters_for(volume, size), need = clusters_for(volume, offset + n), last;
    struct fresh fresh = {0, 0, 0};
    int error = find_last(node, &last);

    if (!error)
        error = drop_surplus(node, last);
    if (!error)
        error = fat32_pages_before_write(node);
    if (!error && need > have)
        error = take_clusters(volume, last ? last + 1 : 0, need - have, &fresh);
    if (error && !(error == -ENOSPC && (uint64_t)have << volume->geometry.cluster_shift > offset))
        return error;
    room = (uint64_t)(have + fresh.count) << volume->geometry.cluster_shift;
    error = room < offset + (n > 0) ? -ENOSPC : 0;
    if (!error && n > room - offset)
        n = room - offset;
    if (!error)
        error = fill(node, &fresh, offset, data, n);
    if (!error)
        error = enter(node, last, &fresh, offset + n);
    end_pending(node);
    if (!error) {
        fat32_pages_grew(node, size);
        return (int64_t)n;
    }
    cache_resize(&node->pages, size);
    vfs_cut(&node->vnode, size); /* somebody may have mapped the pages in between */
    discard(volume, &fresh);
    return error;
}

/* Replaces `n` bytes that the file has. */
static int64_t overwrite(struct fat32_node *node, uint64_t offset, const void *data, size_t n)
{
    struct fat32_volume *volume = node->volume;
    const struct fresh none = {0, 0, 0};
    uint64_t end = offset + n - 1;
    uint32_t cluster, count;
    int64_t done = 0;
    int error = fat32_pages_before_write(node);

    if (!error) /* a damaged file is to be refused now, and not later */
        error =
            fat32_chain_find(volume, &node->chain,
                             (uint32_t)(end >> volume->geometry.cluster_shift), &cluster, &count);
    if (!error)
        error = fat32_begin(volume, 0); /* the volume is in use, whatever is written */
    if (!error)
        error = fat32_end(volume, 0);
    if (!error)
        done = fat32_pages_write(node, offset, offset, data, n);
    if (done > 0 && node->vnode.attributes.modified / WALL_NS != wall_now())
        error = enter(node, 0, &none, node->vnode.attributes.size);
    if (error)
        return error == -ENOENT ? -EIO : error;
    return done;
}

int64_t fat32_write(struct fat32_node *node, uint64_t offset, const void *data, size_t n)
{
    uint64_t size = node->vnode.attributes.size;

    if (!node->volume->writer || node->volume->writer->broken)
        return -EROFS;
    if (n == 0)
        return 0;
    if (offset >= SIZE_MAX_FAT32)
        return -EFBIG;
    if (n > SIZE_MAX_FAT32 - offset)
        n = (size_t)(SIZE_MAX_FAT32 - offset);
    if (offset + n > size)
        return append(node, offset, data, n);
    return overwrite(node, offset, data, n);
}

/* ---- cutting ---- */

static int shorten(struct fat32_node *node, uint32_t size)
{
    struct fat32_volume *volume = node->volume;
    uint32_t keep = clusters_for(volume, size), start = keep ? node->chain.start : 0;
    uint32_t last = 0, rest = node->chain.start, count;
    int64_t now = wall_now() * WALL_NS;
    int error = fat32_pages_before_cut(node, size);

    if (!error && keep > 0)
        error = fat32_chain_find(volume, &node->chain, keep - 1, &last, &count);
    if (!error && keep > 0)
        error = fat32_table_get(volume, last, &rest);
    if (!error)
        error = fat32_begin(volume, 2 + FREE_SECTORS);
    if (error)
        return error == -ENOENT ? -EIO : error;
    if (node->place)
        error = fat32_entry_update(node, start, size, now);
    if (!error && keep > 0 && fat32_cluster_valid(&volume->geometry, rest))
        error = fat32_link(volume, last, LINK_END);
    if (!error)
        error = fat32_space_free_some(volume, rest, FREE_SECTORS, &rest);
    if (fat32_end(volume, error))
        return error;
    fat32_pages_cut(node, size);
    node->vnode.attributes.size = size;
    changed(node, now);
    forget_chain(node, start);
    fat32_space_give_up(volume, rest);
    return 0;
}

int fat32_truncate(struct fat32_node *node, uint64_t size)
{
    uint64_t old = node->vnode.attributes.size;

    if (!node->volume->writer || node->volume->writer->broken)
        return -EROFS;
    if (size > SIZE_MAX_FAT32)
        return -EFBIG;
    if (size > old)
        return (int)append(node, size, NULL, 0);
    return size < old ? shorten(node, (uint32_t)size) : 0;
}
