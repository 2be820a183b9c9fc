/* SPDX-License-Identifier: MIT */
/*
 * boot.c: the boot sector, its copy, and FSInfo.
 */
#include "fs/check/judge.h"

#include "lib/bytes.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define COPY_SECTOR 6u
#define UNKNOWN 0xFFFFFFFFu
#define CLUSTERS_MIN 65525u

static bool is_power(uint32_t value, uint32_t least, uint32_t most)
{
    return value >= least && value <= most && (value & (value - 1)) == 0;
}

static int refuse(struct judge *judge, const char *what, uint64_t value)
{
    judge_found(judge, CHECK_DAMAGE, "the boot sector cannot be right: %s is %llu", what,
                (unsigned long long)value);
    return -EINVAL;
}

/* The fields without which nothing can be found. */
static int read_sizes(struct judge *judge, const uint8_t *boot)
{
    struct check_volume *volume = &judge->volume;

    volume->sector_bytes = le16(boot + 11);
    if (!is_power(volume->sector_bytes, 512, 4096))
        return refuse(judge, "bytes per sector", volume->sector_bytes);
    if (!is_power(boot[13], 1, 128))
        return refuse(judge, "sectors per cluster", boot[13]);
    volume->cluster_bytes = volume->sector_bytes * boot[13];
    volume->fats = boot[16];
    if (volume->fats == 0)
        return refuse(judge, "number of FATs", 0);
    if (le16(boot + 14) == 0)
        return refuse(judge, "reserved sectors", 0);
    if (le16(boot + 17) != 0 || le16(boot + 22) != 0 || le32(boot + 36) == 0)
        return refuse(judge, "the size of the FAT, which is not FAT32's,", le16(boot + 22));
    if (le16(boot + 42) != 0)
        return refuse(judge, "version", le16(boot + 42));
    volume->media = boot[21];
    if (boot[21] != 0xF0 && boot[21] < 0xF8)
        judge_found(judge, CHECK_DAMAGE, "the media byte is %02x", boot[21]);
    return 0;
}

static int read_areas(struct judge *judge, const uint8_t *boot)
{
    struct check_volume *volume = &judge->volume;
    uint64_t reserved = le16(boot + 14), fat_sectors = le32(boot + 36);
    uint64_t total = le16(boot + 19) ? le16(boot + 19) : le32(boot + 32);
    uint64_t before = reserved + volume->fats * fat_sectors, clusters;
    unsigned active = boot[40] & 15;

    volume->mirrored = !(boot[40] & 0x80);
    if (!volume->mirrored && active >= volume->fats)
        return refuse(judge, "active FAT", active);
    if (total <= before)
        return refuse(judge, "number of sectors", total);
    if (total * volume->sector_bytes > judge->means->sectors * 512)
        return refuse(judge, "number of sectors, more than there are,", total);
    clusters = (total - before) * volume->sector_bytes / volume->cluster_bytes;
    if (clusters == 0 || clusters > 0x0FFFFFF5u)
        return refuse(judge, "number of clusters", clusters);
    if ((clusters + 2) * 4 > fat_sectors * volume->sector_bytes)
        return refuse(judge, "size of the FAT, which is too small,", fat_sectors);
    volume->clusters = (uint32_t)clusters;
    volume->fat_bytes = fat_sectors * volume->sector_bytes;
    volume->fat =
        reserved * volume->sector_bytes + (volume->mirrored ? 0 : active * volume->fat_bytes);
    volume->data = before * volume->sector_bytes;
    if (le16(boot + 48) > 0 && le16(boot + 48) < reserved)
        volume->info = (uint64_t)le16(boot + 48) * volume->sector_bytes;
    return 0;
}

static int compare_copy(struct judge *judge, const uint8_t *boot)
{
    const uint8_t *copy;
    int error;

    if (le16(boot + 48) >= le16(boot + 14))
        judge_found(judge, CHECK_DAMAGE, "FSInfo is said to be at sector %u, where it cannot be",
                    le16(boot + 48));
    if (le16(boot + 50) != 0 && (le16(boot + 50) != COPY_SECTOR || le16(boot + 14) <= COPY_SECTOR))
        judge_found(judge, CHECK_DAMAGE, "the copy of the boot sector is said to be at sector %u",
                    le16(boot + 50));
    if (le16(boot + 50) != COPY_SECTOR || le16(boot + 14) <= COPY_SECTOR)
        return 0;
    error = judge_look(judge, (uint64_t)COPY_SECTOR * judge->volume.sector_bytes, &copy);
    if (error)
        return error;
    for (unsigned at = 0; at < 512; at++)
        if (copy[at] != boot[at] && at != 65) {
            judge_found(judge, CHECK_DAMAGE,
                        "the boot sector and its copy differ, first in byte %u", at);
            break;
        }
    return 0;
}

int judge_parse(struct judge *judge, const uint8_t *boot)
{
    int error;

    if (boot[510] != 0x55 || boot[511] != 0xAA)
        return refuse(judge, "the signature", le16(boot + 510));
    error = read_sizes(judge, boot);
    if (!error)
        error = read_areas(judge, boot);
    judge->volume.root = le32(boot + 44);
    memcpy(judge->volume.label, boot + 71, sizeof(judge->volume.label));
    return error;
}

int judge_boot(struct judge *judge)
{
    const uint8_t *data;
    uint8_t boot[512];
    int error = judge_look(judge, 0, &data);

    if (error)
        return error;
    memcpy(boot, data, sizeof(boot));
    error = judge_parse(judge, boot);
    if (error)
        return error;
    judge->result->clusters = judge->volume.clusters;
    if (!judge_valid(judge, judge->volume.root))
        return refuse(judge, "the root's cluster", judge->volume.root);
    if (memcmp(boot + 82, "FAT32   ", 8) != 0)
        judge_found(judge, CHECK_NOTE, "the boot sector does not say FAT32 in words");
    if (judge->volume.clusters < CLUSTERS_MIN)
        judge_found(judge, CHECK_NOTE, "with %u clusters some systems do not take it for FAT32",
                    judge->volume.clusters);
    if (boot[65] & 1) {
        judge->result->in_use = true;
        judge_found(judge, CHECK_UNTIDY, "the boot sector says that the volume is in use");
    }
    return compare_copy(judge, boot);
}

int judge_info(struct judge *judge)
{
    const struct check_result *result = judge->result;
    uint32_t free = result->clusters - result->used - result->lost - result->bad, said;
    const uint8_t *info;
    int error;

    if (judge->volume.info == 0)
        return 0;
    error = judge_look(judge, judge->volume.info, &info);
    if (error)
        return error;
    if (le32(info) != 0x41615252u || le32(info + 484) != 0x61417272u ||
        le32(info + 508) != 0xAA550000u) {
        judge_found(judge, CHECK_DAMAGE, "the FSInfo sector is none");
        return 0;
    }
    said = le32(info + 488);
    if (said == UNKNOWN)
        judge_found(judge, CHECK_UNTIDY, "the number of free clusters is not known");
    else if (said != free && said != free + result->lost)
        judge_found(judge, CHECK_DAMAGE, "%u clusters are said to be free, and %u are", said, free);
    if (le32(info + 492) != UNKNOWN && !judge_valid(judge, le32(info + 492)))
        judge_found(judge, CHECK_NOTE, "the next free cluster is said to be %u, which is none",
                    le32(info + 492));
    return 0;
}
