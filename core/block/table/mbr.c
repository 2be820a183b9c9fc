/* SPDX-License-Identifier: MIT */
/*
 * mbr.c: master boot records, and the chain of tables in an extended partition.
 *
 * The four slots of sector 0 were too few. So one of them may be an extended partition, which is a
 * chain of sectors with tables like the first, each for one logical partition:
 *
 *     sector 0   | slot 1: FAT32 | slot 2: extended, from E on, n sectors |
 *     E          | slot 1: first logical one, counted from here | slot 2: next table, E + a |
 *     E + a      | slot 1: second logical one, counted from here | slot 2: next table, E + b |
 *     E + b      | slot 1: third | slot 2: empty: the end |
 *
 * Nothing of it is believed: tables and partitions have to lie inside the extended partition, no
 * table counts twice, so a chain that loops ends where it comes back, and there are at most as many
 * as there are numbers. What was found before the first that is wrong counts. A table whose first
 * slot is empty, as some tools leave one where a partition was, takes no number.
 */
#include "block/table/table.h"

#include "lib/bytes.h"
#include "lib/log.h"

#include <hal/errno.h>

#define TABLE_OFFSET 446u
#define SLOT_BYTES 16u
#define SLOTS 4u
#define SIGNATURE_OFFSET 510u
#define SIGNATURE 0xAA55u

#define TYPE_EMPTY 0x00u
#define TYPE_EXTENDED_CHS 0x05u
#define TYPE_EXTENDED_LBA 0x0Fu
#define TYPE_EXTENDED_LINUX 0x85u
#define TYPE_PROTECTIVE 0xEEu

struct slot {
    uint8_t flag;
    uint8_t type;
    uint64_t first;
    uint64_t sectors;
};

static struct slot slot_at(const uint8_t *sector, unsigned index)
{
    const uint8_t *raw = sector + TABLE_OFFSET + index * SLOT_BYTES;

    return (struct slot){raw[0], raw[4], le32(raw + 8), le32(raw + 12)};
}

static bool has_signature(const uint8_t *sector)
{
    return le16(sector + SIGNATURE_OFFSET) == SIGNATURE;
}

static bool is_extended(const struct slot *slot)
{
    return slot->type == TYPE_EXTENDED_CHS || slot->type == TYPE_EXTENDED_LBA ||
           slot->type == TYPE_EXTENDED_LINUX;
}

bool mbr_is_protective(const uint8_t *sector)
{
    if (!has_signature(sector))
        return false;
    for (unsigned i = 0; i < SLOTS; i++)
        if (slot_at(sector, i).type == TYPE_PROTECTIVE)
            return true;
    return false;
}

/** The first slot whose boot flag is none, as where there is a program instead of a table; SLOTS:
 * there is none. */
static unsigned bad_slot(const uint8_t *sector)
{
    unsigned i = 0;

    while (i < SLOTS && (slot_at(sector, i).flag & 0x7F) == 0)
        i++;
    return i;
}

bool mbr_divides(const uint8_t *sector, uint64_t sectors)
{
    if (!has_signature(sector) || bad_slot(sector) < SLOTS)
        return false;
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot slot = slot_at(sector, i);

        if (slot.type != TYPE_EMPTY && slot.first > 0 && slot.first < sectors && slot.sectors > 0)
            return true;
    }
    return false;
}

/** Checks the table as a whole: is this one that we can read? */
static int check_table(struct table_scan *scan)
{
    unsigned bad;

    if (!has_signature(scan->sector)) {
        problem_set(scan->problem, problem_format_it,
                    "The card has neither a partition table nor a FAT32 file system.");
        return -EINVAL;
    }
    bad = bad_slot(scan->sector);
    if (bad == SLOTS)
        return 0;
    problem_set(scan->problem, problem_format_it,
                "The card's partition table is damaged: slot %u has the boot flag 0x%02x.", bad + 1,
                (unsigned)slot_at(scan->sector, bad).flag);
    return -EINVAL;
}

