/* SPDX-License-Identifier: MIT */
/*
 * recover.c: a volume that was left in use, looked at from end to end.
 *
 * Every chain is followed from the entry that owns it, and each cluster remembered in a bitmap.
 * What the FAT says is in use and nobody has is then free; a chain that is longer than its file is
 * cut. These are what a cut of power leaves, and repairing them loses nothing. Anything else -- a
 * cluster with two owners, a chain that ends too early -- was not caused by this code: then nothing
 * is changed, and the volume stays read-only until fsck has mended it.
 *
 * The number of steps is bounded by that of clusters: no cluster is passed twice.
 */
#include "fs/fat32/write/write.h"

#include "heap/heap.h"
#include "lib/bytes.h"
#include "lib/log.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define LINK_BAD 0x0FFFFFF7u
#define LINK_END_MIN 0x0FFFFFF8u
#define LINK_END 0x0FFFFFFFu
#define SLOT_END 0x00u
#define SLOT_ERASED 0xE5u
#define SLOT_ESCAPED 0x05u /* means 0xE5 */
#define ATTRIBUTES_LONG 0x0Fu
#define LABEL 0x08u

/* Directories that are still to be looked at. */
struct pending {
    uint32_t *clusters;
    uint32_t used, size;
};

struct recovery {
    struct fat32_volume *volume;
    uint8_t *owned; /* a bit for each cluster */
    struct pending pending;
    struct fat32_entry entry;
};

static int add_pending(struct pending *pending, uint32_t cluster)
{
    if (pending->used == pending->size) {
        uint32_t size = pending->size ? pending->size * 2 : 64;
        uint32_t *larger = krealloc(pending->clusters, size * sizeof(*larger));

        if (!larger)
            return -ENOMEM;
        pending->clusters = larger;
        pending->size = size;
    }
    pending->clusters[pending->used++] = cluster;
    return 0;
}

/* Makes `cluster` somebody's. -EINVAL: it is somebody's already, or none. */
static int own(struct recovery *recovery, uint32_t cluster)
{
    uint8_t bit = (uint8_t)(1u << cluster % 8);

    if (!fat32_cluster_valid(&recovery->volume->geometry, cluster) ||
        recovery->owned[cluster / 8] & bit) {
        klog(KLOG_WARNING, "%s: cluster %u does not exist or is in two files",
             recovery->volume->device.name, cluster);
        return -EINVAL;
    }
    recovery->owned[cluster / 8] |= bit;
    return 0;
}

static int cut_behind(struct fat32_volume *volume, uint32_t cluster)
{
    int error = fat32_begin(volume, 1);

    return error ? error : fat32_end(volume, fat32_link(volume, cluster, LINK_END));
}

/* Owns a chain of `want` clusters; UINT32_MAX: however many there are. */
static int own_chain(struct recovery *recovery, uint32_t cluster, uint32_t want)
{
    struct fat32_volume *volume = recovery->volume;
    uint32_t next = cluster;

    for (uint32_t i = 0; i < want; i++) {
        int error = own(recovery, next);

        if (error)
            return error;
        cluster = next;
        error = fat32_table_get(volume, cluster, &next);
        if (error)
            return error;
        if (next >= LINK_END_MIN)
            return want == UINT32_MAX || i + 1 == want ? 0 : -EINVAL;
    }
    return cut_behind(volume, cluster);
}

/* A file that was given a cluster and no size: it has none, and the cluster will be nobody's. */
static int forget_start(struct fat32_volume *volume, uint64_t place)
{
    uint8_t *entry = NULL;
    int error = fat32_begin(volume, 1);

    if (error)
        return error;
    error = fat32_change(volume, place, &entry);
    if (!error) {
        put_le16(entry + 20, 0);
        put_le16(entry + 26, 0);
    }
    return fat32_end(volume, error);
}

/* `place` is where the entry is on the volume. */
static int own_entry(struct recovery *recovery, uint64_t place)
{
    const struct fat32_entry *entry = &recovery->entry;
    unsigned shift = recovery->volume->geometry.cluster_shift;
    uint64_t size = entry->public.attributes.size;

    if (entry->public.attributes.type == VNODE_DIRECTORY) {
        int error = own_chain(recovery, entry->cluster, UINT32_MAX);

        return error ? error : add_pending(&recovery->pending, entry->cluster);
    }
    if (size == 0 && entry->cluster == 0)
        return 0;
    if (size == 0 && fat32_cluster_valid(&recovery->volume->geometry, entry->cluster))
        return forget_start(recovery->volume, place);
    return own_chain(recovery, entry->cluster,
                     (uint32_t)((size + ((uint64_t)1 << shift) - 1) >> shift));
}

