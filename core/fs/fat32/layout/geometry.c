/* SPDX-License-Identifier: MIT */
/*
 * geometry.c: the boot sector, read with suspicion.
 *
 * The fields that matter, by their offsets (the names are the specification's):
 *
 *     11 BytsPerSec  13 SecPerClus  14 RsvdSecCnt  16 NumFATs   17 RootEntCnt  19 TotSec16
 *     21 Media       22 FATSz16     32 TotSec32    36 FATSz32   40 ExtFlags    42 FSVer
 *     44 RootClus    65 dirty       67 VolID       510 signature 55 AA
 *
 * Sizes of up to 32 bits are multiplied and added here; all of it is done in 64 bits, where none
 * of the sums can overflow (255 FATs of 2^32 sectors of 2^12 bytes stay below 2^52).
 *
 * Whether a volume is FAT12, FAT16 or FAT32 is by definition a matter of its cluster count. A
 * volume with the FAT32 layout (no 16-bit FAT size) and too few clusters is accepted, as Linux
 * does.
 */
#include "fs/fat32/layout/geometry.h"

#include "lib/bytes.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/runtime.h>

#define CLUSTERS_MAX 0x0FFFFFF5u /* numbers from 0x0FFFFFF7 on have meanings of their own */
#define FLAG_NO_MIRROR 0x80u
#define FLAG_ACTIVE_MASK 0x0Fu

/** The fields as they stand there. */
struct fields {
    uint32_t sector_bytes, cluster_sectors, reserved, fats, root_entries, media, fat_size16;
    uint32_t total, fat_size, flags, version, root_cluster;
};

static void read_fields(const uint8_t *sector, struct fields *fields)
{
    fields->sector_bytes = le16(sector + 11);
    fields->cluster_sectors = sector[13];
    fields->reserved = le16(sector + 14);
    fields->fats = sector[16];
    fields->root_entries = le16(sector + 17);
    fields->media = sector[21];
    fields->fat_size16 = le16(sector + 22);
    /* The specification wants the 32-bit field; mkfs.fat uses the other for small volumes. */
    fields->total = le16(sector + 19) ? le16(sector + 19) : le32(sector + 32);
    fields->fat_size = le32(sector + 36);
    fields->flags = le16(sector + 40);
    fields->version = le16(sector + 42);
    fields->root_cluster = le32(sector + 44);
}

static bool power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/** Other file systems that are met on cards, recognised to be called by their names. */
static int check_kind(const uint8_t *sector, const struct fields *fields, struct problem *problem)
{
    const char *name = NULL;
    bool fat = power_of_two(fields->sector_bytes) && power_of_two(fields->cluster_sectors);

    if (memcmp(sector + 3, "NTFS    ", 8) == 0)
        name = "NTFS";
    else if (memcmp(sector + 3, "EXFAT   ", 8) == 0)
        name = "exFAT";
    else if (fat && fields->fats != 0 && fields->fat_size16 != 0)
        name = "FAT12 or FAT16";
    if (!name)
        return 0;
    problem_set(problem, problem_format_it, "The file system on the card is %s, not FAT32.", name);
    return -ENOTSUP;
}

static int lie(struct problem *problem, const char *field, uint64_t value, const char *rule)
{
    problem_set(problem, problem_write_again,
                "The boot sector is damaged: %s is %llu, and must be %s.", field,
                (unsigned long long)value, rule);
    return -EINVAL;
}

/** The fields one by one. */
static int check_fields(const struct fields *fields, struct problem *problem)
{
    if (!power_of_two(fields->sector_bytes) || fields->sector_bytes < 512 ||
        fields->sector_bytes > 4096)
        return lie(problem, "bytes per sector", fields->sector_bytes, "512, 1024, 2048 or 4096");
    if (!power_of_two(fields->cluster_sectors))
        return lie(problem, "sectors per cluster", fields->cluster_sectors, "a power of two");
    if (fields->reserved == 0)
        return lie(problem, "reserved sectors", 0, "at least 1");
    if (fields->fats == 0)
        return lie(problem, "number of FATs", 0, "at least 1");
    if (fields->media != 0xF0 && fields->media < 0xF8)
        return lie(problem, "media byte", fields->media, "240 or 248 to 255");
    if (fields->root_entries != 0)
        return lie(problem, "root entries", fields->root_entries, "0 on FAT32");
    if (fields->fat_size == 0)
        return lie(problem, "sectors per FAT", 0, "at least 1");
    if (fields->version != 0)
        return lie(problem, "FAT32 version", fields->version, "0, the only one there is");
    if ((fields->flags & FLAG_NO_MIRROR) && (fields->flags & FLAG_ACTIVE_MASK) >= fields->fats)
        return lie(problem, "active FAT", fields->flags & FLAG_ACTIVE_MASK,
                   "less than the number of FATs");
    return 0;
}

