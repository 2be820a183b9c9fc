/* SPDX-License-Identifier: MIT */
/*
 * partition.c: partition tables of any content on cards of any size.
 *
 * An input is the size of the card, some switches, and sectors: each says where it lies (near the
 * beginning or the end, at a sector that the card's first table speaks of, or anywhere) and what it
 * holds. Checksums are too hard to guess, so with a switch on, headers and entries of a GPT are
 * sealed before the card is read.
 *
 * Whatever the card holds: the search ends after a bounded number of requests, all that it finds
 * lies on the card, no two have one number, a failure has a reason, and logical partitions and
 * those of a GPT do not overlap others.
 */
#include "../unit/block/tables.h"
#include "../unit/fake_hal.h"

#include "block/partition.h"
#include "lib/bytes.h"

#include <stdlib.h>
#include <string.h>

#define SECTORS_MAX 64u
#define RECORD (2u + 66u) /* place, and the part of the sector that matters */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t sectors[SECTORS_MAX][TABLES_SECTOR];
static uint64_t places[SECTORS_MAX];
static unsigned used;
static uint64_t card_sectors;

static uint8_t *sector_at(uint64_t place)
{
    for (unsigned i = 0; i < used; i++)
        if (places[i] == place)
            return sectors[i];
    if (used == SECTORS_MAX)
        return sectors[SECTORS_MAX - 1];
    places[used] = place;
    memset(sectors[used], 0, TABLES_SECTOR);
    return sectors[used++];
}

static int64_t read_card(uint64_t first, void *to, uint32_t count)
{
    uint8_t *at = to;

    memset(at, 0, (size_t)count * TABLES_SECTOR);
    for (unsigned i = 0; i < used; i++)
        if (places[i] >= first && places[i] < first + count)
            memcpy(at + (places[i] - first) * TABLES_SECTOR, sectors[i], TABLES_SECTOR);
    return 0;
}

/* Where a sector lies: its two bytes are a way to say so, and a number. */
static uint64_t place_of(const uint8_t *record)
{
    unsigned n = record[1];

    switch (record[0] % 4) {
    case 0:
        return n % 40;
    case 1:
        return card_sectors - 1 - n % 40;
    case 2: /* what slot n of sector 0 points to */
        return le32(sector_at(0) + 446 + 16 * (n % 4) + 8) + (uint64_t)n / 4;
    default:
        return (uint64_t)n * 37;
    }
}

/* A table's 66 bytes at the end, or a header's or entries' at the beginning. */
static void fill(const uint8_t *record)
{
    uint8_t *sector = sector_at(place_of(record));

    memcpy(sector + (record[0] & 4 ? 446 : record[0] & 8 ? 24 : 0), record + 2, 66);
    if (record[0] & 16)
        put_le16(sector + 510, 0xAA55);
}

static void seal(uint64_t header)
{
    static uint8_t array[128 * 128];
    uint8_t *sector = sector_at(header);
    uint64_t entries;

    memcpy(sector, "EFI PART", 8);
    put_le32(sector + 8, 0x00010000);
    put_le32(sector + 12, 92);
    put_le64(sector + 24, header);
    put_le32(sector + 80, le32(sector + 80) % 128 + 1);
    put_le32(sector + 84, 128);
    entries = le64(sector + 72);
    if (entries < 2 || entries > card_sectors)
        put_le64(sector + 72, entries = 2);
    read_card(entries, array, 32);
    gpt_seal(sector, array, le32(sector + 80) * 128);
}

static void check(const struct partition_table *table)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct block_device *a = &table->entries[i].device;

        if (a->sectors == 0 || a->first > card_sectors || a->sectors > card_sectors - a->first)
            abort();
        for (unsigned j = 0; j < i; j++) {
            const struct block_device *b = &table->entries[j].device;
            bool strict = table->entries[i].number > 4;

            if (table->entries[j].number == table->entries[i].number)
                abort();
            if (strict && a->first < b->first + b->sectors && b->first < a->first + a->sectors)
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct partition_table table;
    struct problem problem;
    int error;

    if (size < 4 || size > 4 + SECTORS_MAX * RECORD)
        return 0;
    used = 0;
    card_sectors = 1 + (data[1] & 1 ? le16(data + 2) : (uint64_t)le16(data + 2) << 20);
    for (size_t at = 4; at + RECORD <= size; at += RECORD)
        fill(data + at);
    if (data[0] & 1)
        put_le16(sector_at(0) + 510, 0xAA55);
    if (data[0] & 2)
        sector_at(0)[446 + 4] = 0xEE;
    if (data[0] & 4)
        seal(1);
    if (data[0] & 8)
        seal(card_sectors - 1);
    if (!fake.ram)
        fake_kernel_start(1u << 20); /* once: a start takes longer than all of the rest */
    fake.card_read = read_card;
    fake.card_sectors = card_sectors;
    fake.console_used = 0;
    fake.request_limit = fake.requests + 20000;
    if (block_start())
        abort();
    error = partition_scan(block_card(), &table, &problem);
    if ((error == 0) != (table.count > 0) || (error == 0) != (problem.what[0] == '\0'))
        abort();
    check(&table);
    return 0;
}
