/* SPDX-License-Identifier: MIT */
/*
 * state.c: the marks of a volume that is in use, and the way of its writer from mount to unmount.
 *
 * Before the first change the volume is marked: bit 27 of entry 1 of the FAT is cleared, and the
 * count of free clusters in FSInfo becomes "unknown", for it would be wrong from now on. The last
 * thing of all is to put both right. A volume that was found marked has been left in the middle of
 * something: then the record is replayed and the whole volume looked at before anything is written.
 */
#include "fs/fat32/data/pages.h"
#include "fs/fat32/write/write.h"

#include "heap/heap.h"
#include "lib/bytes.h"
#include "lib/log.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define TABLE_CLEAN 0x08000000u
#define TABLE_SOUND 0x04000000u /* the card has not failed */
#define ENTRY_1 4u              /* byte of it in the FAT */
#define BOOT_STATE 65u
#define INFO_LEAD 0x41615252u
#define INFO_MIDDLE 0x61417272u
#define INFO_TRAIL 0xAA550000u
#define AT_MIDDLE 484u
#define AT_TRAIL 508u
#define INFO_FREE 488u
#define INFO_NEXT 492u
#define UNKNOWN 0xFFFFFFFFu

/* ---- what the batch needs ---- */

static int read_sector(void *context, uint64_t sector, uint8_t *data)
{
    struct fat32_volume *volume = context;
    const uint8_t *cached;
    size_t available;
    int error = fat32_cache_get(&volume->cache, sector * HAL_SECTOR_SIZE, &cached, &available);

    if (!error)
        memcpy(data, cached, HAL_SECTOR_SIZE);
    return error;
}

static void sector_written(void *context, uint64_t sector, const uint8_t *data)
{
    struct fat32_volume *volume = context;

    if (!data)
        (void)fat32_cache_failed(&volume->cache, -EIO);
    fat32_cache_update(&volume->cache, sector * HAL_SECTOR_SIZE, data);
}

static int before_batch(void *context)
{
    fat32_pages_write_fresh(context);
    return 0;
}

static void after_batch(void *context)
{
    fat32_pages_settled(context);
}

static const struct fat32_batch_hooks hooks = {
    .read = read_sector,
    .written = sector_written,
    .before = before_batch,
    .after = after_batch,
};

/* ---- marks ---- */

static bool is_info(const uint8_t *data)
{
    return le32(data) == INFO_LEAD && le32(data + AT_MIDDLE) == INFO_MIDDLE &&
           le32(data + AT_TRAIL) == INFO_TRAIL;
}

/* True if nothing of it is left where it always is: the power went while it was written. */
static bool is_torn_info(const struct fat32_volume *volume, const uint8_t *data)
{
    return volume->geometry.info == volume->geometry.sector_bytes && le32(data) != INFO_LEAD &&
           le32(data + AT_MIDDLE) != INFO_MIDDLE && le32(data + AT_TRAIL) != INFO_TRAIL;
}

/* Reads FSInfo. What was one, and is spoilt by a write that failed or was torn, begins anew.
 * -ENOENT: there is none. */
static int read_info(struct fat32_volume *volume, uint8_t *data)
{
    struct fat32_writer *writer = volume->writer;
    int error = writer->info ? read_sector(volume, writer->info, data) : -ENOENT;

    if (!error && is_info(data)) {
        writer->info_seen = true;
        return 0;
    }
    if (!writer->info_seen && (error || !is_torn_info(volume, data)))
        return error ? error : -ENOENT;
    memset(data, 0, HAL_SECTOR_SIZE);
    put_le32(data, INFO_LEAD);
    put_le32(data + AT_MIDDLE, INFO_MIDDLE);
    put_le32(data + INFO_FREE, UNKNOWN);
    put_le32(data + INFO_NEXT, UNKNOWN);
    put_le32(data + AT_TRAIL, INFO_TRAIL);
    return 0;
}