/** Where the logical ones are; there is one such place at most. */
static void note_extended(struct table_scan *scan, unsigned number, const struct slot *slot,
                          uint64_t extended[2])
{
    uint64_t all = scan->card->sectors;

    if (extended[1] > 0)
        problem_set(scan->problem, problem_format_it,
                    "Partition %u of the card is a second extended one.", number);
    else if (slot->first == 0 || slot->sectors == 0 || slot->first >= all)
        problem_set(scan->problem, problem_format_it,
                    "The extended partition %u is not on the card.", number);
    else {
        extended[0] = slot->first;
        extended[1] = slot->sectors < all - slot->first ? slot->sectors : all - slot->first;
        return;
    }
    table_tell(scan);
}

/** Says so if it shares sectors with another one: which of both is right, nobody knows. */
static void warn_of_overlap(const struct table_scan *scan, unsigned number, const struct slot *slot)
{
    const struct partition *other = table_overlap(scan, slot->first, slot->sectors);

    if (other)
        klog(KLOG_WARNING, "%s: partitions %u and %u overlap", scan->card->name, other->number,
             number);
}

int mbr_read(struct table_scan *scan, uint64_t extended[2])
{
    int error = check_table(scan);

    if (error)
        return error;
    extended[0] = extended[1] = 0;
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot slot = slot_at(scan->sector, i);

        if (slot.type == TYPE_EMPTY)
            continue;
        if (is_extended(&slot)) {
            note_extended(scan, i + 1, &slot, extended);
            continue;
        }
        warn_of_overlap(scan, i + 1, &slot);
        table_add(scan, "", i + 1, slot.type, slot.first, slot.sectors);
    }
    return 0;
}

/* ---- logical partitions ---- */

static bool was_read(const struct table_scan *scan, unsigned count, uint64_t sector)
{
    for (unsigned i = 0; i < count; i++)
        if (scan->chain[i] == sector)
            return true;
    return false;
}

/** Reads the next table of the chain: false, with a reason, if it is none. */
static bool read_link(struct table_scan *scan, unsigned count, uint64_t sector)
{
    const char *what = NULL;

    if (count == LOGICAL_MAX)
        what = "is longer than there are numbers for partitions";
    else if (was_read(scan, count, sector))
        what = "loops";
    else if (table_read(scan, sector) == 0 && !has_signature(scan->sector))
        what = "is damaged: a table in it is none";
    else if (scan->problem->what[0] == '\0') {
        scan->chain[count] = sector;
        return true;
    }
    if (what)
        problem_set(scan->problem, problem_format_it,
                    "The chain of the extended partition %s (at sector %llu).", what,
                    (unsigned long long)sector);
    table_tell(scan);
    return false;
}

/** The partition that the table at `at` describes; false if that is empty. */
static bool add_logical(struct table_scan *scan, const uint64_t extended[2], uint64_t at,
                        unsigned number)
{
    struct slot slot = slot_at(scan->sector, 0);
    uint64_t first = at + slot.first;

    if (slot.type == TYPE_EMPTY)
        return false;
    if (slot.first == 0 || slot.sectors > extended[0] + extended[1] ||
        first > extended[0] + extended[1] - slot.sectors) {
        problem_set(scan->problem, problem_format_it,
                    "The logical partition %u is not inside the extended one.", number);
        table_tell(scan);
    } else if (table_overlap(scan, first, slot.sectors)) {
        problem_set(scan->problem, problem_format_it,
                    "The logical partition %u overlaps another one.", number);
        table_tell(scan);
    } else {
        table_add(scan, "logical ", number, slot.type, first, slot.sectors);
    }
    return true;
}

void mbr_read_logical(struct table_scan *scan, const uint64_t extended[2])
{
    unsigned number = LOGICAL_FIRST;
    uint64_t at = extended[0];

    problem_clear(scan->problem);
    for (unsigned count = 0; read_link(scan, count, at); count++) {
        struct slot next = slot_at(scan->sector, 1);

        number += add_logical(scan, extended, at, number);
        if (next.type == TYPE_EMPTY)
            return;
        if (!is_extended(&next) || next.first >= extended[1]) {
            problem_set(scan->problem, problem_format_it,
                        "The chain of the extended partition leaves it (at sector %llu).",
                        (unsigned long long)at);
            table_tell(scan);
            return;
        }
        problem_clear(scan->problem);
        at = extended[0] + next.first;
    }
}
