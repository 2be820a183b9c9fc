/* SPDX-License-Identifier: MIT */
/*
 * record.c: a batch as it lies in the reserved sectors.
 *
 *     sector 0      the header, all numbers with the lowest byte first:
 *                     0  "TayRedo2"    8 sequence (8 bytes)    16 number of the volume (4)
 *                    20  how many sectors, n (4)               24 checksum of all (4)
 *                    32  n times: sector of the volume (8), checksum of its content at each of the
 *                        eight stages (4 each)
 *     sector 1      the rest of the header, if n is more than twelve
 *     behind it     the n new contents
 *
 * In a sector of a directory, of which two stages change nothing, their checksums are instead those
 * of what it is when its last write has reached only the first half, or only the second.
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

_Static_assert(AT_TARGETS + FAT32_BATCH_MAX * TARGET_BYTES <= HEADER_MAX * HAL_SECTOR_SIZE,
               "the header is full");
_Static_assert(8 + 4 * FAT32_STAGES <= TARGET_BYTES, "a target is full");

static const char magic[8] = {'T', 'a', 'y', 'R', 'e', 'd', 'o', '2'};

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

/* The stages that are as the ones before them in a directory. */
#define FRONT_TORN FAT32_CLAIMED
#define BACK_TORN FAT32_NEW

static uint32_t sum_halves(const uint8_t *front, const uint8_t *back)
{
    const size_t half = HAL_SECTOR_SIZE / 2;

    return crc32(crc32(0, front, half), back + half, half);
}

static void describe_torn(const struct fat32_slot *slot, uint8_t *target)
{
    uint8_t before[HAL_SECTOR_SIZE];

    fat32_stage_content(false, slot->old, slot->now, slot->last, before);
    put_le32(target + 8 + 4 * FRONT_TORN, sum_halves(slot->now, before));
    put_le32(target + 8 + 4 * BACK_TORN, sum_halves(before, slot->now));
}

static void describe(struct fat32_batch *batch, unsigned number)
{
    const struct fat32_slot *slot = &batch->slots[number];
    uint8_t *target = target_at(batch, number), contents[2][HAL_SECTOR_SIZE];
    uint32_t sum = 0;

    put_le64(target, slot->sector);
    for (unsigned stage = 0; stage < FAT32_STAGES; stage++) {
        uint8_t *content = contents[stage & 1];

        /* Most stages change nothing, and to compare is faster than to sum up. */
        fat32_stage_content(slot->of_fat, slot->old, slot->now, stage, content);
        if (stage == 0 || memcmp(content, contents[~stage & 1], HAL_SECTOR_SIZE) != 0)
            sum = crc32(0, content, HAL_SECTOR_SIZE);
        put_le32(target + 8 + 4 * stage, sum);
    }
    if (!slot->of_fat)
        describe_torn(slot, target);
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

/* True if the sector has one of the contents that the record knows. */
static bool is_expected(const uint8_t *target, const uint8_t *content)
{
    uint32_t sum = crc32(0, content, HAL_SECTOR_SIZE);

    for (unsigned stage = 0; stage < FAT32_STAGES; stage++)
        if (le32(target + 8 + 4 * stage) == sum)
            return true;
    return false;
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
    if (!is_expected(target, slot->old))
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