static int erase_slot(struct fat32_volume *volume, uint64_t place)
{
    uint8_t *slot = NULL;
    int error = fat32_begin(volume, 1);

    if (error)
        return error;
    error = fat32_change(volume, place, &slot);
    if (!error)
        slot[0] = SLOT_ERASED;
    return fat32_end(volume, error);
}

/* Slot number `number` of a directory; -ENOENT: it has no such slot. */
static int find_slot(struct fat32_volume *volume, struct fat32_chain *chain, uint64_t number,
                     uint64_t *place, const uint8_t **slot)
{
    size_t available;
    int error = fat32_chain_place(volume, chain, number, place);

    return error ? error : fat32_look(volume, *place, slot, &available);
}

/*
 * Erases what is between the slots `from` and `to`: parts of names that have no entry. The last one
 * first, for what a cut leaves of them is to begin as a name does.
 */
static int erase_orphans(struct fat32_volume *volume, struct fat32_chain *chain, uint64_t from,
                         uint64_t to)
{
    uint64_t end = from, place = 0;
    const uint8_t *slot = NULL;
    int error = 0;

    for (; end < to; end++) {
        error = find_slot(volume, chain, end, &place, &slot);
        if (error || slot[0] == SLOT_END)
            break;
    }
    if (error == -ENOENT)
        error = 0;
    while (end > from && !error) {
        error = find_slot(volume, chain, --end, &place, &slot);
        if (!error && slot[0] != SLOT_ERASED && (slot[11] & 0x3F) == ATTRIBUTES_LONG)
            error = erase_slot(volume, place);
    }
    return error;
}

/* ---- what a directory consists of ---- */

static bool is_letter(uint8_t letter)
{
    static const char illegal[] = "\"*+,./:;<=>?[\\]|";

    for (const char *p = illegal; *p; p++)
        if (letter == (uint8_t)*p)
            return false;
    return letter >= 0x20;
}

/* True if the slot, which is in use, can be an entry. */
static bool is_entry(const uint8_t *slot, bool of_root)
{
    uint8_t kind = slot[11] & (LABEL | FAT32_MARK_DIRECTORY);

    if ((slot[11] & 0x3F) == ATTRIBUTES_LONG)
        return true;
    if ((kind & LABEL) && (kind != LABEL || !of_root))
        return false;
    if (kind == FAT32_MARK_DIRECTORY && le32(slot + 28) != 0)
        return false;
    if (kind == LABEL || slot[0] == '.')
        return true;
    for (unsigned i = 0; i < FAT32_SHORT_BYTES; i++)
        if (!is_letter(slot[i]) && !(i == 0 && slot[i] == SLOT_ESCAPED))
            return false;
    return slot[0] != ' ';
}

/* A sector that the power went in the middle of is hardly ever one that could be of a directory. */
static int look_at_slots(struct fat32_volume *volume, struct fat32_chain *chain, bool of_root)
{
    const uint8_t *slot = NULL;
    uint64_t place = 0;
    bool ended = false;
    int error = 0;

    for (uint64_t number = 0; number < FAT32_SLOTS_MAX && !error; number++) {
        error = find_slot(volume, chain, number, &place, &slot);
        if (error || slot[0] == SLOT_ERASED)
            continue;
        ended = ended || slot[0] == SLOT_END;
        if (slot[0] != SLOT_END && (ended || !is_entry(slot, of_root))) {
            klog(KLOG_WARNING, "%s: a directory has something that is no entry",
                 volume->device.name);
            return -EINVAL;
        }
    }
    return error == -ENOENT ? 0 : error;
}