/* All FATs get the first sector. If that fails halfway, it is no matter of a batch, and must not be
 * learnt from the card. */
static int write_head(struct fat32_volume *volume, const uint8_t *data)
{
    const struct fat32_writer *writer = volume->writer;
    int error = 0;

    for (unsigned i = 0; i < writer->layout.fats && !error; i++)
        error = fat32_batch_write(&volume->writer->batch, writer->layout.fat[i], data);
    if (error)
        fat32_cache_spoil(&volume->cache, writer->layout.fat[0] * HAL_SECTOR_SIZE, data);
    return error;
}

static int set_clean(struct fat32_volume *volume, bool clean)
{
    struct fat32_writer *writer = volume->writer;
    uint8_t data[HAL_SECTOR_SIZE];
    uint32_t value;
    int error = read_sector(volume, writer->layout.fat[0], data);

    if (error)
        return error;
    value = le32(data + ENTRY_1);
    value = clean ? value | TABLE_CLEAN : value & ~TABLE_CLEAN;
    if (volume->cache.failed)
        value &= ~TABLE_SOUND;
    put_le32(data + ENTRY_1, value);
    error = write_head(volume, data);
    return error ? error : fat32_batch_flush(&writer->batch);
}

static int set_counts(struct fat32_volume *volume, uint32_t free, uint32_t next)
{
    struct fat32_writer *writer = volume->writer;
    uint8_t data[HAL_SECTOR_SIZE];
    int error = read_info(volume, data);

    if (error)
        return error == -ENOENT ? 0 : error;
    put_le32(data + INFO_FREE, free);
    put_le32(data + INFO_NEXT, next);
    return fat32_batch_write(&writer->batch, writer->info, data);
}

static int mark(struct fat32_volume *volume)
{
    int error = set_counts(volume, UNKNOWN, UNKNOWN);

    if (!error)
        error = set_clean(volume, false);
    volume->writer->marked = error == 0;
    return error;
}

/* The opposite of mark; the batch is empty. */
static int unmark(struct fat32_volume *volume)
{
    struct fat32_writer *writer = volume->writer;
    uint32_t free = 0;
    int error = fat32_space_count(volume, &free);

    if (!error)
        error = fat32_batch_void(&writer->batch);
    if (!error)
        error = set_counts(volume, free,
                           fat32_cluster_valid(&volume->geometry, writer->next) ? writer->next
                                                                                : UNKNOWN);
    if (!error)
        error = fat32_batch_flush(&writer->batch);
    if (!error)
        error = set_clean(volume, true);
    if (!error)
        writer->marked = false;
    return error;
}

/* ---- transactions ---- */

int fat32_begin(struct fat32_volume *volume, unsigned sectors)
{
    struct fat32_writer *writer = volume->writer;
    int error = 0;

    if (!writer || writer->broken)
        return -EROFS;
    if (!writer->marked)
        error = mark(volume);
    writer->change = 0;
    return error ? error : fat32_batch_begin(&writer->batch, sectors);
}

int fat32_end(struct fat32_volume *volume, int error)
{
    struct fat32_writer *writer = volume->writer;

    if (error) {
        fat32_batch_abort(&writer->batch);
    } else {
        fat32_batch_commit(&writer->batch);
        writer->free += (uint32_t)writer->change;
        if (writer->batch.used > 0)
            cache_flush_later(&volume->later);
    }
    return error;
}

int fat32_change(struct fat32_volume *volume, uint64_t offset, uint8_t **data)
{
    int error = fat32_batch_change(&volume->writer->batch, offset / HAL_SECTOR_SIZE, data);

    if (!error)
        *data += offset % HAL_SECTOR_SIZE;
    return error;
}

int fat32_sync(struct fat32_volume *volume)
{
    int error = volume->writer ? fat32_pages_sync(volume) : 0;
    int other = fat32_sync_batch(volume);

    return error ? error : other;
}

