/* SPDX-License-Identifier: MIT */
/*
 * scan.c: looks at sector 0, and asks the reader of that kind of table.
 */
#include "block/table/table.h"

#include "heap/heap.h"
#include "lib/log.h"

#include <hal/errno.h>

/* ---- for the readers ---- */

void table_tell(const struct table_scan *scan)
{
    klog(KLOG_NOTICE, "%s: %s", scan->card->name, scan->problem->what);
}

int table_read(struct table_scan *scan, uint64_t sector)
{
    int error = block_read(scan->card, sector, scan->sector, 1);

    if (error)
        problem_set(scan->problem, "Try another card, or write this one again.",
                    "Sector %llu of the card, a part of its partition table, cannot be read "
                    "(error %d).",
                    (unsigned long long)sector, -error);
    return error;
}

const struct partition *table_overlap(const struct table_scan *scan, uint64_t first,
                                      uint64_t sectors)
{
    uint64_t from = scan->card->first + first;

    for (unsigned i = 0; i < scan->table->count; i++) {
        const struct partition *entry = &scan->table->entries[i];

        if (from < entry->device.first + entry->device.sectors &&
            entry->device.first < from + sectors)
            return entry;
    }
    return NULL;
}

/** Says why these sectors cannot be a partition of the card; false if they can. */
static bool cannot_be(struct table_scan *scan, const char *kind, unsigned number, uint64_t first,
                      uint64_t sectors)
{
    uint64_t all = scan->card->sectors;

    if (first == 0 || sectors == 0)
        problem_set(scan->problem, problem_format_it,
                    "The %spartition %u of the card is said to be %s, which cannot be.", kind,
                    number, first == 0 ? "where the partition table is" : "0 sectors long");
    else if (first > all || sectors > all - first)
        problem_set(scan->problem, problem_write_again,
                    "The %spartition %u ends at sector %llu, but the card has only %llu: it was "
                    "cut short.",
                    kind, number, (unsigned long long)(first + sectors), (unsigned long long)all);
    else
        return false;
    return true;
}

void table_add(struct table_scan *scan, const char *kind, unsigned number, uint8_t type,
               uint64_t first, uint64_t sectors)
{
    struct partition *entry = &scan->table->entries[scan->table->count];

    if (scan->table->count == PARTITION_MAX)
        problem_set(scan->problem, problem_format_it, "The card has more than %u partitions.",
                    PARTITION_MAX);
    else if (!cannot_be(scan, kind, number, first, sectors) &&
             block_slice(scan->card, number, first, sectors, &entry->device) == 0) {
        entry->number = number;
        entry->type = type;
        scan->table->count++;
        return;
    }
    table_tell(scan);
}

/* ---- all kinds ---- */

/** Puts the partitions into the table of devices in the place of those known before, as far as
 * there is room. */
static void make_known(const struct block_device *card, struct partition_table *table)
{
    if (block_forget_partitions(card))
        klog(KLOG_WARNING, "%s: its partitions are in use", card->name);
    for (unsigned i = 0; i < table->count; i++) {
        struct partition *entry = &table->entries[i];
        struct block_device known;
        int error;

        if (entry->number == 0)
            continue;
        error = block_add_partition(card, entry->number, entry->device.first - card->first,
                                    entry->device.sectors, &known);
        if (error)
            klog(KLOG_WARNING, "%s: not in the table of devices (error %d)", entry->device.name,
                 -error);
        else
            entry->device = known;
    }
}

/** 0 if anything was found; else the last reason, or that there is nothing. */
static int conclude(const struct table_scan *scan)
{
    if (scan->table->count > 0) {
        problem_clear(scan->problem);
        return 0;
    }
    if (!scan->problem->what[0])
        problem_set(scan->problem, problem_format_it, "The card's partition table is empty.");
    return -EINVAL;
}

static bool take_whole(struct table_scan *scan)
{
    if (!partition_is_boot_sector(scan->sector) || mbr_divides(scan->sector, scan->card->sectors))
        return false;
    scan->table->entries[0] = (struct partition){.number = 0, .type = 0x0C, .device = *scan->card};
    scan->table->count = 1;
    return true;
}

/** Sector 0 has been read. */
static int read_table(struct table_scan *scan)
{
    uint64_t extended[2] = {0, 0};
    int error;

    if (take_whole(scan))
        return 0;
    if (mbr_is_protective(scan->sector)) {
        error = gpt_read(scan);
    } else {
        error = mbr_read(scan, extended);
        if (!error && extended[1] > 0)
            mbr_read_logical(scan, extended);
    }
    return error ? error : conclude(scan);
}

int partition_scan(const struct block_device *card, struct partition_table *table,
                   struct problem *problem)
{
    struct table_scan *scan;
    int error;

    problem_clear(problem);
    table->count = 0;
    if (card->counts) {
        problem_set(problem, "Scan the whole disk.", "%s is a partition itself.", card->name);
        return -EINVAL;
    }
    if (card->sectors == 0) {
        problem_set(problem, problem_write_again, "The card is empty: it has not a single sector.");
        return -EINVAL;
    }
    scan = kmalloc_aligned(sizeof(*scan), alignof(struct table_scan));
    if (!scan) {
        problem_set(problem, "Give the machine more memory.",
                    "Out of memory: no room to read the card.");
        return -ENOMEM;
    }
    scan->card = card;
    scan->table = table;
    scan->problem = problem;
    error = table_read(scan, 0);
    if (!error)
        error = read_table(scan);
    if (error)
        table->count = 0;
    make_known(card, table);
    kfree(scan);
    return error;
}
