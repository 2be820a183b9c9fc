/* SPDX-License-Identifier: MIT */
/*
 * space.c: clusters given out and taken back.
 *
 * The FAT itself says which clusters are free; nothing else is kept, but for a bit for each of its
 * sectors that is known to have none, and where the last search ended. So there is nothing to put
 * right when a transaction is aborted.
 */
#include "fs/fat32/write/write.h"

#include "lib/bytes.h"

#include <hal/errno.h>

#define ENTRY_BYTES 4u
#define ENTRIES (HAL_SECTOR_SIZE / ENTRY_BYTES) /* in a sector */
#define LINK_MASK 0x0FFFFFFFu
#define LINK_END 0x0FFFFFFFu
#define FREE_SECTORS 8u /* of the FAT, that one transaction frees clusters in */

/* ---- what is known to be full ---- */

static bool is_full(const struct fat32_writer *writer, uint32_t sector)
{
    return writer->full[sector / 8] >> sector % 8 & 1;
}

static void set_full(struct fat32_writer *writer, uint32_t sector, bool full)
{
    uint8_t bit = (uint8_t)(1u << sector % 8);

    if (full)
        writer->full[sector / 8] |= bit;
    else
        writer->full[sector / 8] &= (uint8_t)~bit;
}

/* ---- looking ---- */

/* A sector of the FAT: as it is now, and on the card. */
struct view {
    const struct fat32_volume *volume;
    uint32_t first; /* the cluster of its entry 0 */
    const uint8_t *now;
    const uint8_t *card; /* NULL: the same */
    uint32_t end;        /* entries from here on are of no cluster */
};

static int look(struct fat32_volume *volume, uint32_t sector, struct view *view)
{
    uint64_t offset = volume->geometry.fat_start + (uint64_t)sector * HAL_SECTOR_SIZE;
    uint32_t last = volume->geometry.clusters + FAT32_FIRST_CLUSTER, first = sector * ENTRIES;
    size_t available;
    int error = fat32_look(volume, offset, &view->now, &available);

    view->volume = volume;
    view->first = first;
    view->card = fat32_batch_card(&volume->writer->batch, offset / HAL_SECTOR_SIZE);
    view->end = last - first < ENTRIES ? last - first : ENTRIES;
    return error;
}

static uint32_t entry_of(const uint8_t *sector, uint32_t at)
{
    return le32(sector + at * ENTRY_BYTES) & LINK_MASK;
}

/*
 * True if the batch is going to write into the cluster: it was a directory's, and got and lost
 * entries, before the directory was removed. What its next owner writes there at once would be
 * written over.
 */
static bool is_being_written(const struct view *view, uint32_t at)
{
    const struct fat32_geometry *geometry = &view->volume->geometry;
    uint64_t offset = fat32_cluster_offset(geometry, view->first + at);

    return fat32_batch_changes(&view->volume->writer->batch, offset / HAL_SECTOR_SIZE,
                               ((uint64_t)1 << geometry->cluster_shift) / HAL_SECTOR_SIZE);
}

static bool is_free(const struct view *view, uint32_t at)
{
    return entry_of(view->now, at) == 0 && (!view->card || entry_of(view->card, at) == 0) &&
           !is_being_written(view, at);
}

/* True if clusters of it become free with the batch. */
static bool will_be_free(const struct view *view)
{
    for (uint32_t at = 0; at < view->end; at++)
        if (entry_of(view->now, at) == 0 && !is_free(view, at))
            return true;
    return false;
}

/* Looks for a run in one sector of the FAT, from its entry `at` on. *count is 0 if there is none.
 */
static int find_in(struct fat32_volume *volume, uint32_t sector, uint32_t at, uint32_t want,
                   uint32_t *first, uint32_t *count)
{
    struct view view;
    uint32_t start = at;
    int error = look(volume, sector, &view);

    *count = 0;
    if (error)
        return error;
    while (at < view.end && !is_free(&view, at))
        at++;
    *first = sector * ENTRIES + at;
    while (at < view.end && *count < want && is_free(&view, at)) {
        at++;
        (*count)++;
    }
    if (*count == 0 && start <= FAT32_FIRST_CLUSTER && !will_be_free(&view))
        set_full(volume->writer, sector, true);
    return 0;
}

