/* SPDX-License-Identifier: MIT */
/*
 * look.c: what a sector is, by its bytes alone: nothing is read, logged or allocated, so programs
 * of the host can ask as well.
 */
#include "block/table/table.h"

#include "lib/bytes.h"

#define TABLE_OFFSET 446u
#define SLOT_BYTES 16u
#define SIGNATURE_OFFSET 510u
#define SIGNATURE 0xAA55u
#define MBR_PROTECTIVE 0xEEu

bool partition_type_is_fat32(uint8_t type)
{
    /* 0x0B by cylinders, 0x0C by sectors, 0x0E meant for FAT16 but met; 0x1B and 0x1C hidden; 0xEF
     * what firmware boots from. */
    return type == 0x0B || type == 0x0C || type == 0x0E || type == 0x1B || type == 0x1C ||
           type == 0xEF;
}

bool partition_is_boot_sector(const uint8_t *sector)
{
    unsigned sector_bytes = le16(sector + 11);
    bool jump = (sector[0] == 0xEB && sector[2] == 0x90) || sector[0] == 0xE9;
    bool sizes = sector_bytes >= 512 && sector_bytes <= 4096 &&
                 (sector_bytes & (sector_bytes - 1)) == 0 && sector[13] != 0 && le16(sector + 14);
    bool media = sector[21] == 0xF0 || sector[21] >= 0xF8;

    return jump && sizes && media && sector[16] >= 1 && sector[16] <= 4;
}

struct mbr_slot mbr_slot_at(const uint8_t *sector, unsigned index)
{
    const uint8_t *raw = sector + TABLE_OFFSET + index * SLOT_BYTES;

    return (struct mbr_slot){raw[0], raw[4], le32(raw + 8), le32(raw + 12)};
}

bool mbr_has_signature(const uint8_t *sector)
{
    return le16(sector + SIGNATURE_OFFSET) == SIGNATURE;
}

bool mbr_is_protective(const uint8_t *sector)
{
    if (!mbr_has_signature(sector))
        return false;
    for (unsigned i = 0; i < MBR_SLOTS; i++)
        if (mbr_slot_at(sector, i).type == MBR_PROTECTIVE)
            return true;
    return false;
}

unsigned mbr_bad_slot(const uint8_t *sector)
{
    unsigned i = 0;

    while (i < MBR_SLOTS && (mbr_slot_at(sector, i).flag & 0x7F) == 0)
        i++;
    return i;
}

bool mbr_divides(const uint8_t *sector, uint64_t sectors)
{
    if (!mbr_has_signature(sector) || mbr_bad_slot(sector) < MBR_SLOTS)
        return false;
    for (unsigned i = 0; i < MBR_SLOTS; i++) {
        struct mbr_slot slot = mbr_slot_at(sector, i);

        if (slot.type != MBR_EMPTY && slot.first > 0 && slot.first < sectors && slot.sectors > 0)
            return true;
    }
    return false;
}
