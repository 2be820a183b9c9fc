/* SPDX-License-Identifier: MIT */
/*
 * directory.c: the entries of a directory, one after the other.
 *
 * A directory is an array of slots of 32 bytes. Byte 0 says what a slot is: 0x00 free, and so are
 * all that follow; 0xE5 free. Byte 11, the attributes, tells the rest apart: 0x0F a slot of a long
 * name; bit 3 alone the volume's label; bit 4 alone a directory; neither, a file. Both at once is
 * nothing.
 *
 *     0-10 short name   11 attributes   12 lower-case marks   13 1/100 s of creation
 *     14 time and 16 date of creation   18 date of access     20 cluster, high half
 *     22 time and 24 date of change     26 cluster, low half  28 size
 */
#include "fs/fat32/entry/entry.h"

#include "lib/bytes.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SLOT_END 0x00u
#define SLOT_FREE 0xE5u

#define ATTRIBUTE_LABEL 0x08u
#define ATTRIBUTE_LONG 0x0Fu
#define ATTRIBUTE_LONG_MASK 0x3Fu

void fat32_entry_attributes(const struct fat32_volume *volume, const uint8_t *slot,
                            struct vnode_attributes *attributes)
{
    bool directory = slot[11] & FAT32_MARK_DIRECTORY;
    uint64_t cluster = (uint64_t)1 << volume->geometry.cluster_shift;

    *attributes = (struct vnode_attributes){.type = directory ? VNODE_DIRECTORY : VNODE_FILE};
    attributes->size = directory ? 0 : le32(slot + 28);
    attributes->blocks = (attributes->size + cluster - 1) / cluster * (cluster / 512);
    attributes->hidden = slot[11] & FAT32_MARK_HIDDEN;
    attributes->system = slot[11] & FAT32_MARK_SYSTEM;
    attributes->read_only = slot[11] & FAT32_MARK_READ_ONLY;
    attributes->links = 1;
    attributes->created = fat32_time_read(le16(slot + 16), le16(slot + 14), slot[13]);
    attributes->accessed = fat32_time_read(le16(slot + 18), 0, 0);
    attributes->modified = fat32_time_read(le16(slot + 24), le16(slot + 22), 0);
    attributes->changed = attributes->modified;
    fat32_permit(volume, attributes);
}

static void read_entry(const struct fat32_volume *volume, const uint8_t *slot,
                       const struct fat32_long_name *long_name, struct fat32_entry *entry)
{
    struct directory_entry *public = &entry->public;

    fat32_short_name(slot, entry->alias, sizeof(entry->alias));
    entry->long_slots = long_name->total;
    if (fat32_long_finish(long_name, slot, public->name, sizeof(public->name)) == 0) {
        entry->long_slots = 0;
        string_copy(public->name, sizeof(public->name), entry->alias);
    }
    entry->cluster = le16(slot + 26) | (uint32_t)le16(slot + 20) << 16;
    fat32_entry_attributes(volume, slot, &public->attributes);
}

/** The 32 bytes of a slot. -ENOENT: the directory has no such slot. */
static int slot_at(struct fat32_volume *volume, struct fat32_chain *chain, uint64_t number,
                   const uint8_t **slot)
{
    uint64_t offset = number * FAT32_SLOT_BYTES;
    unsigned shift = volume->geometry.cluster_shift;
    uint32_t cluster, count;
    size_t available;
    int error = fat32_chain_find(volume, chain, (uint32_t)(offset >> shift), &cluster, &count);

    if (error)
        return error;
    offset &= ((uint64_t)1 << shift) - 1;
    return fat32_look(volume, fat32_cluster_offset(&volume->geometry, cluster) + offset, slot,
                      &available);
}

/** True for the two entries that a directory has for itself and its parent. */
static bool is_dots(const uint8_t *slot)
{
    return memcmp(slot, ".          ", FAT32_SHORT_BYTES) == 0 ||
           memcmp(slot, "..         ", FAT32_SHORT_BYTES) == 0;
}

int fat32_directory_next(struct fat32_volume *volume, struct fat32_chain *chain, uint64_t *position,
                         struct fat32_entry *entry)
{
    struct fat32_long_name long_name;

    fat32_long_reset(&long_name);
    for (uint64_t number = *position; number < FAT32_SLOTS_MAX; number++) {
        const uint8_t *slot;
        int error = slot_at(volume, chain, number, &slot);
        unsigned kind;

        if (error)
            return error;
        kind = slot[11] & (ATTRIBUTE_LABEL | FAT32_MARK_DIRECTORY);
        if (slot[0] == SLOT_END)
            return -ENOENT;
        if (slot[0] != SLOT_FREE && (slot[11] & ATTRIBUTE_LONG_MASK) == ATTRIBUTE_LONG) {
            fat32_long_add(&long_name, slot);
            continue;
        }
        if (slot[0] != SLOT_FREE && !(kind & ATTRIBUTE_LABEL) && !is_dots(slot)) {
            read_entry(volume, slot, &long_name, entry);
            *position = number + 1;
            return 0;
        }
        fat32_long_reset(&long_name);
    }
    return -ENOENT;
}
