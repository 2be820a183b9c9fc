/* SPDX-License-Identifier: MIT */
/*
 * tables.c: see tables.h.
 */
#include "tables.h"

#include "lib/bytes.h"
#include "lib/crc32.h"

#include <string.h>

void mbr_set(uint8_t *sector, unsigned index, uint8_t type, uint32_t first, uint32_t sectors)
{
    uint8_t *slot = sector + 446 + 16 * index;

    memset(slot, 0, 16);
    slot[4] = type;
    put_le32(slot + 8, first);
    put_le32(slot + 12, sectors);
    put_le16(sector + 510, 0xAA55);
}

void gpt_set(uint8_t *array, unsigned index, uint8_t type, uint64_t first, uint64_t last)
{
    static const uint8_t data[16] = {0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44,
                                     0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7};
    static const uint8_t system[16] = {0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11,
                                       0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B};
    uint8_t *entry = array + 128 * index;

    memset(entry, 0, 128);
    memset(entry, type, 16);
    if (type == 0x0C)
        memcpy(entry, data, 16);
    if (type == 0xEF)
        memcpy(entry, system, 16);
    entry[16] = (uint8_t)(index + 1);
    put_le64(entry + 32, first);
    put_le64(entry + 40, last);
}

void gpt_header(uint8_t *sector, uint64_t at, uint64_t other, uint64_t entries, uint64_t sectors)
{
    memset(sector, 0, TABLES_SECTOR);
    memcpy(sector, "EFI PART", 8);
    put_le32(sector + 8, 0x00010000);
    put_le32(sector + 12, 92);
    put_le64(sector + 24, at);
    put_le64(sector + 32, other);
    put_le64(sector + 40, 34);
    put_le64(sector + 48, sectors - 34);
    put_le64(sector + 72, entries);
    put_le32(sector + 80, 128);
    put_le32(sector + 84, 128);
}

void gpt_seal(uint8_t *sector, const uint8_t *array, uint32_t bytes)
{
    uint32_t header = le32(sector + 12);

    put_le32(sector + 88, crc32(0, array, bytes));
    put_le32(sector + 16, 0);
    if (header <= TABLES_SECTOR)
        put_le32(sector + 16, crc32(0, sector, header));
}
