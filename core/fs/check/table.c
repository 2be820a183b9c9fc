/* SPDX-License-Identifier: MIT */
/*
 * table.c: the FAT: its copies, its first two entries, chains and their owners.
 */
#include "fs/check/judge.h"

#include "lib/bytes.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define MASK 0x0FFFFFFFu
#define BAD 0x0FFFFFF7u
#define END_MIN 0x0FFFFFF8u
#define CLEAN 0x08000000u
#define NO_ERRORS 0x04000000u

int judge_link(struct judge *judge, uint32_t cluster, uint32_t *value)
{
    const uint8_t *entry;
    int error = judge_look(judge, judge->volume.fat + (uint64_t)cluster * 4, &entry);

    if (!error)
        *value = le32(entry) & MASK;
    return error;
}

/* ---- the copies ---- */

static int compare_copies(struct judge *judge)
{
    const struct check_volume *volume = &judge->volume;
    uint64_t used = ((uint64_t)volume->clusters + 2) * 4;
    uint8_t first[512];

    for (unsigned copy = 1; volume->mirrored && copy < volume->fats; copy++) {
        for (uint64_t at = 0; at < used; at += sizeof(first)) {
            size_t n = used - at < sizeof(first) ? (size_t)(used - at) : sizeof(first);
            const uint8_t *data;
            int error = judge_look(judge, volume->fat + at, &data);

            if (error)
                return error;
            memcpy(first, data, sizeof(first));
            error = judge_look(judge, volume->fat + copy * volume->fat_bytes + at, &data);
            if (error)
                return error;
            if (memcmp(first, data, n) == 0)
                continue;
            judge_found(judge, CHECK_UNTIDY, "FAT %u differs from the first", copy + 1);
            break;
        }
    }
    return 0;
}

int judge_table(struct judge *judge)
{
    uint32_t first = 0, second = 0;
    int error = judge_link(judge, 0, &first);

    if (!error)
        error = judge_link(judge, 1, &second);
    if (error)
        return error;
    if (first != (0x0FFFFF00u | judge->volume.media))
        judge_found(judge, CHECK_DAMAGE, "the first entry of the FAT is %08x", first);
    if (!(second & CLEAN)) {
        judge->result->in_use = true;
        judge_found(judge, CHECK_UNTIDY, "the FAT says that the volume is in use");
    }
    if (!(second & NO_ERRORS))
        judge_found(judge, CHECK_UNTIDY, "the FAT says that the medium had errors");
    return compare_copies(judge);
}

/* ---- chains ---- */

static bool take(struct judge *judge, uint32_t cluster)
{
    uint8_t *byte = check_row_at(&judge->owned, cluster / 8), bit = (uint8_t)(1u << cluster % 8);
    bool was = *byte & bit;

    *byte |= bit;
    return !was;
}

/* Says what is wrong with a link to `next`; false if nothing is. */
static bool is_wrong(struct judge *judge, uint32_t next, const char *name)
{
    if (next == 0)
        judge_found(judge, CHECK_DAMAGE, "%s contains a free cluster", name);
    else if (next == BAD)
        judge_found(judge, CHECK_DAMAGE, "%s contains a bad cluster", name);
    else if (!judge_valid(judge, next))
        judge_found(judge, CHECK_DAMAGE, "%s leads to cluster %u, which does not exist", name,
                    next);
    else
        return false;
    return true;
}

int judge_own(struct judge *judge, uint32_t first, uint32_t most, const char *name,
              uint32_t *length)
{
    uint32_t cluster = first, next = 0;

    *length = 0;
    if (!judge_valid(judge, first)) {
        judge_found(judge, CHECK_DAMAGE, "%s starts at cluster %u, which does not exist", name,
                    first);
        return 0;
    }
    for (;;) {
        int error = judge_link(judge, cluster, &next);

        if (error)
            return error;
        if ((next == 0 || next == BAD) && is_wrong(judge, next, name))
            return 0;
        if (!take(judge, cluster)) {
            judge_found(judge, CHECK_DAMAGE, "%s has cluster %u, which another file has, or itself",
                        name, cluster);
            return 0;
        }
        judge->result->used++;
        ++*length;
        if (next >= END_MIN || is_wrong(judge, next, name))
            break;
        cluster = next;
    }
    if (*length > most)
        judge_found(judge, CHECK_UNTIDY, "%s has %u clusters and needs %u", name, *length, most);
    return 0;
}

int judge_rest(struct judge *judge)
{
    struct check_result *result = judge->result;

    for (uint32_t cluster = 2; cluster < judge->volume.clusters + 2; cluster++) {
        uint32_t value = 0;
        int error = judge_link(judge, cluster, &value);

        if (error)
            return error;
        if (value == BAD)
            result->bad++;
        else if (value != 0 && !(*check_row_at(&judge->owned, cluster / 8) >> cluster % 8 & 1))
            result->lost++;
    }
    if (result->lost)
        judge_found(judge, CHECK_UNTIDY, "%u clusters are nobody's", result->lost);
    return 0;
}
