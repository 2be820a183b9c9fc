/* SPDX-License-Identifier: MIT */
/*
 * stages.c: see stages.h. Each entry of a sector changes at one stage, or vanishes at one and comes
 * back as another at a later one.
 */
#include "fs/fat32/batch/stages.h"

#include "lib/bytes.h"

#include <hal/block.h>
#include <hal/runtime.h>

#define ENTRY_BYTES 4u
#define LINK_MASK 0x0FFFFFFFu
#define LINK_END_MIN 0x0FFFFFF8u

#define SLOT_BYTES 32u
#define NAME_BYTES 11u
#define ATTRIBUTES 11u
#define ATTRIBUTES_LONG 0x0Fu /* of a piece of a long name */
#define CLUSTER_HIGH 20u
#define CLUSTER_LOW 26u
#define SIZE 28u
#define DELETED 0xE5u

/* ---- the FAT ---- */

static enum fat32_stage stage_of_link(uint32_t old, uint32_t new)
{
    if (old == 0)
        return FAT32_CLAIMED;
    if (new == 0)
        return FAT32_NEW;
    return new >= LINK_END_MIN ? FAT32_CUT : FAT32_LINKED;
}

static void mix_links(const uint8_t *old, const uint8_t *new, enum fat32_stage stage, uint8_t *to)
{
    for (unsigned at = 0; at < HAL_SECTOR_SIZE; at += ENTRY_BYTES) {
        uint32_t from = le32(old + at) & LINK_MASK, final = le32(new + at) & LINK_MASK;

        memcpy(to + at, stage >= stage_of_link(from, final) ? new + at : old + at, ENTRY_BYTES);
    }
}

/* ---- directories ---- */

static bool is_free(const uint8_t *slot)
{
    return slot[0] == 0 || slot[0] == DELETED;
}

static bool is_long(const uint8_t *slot)
{
    return (slot[ATTRIBUTES] & 0x3F) == ATTRIBUTES_LONG;
}

static uint32_t cluster_of(const uint8_t *slot)
{
    return le16(slot + CLUSTER_LOW) | (uint32_t)le16(slot + CLUSTER_HIGH) << 16;
}

/* True if both are the short entry of the same name. */
static bool same_name(const uint8_t *old, const uint8_t *new)
{
    return !is_long(old) && !is_long(new) && memcmp(old, new, NAME_BYTES) == 0;
}

static bool shrinks(const uint8_t *old, const uint8_t *new)
{
    uint32_t cluster = cluster_of(new);

    return le32(new + SIZE) < le32(old + SIZE) && (cluster == 0 || cluster == cluster_of(old));
}

/* True if it is the same file; another one may have got the slot and the name. */
static bool same_file(const uint8_t *old, const uint8_t *new)
{
    return same_name(old, new) &&
           (cluster_of(old) == cluster_of(new) || cluster_of(old) == 0 || shrinks(old, new));
}

/* From which byte on a sector has nothing but a part of a name whose entry is in the next one. */
static unsigned loose_from(const uint8_t *sector)
{
    unsigned at = HAL_SECTOR_SIZE;

    while (at > 0 && !is_free(sector + at - SLOT_BYTES) && is_long(sector + at - SLOT_BYTES))
        at -= SLOT_BYTES;
    return at;
}

/* A slot that is in use before and after, and differs. */
static void mix_used(const uint8_t *old, const uint8_t *new, enum fat32_stage entered,
                     enum fat32_stage stage, uint8_t *to)
{
    enum fat32_stage at = entered;
    bool dots = same_name(old, new) && memcmp(new, "..         ", NAME_BYTES) == 0;
    bool same = same_file(old, new);

    if (dots)
        at = FAT32_LINKED;
    else if (same && shrinks(old, new))
        at = FAT32_REMOVED;
    memcpy(to, stage >= at ? new : old, SLOT_BYTES);
    if (!same && !dots && stage >= FAT32_REMOVED && stage < at)
        to[0] = DELETED;
}

static bool has_end(const uint8_t *sector)
{
    for (unsigned at = 0; at < HAL_SECTOR_SIZE; at += SLOT_BYTES)
        if (sector[at] == 0)
            return true;
    return false;
}

static void mix_slots(const uint8_t *old, const uint8_t *new, enum fat32_stage stage, uint8_t *to)
{
    unsigned old_loose = loose_from(old), new_loose = loose_from(new);
    bool end_moves_on = has_end(old) && !has_end(new);

    for (unsigned at = 0; at < HAL_SECTOR_SIZE; at += SLOT_BYTES) {
        enum fat32_stage removed = at >= old_loose ? FAT32_CUT : FAT32_REMOVED;
        enum fat32_stage entered = at >= new_loose ? FAT32_NAMED : FAT32_ENTERED;

        if (memcmp(old + at, new + at, SLOT_BYTES) == 0)
            memcpy(to + at, new + at, SLOT_BYTES);
        else if (is_free(new + at)) /* so the end of a directory is behind what will be entered */
            memcpy(to + at, stage >= removed ? new + at : old + at, SLOT_BYTES);
        else if (is_free(old + at)) {
            memcpy(to + at, stage >= entered ? new + at : old + at, SLOT_BYTES);
            /* What the next sector gets may be there first: it must not be behind the end. */
            if (end_moves_on && stage >= FAT32_REMOVED && stage < entered)
                to[at] = DELETED;
        } else
            mix_used(old + at, new + at, entered, stage, to + at);
    }
}

void fat32_stage_content(bool of_fat, const uint8_t *old, const uint8_t *new,
                         enum fat32_stage stage, uint8_t *to)
{
    if (of_fat)
        mix_links(old, new, stage, to);
    else
        mix_slots(old, new, stage, to);
}
