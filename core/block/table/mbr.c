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

#include "lib/log.h"

#include <hal/errno.h>

#define TYPE_EXTENDED_CHS 0x05u
#define TYPE_EXTENDED_LBA 0x0Fu
#define TYPE_EXTENDED_LINUX 0x85u

static bool is_extended(const struct mbr_slot *slot)
{
    return slot->type == TYPE_EXTENDED_CHS || slot->type == TYPE_EXTENDED_LBA ||
           slot->type == TYPE_EXTENDED_LINUX;
}

/** Checks the table as a whole: is this one that we can read? */
static int check_table(struct table_scan *scan)
{
    unsigned bad;

    if (!mbr_has_signature(scan->sector)) {
        problem_set(scan->problem, problem_format_it,
                    "The card has neither a partition table nor a FAT32 file system.");
        return -EINVAL;
    }
    bad = mbr_bad_slot(scan->sector);
    if (bad == MBR_SLOTS)
        return 0;
    problem_set(scan->problem, problem_format_it,
                "The card's partition table is damaged: slot %u has the boot flag 0x%02x.", bad + 1,
                (unsigned)mbr_slot_at(scan->sector, bad).flag);
    return -EINVAL;
}

/** Where the logical ones are; there is one such place at most. */
static void note_extended(struct table_scan *scan, unsigned number, const struct mbr_slot *slot,
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
static void warn_of_overlap(const struct table_scan *scan, unsigned number,
                            const struct mbr_slot *slot)
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
    for (unsigned i = 0; i < MBR_SLOTS; i++) {
        struct mbr_slot slot = mbr_slot_at(scan->sector, i);

        if (slot.type == MBR_EMPTY)
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
    else if (table_read(scan, sector) == 0 && !mbr_has_signature(scan->sector))
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
    struct mbr_slot slot = mbr_slot_at(scan->sector, 0);
    uint64_t first = at + slot.first;

    if (slot.type == MBR_EMPTY)
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
        struct mbr_slot next = mbr_slot_at(scan->sector, 1);

        number += add_logical(scan, extended, at, number);
        if (next.type == MBR_EMPTY)
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