static uint32_t log2_of(uint32_t power)
{
    uint32_t shift = 0;

    while (power >> shift > 1)
        shift++;
    return shift;
}

/** How the areas of the volume lie one after the other. The fields have passed check_fields. */
static int check_areas(const struct fields *fields, uint64_t device_sectors,
                       struct fat32_geometry *geometry, struct problem *problem)
{
    uint64_t data = fields->reserved + (uint64_t)fields->fats * fields->fat_size;
    uint64_t device_bytes = device_sectors * HAL_SECTOR_SIZE;
    uint64_t clusters, entries;

    if (fields->total <= data)
        return lie(problem, "sectors of the volume", fields->total, "more than its FATs take");
    if ((uint64_t)fields->total * fields->sector_bytes > device_bytes) {
        problem_set(
            problem, problem_write_again,
            "The file system has %llu KiB, but its place on the card only %llu: it was cut short.",
            (unsigned long long)fields->total * fields->sector_bytes / 1024,
            (unsigned long long)device_bytes / 1024);
        return -EINVAL;
    }
    clusters = (fields->total - data) / fields->cluster_sectors;
    if (clusters == 0 || clusters > CLUSTERS_MAX)
        return lie(problem, "number of clusters", clusters, "1 to 268435445");
    entries = (uint64_t)fields->fat_size * fields->sector_bytes / 4;
    geometry->clamped = clusters + FAT32_FIRST_CLUSTER > entries;
    if (geometry->clamped)
        clusters = entries - FAT32_FIRST_CLUSTER;
    geometry->clusters = (uint32_t)clusters;
    geometry->data_start = data * fields->sector_bytes;
    return 0;
}

/** Which of the FATs to read, and which one instead when that cannot be read. */
static void choose_fat(const struct fields *fields, struct fat32_geometry *geometry)
{
    bool mirrored = !(fields->flags & FLAG_NO_MIRROR);
    uint64_t active = mirrored ? 0 : fields->flags & FLAG_ACTIVE_MASK;
    uint64_t bytes = (uint64_t)fields->fat_size * fields->sector_bytes;
    uint64_t first = (uint64_t)fields->reserved * fields->sector_bytes;

    geometry->fat_start = first + active * bytes;
    geometry->fat_spare = mirrored && fields->fats > 1 ? first + bytes : 0;
    geometry->fat_bytes = bytes;
    geometry->fats = mirrored ? fields->fats : 1;
    geometry->reserved = first;
}

int fat32_geometry_parse(const uint8_t *sector, uint64_t device_sectors,
                         struct fat32_geometry *geometry, struct problem *problem)
{
    struct fields fields;
    int error;

    memset(geometry, 0, sizeof(*geometry));
    read_fields(sector, &fields);
    error = check_kind(sector, &fields, problem);
    if (error)
        return error;
    if (sector[510] != 0x55 || sector[511] != 0xAA) {
        problem_set(
            problem, problem_format_it,
            "There is no FAT32 file system: the signature 55 AA is missing in its first sector.");
        return -EINVAL;
    }
    error = check_fields(&fields, problem);
    if (!error)
        error = check_areas(&fields, device_sectors, geometry, problem);
    if (error)
        return error;
    geometry->sector_bytes = fields.sector_bytes;
    geometry->cluster_shift = log2_of(fields.sector_bytes * fields.cluster_sectors);
    geometry->root_cluster = fields.root_cluster;
    geometry->media = (uint8_t)fields.media;
    geometry->volume_id = le32(sector + 67);
    geometry->dirty = sector[65] & 1;
    geometry->copy = (uint64_t)le16(sector + 50) * fields.sector_bytes;
    if (le16(sector + 48) > 0 && le16(sector + 48) < fields.reserved)
        geometry->info = (uint64_t)le16(sector + 48) * fields.sector_bytes;
    choose_fat(&fields, geometry);
    if (!fat32_cluster_valid(geometry, fields.root_cluster))
        return lie(problem, "start of the root directory", fields.root_cluster,
                   "the number of a cluster");
    return 0;
}
