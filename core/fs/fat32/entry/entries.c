/* SPDX-License-Identifier: MIT */
/*
 * entries.c: slots of directories: found, filled, erased.
 *
 * The slots of one entry never lie in two sectors if they fit in one, for a sector is written whole
 * or not at all. So free slots at the end of a sector may be skipped; what is skipped is marked as
 * erased if it lies before the end of the directory, which is where the first slot of zeros is.
 */
#include "fs/fat32/entry/entry.h"
#include "fs/fat32/write/write.h"

#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SLOTS_IN_SECTOR ((unsigned)(HAL_SECTOR_SIZE / FAT32_SLOT_BYTES))
#define SLOT_END 0x00u
#define SLOT_ERASED 0xE5u
#define LINK_END 0x0FFFFFFFu
#define FEW 16u /* entries that are read before an index is made */

/* ---- places ---- */

int fat32_chain_place(struct fat32_volume *volume, struct fat32_chain *chain, uint64_t number,
                      uint64_t *byte)
{
    const struct fat32_geometry *geometry = &volume->geometry;
    uint64_t offset = number * FAT32_SLOT_BYTES;
    uint64_t within = offset & (((uint64_t)1 << geometry->cluster_shift) - 1);
    uint32_t cluster, count;
    int error = fat32_chain_find(volume, chain, (uint32_t)(offset >> geometry->cluster_shift),
                                 &cluster, &count);

    if (!error)
        *byte = fat32_cluster_offset(geometry, cluster) + within;
    return error;
}

int fat32_slot_place(struct fat32_node *directory, uint64_t number, uint64_t *byte)
{
    return fat32_chain_place(directory->volume, &directory->chain, number, byte);
}

static int look_at_slot(struct fat32_node *directory, uint64_t number, const uint8_t **slot)
{
    uint64_t byte = 0;
    size_t available;
    int error = fat32_slot_place(directory, number, &byte);

    return error ? error : fat32_look(directory->volume, byte, slot, &available);
}

static int change_slot(struct fat32_node *directory, uint64_t number, uint8_t **slot)
{
    uint64_t byte = 0;
    int error = fat32_slot_place(directory, number, &byte);

    return error ? error : fat32_change(directory->volume, byte, slot);
}

static bool has_name(const struct fat32_entry *entry, const char *name, size_t n)
{
    return fat32_name_equal(name, n, entry->public.name, string_length(entry->public.name)) ||
           fat32_name_equal(name, n, entry->alias, string_length(entry->alias));
}

static bool is_long(const uint8_t *slot)
{
    return slot[0] != SLOT_END && slot[0] != SLOT_ERASED && (slot[11] & 0x3F) == 0x0F;
}

int fat32_entry_resume(struct fat32_node *directory, uint64_t *position)
{
    const uint8_t *slot;
    uint64_t number = *position;
    int error = number > 0 ? look_at_slot(directory, number - 1, &slot) : 0;

    if (error || number == 0 || !is_long(slot))
        return error == -ENOENT ? 0 : error;
    /* A long name leads up to here: what it belongs to is newer than the position. */
    while (!error && is_long(slot) && number < FAT32_SLOTS_MAX)
        error = look_at_slot(directory, number++, &slot);
    *position = number;
    return error == -ENOENT ? 0 : error;
}

/* Reads on from *position, `most` entries: 1 if the name is not among them. */
static int read_on(struct fat32_node *directory, const char *name, size_t n, uint32_t most,
                   struct fat32_entry *entry, uint64_t *position)
{
    for (uint32_t i = 0; i < most; i++) {
        int error = fat32_directory_next(directory->volume, &directory->chain, position, entry);

        if (error || has_name(entry, name, n))
            return error;
    }
    return 1;
}

static int search_index(struct fat32_node *directory, const char *name, size_t n,
                        struct fat32_entry *entry, uint64_t *position)
{
    uint32_t probe = 0;
    int error;

    do {
        error = fat32_index_find(directory, name, n, &probe, entry, position);
    } while (!error && !has_name(entry, name, n));
    return error;
}

