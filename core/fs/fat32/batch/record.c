/* SPDX-License-Identifier: MIT */
/*
 * record.c: a batch as it lies in the reserved sectors.
 *
 *     sector 0      the header, all numbers with the lowest byte first:
 *                     0  "TayRedo3"    8 sequence (8 bytes)    16 number of the volume (4)
 *                    20  how many sectors, n (4)               24 checksum of all (4)
 *                    32  n times: sector of the volume (8), checksums of its halves at each of five
 *                        stages (3 and 3 each), 2 bytes of zeros
 *     sector 1      the rest of the header, if n is more than twelve
 *     behind it     the n new contents
 *
 * The stages are those at which a sector of its kind can be something else than before; the last
 * one needs no checksum. A sector whose halves are of different stages was torn when it was
 * written: that is as good as any of them, for the record has what it becomes.
 *
 * The checksum of all is that of the header, with zeros in its own place, and of the n contents.
 * It makes the record one thing, though it is written as many sectors in any order.
 */
#include "fs/fat32/batch/batch.h"

#include "lib/bytes.h"
#include "lib/crc32.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define HEADER_MAX 2u /* sectors */
#define AT_SEQUENCE 8u
#define AT_VOLUME 16u
#define AT_COUNT 20u
#define AT_SUM 24u
#define AT_TARGETS 32u
#define TARGET_BYTES 40u
#define AT_SUMS 8u
#define SUMS 5u
#define SUM_BYTES 6u
#define HALF_BYTES (HAL_SECTOR_SIZE / 2)

_Static_assert(AT_TARGETS + FAT32_BATCH_MAX * TARGET_BYTES <= HEADER_MAX * HAL_SECTOR_SIZE,
               "the header is full");
_Static_assert(AT_SUMS + SUMS * SUM_BYTES <= TARGET_BYTES, "a target is full");

static const char magic[8] = {'T', 'a', 'y', 'R', 'e', 'd', 'o', '3'};

static uint8_t *target_at(const struct fat32_batch *batch, unsigned number)
{
    return batch->work + AT_TARGETS + number * TARGET_BYTES;
}

/* Sectors of the header of a record of `count`. */
static unsigned header_of(unsigned count)
{
    return AT_TARGETS + count * TARGET_BYTES <= HAL_SECTOR_SIZE ? 1 : HEADER_MAX;
}

static uint8_t *content_at(const struct fat32_batch *batch, unsigned count, unsigned number)
{
    return batch->work + (header_of(count) + number) * HAL_SECTOR_SIZE;
}

/* ---- writing ---- */

static const enum fat32_stage told[2][SUMS] = {
    {FAT32_OLD, FAT32_REMOVED, FAT32_LINKED, FAT32_NAMED, FAT32_ENTERED}, /* of a directory */
    {FAT32_OLD, FAT32_CLAIMED, FAT32_LINKED, FAT32_CUT, FAT32_CUT},       /* of the FAT */
};

static uint32_t sum_half(const uint8_t *half)
{
    return crc32(0, half, HALF_BYTES) & 0xFFFFFFu;
}

static void put_sum(uint8_t *to, uint32_t sum)
{
    put_le16(to, (uint16_t)sum);
    to[2] = (uint8_t)(sum >> 16);
}

static uint32_t sum_at(const uint8_t *from)
{
    return le16(from) | (uint32_t)from[2] << 16;
}

static void describe(struct fat32_batch *batch, unsigned number)
{
    const struct fat32_slot *slot = &batch->slots[number];
    uint8_t *target = target_at(batch, number), content[2][HAL_SECTOR_SIZE];

    put_le64(target, slot->sector);
    for (unsigned i = 0; i < SUMS; i++) {
        uint8_t *sums = target + AT_SUMS + i * SUM_BYTES, *now = content[i % 2];

        fat32_stage_content(slot->of_fat, slot->old, slot->now, told[slot->of_fat][i], now);
        if (i > 0 && memcmp(now, content[(i - 1) % 2], HAL_SECTOR_SIZE) == 0) {
            memcpy(sums, sums - SUM_BYTES, SUM_BYTES); /* most stages change nothing */
            continue;
        }
        put_sum(sums, sum_half(now));
        put_sum(sums + 3, sum_half(now + HALF_BYTES));
    }
    memcpy(content_at(batch, batch->used, number), slot->now, HAL_SECTOR_SIZE);
    batch->record_targets[number] = slot->sector;
}

static uint32_t sum_of(const struct fat32_batch *batch, unsigned count)
{
    return crc32(0, batch->work, (header_of(count) + count) * HAL_SECTOR_SIZE);
}

