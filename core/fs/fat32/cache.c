/* SPDX-License-Identifier: MIT */
/*
 * cache.c: pieces of 4 KiB of the volume, the least recently used of which gives way.
 *
 * Pieces are larger than sectors because directories and FATs are read in order: one request
 * instead of eight. When a piece cannot be read as a whole, only the sector that is needed is, so
 * one bad sector does not take its neighbours with it. The memory of a slot is allocated at its
 * first use; when memory is short the cache stays small, and gives back the slots unused for
 * longest.
 */
#include "fs/fat32/volume.h"

#include "fs/fat32/write/write.h"

#include "heap/heap.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define PIECE_SECTORS (FAT32_CACHE_BYTES / HAL_SECTOR_SIZE)

_Static_assert(PIECE_SECTORS == 8, "a slot has a bit for each sector");

/** The slot unused for longest of those that have memory, or NULL. */
static struct fat32_cache_slot *find_oldest(struct fat32_cache *cache)
{
    struct fat32_cache_slot *oldest = NULL;

    for (unsigned i = 0; i < FAT32_CACHE_SLOTS; i++) {
        struct fat32_cache_slot *slot = &cache->slots[i];

        if (slot->data && (!oldest || slot->used_at < oldest->used_at))
            oldest = slot;
    }
    return oldest;
}

/** The slot to fill anew: one without memory that can get some, or else the one unused for longest.
 */
static struct fat32_cache_slot *choose_victim(struct fat32_cache *cache)
{
    for (unsigned i = 0; i < FAT32_CACHE_SLOTS; i++) {
        struct fat32_cache_slot *slot = &cache->slots[i];

        if (slot->data)
            continue;
        slot->data =
            heap_allocate(FAT32_CACHE_BYTES, FAT32_CACHE_BYTES, ALLOC_SITE_FOR(ALLOC_CACHE));
        if (slot->data)
            return slot;
        break;
    }
    return find_oldest(cache);
}

static struct fat32_cache_slot *find_piece(struct fat32_cache *cache, uint64_t piece)
{
    if (cache->latest && cache->latest->piece == piece)
        return cache->latest;
    for (unsigned i = 0; i < FAT32_CACHE_SLOTS; i++) {
        if (cache->slots[i].valid && cache->slots[i].piece == piece)
            return &cache->slots[i];
    }
    return NULL;
}

/** What a write that failed has left on the card is not what is read. */
static void restore_spoilt(struct fat32_cache *cache, struct fat32_cache_slot *slot)
{
    unsigned sector = cache->spoilt % PIECE_SECTORS;

    if (cache->spoilt == 0 || cache->spoilt / PIECE_SECTORS != slot->piece)
        return;
    memcpy(slot->data + sector * HAL_SECTOR_SIZE, cache->spoilt_data, HAL_SECTOR_SIZE);
    slot->valid |= (uint8_t)(1u << sector);
}

/** Reads the piece into the slot; if that fails, only its sector number `wanted`. */
static int read_slot(struct fat32_cache *cache, struct fat32_cache_slot *slot, unsigned wanted)
{
    uint64_t first = slot->piece * PIECE_SECTORS;
    uint64_t left = cache->device->sectors - first;
    unsigned count = left < PIECE_SECTORS ? (unsigned)left : PIECE_SECTORS;
    int error;

    if (!slot->valid) {
        error = block_read(cache->device, first, slot->data, count);
        if (!error) {
            slot->valid = (uint8_t)((1u << count) - 1);
            return 0;
        }
        if (error != -EIO)
            return error;
    }
    error = block_read(cache->device, first + wanted, slot->data + wanted * HAL_SECTOR_SIZE, 1);
    if (!error)
        slot->valid |= (uint8_t)(1u << wanted);
    return fat32_cache_failed(cache, error);
}

static int fill_slot(struct fat32_cache *cache, struct fat32_cache_slot *slot, unsigned wanted)
{
    int error = read_slot(cache, slot, wanted);

    restore_spoilt(cache, slot);
    return slot->valid >> wanted & 1 ? 0 : error;
}

int fat32_cache_failed(struct fat32_cache *cache, int error)
{
    if (error == -EIO)
        __atomic_store_n(&cache->failed, true, __ATOMIC_RELAXED);
    return error;
}