/* *position: the slot behind it. */
static int search_names(struct fat32_node *directory, const char *name, size_t n,
                        struct fat32_entry *entry, uint64_t *position)
{
    int error = 1;

    *position = 0;
    if (!directory->index)
        error = read_on(directory, name, n, FEW, entry, position);
    if (error != 1)
        return error;
    if (fat32_index_make(directory, entry))
        return search_index(directory, name, n, entry, position);
    return read_on(directory, name, n, UINT32_MAX, entry, position);
}

int fat32_entry_find(struct fat32_node *directory, const char *name, size_t n,
                     struct fat32_entry *entry, struct fat32_place *place)
{
    uint64_t position;
    size_t trimmed = fat32_name_trim(name, n);
    int error = search_names(directory, name, n, entry, &position);

    if (error == -ENOENT && trimmed > 0 && trimmed < n)
        error = search_names(directory, name, trimmed, entry, &position);
    if (error || !place)
        return error;
    place->slots = entry->long_slots + 1;
    place->first = position - place->slots;
    return fat32_slot_place(directory, position - 1, &place->entry);
}

/* ---- room ---- */

/* How far the search for room has come. */
struct search {
    unsigned want;
    uint64_t first; /* of the free slots in a row before `at` */
    uint64_t at;    /* the slot that is looked at */
    bool ended;     /* the end of the directory lies before it: all is free */
};

/*
 * True if `want` slots from `first` on would lie in more sectors than they have to. More than one
 * sector of them begin with a sector, which then has nothing else (see batch/stages.h).
 */
static bool straddles(uint64_t first, unsigned want)
{
    unsigned within = first % SLOTS_IN_SECTOR;

    return want <= SLOTS_IN_SECTOR ? within + want > SLOTS_IN_SECTOR : within > 0;
}

static bool is_enough(const struct search *search)
{
    return search->at >= search->first + search->want;
}

/* Looks at one more slot. */
static int step(struct fat32_node *directory, struct search *search)
{
    const uint8_t *slot = NULL;
    int error = search->ended ? 0 : look_at_slot(directory, search->at, &slot);

    if (error)
        return error;
    if (slot && slot[0] == SLOT_END)
        search->ended = true;
    if (!search->ended && slot[0] != SLOT_ERASED)
        search->first = search->at + 1;
    search->at++;
    if (straddles(search->first, search->want))
        search->first += SLOTS_IN_SECTOR - search->first % SLOTS_IN_SECTOR;
    return 0;
}

/* The number of slots that the clusters of the directory have. */
static int count_slots(struct fat32_node *directory, uint64_t *slots, uint32_t *last)
{
    struct fat32_volume *volume = directory->volume;
    uint32_t index = 0, cluster = directory->chain.start, count = 0;
    int error;

    for (;;) {
        *last = cluster;
        error = fat32_chain_find(volume, &directory->chain, index, &cluster, &count);
        if (error)
            break;
        index += count;
        cluster += count - 1;
    }
    *slots = ((uint64_t)index << volume->geometry.cluster_shift) / FAT32_SLOT_BYTES;
    return error == -ENOENT ? 0 : error;
}

/* Adds a cluster of zeros to the directory, whose last is `last`. */
static int extend(struct fat32_node *directory, uint32_t last)
{
    struct fat32_volume *volume = directory->volume;
    uint32_t cluster, count;
    int error = fat32_space_find(volume, last + 1, 1, &cluster, &count);

    if (!error)
        error = fat32_put(volume, fat32_cluster_offset(&volume->geometry, cluster), NULL,
                          (uint64_t)1 << volume->geometry.cluster_shift);
    if (!error)
        error = fat32_begin(volume, 2);
    if (error)
        return error;
    error = fat32_space_claim(volume, cluster, 1);
    if (!error)
        error = fat32_link(volume, last, cluster);
    if (fat32_end(volume, error) == 0)
        fat32_node_measure(directory);
    return error;
}

