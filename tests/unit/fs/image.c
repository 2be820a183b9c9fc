/* SPDX-License-Identifier: MIT */
/*
 * image.c: see image.h.
 */
#include "image.h"

#include <stdlib.h>
#include <string.h>

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value);
    put16(at + 2, value >> 16);
}

static uint32_t volume_sectors(const struct image *image)
{
    return IMAGE_RESERVED + 2 * image->fat_sectors + image->clusters;
}

static void build_table(struct image *image)
{
    uint8_t *slot = image->bytes + 446;

    slot[4] = 0x0C;
    put32(slot + 8, IMAGE_PART);
    put32(slot + 12, volume_sectors(image));
    put16(image->bytes + 510, 0xAA55);
}

static void build_boot(struct image *image)
{
    image_boot8(image, 0, 0xEB);
    image_boot8(image, 2, 0x90);
    image_boot16(image, 11, IMAGE_SECTOR);
    image_boot8(image, 13, 1);
    image_boot16(image, 14, IMAGE_RESERVED);
    image_boot8(image, 16, 2);
    image_boot8(image, 21, 0xF8);
    image_boot32(image, 32, volume_sectors(image));
    image_boot32(image, 36, image->fat_sectors);
    image_boot32(image, 44, IMAGE_ROOT);
    image_boot16(image, 48, 1);
    image_boot16(image, 50, 6);
    image_boot16(image, 510, 0xAA55);
}

void image_build(struct image *image, uint32_t clusters)
{
    image->clusters = clusters;
    image->fat_sectors = ((clusters + 2) * 4 + IMAGE_SECTOR - 1) / IMAGE_SECTOR;
    image->size = (size_t)(IMAGE_PART + volume_sectors(image)) * IMAGE_SECTOR;
    image->bytes = calloc(1, image->size);
    build_table(image);
    build_boot(image);
    image_link(image, 0, 0x0FFFFFF8);
    image_link(image, 1, IMAGE_END);
    image_link(image, IMAGE_ROOT, IMAGE_END);
}

void image_free(struct image *image)
{
    free(image->bytes);
    image->bytes = NULL;
}

uint8_t *image_boot(struct image *image)
{
    return image->bytes + IMAGE_PART * IMAGE_SECTOR;
}

void image_boot8(struct image *image, unsigned offset, uint8_t value)
{
    image_boot(image)[offset] = value;
    image_boot(image)[6 * IMAGE_SECTOR + offset] = value;
}

void image_boot16(struct image *image, unsigned offset, uint16_t value)
{
    image_boot8(image, offset, (uint8_t)value);
    image_boot8(image, offset + 1, (uint8_t)(value >> 8));
}

void image_boot32(struct image *image, unsigned offset, uint32_t value)
{
    image_boot16(image, offset, (uint16_t)value);
    image_boot16(image, offset + 2, (uint16_t)(value >> 16));
}

void image_link(struct image *image, uint32_t cluster, uint32_t value)
{
    uint8_t *fat = image_boot(image) + IMAGE_RESERVED * IMAGE_SECTOR;

    put32(fat + cluster * 4, value);
    put32(fat + (size_t)image->fat_sectors * IMAGE_SECTOR + cluster * 4, value);
}

void image_chain(struct image *image, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        image_link(image, first + i, i + 1 < count ? first + i + 1 : IMAGE_END);
}

uint8_t *image_cluster(struct image *image, uint32_t cluster)
{
    size_t sector = IMAGE_RESERVED + 2 * (size_t)image->fat_sectors + cluster - 2;

    return image_boot(image) + sector * IMAGE_SECTOR;
}

uint8_t image_pattern(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8) * 13 + (offset >> 16));
}

void image_fill(struct image *image, uint32_t first, uint32_t count, uint64_t offset)
{
    uint8_t *bytes = image_cluster(image, first);

    for (uint64_t i = 0; i < (uint64_t)count * IMAGE_SECTOR; i++)
        bytes[i] = image_pattern(offset + i);
}

void image_entry(uint8_t *slot, const char *name, uint8_t attributes, uint32_t cluster,
                 uint32_t size)
{
    const uint16_t date = 46 << 9 | 1 << 5 | 1, time = 12 << 11;

    memset(slot, 0, 32);
    memcpy(slot, name, 11);
    slot[11] = attributes;
    put16(slot + 14, time);
    put16(slot + 16, date);
    put16(slot + 18, date);
    put16(slot + 20, cluster >> 16);
    put16(slot + 22, time);
    put16(slot + 24, date);
    put16(slot + 26, cluster);
    put32(slot + 28, size);
}

uint8_t image_checksum(const char *name)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < 11; i++)
        sum = ((sum & 1 ? 0x80 : 0) + (sum >> 1) + (uint8_t)name[i]) & 0xFF;
    return (uint8_t)sum;
}

static void put_unit(uint8_t *slot, unsigned index, uint16_t unit)
{
    unsigned at = index < 5    ? 1 + index * 2
                  : index < 11 ? 14 + (index - 5) * 2
                               : 28 + (index - 11) * 2;

    put16(slot + at, unit);
}

unsigned image_long(uint8_t *slots, const uint16_t *units, unsigned n, const char *name)
{
    unsigned count = (n + 12) / 13;

    for (unsigned i = 0; i < count; i++) {
        unsigned ordinal = count - i;
        uint8_t *slot = slots + i * 32;

        memset(slot, 0, 32);
        slot[0] = (uint8_t)(ordinal | (i == 0 ? 0x40 : 0));
        slot[11] = 0x0F;
        slot[13] = image_checksum(name);
        for (unsigned j = 0; j < 13; j++) {
            unsigned at = (ordinal - 1) * 13 + j;

            put_unit(slot, j, at < n ? units[at] : at == n ? 0 : 0xFFFF);
        }
    }
    return count;
}
