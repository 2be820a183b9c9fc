/* SPDX-License-Identifier: MIT */
/*
 * gpt.c: GUID partition tables (UEFI specification, chapter 5).
 *
 * There are two copies, each a header of one sector and an array of entries, and each sealed with
 * checksums (CRC-32), so that a card whose beginning or end was overwritten still has one:
 *
 *     0           1        2 .. 33                               n-33 .. n-2    n-1
 *     | MBR 0xEE | header | entries | partitions ...            | entries     | header |
 *
 *     header: 0 "EFI PART"  8 revision  12 its bytes  16 its checksum (with zeros here)
 *             24 its own sector  32 the other header's  40 first usable sector  48 last
 *             72 sector of the entries  80 how many  84 bytes of each  88 checksum of all
 *     entry:  0 type (16 bytes; zeros: unused)  16 its own id  32 first sector  40 last sector
 *             48 flags  56 name, UTF-16
 *
 * The first copy is taken if header and entries are sound, else the second one: at the very end, or
 * where the first header says, if that one is sound at least. Repairing the other is for a tool,
 * not for who reads.
 */
#include "block/table/table.h"

#include "lib/bytes.h"
#include "lib/crc32.h"
#include "lib/log.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define HEADER_BYTES 92u
#define ENTRY_BYTES 128u
#define ARRAY_BYTES_MAX (1u << 20) /* 8,192 entries of the usual size */

struct gpt {
    uint64_t other;        /**< the other header */
    uint64_t first, last;  /**< usable sectors */
    uint64_t entries;      /**< sector of the array */
    uint32_t count, bytes; /**< how many, and the size of each */
    uint32_t sum;          /**< of the array */
};

/** The types that matter here, as the type that an MBR would give them. */
static uint8_t type_of(const uint8_t *guid)
{
    static const struct {
        uint8_t guid[16];
        uint8_t type;
    } types[] = {
        /* EBD0A0A2-B9E5-4433-87C0-68B6B72699C7: data, as Windows and most cards have it */
        {{0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99,
          0xC7},
         0x0C},
        /* C12A7328-F81F-11D2-BA4B-00A0C93EC93B: what the firmware boots from */
        {{0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9,
          0x3B},
         0xEF},
        /* 0FC63DAF-8483-4772-8E79-3D69D8477DE4: Linux */
        {{0xAF, 0x3D, 0xC6, 0x0F, 0x83, 0x84, 0x72, 0x47, 0x8E, 0x79, 0x3D, 0x69, 0xD8, 0x47, 0x7D,
          0xE4},
         0x83},
    };

    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (memcmp(guid, types[i].guid, 16) == 0)
            return types[i].type;
    return 0xFF; /* some other */
}

/* ---- the header ---- */

/** Why the header in `sector`, which was read from `at`, is unsound; NULL: it is sound so far. */
static const char *check_header(uint8_t *sector, uint64_t at)
{
    uint32_t bytes = le32(sector + 12), sum = le32(sector + 16);

    if (memcmp(sector, "EFI PART", 8) != 0)
        return "is missing";
    if (le32(sector + 8) < 0x00010000 || bytes < HEADER_BYTES || bytes > HAL_SECTOR_SIZE)
        return "is of a kind that nobody knows";
    put_le32(sector + 16, 0);
    if (crc32(0, sector, bytes) != sum)
        return "is damaged";
    return le64(sector + 24) == at ? NULL : "belongs elsewhere";
}

static struct gpt fields(const uint8_t *sector)
{
    return (struct gpt){
        .other = le64(sector + 32),
        .first = le64(sector + 40),
        .last = le64(sector + 48),
        .entries = le64(sector + 72),
        .count = le32(sector + 80),
        .bytes = le32(sector + 84),
        .sum = le32(sector + 88),
    };
}

/** Why what the header says cannot be; NULL: it can. */
static const char *check_fields(const struct gpt *gpt, uint64_t sectors)
{
    uint64_t all = (uint64_t)gpt->count * gpt->bytes;
    uint64_t array = (all + HAL_SECTOR_SIZE - 1) / HAL_SECTOR_SIZE;

    if (gpt->bytes < ENTRY_BYTES || gpt->bytes > HAL_SECTOR_SIZE ||
        (gpt->bytes & (gpt->bytes - 1)) != 0 || gpt->count == 0 || all > ARRAY_BYTES_MAX)
        return "has entries of a size that cannot be";
    if (gpt->entries < 2 || gpt->entries > sectors || array > sectors - gpt->entries)
        return "has its entries outside the card";
    if (gpt->first > gpt->last || gpt->first < 2)
        return "leaves no sector for partitions";
    return NULL;
}

