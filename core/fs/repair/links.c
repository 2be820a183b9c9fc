/* SPDX-License-Identifier: MIT */
/*
 * links.c: the FAT in memory: read, walked, cut, and written back.
 */
#include "fs/repair/work.h"

#include "lib/bytes.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SECTOR 512u
#define ENTRIES (SECTOR / 4)
#define CLEAN 0x08000000u

static uint32_t *word_of(const struct repair *repair, uint32_t cluster)
{
    return (uint32_t *)(void *)check_row_at(&repair->links, (uint64_t)cluster * 4);
}

uint32_t repair_link(const struct repair *repair, uint32_t cluster)
{
    return *word_of(repair, cluster) & REPAIR_LINK_MASK;
}

void repair_set_link(struct repair *repair, uint32_t cluster, uint32_t value)
{
    uint32_t *word = word_of(repair, cluster);

    *word = (*word & ~REPAIR_LINK_MASK) | value;
}

/* ---- reading and writing ---- */

/* The first FAT that is kept alike, and how many there are. */
static unsigned copies(const struct repair *repair)
{
    return repair->volume.mirrored ? repair->volume.fats : 1;
}

static uint64_t place_of(const struct repair *repair, unsigned copy, uint32_t sector)
{
    return repair->volume.fat + copy * repair->volume.fat_bytes + (uint64_t)sector * SECTOR;
}

static int read_sector(struct repair *repair, unsigned copy, uint32_t sector, uint8_t *data)
{
    int error = repair_read(repair, place_of(repair, copy, sector), data, SECTOR);

    for (unsigned other = 0; error && other < copies(repair); other++)
        error = repair_read(repair, place_of(repair, other, sector), data, SECTOR);
    return error;
}

/* The copy whose first entry is what it should be. */
static int choose_copy(struct repair *repair, unsigned *copy)
{
    uint8_t data[SECTOR];

    for (*copy = 0; *copy < copies(repair); ++*copy) {
        int error = read_sector(repair, *copy, 0, data);

        if (error)
            return error;
        if ((le32(data) & REPAIR_LINK_MASK) == (0x0FFFFF00u | repair->volume.media)) {
            if (*copy > 0)
                repair_say(repair, "FAT %u is taken, for the first begins wrong", *copy + 1);
            return 0;
        }
    }
    *copy = 0;
    return 0;
}

static uint32_t sectors_of(const struct repair *repair)
{
    return (repair->volume.clusters + 2 + ENTRIES - 1) / ENTRIES;
}

/* Links to nowhere become ends. */
static void mend_link(struct repair *repair, uint32_t cluster)
{
    uint32_t value = repair_link(repair, cluster);

    if (value == 0 || value >= REPAIR_LINK_BAD || repair_valid(repair, value))
        return;
    repair_say(repair, "cluster %u led to %u, which does not exist", cluster, value);
    repair_set_link(repair, cluster, REPAIR_LINK_END);
}

int repair_load_links(struct repair *repair)
{
    uint32_t end = repair->volume.clusters + 2;
    uint8_t data[SECTOR];
    unsigned copy = 0;
    int error;

    error = check_row_begin(&repair->links, repair->means, (uint64_t)sectors_of(repair) * SECTOR);
    if (!error)
        error = check_row_begin(&repair->owned, repair->means, end / 8 + 1);
    if (!error)
        error = choose_copy(repair, &copy);
    for (uint32_t sector = 0; sector < sectors_of(repair) && !error; sector++) {
        error = read_sector(repair, copy, sector, data);
        for (uint32_t i = 0; i < ENTRIES; i++)
            *word_of(repair, sector * ENTRIES + i) = le32(data + 4 * i);
    }
    for (uint32_t cluster = 2; cluster < end && !error; cluster++)
        mend_link(repair, cluster);
    return error;
}

static void fill_sector(const struct repair *repair, uint32_t sector, uint8_t *data)
{
    uint32_t end = repair->volume.clusters + 2;

    for (uint32_t i = 0; i < ENTRIES && sector * ENTRIES + i < end; i++)
        put_le32(data + 4 * i, *word_of(repair, sector * ENTRIES + i));
}

static int store_sector(struct repair *repair, uint32_t sector)
{
    uint8_t old[SECTOR], new[SECTOR];

    for (unsigned copy = 0; copy < copies(repair); copy++) {
        uint64_t place = place_of(repair, copy, sector);
        int error = repair_read(repair, place, old, SECTOR);

        if (error)
            memset(old, 0, SECTOR);
        memcpy(new, old, SECTOR); /* what is behind the last cluster stays */
        fill_sector(repair, sector, new);
        if (!error && memcmp(old, new, SECTOR) == 0)
            continue;
        error = repair_write(repair, place, new, SECTOR);
        if (error)
            return error;
    }
    return 0;
}

int repair_store_links(struct repair *repair, bool clean)
{
    uint32_t mark = clean ? REPAIR_LINK_END : REPAIR_LINK_END & ~CLEAN;
    int error = 0;

    repair_set_link(repair, 0, 0x0FFFFF00u | repair->volume.media);
    repair_set_link(repair, 1, mark);
    for (uint32_t sector = sectors_of(repair); sector-- > 0 && !error;)
        error = store_sector(repair, sector);
    return error;
}

int repair_mark(struct repair *repair)
{
    uint8_t data[SECTOR];

    for (unsigned copy = 0; copy < copies(repair); copy++) {
        int error = repair_read(repair, place_of(repair, copy, 0), data, SECTOR);

        put_le32(data + 4, le32(data + 4) & ~CLEAN);
        if (!error)
            error = repair_write(repair, place_of(repair, copy, 0), data, SECTOR);
        if (error)
            return error;
    }
    return 0;
}

/* ---- owners ---- */

bool repair_is_owned(const struct repair *repair, uint32_t cluster)
{
    return *check_row_at(&repair->owned, cluster / 8) >> cluster % 8 & 1;
}

static void own(struct repair *repair, uint32_t cluster)
{
    *check_row_at(&repair->owned, cluster / 8) |= (uint8_t)(1u << cluster % 8);
}

/* True if a chain can go on with the cluster. */
static bool is_good(const struct repair *repair, uint32_t cluster)
{
    return repair_valid(repair, cluster) && repair_link(repair, cluster) != 0 &&
           repair_link(repair, cluster) != REPAIR_LINK_BAD && !repair_is_owned(repair, cluster);
}

uint32_t repair_own(struct repair *repair, uint32_t first, uint32_t most, const char *name)
{
    uint32_t cluster = first, last = 0, length = 0;

    while (length < most && is_good(repair, cluster)) {
        own(repair, cluster);
        length++;
        last = cluster;
        cluster = repair_link(repair, cluster);
    }
    if (length > 0 && cluster < REPAIR_LINK_END_MIN) {
        repair_say(repair, "%s ends behind %u clusters", name, length);
        repair_set_link(repair, last, REPAIR_LINK_END);
    }
    return length;
}

uint32_t repair_count_free(const struct repair *repair)
{
    uint32_t count = 0;

    for (uint32_t cluster = 2; cluster < repair->volume.clusters + 2; cluster++)
        count += repair_link(repair, cluster) == 0;
    return count;
}

uint32_t repair_take(struct repair *repair)
{
    for (uint32_t cluster = 2; cluster < repair->volume.clusters + 2; cluster++)
        if (repair_link(repair, cluster) == 0) {
            repair_set_link(repair, cluster, REPAIR_LINK_END);
            own(repair, cluster);
            return cluster;
        }
    return 0;
}