int fat32_sync_batch(struct fat32_volume *volume)
{
    struct fat32_batch *batch = volume->writer ? &volume->writer->batch : NULL;
    int error = batch ? fat32_batch_checkpoint(batch) : 0;

    return batch && !error ? fat32_batch_flush(batch) : error;
}

/* What was committed some time ago, and nobody has asked for on the card. */
static int flush(struct cache_object *later)
{
    struct fat32_volume *volume = later->context;
    int error;

    mutex_lock(&volume->mutex);
    error = fat32_sync_batch(volume);
    mutex_unlock(&volume->mutex);
    return error;
}

void fat32_later_init(struct fat32_volume *volume)
{
    static const struct cache_ops ops = {.flush = flush};

    cache_object_init(&volume->later, &ops, volume, 0);
}

/* The volume tells whoever looks at it next that the card has failed once. */
static int tell_failure(struct fat32_volume *volume)
{
    const uint8_t *entries;
    size_t available;
    int error = 0;

    if (!volume->cache.failed)
        return 0;
    error =
        fat32_cache_get(&volume->cache, volume->geometry.fat_start + ENTRY_1, &entries, &available);
    if (error || !(le32(entries) & TABLE_SOUND))
        return error;
    return set_clean(volume, le32(entries) & TABLE_CLEAN);
}

/* ---- the beginning and the end ---- */

/* Which sectors the record goes to: reserved ones that nothing else has a use for. */
static void choose_record(struct fat32_volume *volume, struct fat32_layout *layout)
{
    uint32_t unit = volume->geometry.sector_bytes / HAL_SECTOR_SIZE;
    uint64_t end = volume->geometry.reserved / HAL_SECTOR_SIZE;
    uint64_t copy = volume->geometry.copy / volume->geometry.sector_bytes;

    /* Boot sectors are 0 to 2, their copies 6 to 8; FSInfo is among them, or somewhere else. */
    for (uint64_t sector = 3 * unit; sector < end && layout->record_sectors < FAT32_RECORD_MAX;
         sector++) {
        if (sector / unit >= 6 && sector / unit <= 8)
            continue;
        if (copy && sector / unit >= copy && sector / unit < copy + 3)
            continue;
        if (sector / unit * unit == volume->geometry.info / HAL_SECTOR_SIZE)
            continue;
        layout->record[layout->record_sectors++] = (uint16_t)sector;
    }
    /* A record that has no room for the largest operation is of no use. */
    if (layout->record_sectors < FAT32_RECORD_MAX)
        layout->record_sectors = 0;
}

static void make_layout(struct fat32_volume *volume, struct fat32_layout *layout)
{
    const struct fat32_geometry *geometry = &volume->geometry;

    layout->fats = geometry->fats < FAT32_FATS_MAX ? geometry->fats : FAT32_FATS_MAX;
    for (unsigned i = 0; i < layout->fats; i++)
        layout->fat[i] = (geometry->fat_start + i * geometry->fat_bytes) / HAL_SECTOR_SIZE;
    layout->fat_sectors = geometry->fat_bytes / HAL_SECTOR_SIZE;
    layout->data = geometry->data_start / HAL_SECTOR_SIZE;
    layout->end =
        layout->data + ((uint64_t)geometry->clusters << geometry->cluster_shift) / HAL_SECTOR_SIZE;
    layout->volume_id = geometry->volume_id;
    choose_record(volume, layout);
}

/* Linux marks a volume in its boot sector instead. */
static int clear_boot_state(struct fat32_volume *volume)
{
    uint8_t data[HAL_SECTOR_SIZE];
    int error = read_sector(volume, 0, data);

    if (error || !(data[BOOT_STATE] & 1))
        return error;
    data[BOOT_STATE] &= (uint8_t)~1u;
    return fat32_batch_write(&volume->writer->batch, 0, data);
}

