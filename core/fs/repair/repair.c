/* SPDX-License-Identifier: MIT */
/*
 * repair.c: the order of a repair, the boot sector, and FSInfo. See repair.h.
 */
#include "fs/repair/work.h"

#include "lib/bytes.h"
#include "lib/format.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SECTOR 512u
#define COPY 6u
#define STATE 65u /* of the boot sector: bit 0 is in use */
#define LABEL 71u
#define UNKNOWN 0xFFFFFFFFu
#define NO_LABEL "NO NAME    "

void repair_say(struct repair *repair, const char *format, ...)
{
    char text[240];
    va_list args;

    repair->result->mended++;
    if (!repair->means->found)
        return;
    va_start(args, format);
    format_text_va(text, sizeof(text), format, args);
    va_end(args);
    repair->means->found(repair->means->context, CHECK_UNTIDY, text);
}

int repair_read(struct repair *repair, uint64_t offset, void *data, uint32_t bytes)
{
    return repair->means->read(repair->means->context, offset / SECTOR, data, bytes / SECTOR);
}

int repair_write(struct repair *repair, uint64_t offset, const void *data, uint32_t bytes)
{
    return repair->means->write(repair->means->context, offset / SECTOR, data, bytes / SECTOR);
}

void *repair_allocate(struct repair *repair, size_t bytes)
{
    return repair->means->allocate(repair->means->context, bytes);
}

void repair_release(struct repair *repair, void *memory)
{
    if (memory)
        repair->means->release(repair->means->context, memory);
}

/* ---- the boot sector ---- */

/* Takes it from `offset`, if what is there can be one. */
static int try_boot(struct repair *repair, uint64_t offset)
{
    struct check_means quiet = *repair->means;
    struct check_result ignored = {.files = 0};
    struct judge judge = {.means = &quiet, .result = &ignored};
    int error = repair_read(repair, offset, repair->boot, SECTOR);

    quiet.found = NULL;
    if (!error)
        error = judge_parse(&judge, repair->boot);
    repair->volume = judge.volume;
    if (!error && !repair_valid(repair, repair->volume.root))
        error = -EINVAL;
    return error;
}

/* True if there is a FAT where the boot sector says, by its first entry. */
static bool finds_fat(struct repair *repair)
{
    const struct check_volume *volume = &repair->volume;
    uint8_t data[SECTOR];

    for (unsigned copy = 0; copy < (volume->mirrored ? volume->fats : 1); copy++)
        if (repair_read(repair, volume->fat + copy * volume->fat_bytes, data, SECTOR) == 0 &&
            (le32(data) & REPAIR_LINK_MASK) == (0x0FFFFF00u | volume->media))
            return true;
    return false;
}

static bool try_copy(struct repair *repair)
{
    for (uint32_t bytes = SECTOR; bytes <= 4096; bytes *= 2)
        if (try_boot(repair, (uint64_t)COPY * bytes) == 0 && repair->volume.sector_bytes == bytes)
            return true;
    return false;
}

/* The boot sector, if it is one; or its copy, if that is a better one. */
static int find_boot(struct repair *repair)
{
    int error = try_boot(repair, 0);

    if (!error && finds_fat(repair))
        return 0;
    if (try_copy(repair) && (error || finds_fat(repair))) {
        repair_say(repair, "the boot sector is taken from its copy");
        repair->boot_changed = true;
        return 0;
    }
    return try_boot(repair, 0);
}

static void set_boot(struct repair *repair, unsigned at, const void *data, unsigned n)
{
    if (memcmp(repair->boot + at, data, n) == 0)
        return;
    memcpy(repair->boot + at, data, n);
    repair->boot_changed = true;
}

static void mend_media(struct repair *repair)
{
    uint8_t media = repair->boot[21];

    if (media == 0xF0 || media >= 0xF8)
        return;
    repair_say(repair, "the media byte was %02x", media);
    media = 0xF8;
    set_boot(repair, 21, &media, 1);
    repair->volume.media = media;
}