/* ---- the array ---- */

/** The array's checksum: 0 and *sum, or an error of the card. */
static int sum_array(struct table_scan *scan, const struct gpt *gpt, uint32_t *sum)
{
    uint32_t left = gpt->count * gpt->bytes;
    uint64_t at = gpt->entries;

    *sum = 0;
    while (left > 0) {
        uint32_t now = left < HAL_SECTOR_SIZE ? left : HAL_SECTOR_SIZE;
        int error = table_read(scan, at++);

        if (error)
            return error;
        *sum = crc32(*sum, scan->sector, now);
        left -= now;
    }
    return 0;
}

/** Reads the copy whose header is at `at`: NULL, or why it cannot be used. */
static const char *read_copy(struct table_scan *scan, uint64_t at, struct gpt *gpt)
{
    const char *why;
    uint32_t sum;

    if (at == 0 || at >= scan->card->sectors)
        return "is outside the card";
    if (table_read(scan, at))
        return "cannot be read";
    why = check_header(scan->sector, at);
    if (why)
        return why;
    *gpt = fields(scan->sector);
    why = check_fields(gpt, scan->card->sectors);
    if (why)
        return why;
    if (sum_array(scan, gpt, &sum))
        return "cannot be read";
    return sum == gpt->sum ? NULL : "has damaged entries";
}

static void add_entry(struct table_scan *scan, const struct gpt *gpt, unsigned number,
                      const uint8_t *raw)
{
    static const uint8_t unused[16];
    uint64_t first = le64(raw + 32), last = le64(raw + 40);
    const char *why = NULL;

    if (memcmp(raw, unused, 16) == 0)
        return;
    if (number > PARTITION_MAX)
        why = "has a number that is too high";
    else if (last < first || first < gpt->first || last > gpt->last)
        why = "is not where partitions may be";
    else if (last >= scan->card->sectors)
        why = "ends behind the card's end: it was cut short";
    else if (table_overlap(scan, first, last - first + 1))
        why = "overlaps another one";
    if (!why) {
        table_add(scan, "", number, type_of(raw), first, last - first + 1);
        return;
    }
    problem_set(scan->problem, problem_format_it, "Partition %u of the card's GPT %s.", number,
                why);
    table_tell(scan);
}

/** Each entry of a sound copy. */
static int add_entries(struct table_scan *scan, const struct gpt *gpt)
{
    unsigned each = HAL_SECTOR_SIZE / gpt->bytes;

    for (uint32_t i = 0; i < gpt->count; i++) {
        if (i % each == 0) {
            int error = table_read(scan, gpt->entries + i / each);

            if (error)
                return error;
        }
        add_entry(scan, gpt, i + 1, scan->sector + i % each * gpt->bytes);
    }
    return 0;
}

/* ---- both copies ---- */

/** The second copy, after the first turned out unsound for reason `why`. */
static const char *read_second(struct table_scan *scan, const char *why, struct gpt *gpt)
{
    uint64_t end = scan->card->sectors - 1, said = gpt->other;
    const char *second = read_copy(scan, end, gpt);

    if (second && said > 1 && said != end)
        second = read_copy(scan, said, gpt);
    if (!second)
        klog(KLOG_WARNING, "%s: the first GPT %s; the second one is used", scan->card->name, why);
    return second;
}

/** Looks whether the second copy would be there if the first had gone. */
static void check_second(struct table_scan *scan, const struct gpt *first)
{
    struct gpt second;
    const char *why = read_copy(scan, first->other, &second);

    if (!why && second.sum != first->sum)
        why = "says something else";
    if (why)
        klog(KLOG_WARNING, "%s: the second GPT %s", scan->card->name, why);
    problem_clear(scan->problem);
}

int gpt_read(struct table_scan *scan)
{
    struct gpt gpt = {0};
    const char *why = read_copy(scan, 1, &gpt), *why_not;

    if (!why) {
        check_second(scan, &gpt);
        return add_entries(scan, &gpt);
    }
    why_not = read_second(scan, why, &gpt);
    if (!why_not) {
        problem_clear(scan->problem);
        return add_entries(scan, &gpt);
    }
    problem_set(scan->problem, problem_format_it, "The card's first GPT %s, and the second one %s.",
                why, why_not);
    return -EINVAL;
}