/* True if marking was cut short: the mark itself is not there, but what goes with it is. */
static bool is_half_marked(struct fat32_volume *volume)
{
    const struct fat32_layout *layout = &volume->writer->layout;
    uint8_t first[HAL_SECTOR_SIZE], other[HAL_SECTOR_SIZE];

    if (read_info(volume, first) == 0 && le32(first + INFO_FREE) == UNKNOWN)
        return true;
    return layout->fats > 1 && read_sector(volume, layout->fat[0], first) == 0 &&
           read_sector(volume, layout->fat[1], other) == 0 &&
           memcmp(first, other, HAL_SECTOR_SIZE) != 0;
}

/* Puts in order what was left in the middle of something. */
static int mend(struct fat32_volume *volume)
{
    struct fat32_writer *writer = volume->writer;
    uint32_t lost = 0;
    int replayed = fat32_batch_replay(&writer->batch, volume->geometry.dirty), error;

    if (replayed < 0)
        return replayed;
    if (!volume->geometry.dirty)
        return is_half_marked(volume) ? unmark(volume) : 0;
    writer->marked = true;
    error = fat32_recover(volume, &lost);
    if (!error)
        error = fat32_sync(volume);
    if (!error)
        error = clear_boot_state(volume);
    if (!error)
        error = unmark(volume);
    if (error)
        return error;
    klog(KLOG_NOTICE, "%s: was put in order:%s %u lost clusters are free", volume->device.name,
         replayed ? " an operation was completed," : "", lost);
    volume->geometry.dirty = false;
    return 0;
}

static void drop(struct fat32_volume *volume)
{
    struct fat32_writer *writer = volume->writer;

    fat32_pages_settled(volume);
    volume->writer = NULL;
    volume->cache.keeps = false;
    fat32_batch_finish(&writer->batch);
    kfree(writer->full);
    kfree(writer);
}

int fat32_writer_start(struct fat32_volume *volume)
{
    struct fat32_writer *writer = kcalloc(1, sizeof(*writer));
    int error = -ENOMEM;

    if (writer) {
        volume->writer = writer;
        volume->cache.keeps = true;
        writer->batches = 1;
        list_init(&writer->fresh);
        make_layout(volume, &writer->layout);
        writer->info = volume->geometry.info / HAL_SECTOR_SIZE;
        writer->full = kcalloc(1, writer->layout.fat_sectors / 8 + 1);
        error = fat32_batch_init(&writer->batch, &volume->device, &writer->layout, &hooks, volume);
        if (!writer->full)
            error = -ENOMEM;
        if (!error)
            error = mend(volume);
        if (error)
            drop(volume);
    }
    if (error)
        klog(KLOG_WARNING, "%s: is mounted read-only: %s", volume->device.name,
             error == -ENOMEM ? "out of memory: no room to write it"
                              : "it is damaged, or cannot be written");
    return error;
}

/* All that was changed is on the card, and the volume says so. */
static int settle(struct fat32_volume *volume)
{
    struct fat32_writer *writer = volume->writer;
    uint32_t lost;
    int error = fat32_sync(volume);

    if (!error && writer->leaks && !writer->broken) {
        error = fat32_recover(volume, &lost);
        if (!error)
            error = fat32_sync(volume);
        writer->leaks = error != 0;
    }
    if (!error && writer->marked && !writer->broken)
        error = unmark(volume);
    return error ? error : tell_failure(volume);
}

int fat32_writer_stop(struct fat32_volume *volume, bool anyway)
{
    struct fat32_writer *writer = volume->writer;
    int error;

    if (!writer)
        return 0;
    error = settle(volume);
    if (error) /* what a card refuses once it may take the next time, and there is no other */
        error = settle(volume);
    if (error)
        klog(KLOG_ERROR, "%s: could not be unmounted properly (error %d)", volume->device.name,
             -error);
    if (!error || anyway)
        drop(volume);
    return error;
}