/* The copy of the boot sector is in one place or nowhere, and FSInfo is not there. */
static void mend_places(struct repair *repair)
{
    uint8_t place[2] = {1, 0}, copy[2] = {0, 0};

    if (le16(repair->boot + 50) != 0 &&
        (le16(repair->boot + 50) != COPY || le16(repair->boot + 14) <= COPY)) {
        repair_say(repair, "the copy of the boot sector was said to be at %u",
                   le16(repair->boot + 50));
        copy[0] = le16(repair->boot + 14) > COPY ? COPY : 0;
        set_boot(repair, 50, copy, 2);
    }
    if (le16(repair->boot + 48) < le16(repair->boot + 14) &&
        (le16(repair->boot + 48) != COPY || le16(repair->boot + 50) != COPY))
        return;
    repair_say(repair, "FSInfo was said to be where it cannot be");
    place[0] = le16(repair->boot + 14) > 1; /* or nowhere */
    set_boot(repair, 48, place, 2);
    repair->volume.info = place[0] * repair->volume.sector_bytes;
}

/* Both boot sectors, when all else is known. */
static int store_boot(struct repair *repair)
{
    uint64_t copy = (uint64_t)COPY * repair->volume.sector_bytes;
    uint8_t state = repair->boot[STATE] & (uint8_t)~1u, old[SECTOR];
    int error = 0;

    set_boot(repair, STATE, &state, 1);
    set_boot(repair, LABEL, repair->labelled ? repair->label : (const uint8_t *)NO_LABEL, 11);
    if (repair->boot_changed)
        error = repair_write(repair, 0, repair->boot, SECTOR);
    if (error || le16(repair->boot + 50) != COPY || le16(repair->boot + 14) <= COPY)
        return error;
    error = repair_read(repair, copy, old, SECTOR);
    if (!error && memcmp(old, repair->boot, SECTOR) == 0)
        return 0;
    return repair_write(repair, copy, repair->boot, SECTOR);
}

static int store_info(struct repair *repair)
{
    uint8_t info[SECTOR];
    int error;

    if (repair->volume.info == 0)
        return 0;
    error = repair_read(repair, repair->volume.info, info, SECTOR);
    if (error)
        memset(info, 0, SECTOR);
    put_le32(info, 0x41615252u);
    put_le32(info + 484, 0x61417272u);
    put_le32(info + 508, 0xAA550000u);
    put_le32(info + 488, repair_count_free(repair));
    if (!repair_valid(repair, le32(info + 492)))
        put_le32(info + 492, UNKNOWN);
    return repair_write(repair, repair->volume.info, info, SECTOR);
}

/* ---- all of it ---- */

static bool is_clean(const struct check_result *result)
{
    return result->findings[CHECK_UNTIDY] == 0 && result->findings[CHECK_DAMAGE] == 0;
}

/* What the checker says, without words. */
static int look(struct repair *repair)
{
    struct check_means quiet = *repair->means;

    quiet.found = NULL;
    return fat_check(&quiet, &repair->result->after);
}

static int mend(struct repair *repair)
{
    int error = find_boot(repair);

    if (!error && repair->options->finish && repair->result->after.in_use)
        error = repair_finish(repair);
    if (!error) {
        mend_media(repair);
        mend_places(repair);
        error = repair_load_links(repair);
    }
    if (!error)
        error = repair_mark(repair);
    if (!error)
        error = repair_tree(repair);
    if (!error)
        error = repair_lost(repair);
    if (!error && repair->result->mended == 0)
        repair_say(repair, "marks, counts, or copies were not what they should be");
    if (!error)
        error = repair_store_links(repair, false);
    if (!error)
        error = store_info(repair);
    if (!error)
        error = store_boot(repair);
    return error ? error : repair_store_links(repair, true);
}

int fat_repair(const struct check_means *means, const struct repair_options *options,
               struct repair_result *result)
{
    struct repair *repair = means->allocate(means->context, sizeof(*repair));
    int error;

    *result = (struct repair_result){.mended = 0};
    if (!repair)
        return -ENOMEM;
    repair->means = means;
    repair->options = options;
    repair->result = result;
    error = look(repair);
    if (error == -EINVAL || (!error && !is_clean(&result->after))) {
        error = mend(repair);
        if (!error)
            error = look(repair);
        if (!error && !is_clean(&result->after)) {
            error = repair_mark(repair);
            error = error ? error : -EIO;
        }
    }
    repair_release(repair, repair->names);
    repair_release(repair, repair->pending);
    check_row_end(&repair->links, means);
    check_row_end(&repair->owned, means);
    repair_release(repair, repair);
    return error;
}
