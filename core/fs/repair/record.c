/* SPDX-License-Identifier: MIT */
/*
 * record.c: finishes what the driver of this kernel was doing when the volume was left.
 *
 * Before that driver changes several sectors it writes what they will be into reserved ones (the
 * record; fs/fat32/batch/record.c tells how it lies there). A cut between the changes may leave a
 * file in neither of two directories, and all that a repair would find of it are clusters that
 * nobody has. With the record the file is where it was to be.
 *
 * It is believed on the same terms as by the driver: the volume is marked as in use and has the
 * record's number, the checksum of all is right, and each half of each sector that it is about has
 * one of the contents that the driver gave it. Then the order of writing does not matter, for the
 * record stays until all is done: who is interrupted begins again.
 */
#include "fs/repair/work.h"

#include "lib/bytes.h"
#include "lib/crc32.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SECTOR 512u
#define HALF 256u
#define PLACES 26u  /* sectors of a record at most, and those that have to be there */
#define TARGETS 24u /* sectors that it is about, at most */
#define AT_VOLUME 16u
#define AT_COUNT 20u
#define AT_SUM 24u
#define AT_TARGETS 32u
#define TARGET_BYTES 40u
#define AT_SUMS 8u
#define SUMS 5u
#define BOOT_VOLUME 67u
#define BOOT_COPY 50u
#define BOOT_SECTORS 3u /* each of both times */
#define COPY 6u

struct record {
    uint8_t data[PLACES * SECTOR];
    unsigned count, header; /* sectors that it is about, and of its header */
    bool unfinished;        /* one of them is not yet what it is to be */
};

/* True if something else lives in sector number `sector` of the reserved ones, by the volume's. */
static bool is_taken(const struct repair *repair, uint32_t sector)
{
    uint32_t copy = le16(repair->boot + BOOT_COPY);

    return sector < BOOT_SECTORS || (sector >= COPY && sector < COPY + BOOT_SECTORS) ||
           (copy && sector >= copy && sector < copy + BOOT_SECTORS) ||
           (uint64_t)sector * repair->volume.sector_bytes == repair->volume.info;
}

/* Reads it. -ENOENT: there is no room for one. */
static int read_record(struct repair *repair, struct record *record)
{
    uint32_t unit = repair->volume.sector_bytes / SECTOR;
    uint32_t end = le16(repair->boot + 14) * unit, n = 0;
    int error = 0;

    for (uint32_t sector = 0; sector < end && n < PLACES && !error; sector++)
        if (!is_taken(repair, sector / unit))
            error =
                repair_read(repair, (uint64_t)sector * SECTOR, record->data + n++ * SECTOR, SECTOR);
    return error ? error : n == PLACES ? 0 : -ENOENT;
}

/* True if it is one, and whole, and of this volume. */
static bool check_header(const struct repair *repair, struct record *record)
{
    uint32_t sum = le32(record->data + AT_SUM);

    record->count = le32(record->data + AT_COUNT);
    if (memcmp(record->data, "TayRedo3", 8) != 0 || record->count > TARGETS ||
        le32(record->data + AT_VOLUME) != le32(repair->boot + BOOT_VOLUME))
        return false;
    record->header = AT_TARGETS + record->count * TARGET_BYTES <= SECTOR ? 1 : 2;
    if (record->header + record->count > PLACES)
        return false;
    put_le32(record->data + AT_SUM, 0);
    return crc32(0, record->data, (record->header + record->count) * SECTOR) == sum;
}

static const uint8_t *target_of(const struct record *record, unsigned number)
{
    return record->data + AT_TARGETS + number * TARGET_BYTES;
}

static const uint8_t *content_of(const struct record *record, unsigned number)
{
    return record->data + (record->header + number) * SECTOR;
}

/* True if the sector belongs to the FAT that counts. */
static bool is_of_fat(const struct repair *repair, uint64_t sector)
{
    uint64_t at = sector * SECTOR;

    return at >= repair->volume.fat && at - repair->volume.fat < repair->volume.fat_bytes;
}

static bool may_be_changed(const struct repair *repair, uint64_t sector)
{
    const struct check_volume *volume = &repair->volume;
    uint64_t first = volume->data / SECTOR;
    uint64_t count = (uint64_t)volume->clusters * (volume->cluster_bytes / SECTOR);

    return is_of_fat(repair, sector) || (sector >= first && sector - first < count);
}

/* True if the half of the sector that begins at `at` has a content that the record knows. */
static bool is_expected(const struct record *record, unsigned number, const uint8_t *now,
                        unsigned at)
{
    const uint8_t *sums = target_of(record, number) + AT_SUMS + at / HALF * 3;
    uint32_t sum = crc32(0, now + at, HALF) & 0xFFFFFFu;

    for (unsigned i = 0; i < SUMS; i++, sums += 6)
        if ((le16(sums) | (uint32_t)sums[2] << 16) == sum)
            return true;
    return memcmp(now + at, content_of(record, number) + at, HALF) == 0;
}

/* Looks at the sectors that the record is about. -ENOENT: it is not to be believed. */
static int compare(struct repair *repair, struct record *record)
{
    uint8_t now[SECTOR];

    for (unsigned i = 0; i < record->count; i++) {
        uint64_t sector = le64(target_of(record, i));
        int error;

        if (!may_be_changed(repair, sector))
            return -ENOENT;
        error = repair_read(repair, sector * SECTOR, now, SECTOR);
        if (error)
            return error;
        if (!is_expected(record, i, now, 0) || !is_expected(record, i, now, HALF))
            return -ENOENT;
        record->unfinished |= memcmp(now, content_of(record, i), SECTOR) != 0;
    }
    return 0;
}

/* Writes what the sectors are to be; those of the FAT into all copies. */
static int carry_out(struct repair *repair, const struct record *record)
{
    const struct check_volume *volume = &repair->volume;
    int error = 0;

    for (unsigned i = 0; i < record->count; i++) {
        uint64_t sector = le64(target_of(record, i));
        unsigned copies = is_of_fat(repair, sector) && volume->mirrored ? volume->fats : 1;

        for (unsigned copy = 0; copy < copies && !error; copy++)
            error = repair_write(repair, sector * SECTOR + copy * volume->fat_bytes,
                                 content_of(record, i), SECTOR);
    }
    return error;
}

int repair_finish(struct repair *repair)
{
    struct record *record = repair_allocate(repair, sizeof(*record));
    int error = record ? read_record(repair, record) : -ENOMEM;

    if (!error && !check_header(repair, record))
        error = -ENOENT;
    if (!error)
        error = compare(repair, record);
    if (!error && record->unfinished) {
        repair_say(repair, "what was under way when the volume was left has been completed");
        error = carry_out(repair, record);
    }
    repair_release(repair, record);
    return error == -ENOENT ? 0 : error;
}