int fat32_entry_room(struct fat32_node *directory, unsigned slots, struct fat32_place *place)
{
    uint64_t from = fat32_index_room(directory, slots), have = 0;
    struct search search = {.want = slots, .first = from, .at = from};
    uint32_t last = 0;
    int error = count_slots(directory, &have, &last);

    while (!error && search.at < have && !is_enough(&search))
        error = step(directory, &search);
    while (!error && !is_enough(&search)) {
        if (search.at >= have) {
            if (have >= FAT32_SLOTS_MAX)
                return -ENOSPC;
            error = extend(directory, last);
            if (!error)
                error = count_slots(directory, &have, &last);
        }
        if (!error)
            error = step(directory, &search);
    }
    if (!error && search.first + slots > FAT32_SLOTS_MAX)
        error = -ENOSPC;
    if (error)
        return error;
    fat32_index_found_room(directory, slots, search.first);
    place->first = search.first;
    place->slots = slots;
    place->at_end = search.ended && search.first + slots < have;
    return fat32_slot_place(directory, search.first + slots - 1, &place->entry);
}

/* ---- filling and erasing ---- */

/* Slots before `first` that were never used become erased ones, back to the start of a sector. */
static int fill_gap(struct fat32_node *directory, uint64_t first)
{
    while (first > 0) {
        const uint8_t *slot;
        uint8_t *change;
        int error = look_at_slot(directory, --first, &slot);

        if (error)
            return error;
        if (slot[0] != SLOT_END)
            return 0;
        error = change_slot(directory, first, &change);
        if (error)
            return error;
        change[0] = SLOT_ERASED;
    }
    return 0;
}

/* What follows the end of a directory may be anything; it must not come to light. */
static int put_end(struct fat32_node *directory, uint64_t number)
{
    const uint8_t *slot;
    uint8_t *change = NULL;
    int error = look_at_slot(directory, number, &slot);

    if (error || slot[0] == SLOT_END)
        return error;
    error = change_slot(directory, number, &change);
    if (!error)
        memset(change, 0, FAT32_SLOT_BYTES);
    return error;
}

int fat32_entry_put(struct fat32_node *directory, const struct fat32_place *place,
                    const struct fat32_new_name *name, uint8_t *entry)
{
    int error = fill_gap(directory, place->first);
    uint8_t *slot = NULL;

    if (!error && place->at_end)
        error = put_end(directory, place->first + place->slots);
    memcpy(entry, name->short_name, FAT32_SHORT_BYTES);
    entry[12] = name->lower;
    for (unsigned i = 0; i < place->slots && !error; i++) {
        error = change_slot(directory, place->first + i, &slot);
        if (error)
            break;
        if (i + 1 < place->slots)
            fat32_name_slot(name, i, slot);
        else
            memcpy(slot, entry, FAT32_SLOT_BYTES);
    }
    return error;
}

int fat32_entry_erase(struct fat32_node *directory, const struct fat32_place *place)
{
    uint8_t *slot;
    int error = 0;

    for (unsigned i = 0; i < place->slots && !error; i++) {
        error = change_slot(directory, place->first + i, &slot);
        if (!error)
            slot[0] = SLOT_ERASED;
    }
    return error;
}

int fat32_entry_name(struct fat32_node *directory, struct fat32_new_name *name)
{
    struct fat32_entry *entry = kmalloc(sizeof(*entry));
    uint8_t short_name[FAT32_SHORT_BYTES + 2] = {0}; /* and byte 12, no lower case */
    char text[FAT32_ALIAS_MAX + 1];
    int error = entry ? 0 : -ENOMEM;

    if (name->count == 0 && entry) {
        kfree(entry);
        return 0; /* it is the name itself, which is not there */
    }
    for (unsigned attempt = name->lossy; !error; attempt++) {
        fat32_name_number(name, attempt, short_name);
        fat32_short_name(short_name, text, sizeof(text));
        error = fat32_entry_find(directory, text, string_length(text), entry, NULL);
    }
    kfree(entry);
    if (error != -ENOENT)
        return error;
    memcpy(name->short_name, short_name, FAT32_SHORT_BYTES);
    return 0;
}
