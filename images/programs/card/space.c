/* SPDX-License-Identifier: MIT */
/*
 * space.c: see space.h. It is for cards that were switched off properly: one that was not may have
 * to be mended first, and that is the driver's to do.
 */
#define _FILE_OFFSET_BITS 64
#include "space.h"

#include "block/problem.h"
#include "block/table/table.h"
#include "lib/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512u
#define LINK_MASK 0x0FFFFFFFu
#define LINK_END 0x0FFFFFFFu
#define LINK_END_MIN 0x0FFFFFF8u
#define FAT_CLEAN 0x08000000u /* of the second entry: the volume was unmounted */
#define INFO_FREE 488u
#define INFO_NEXT 492u

static bool fail(struct space *space, const char *text)
{
    snprintf(space->message, sizeof(space->message), "%s", text);
    return false;
}

static bool read_at(struct space *space, uint64_t at, void *data, size_t n)
{
    ssize_t done = pread(space->fd, data, n, (off_t)(space->offset + at));

    return done == (ssize_t)n ? true
                              : fail(space, done < 0 ? strerror(errno) : "the card is too short");
}

static bool write_at(struct space *space, uint64_t at, const void *data, size_t n)
{
    ssize_t done = pwrite(space->fd, data, n, (off_t)(space->offset + at));

    return done == (ssize_t)n ? true
                              : fail(space, done < 0 ? strerror(errno) : "no room for the copy");
}

/* ---- opening ---- */

/* Sets the offset, and how many sectors there are from it on. */
static bool find_volume(struct space *space, uint64_t *sectors)
{
    uint8_t sector[SECTOR];

    if (!read_at(space, 0, sector, sizeof(sector)))
        return false;
    if (!mbr_divides(sector, *sectors))
        return true;
    if (mbr_is_protective(sector))
        return fail(space, "its table of partitions is a GPT, which --share does not read");
    for (unsigned i = 0; i < MBR_SLOTS; i++) {
        struct mbr_slot slot = mbr_slot_at(sector, i);

        if (!partition_type_is_fat32(slot.type) || slot.first == 0 ||
            slot.first + slot.sectors > *sectors)
            continue;
        space->offset = slot.first * SECTOR;
        *sectors = slot.sectors;
        return true;
    }
    return fail(space, "none of its partitions is FAT32");
}

static bool read_fat(struct space *space)
{
    size_t entries = (size_t)space->geometry.clusters + FAT32_FIRST_CLUSTER;

    space->fat = malloc(entries * sizeof(*space->fat));
    if (!space->fat)
        return fail(space, "out of memory");
    if (!read_at(space, space->geometry.fat_start, space->fat, entries * sizeof(*space->fat)))
        return false;
    for (size_t i = 0; i < entries; i++)
        space->fat[i] = le32((const uint8_t *)&space->fat[i]);
    space->next = FAT32_FIRST_CLUSTER;
    if (space->geometry.dirty || !(space->fat[1] & FAT_CLEAN))
        return fail(space, "it was not switched off properly: start the machine with it once, and "
                           "end that with poweroff");
    return true;
}

bool space_open(struct space *space, int fd)
{
    uint8_t boot[SECTOR];
    struct problem problem;
    off_t end = lseek(fd, 0, SEEK_END);
    uint64_t sectors = end < 0 ? 0 : (uint64_t)end / SECTOR;

    *space = (struct space){.fd = fd};
    if (!find_volume(space, &sectors) || !read_at(space, 0, boot, sizeof(boot)))
        return false;
    problem_clear(&problem);
    if (fat32_geometry_parse(boot, sectors, &space->geometry, &problem))
        return fail(space, problem.what);
    space->cluster_bytes = 1u << space->geometry.cluster_shift;
    if (space->cluster_bytes > SPACE_CLUSTER_MAX)
        return fail(space, "its clusters are larger than 64 KiB");
    return read_fat(space);
}

void space_close(struct space *space)
{
    free(space->fat);
    space->fat = NULL;
}

/* ---- clusters ---- */

static uint32_t clusters_end(const struct space *space)
{
    return space->geometry.clusters + FAT32_FIRST_CLUSTER;
}

static void set_link(struct space *space, uint32_t cluster, uint32_t link)
{
    space->fat[cluster] = (space->fat[cluster] & ~LINK_MASK) | link;
}

uint32_t space_take(struct space *space, struct space_chain *chain)
{
    uint32_t cluster = space->next;

    while (cluster < clusters_end(space) && (space->fat[cluster] & LINK_MASK))
        cluster++;
    space->next = cluster;
    if (cluster == clusters_end(space)) {
        fail(space, "it is full");
        return 0;
    }
    set_link(space, cluster, LINK_END);
    if (chain->last)
        set_link(space, chain->last, cluster);
    else
        chain->first = cluster;
    chain->last = cluster;
    return cluster;
}

uint32_t space_after(const struct space *space, uint32_t cluster)
{
    uint32_t link = space->fat[cluster] & LINK_MASK;

    return fat32_cluster_valid(&space->geometry, link) ? link : 0;
}

uint64_t space_free_bytes(const struct space *space)
{
    uint64_t clusters = 0;

    for (uint32_t i = FAT32_FIRST_CLUSTER; i < clusters_end(space); i++)
        clusters += !(space->fat[i] & LINK_MASK);
    return clusters << space->geometry.cluster_shift;
}

bool space_read(struct space *space, uint32_t cluster, void *data, size_t n)
{
    return read_at(space, fat32_cluster_offset(&space->geometry, cluster), data, n);
}

bool space_write(struct space *space, uint32_t cluster, const void *data, size_t n)
{
    return write_at(space, fat32_cluster_offset(&space->geometry, cluster), data, n);
}

bool space_append(struct space *space, struct space_chain *chain, const void *data, size_t n)
{
    size_t left = (n + space->cluster_bytes - 1) / space->cluster_bytes;
    const uint8_t *bytes = data;

    while (left > 0) {
        uint32_t first = space_take(space, chain), next = first;
        size_t run = 1;

        if (!first)
            return false;
        /* As many as follow each other are written at once. */
        for (; run < left; run++) {
            next = space->next + 1;
            if (next != first + run || next == clusters_end(space) ||
                (space->fat[next] & LINK_MASK))
                break;
            (void)space_take(space, chain);
        }
        if (!space_write(space, first, bytes, run * space->cluster_bytes))
            return false;
        bytes += run * space->cluster_bytes;
        left -= run;
    }
    return true;
}

/* ---- the end ---- */

static bool save_info(struct space *space)
{
    uint8_t info[SECTOR];

    if (!space->geometry.info)
        return true;
    if (!read_at(space, space->geometry.info, info, sizeof(info)))
        return false;
    put_le32(info + INFO_FREE,
             (uint32_t)(space_free_bytes(space) >> space->geometry.cluster_shift));
    put_le32(info + INFO_NEXT, FAT32_FIRST_CLUSTER);
    return write_at(space, space->geometry.info, info, sizeof(info));
}

bool space_save(struct space *space)
{
    size_t bytes = (size_t)clusters_end(space) * sizeof(*space->fat);
    bool good = save_info(space);

    for (uint32_t i = 0; i < clusters_end(space); i++)
        put_le32((uint8_t *)&space->fat[i], space->fat[i]);
    for (unsigned i = 0; i < space->geometry.fats && good; i++)
        good = write_at(space, space->geometry.fat_start + i * space->geometry.fat_bytes,
                        space->fat, bytes);
    return good;
}
