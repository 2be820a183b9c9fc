/* SPDX-License-Identifier: MIT */
/*
 * mbr.c: reads a master boot record and believes none of it.
 */
#include "block/partition.h"

#include "lib/bytes.h"
#include "lib/log.h"
#include "heap/heap.h"

#include <hal/block.h>
#include <hal/errno.h>

#define TABLE_OFFSET 446u
#define SLOT_BYTES 16u
#define SIGNATURE_OFFSET 510u
#define SIGNATURE 0xAA55u

#define TYPE_EMPTY 0x00u
#define TYPE_EXTENDED_CHS 0x05u
#define TYPE_EXTENDED_LBA 0x0Fu
#define TYPE_PROTECTIVE 0xEEu

struct slot {
    unsigned number;
    uint8_t flag;
    uint8_t type;
    uint64_t first;
    uint64_t sectors;
};

bool partition_type_is_fat32(uint8_t type)
{
    /* 0x0B by cylinders, 0x0C by sectors, 0x0E meant for FAT16 but met; 0x1B and 0x1C hidden. */
    return type == 0x0B || type == 0x0C || type == 0x0E || type == 0x1B || type == 0x1C;
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

static void read_slot(const uint8_t *sector, unsigned index, struct slot *slot)
{
    const uint8_t *raw = sector + TABLE_OFFSET + index * SLOT_BYTES;

    slot->number = index + 1;
    slot->flag = raw[0];
    slot->type = raw[4];
    slot->first = le32(raw + 8);
    slot->sectors = le32(raw + 12);
}

/** Checks what concerns a slot alone. */
static int check_slot(const struct block_device *card, const struct slot *slot,
                      struct problem *problem)
{
    if (slot->type == TYPE_EXTENDED_CHS || slot->type == TYPE_EXTENDED_LBA)
        problem_set(problem, problem_format_it,
                    "Partition %u of the card is an extended one, which Tayberry does not read.",
                    slot->number);
    else if (slot->first == 0 || slot->sectors == 0)
        problem_set(problem, problem_format_it,
                    "Partition %u of the card is said to be %s, which cannot be.", slot->number,
                    slot->first == 0 ? "where the partition table is" : "0 sectors long");
    else if (slot->first + slot->sectors > card->sectors)
        problem_set(
            problem, problem_write_again,
            "Partition %u ends at sector %llu, but the card has only %llu: it was cut short.",
            slot->number, (unsigned long long)(slot->first + slot->sectors),
            (unsigned long long)card->sectors);
    else
        return 0;
    return -EINVAL;
}

static void warn_of_overlaps(const struct partition_table *table)
{
    for (unsigned i = 0; i < table->count; i++) {
        for (unsigned j = i + 1; j < table->count; j++) {
            const struct partition *a = &table->entries[i], *b = &table->entries[j];

            if (a->device.first < b->device.first + b->device.sectors &&
                b->device.first < a->device.first + a->device.sectors)
                klog(KLOG_WARNING, "card: partitions %u and %u overlap", a->number, b->number);
        }
    }
}

/** Checks the table as a whole: is this one that we can read? */
static int check_table(const uint8_t *sector, struct problem *problem)
{
    struct slot slot;

    if (le16(sector + SIGNATURE_OFFSET) != SIGNATURE) {
        problem_set(problem, problem_format_it,
                    "The card has neither a partition table nor a FAT32 file system.");
        return -EINVAL;
    }
    for (unsigned i = 0; i < PARTITION_MAX; i++) {
        read_slot(sector, i, &slot);
        if (slot.flag != 0x00 && slot.flag != 0x80) {
            problem_set(problem, problem_format_it,
                        "The card's partition table is damaged: slot %u has the boot flag 0x%02x.",
                        slot.number, (unsigned)slot.flag);
            return -EINVAL;
        }
        if (slot.type == TYPE_PROTECTIVE) {
            problem_set(problem, problem_format_it,
                        "The card is partitioned with GPT; Tayberry reads MBR tables only.");
            return -EINVAL;
        }
    }
    return 0;
}

static int parse_table(const struct block_device *card, const uint8_t *sector,
                       struct partition_table *table, struct problem *problem)
{
    struct slot slot;
    int error = check_table(sector, problem);

    if (error)
        return error;
    for (unsigned i = 0; i < PARTITION_MAX; i++) {
        struct partition *entry = &table->entries[table->count];

        read_slot(sector, i, &slot);
        if (slot.type == TYPE_EMPTY)
            continue;
        error = check_slot(card, &slot, problem);
        if (error) {
            klog(KLOG_NOTICE, "card: %s", problem->what);
            continue;
        }
        entry->number = slot.number;
        entry->type = slot.type;
        error = block_slice(card, slot.number, slot.first, slot.sectors, &entry->device);
        if (!error)
            table->count++;
    }
    if (table->count > 0) {
        problem_clear(problem);
        return 0;
    }
    if (!problem->what[0])
        problem_set(problem, problem_format_it, "The card's partition table is empty.");
    return -EINVAL;
}

int partition_parse(const struct block_device *card, const uint8_t *sector,
                    struct partition_table *table, struct problem *problem)
{
    int error;

    problem_clear(problem);
    table->count = 0;
    if (partition_is_boot_sector(sector)) {
        table->entries[0] = (struct partition){.number = 0, .type = 0x0C, .device = *card};
        table->count = 1;
        return 0;
    }
    error = parse_table(card, sector, table, problem);
    if (!error)
        warn_of_overlaps(table);
    return error;
}

/** Puts the partitions into the table of devices, as far as there is memory for it. */
static void make_known(const struct block_device *card, struct partition_table *table)
{
    if (block_forget_partitions(card))
        klog(KLOG_WARNING, "%s: its partitions are in use", card->name);
    for (unsigned i = 0; i < table->count; i++) {
        struct partition *entry = &table->entries[i];
        struct block_device known;
        int error = 0;

        if (entry->number > 0)
            error = block_add_partition(card, entry->number, entry->device.first - card->first,
                                        entry->device.sectors, &known);
        if (error)
            klog(KLOG_WARNING, "%s: not in the table of devices (error %d)", entry->device.name,
                 -error);
        else if (entry->number > 0)
            entry->device = known;
    }
}

int partition_scan(const struct block_device *card, struct partition_table *table,
                   struct problem *problem)
{
    uint8_t *sector;
    int error;

    problem_clear(problem);
    if (card->sectors == 0) {
        problem_set(problem, problem_write_again, "The card is empty: it has not a single sector.");
        return -EINVAL;
    }
    sector = kmalloc_aligned(HAL_SECTOR_SIZE, 64);
    if (!sector) {
        problem_set(problem, "Give the machine more memory.",
                    "Out of memory: no room to read the card.");
        return -ENOMEM;
    }
    error = block_read(card, 0, sector, 1);
    if (error)
        problem_set(problem, "Try another card, or write this one again.",
                    "The first sector of the card cannot be read (error %d).", -error);
    else
        error = partition_parse(card, sector, table, problem);
    if (!error)
        make_known(card, table);
    kfree(sector);
    return error;
}