static int look_at_directory(struct recovery *recovery, uint32_t cluster)
{
    struct fat32_volume *volume = recovery->volume;
    struct fat32_chain chain;
    uint64_t position = 0, place = 0, from = 0;
    int error;

    fat32_chain_init(&chain, volume, cluster, UINT32_MAX);
    error = look_at_slots(volume, &chain, cluster == volume->geometry.root_cluster);
    while (!error) {
        error = fat32_directory_next(volume, &chain, &position, &recovery->entry);
        if (error)
            break;
        error = erase_orphans(volume, &chain, from, position - 1 - recovery->entry.long_slots);
        if (!error)
            error = fat32_chain_place(volume, &chain, position - 1, &place);
        if (!error)
            error = own_entry(recovery, place);
        from = position;
    }
    if (error == -ENOENT)
        error = erase_orphans(volume, &chain, from, FAT32_SLOTS_MAX);
    fat32_chain_finish(&chain);
    return error;
}

static int look_at_tree(struct recovery *recovery)
{
    uint32_t root = recovery->volume->geometry.root_cluster;
    int error = own_chain(recovery, root, UINT32_MAX);

    if (!error)
        error = add_pending(&recovery->pending, root);
    while (!error && recovery->pending.used > 0)
        error = look_at_directory(recovery, recovery->pending.clusters[--recovery->pending.used]);
    return error;
}

/* ---- what nobody has ---- */

static bool is_lost(const struct recovery *recovery, uint32_t cluster, uint32_t link)
{
    return link != 0 && link != LINK_BAD && !(recovery->owned[cluster / 8] >> cluster % 8 & 1);
}

/* Frees the lost clusters from `first` to `last`, which are of one sector of the FAT. */
static int free_lost(struct recovery *recovery, uint32_t first, uint32_t last, uint32_t *lost)
{
    struct fat32_volume *volume = recovery->volume;
    int error = 0;

    for (uint32_t cluster = first; cluster <= last && !error; cluster++) {
        uint32_t link = 0;

        error = fat32_table_get(volume, cluster, &link);
        if (error || !is_lost(recovery, cluster, link))
            continue;
        error = fat32_begin(volume, 1);
        if (!error)
            error = fat32_end(volume, fat32_link(volume, cluster, 0));
        (*lost)++;
    }
    return error;
}

/* Makes the copies of one sector of the FAT like the first. */
static int copy_sector(struct fat32_volume *volume, uint64_t sector)
{
    const struct fat32_layout *layout = &volume->writer->layout;
    uint8_t data[HAL_SECTOR_SIZE];
    const uint8_t *other;
    size_t available;
    int error = fat32_cache_get(&volume->cache, (layout->fat[0] + sector) * HAL_SECTOR_SIZE, &other,
                                &available);

    if (error)
        return error;
    memcpy(data, other, sizeof(data));
    for (unsigned copy = 1; copy < layout->fats && !error; copy++) {
        uint64_t at = layout->fat[copy] + sector;

        error = fat32_cache_get(&volume->cache, at * HAL_SECTOR_SIZE, &other, &available);
        if (error == 0 && memcmp(other, data, sizeof(data)) == 0)
            continue;
        error = fat32_batch_write(&volume->writer->batch, at, data);
    }
    return error;
}

static int look_at_table(struct recovery *recovery, uint32_t *lost)
{
    struct fat32_volume *volume = recovery->volume;
    uint32_t end = volume->geometry.clusters + FAT32_FIRST_CLUSTER;
    int error = 0;

    for (uint32_t first = 0; first < end && !error; first += HAL_SECTOR_SIZE / 4) {
        uint32_t last = first + HAL_SECTOR_SIZE / 4 - 1;

        error = free_lost(recovery, first ? first : FAT32_FIRST_CLUSTER,
                          last < end ? last : end - 1, lost);
    }
    if (!error)
        error = fat32_sync(volume);
    for (uint64_t sector = 0; sector < volume->writer->layout.fat_sectors && !error; sector++)
        error = copy_sector(volume, sector);
    return error;
}

int fat32_recover(struct fat32_volume *volume, uint32_t *lost)
{
    struct recovery *recovery = kcalloc(1, sizeof(*recovery));
    int error = -ENOMEM;

    *lost = 0;
    if (recovery) {
        recovery->volume = volume;
        recovery->owned = kcalloc(1, (volume->geometry.clusters + FAT32_FIRST_CLUSTER) / 8 + 1);
        if (recovery->owned)
            error = look_at_tree(recovery);
        if (!error)
            error = look_at_table(recovery, lost);
        kfree(recovery->owned);
        kfree(recovery->pending.clusters);
    }
    kfree(recovery);
    return error;
}