int fat32_cache_get(struct fat32_cache *cache, uint64_t offset, const uint8_t **data,
                    size_t *available)
{
    uint64_t piece = offset / FAT32_CACHE_BYTES;
    unsigned within = offset % FAT32_CACHE_BYTES;
    unsigned sector = within / HAL_SECTOR_SIZE, end = sector;
    struct fat32_cache_slot *slot;

    if (offset / HAL_SECTOR_SIZE >= cache->device->sectors)
        return -EIO;
    slot = find_piece(cache, piece);
    if (!slot) {
        slot = choose_victim(cache);
        if (!slot)
            return -ENOMEM;
        slot->piece = piece;
        slot->valid = 0;
    }
    if (!(slot->valid & 1u << sector)) {
        int error = fill_slot(cache, slot, sector);

        if (error)
            return error;
    }
    slot->used_at = ++cache->clock;
    cache->latest = slot;
    while (slot->valid & 1u << end)
        end++;
    *data = slot->data + within;
    *available = end * HAL_SECTOR_SIZE - within;
    return 0;
}

void fat32_cache_update(struct fat32_cache *cache, uint64_t offset, const uint8_t *data)
{
    struct fat32_cache_slot *slot = find_piece(cache, offset / FAT32_CACHE_BYTES);
    unsigned sector = offset % FAT32_CACHE_BYTES / HAL_SECTOR_SIZE;

    if (data && offset / HAL_SECTOR_SIZE == cache->spoilt)
        cache->spoilt = 0;
    if (slot && !data)
        slot->valid &= (uint8_t) ~(1u << sector);
    else if (slot && slot->valid >> sector & 1)
        memcpy(slot->data + sector * HAL_SECTOR_SIZE, data, HAL_SECTOR_SIZE);
}

void fat32_cache_spoil(struct fat32_cache *cache, uint64_t offset, const uint8_t *data)
{
    struct fat32_cache_slot *slot = find_piece(cache, offset / FAT32_CACHE_BYTES);

    cache->spoilt = offset / HAL_SECTOR_SIZE;
    memcpy(cache->spoilt_data, data, HAL_SECTOR_SIZE);
    if (slot)
        restore_spoilt(cache, slot);
}

int fat32_look(struct fat32_volume *volume, uint64_t offset, const uint8_t **data,
               size_t *available)
{
    const struct fat32_batch *batch = volume->writer ? &volume->writer->batch : NULL;
    size_t within = offset % HAL_SECTOR_SIZE;
    int error;

    if (!batch || batch->used == 0)
        return fat32_cache_get(&volume->cache, offset, data, available);
    *data = fat32_batch_look(batch, offset / HAL_SECTOR_SIZE);
    if (*data) {
        *data += within;
        *available = HAL_SECTOR_SIZE - within;
        return 0;
    }
    error = fat32_cache_get(&volume->cache, offset, data, available);
    if (!error && *available > HAL_SECTOR_SIZE - within)
        *available = HAL_SECTOR_SIZE - within; /* the next one may be another now */
    return error;
}

/** The slot used last of those that have memory, or NULL. */
static struct fat32_cache_slot *find_latest(struct fat32_cache *cache)
{
    struct fat32_cache_slot *latest = NULL;

    for (unsigned i = 0; i < FAT32_CACHE_SLOTS; i++) {
        struct fat32_cache_slot *slot = &cache->slots[i];

        if (slot->data && (!latest || slot->used_at > latest->used_at))
            latest = slot;
    }
    return latest;
}

size_t fat32_cache_reclaim(struct fat32_cache *cache, size_t frames)
{
    struct fat32_cache_slot *slot, *latest = cache->keeps ? find_latest(cache) : NULL;
    size_t given = 0;

    while (given < frames && (slot = find_oldest(cache)) && slot != latest) {
        kfree(slot->data);
        slot->data = NULL;
        slot->valid = 0;
        given += FAT32_CACHE_BYTES / HAL_PAGE_SIZE;
    }
    cache->latest = NULL;
    return given;
}

void fat32_cache_finish(struct fat32_cache *cache)
{
    for (unsigned i = 0; i < FAT32_CACHE_SLOTS; i++)
        kfree(cache->slots[i].data);
}
