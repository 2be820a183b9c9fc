/* SPDX-License-Identifier: MIT */
/*
 * place.c: finds things on the volume, by its own reading of it.
 */
#include "case.h"

#include "lib/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *place_sector(uint32_t sector)
{
    return card.image + (size_t)sector * HAL_SECTOR_SIZE;
}

static uint32_t fat_sector(unsigned copy)
{
    return le16(card.image + 14) + copy * le32(card.image + 36);
}

uint32_t get_link(uint32_t cluster)
{
    return le32(place_sector(fat_sector(0)) + 4 * cluster) & 0x0FFFFFFF;
}

void set_link(uint32_t cluster, uint32_t value)
{
    for (unsigned copy = 0; copy < card.image[16]; copy++)
        put_le32(place_sector(fat_sector(copy)) + 4 * cluster, value);
}

uint8_t *place_cluster(uint32_t cluster)
{
    return place_sector(fat_sector(card.image[16]) + (cluster - 2) * card.image[13]);
}

uint32_t slot_start(const uint8_t *slot)
{
    return le16(slot + 26) | (uint32_t)le16(slot + 20) << 16;
}

static uint8_t *find(uint32_t cluster, const char *name)
{
    for (; cluster >= 2 && cluster < 0x0FFFFFF8; cluster = get_link(cluster))
        for (unsigned at = 0; at < HAL_SECTOR_SIZE; at += 32)
            if (memcmp(place_cluster(cluster) + at, name, 11) == 0)
                return place_cluster(cluster) + at;
    fprintf(stderr, "there is no %s\n", name);
    exit(2);
}

uint8_t *place_slot(const char *name)
{
    uint32_t root = le32(card.image + 44);

    if (strncmp(name, "DIR/", 4) == 0)
        return find(slot_start(find(root, "D          ")), name + 4);
    return find(root, name);
}
