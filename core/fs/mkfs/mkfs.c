/* SPDX-License-Identifier: MIT */
/*
 * mkfs.c: see mkfs.h. The boot sector comes last: until it is there, there is no volume.
 */
#include "fs/mkfs/mkfs.h"

#include "lib/bytes.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SECTOR 512u
#define ZEROS 8u /* sectors that are written at once */
#define MEDIA 0xF8u
#define CLUSTERS_MAX 0x0FFFFFF5u
#define CLUSTER_BYTES_MAX 65536u
#define COPY 6u /* sector of the copies of the boot sectors */
#define ROOT 2u
#define LABEL_BYTES 11u
#define ALIGNED_LEAST 64u /* clusters: a volume of fewer has no room to lose */
#define LINK_END 0x0FFFFFFFu

/* The volume as it will be; sizes in sectors of its own. */
struct plan {
    const struct mkfs_options *options;
    uint32_t sector_bytes, cluster_sectors, reserved, fats, fat_sectors, clusters;
    uint64_t total;
    char label[LABEL_BYTES];
};

/* ---- sizes ---- */

static bool is_power(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* What the specification's table says for a volume of so many bytes. */
static uint32_t usual_cluster(uint64_t bytes)
{
    static const struct {
        uint32_t mib, cluster;
    } table[] = {{260, 512}, {8192, 4096}, {16384, 8192}, {32768, 16384}};

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (bytes <= (uint64_t)table[i].mib << 20)
            return table[i].cluster;
    return 32768;
}

static uint64_t data_start(const struct plan *plan)
{
    return plan->reserved + (uint64_t)plan->fats * plan->fat_sectors;
}

static void count_clusters(struct plan *plan)
{
    uint64_t start = data_start(plan), data = plan->total > start ? plan->total - start : 0;

    data /= plan->cluster_sectors;
    plan->clusters = data > CLUSTERS_MAX ? UINT32_MAX : (uint32_t)data;
}

/* The FAT takes room that would otherwise be clusters, which makes the FAT smaller. */
static void size_fat(struct plan *plan)
{
    uint64_t entries = plan->sector_bytes / 4, left = plan->total - plan->reserved;
    uint64_t per_sector = entries * plan->cluster_sectors + plan->fats;

    plan->fat_sectors =
        (uint32_t)((left + 2 * (uint64_t)plan->cluster_sectors + per_sector - 1) / per_sector);
    count_clusters(plan);
}

/*
 * Reserves some sectors more, so that clusters begin at multiples of their size, counted from the
 * start of the medium: a page of a file is then a page of what holds the card, be that flash or a
 * file of the host. Example: 32 reserved sectors, two FATs of 79, clusters of 8: 190, so 2 more.
 * That may cost a cluster; not the one without which others take the volume for FAT16.
 */
static void align_data(struct plan *plan)
{
    uint32_t unit = plan->sector_bytes / SECTOR, cluster = plan->cluster_sectors * unit;
    uint64_t start = plan->options->hidden + data_start(plan) * unit;
    uint32_t more = (uint32_t)((cluster - start % cluster) % cluster);
    struct plan aligned = *plan;

    if (plan->options->reserved || plan->clusters < ALIGNED_LEAST || more % unit != 0)
        return;
    aligned.reserved += more / unit;
    count_clusters(&aligned);
    if (plan->clusters < MKFS_CLUSTERS_USUAL || aligned.clusters >= MKFS_CLUSTERS_USUAL)
        *plan = aligned;
}

static int make_plan(struct plan *plan, const struct mkfs_options *options)
{
    uint32_t cluster =
        options->cluster_bytes ? options->cluster_bytes : usual_cluster(options->sectors * SECTOR);

    plan->options = options;
    plan->sector_bytes = options->sector_bytes ? options->sector_bytes : SECTOR;
    plan->reserved = options->reserved ? options->reserved : MKFS_RESERVED;
    plan->fats = options->fats ? options->fats : 2;
    if (!is_power(plan->sector_bytes) || plan->sector_bytes < SECTOR || plan->sector_bytes > 4096)
        return -EINVAL;
    if (cluster < plan->sector_bytes && !options->cluster_bytes)
        cluster = plan->sector_bytes;
    if (!is_power(cluster) || cluster < plan->sector_bytes || cluster > CLUSTER_BYTES_MAX ||
        cluster / plan->sector_bytes > 128)
        return -EINVAL;
    if (plan->reserved < MKFS_RESERVED_MIN || plan->reserved > UINT16_MAX || plan->fats > 2)
        return -EINVAL;
    plan->cluster_sectors = cluster / plan->sector_bytes;
    plan->total = options->sectors / (plan->sector_bytes / SECTOR);
    if (plan->total > UINT32_MAX)
        return -EFBIG;
    if (plan->total <= plan->reserved)
        return -ENOSPC;
    size_fat(plan);
    align_data(plan);
    if (plan->clusters == 0)
        return -ENOSPC;
    return plan->clusters > CLUSTERS_MAX ? -EFBIG : 0;
}

/* Capitals, as labels have them. -EINVAL: too long, or something that a label cannot have. */
static int make_label(struct plan *plan)
{
    static const char illegal[] = "\"*+,./:;<=>?[\\]|";
    const char *text = plan->options->label;
    unsigned n = 0;

    memset(plan->label, ' ', LABEL_BYTES);
    if (!text || text[0] == '\0') {
        memcpy(plan->label, "NO NAME    ", LABEL_BYTES);
        return 0;
    }
    for (; text[n]; n++) {
        char c = text[n];

        if (n == LABEL_BYTES || (uint8_t)c < 0x20 || (uint8_t)c > 0x7E)
            return -EINVAL;
        for (const char *p = illegal; *p; p++)
            if (c == *p)
                return -EINVAL;
        plan->label[n] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    return plan->label[0] == ' ' ? -EINVAL : 0;
}

/* ---- writing ---- */

/* Writes 512 bytes to the beginning of one of the volume's sectors. */
static int put(const struct plan *plan, uint64_t sector, const uint8_t *data)
{
    return plan->options->write(plan->options->context, sector * (plan->sector_bytes / SECTOR),
                                data, 1);
}

static int put_zeros(const struct plan *plan, uint64_t first, uint64_t count)
{
    static const uint8_t zeros[ZEROS * SECTOR];
    uint64_t at = first * (plan->sector_bytes / SECTOR);
    uint64_t left = count * (plan->sector_bytes / SECTOR);
    int error = 0;

    while (left > 0 && !error) {
        unsigned n = left < ZEROS ? (unsigned)left : ZEROS;

        error = plan->options->write(plan->options->context, at, zeros, n);
        at += n;
        left -= n;
    }
    return error;
}

static int put_fats(const struct plan *plan)
{
    uint8_t first[SECTOR] = {0};
    int error = 0;

    put_le32(first, 0x0FFFFF00u | MEDIA);
    put_le32(first + 4, LINK_END); /* clean, no errors */
    put_le32(first + 4 * ROOT, LINK_END);
    for (unsigned fat = 0; fat < plan->fats && !error; fat++)
        error = put(plan, plan->reserved + (uint64_t)fat * plan->fat_sectors, first);
    return error;
}

static int put_root(const struct plan *plan)
{
    uint8_t slot[SECTOR] = {0};

    if (!plan->options->label || plan->options->label[0] == '\0')
        return 0;
    memcpy(slot, plan->label, LABEL_BYTES);
    slot[11] = 0x08;
    put_le16(slot + 22, plan->options->time);
    put_le16(slot + 24, plan->options->date);
    return put(plan, data_start(plan), slot);
}

static int put_info(const struct plan *plan, uint64_t sector)
{
    uint8_t info[SECTOR] = {0};

    put_le32(info, 0x41615252u);
    put_le32(info + 484, 0x61417272u);
    put_le32(info + 488, plan->clusters - 1);
    put_le32(info + 492, ROOT);
    put_le32(info + 508, 0xAA550000u);
    return put(plan, sector, info);
}

static void fill_boot(const struct plan *plan, uint8_t *boot)
{
    static const uint8_t start[] = {0xEB, 0x58, 0x90, 'T', 'A', 'Y', 'B', 'E', 'R', 'R', 'Y'};
    static const uint8_t halt[] = {0xF4, 0xEB, 0xFD}; /* a PC that boots from it stops */

    memcpy(boot, start, sizeof(start));
    put_le16(boot + 11, (uint16_t)plan->sector_bytes);
    boot[13] = (uint8_t)plan->cluster_sectors;
    put_le16(boot + 14, (uint16_t)plan->reserved);
    boot[16] = (uint8_t)plan->fats;
    boot[21] = MEDIA;
    put_le16(boot + 24, 63); /* a geometry, for those who ask */
    put_le16(boot + 26, 255);
    put_le32(boot + 28, (uint32_t)plan->options->hidden);
    put_le32(boot + 32, (uint32_t)plan->total);
    put_le32(boot + 36, plan->fat_sectors);
    put_le32(boot + 44, ROOT);
    put_le16(boot + 48, 1);
    put_le16(boot + 50, COPY);
    boot[64] = 0x80;
    boot[66] = 0x29;
    put_le32(boot + 67, plan->options->volume_id);
    memcpy(boot + 71, plan->label, LABEL_BYTES);
    memcpy(boot + 82, "FAT32   ", 8);
    memcpy(boot + 90, halt, sizeof(halt));
    put_le16(boot + 510, 0xAA55);
}

/* The three boot sectors, or their copies. */
static int put_boot(const struct plan *plan, uint64_t sector)
{
    uint8_t boot[SECTOR] = {0}, third[SECTOR] = {0};
    int error = put_info(plan, sector + 1);

    put_le16(third + 510, 0xAA55);
    if (!error)
        error = put(plan, sector + 2, third);
    fill_boot(plan, boot);
    return error ? error : put(plan, sector, boot);
}

int fat_format(const struct mkfs_options *options, struct mkfs_result *result)
{
    struct plan plan;
    int error = make_plan(&plan, options);

    if (!error)
        error = make_label(&plan);
    if (error)
        return error;
    /* All that is read later: reserved sectors, FATs, the root's cluster. */
    error = put_zeros(&plan, 0, data_start(&plan) + plan.cluster_sectors);
    if (!error)
        error = put_fats(&plan);
    if (!error)
        error = put_root(&plan);
    if (!error)
        error = put_boot(&plan, COPY);
    if (!error)
        error = put_boot(&plan, 0);
    *result = (struct mkfs_result){plan.sector_bytes, plan.cluster_sectors * plan.sector_bytes,
                                   plan.clusters, plan.fat_sectors};
    return error;
}