static int search(struct fat32_volume *volume, uint32_t from, uint32_t want, uint32_t *first,
                  uint32_t *count)
{
    uint32_t last = volume->geometry.clusters + FAT32_FIRST_CLUSTER - 1;
    uint32_t sectors = last / ENTRIES + 1, sector = from / ENTRIES, at = from % ENTRIES;
    int error = 0;

    *count = 0;
    for (uint32_t i = 0; i <= sectors && *count == 0 && !error; i++) {
        if (sector == 0 && at < FAT32_FIRST_CLUSTER)
            at = FAT32_FIRST_CLUSTER;
        if (!is_full(volume->writer, sector))
            error = find_in(volume, sector, at, want, first, count);
        at = 0;
        sector = sector + 1 < sectors ? sector + 1 : 0;
    }
    return error;
}

int fat32_space_find(struct fat32_volume *volume, uint32_t near, uint32_t want, uint32_t *first,
                     uint32_t *count)
{
    uint32_t from = near ? near : volume->writer->next;
    int error;

    if (!fat32_cluster_valid(&volume->geometry, from))
        from = FAT32_FIRST_CLUSTER;
    error = search(volume, from, want, first, count);
    if (!error && *count == 0 && volume->writer->batch.used > 0) {
        /* Some may be free as soon as the batch is on the card. */
        error = fat32_batch_checkpoint(&volume->writer->batch);
        if (!error)
            error = search(volume, from, want, first, count);
    }
    if (error)
        return error;
    return *count == 0 ? -ENOSPC : 0;
}

int fat32_space_count(struct fat32_volume *volume, uint32_t *free)
{
    struct fat32_writer *writer = volume->writer;
    uint32_t last = volume->geometry.clusters + FAT32_FIRST_CLUSTER - 1;

    if (!writer->counted) {
        writer->free = 0;
        for (uint32_t sector = 0; sector <= last / ENTRIES; sector++) {
            struct view view;
            int error = look(volume, sector, &view);

            if (error)
                return error;
            for (uint32_t at = sector ? 0 : FAT32_FIRST_CLUSTER; at < view.end; at++)
                writer->free += entry_of(view.now, at) == 0;
        }
        writer->counted = true;
    }
    *free = writer->free;
    return 0;
}

/* ---- changing ---- */

int fat32_link(struct fat32_volume *volume, uint32_t cluster, uint32_t next)
{
    uint64_t offset = volume->geometry.fat_start + (uint64_t)cluster * ENTRY_BYTES;
    uint8_t *entry = NULL;
    uint32_t old;
    int error = fat32_change(volume, offset, &entry);

    if (error)
        return error;
    old = le32(entry);
    put_le32(entry, (old & ~LINK_MASK) | (next & LINK_MASK));
    volume->writer->change += (next == 0) - ((old & LINK_MASK) == 0);
    if (next == 0)
        set_full(volume->writer, cluster / ENTRIES, false);
    return 0;
}

int fat32_space_claim(struct fat32_volume *volume, uint32_t first, uint32_t count)
{
    int error = 0;

    for (uint32_t i = 0; i < count && !error; i++)
        error = fat32_link(volume, first + i, i + 1 < count ? first + i + 1 : LINK_END);
    if (!error)
        volume->writer->next = first + count;
    return error;
}

int fat32_space_free_some(struct fat32_volume *volume, uint32_t cluster, unsigned sectors,
                          uint32_t *rest)
{
    uint32_t current = UINT32_MAX, next;

    *rest = 0;
    while (fat32_cluster_linkable(&volume->geometry, cluster)) {
        int error = fat32_table_get(volume, cluster, &next);

        if (error)
            return error;
        if (next == 0) /* it was freed before: the chain is a loop, or damaged */
            return 0;
        if (cluster / ENTRIES != current && sectors-- == 0) {
            *rest = cluster;
            return 0;
        }
        current = cluster / ENTRIES;
        error = fat32_link(volume, cluster, 0);
        if (error)
            return error;
        cluster = next;
    }
    return 0;
}

int fat32_space_free(struct fat32_volume *volume, uint32_t cluster)
{
    int error = 0;

    while (cluster && !error) {
        error = fat32_begin(volume, FREE_SECTORS);
        if (!error)
            error =
                fat32_end(volume, fat32_space_free_some(volume, cluster, FREE_SECTORS, &cluster));
    }
    return error;
}

void fat32_space_give_up(struct fat32_volume *volume, uint32_t cluster)
{
    if (fat32_space_free(volume, cluster))
        volume->writer->leaks = true;
}