int fat32_record_write(struct fat32_batch *batch)
{
    /* What the record relies on has to be there before it. */
    int error = fat32_batch_flush(batch);

    if (error)
        return error;
    memset(batch->work, 0, HEADER_MAX * HAL_SECTOR_SIZE);
    memcpy(batch->work, magic, sizeof(magic));
    put_le64(batch->work + AT_SEQUENCE, ++batch->sequence);
    put_le32(batch->work + AT_VOLUME, batch->layout->volume_id);
    put_le32(batch->work + AT_COUNT, batch->used);
    for (unsigned i = 0; i < batch->used; i++)
        describe(batch, i);
    put_le32(batch->work + AT_SUM, sum_of(batch, batch->used));
    /* From here on the older record is gone, and this one may be there. */
    batch->recorded = batch->used;
    for (unsigned i = 0; i < header_of(batch->used) + batch->used && !error; i++)
        error =
            fat32_batch_write(batch, batch->layout->record[i], batch->work + i * HAL_SECTOR_SIZE);
    batch->records++;
    return error ? error : fat32_batch_flush(batch);
}

/* ---- reading ---- */

static int read_record(struct fat32_batch *batch)
{
    int error = 0;

    for (unsigned i = 0; i < batch->layout->record_sectors && !error; i++)
        error = batch->hooks->read(batch->context, batch->layout->record[i],
                                   batch->work + i * HAL_SECTOR_SIZE);
    return error;
}

/* How many sectors the record is about; 0 if it is none, or none of this volume. */
static unsigned check_header(struct fat32_batch *batch)
{
    uint32_t count = le32(batch->work + AT_COUNT), sum = le32(batch->work + AT_SUM);

    if (memcmp(batch->work, magic, sizeof(magic)) != 0 ||
        le32(batch->work + AT_VOLUME) != batch->layout->volume_id)
        return 0;
    if (count > FAT32_BATCH_MAX || header_of(count) + count > batch->layout->record_sectors)
        return 0;
    put_le32(batch->work + AT_SUM, 0);
    return sum_of(batch, count) == sum ? count : 0;
}

static bool may_be_changed(const struct fat32_layout *layout, uint64_t sector)
{
    return fat32_layout_in_fat(layout, sector) || (sector >= layout->data && sector < layout->end);
}

/* True if that half of the sector (0 or 1) has one of the contents that the record knows. */
static bool is_expected(const uint8_t *target, const struct fat32_slot *slot, unsigned half)
{
    const uint8_t *content = slot->old + half * HALF_BYTES;
    uint32_t sum = sum_half(content);

    for (unsigned i = 0; i < SUMS; i++)
        if (sum_at(target + AT_SUMS + i * SUM_BYTES + half * 3) == sum)
            return true;
    return memcmp(content, slot->now + half * HALF_BYTES, HALF_BYTES) == 0;
}

/* What has become of the sectors that a record is about. */
struct findings {
    unsigned unexpected; /* have none of the contents that it knows */
    unsigned unfinished; /* have one, and not the last */
};

/* Fills slot `number`. */
static int load(struct fat32_batch *batch, unsigned number, struct findings *findings)
{
    const uint8_t *target = target_at(batch, number);
    struct fat32_slot *slot = &batch->slots[number];
    int error;

    slot->sector = le64(target);
    slot->of_fat = fat32_layout_in_fat(batch->layout, slot->sector);
    slot->saved = false;
    if (!may_be_changed(batch->layout, slot->sector)) {
        findings->unexpected++;
        return 0;
    }
    error = batch->hooks->read(batch->context, slot->sector, slot->old);
    if (error)
        return error;
    memcpy(slot->now, content_at(batch, batch->recorded, number), HAL_SECTOR_SIZE);
    batch->record_targets[number] = slot->sector;
    if (!is_expected(target, slot, 0) || !is_expected(target, slot, 1))
        findings->unexpected++;
    else if (memcmp(slot->old, slot->now, HAL_SECTOR_SIZE) != 0)
        findings->unfinished++;
    return 0;
}

int fat32_record_read(struct fat32_batch *batch, unsigned *count, bool *torn)
{
    struct findings findings = {0, 0};
    int error = read_record(batch);

    *count = 0;
    *torn = false;
    if (error)
        return error;
    batch->sequence = le64(batch->work + AT_SEQUENCE);
    batch->recorded = check_header(batch);
    for (unsigned i = 0; i < batch->recorded && !error; i++)
        error = load(batch, i, &findings);
    if (error)
        return error;
    if (findings.unexpected == 0)
        batch->used = *count = batch->recorded;
    *torn = findings.unexpected > 0 && findings.unfinished > 0;
    return 0;
}
