/* SPDX-License-Identifier: MIT */
/*
 * index.c: the names of a directory by their hashes, so that looking one up takes the same time
 * among ten thousand as among ten.
 *
 * An open hash table whose elements say in which slot the entry of a name begins; what the slots
 * say is looked at all the same. Each entry is in it twice, with its long and with its short name.
 * It is made when a name is not among the first few of a directory, and is a help, not a truth: if
 * there is no memory for it, or the directory is damaged somewhere, there is none, and the
 * directory is read from its start. A volume keeps those of the directories used last, and gives
 * them back when memory is short.
 */
#include "fs/fat32/entry/entry.h"

#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define SIZE_MIN 64u
#define INDEXES_MAX 16u /* of a volume */
#define ABSENT 0u       /* what `first` + 1 is in an element that was never used */
#define GONE UINT32_MAX

struct element {
    uint32_t hash;
    uint32_t first; /* slot + 1, ABSENT or GONE */
};

struct fat32_index {
    struct list link; /* among those of the volume */
    struct fat32_node *directory;
    struct element *elements;
    uint32_t size;                       /* a power of two */
    uint32_t used;                       /* with those that are gone */
    uint32_t room[FAT32_LONG_SLOTS + 2]; /* by n: no n free slots in a row begin before this one */
};

static uint32_t hash_text(const char *text)
{
    return fat32_name_hash(text, string_length(text));
}

void fat32_index_drop(struct fat32_node *directory)
{
    struct fat32_index *index = directory->index;

    if (!index)
        return;
    list_remove(&index->link);
    directory->volume->index_count--;
    directory->index = NULL;
    kfree(index->elements);
    kfree(index);
}

/* Drops the index that was not used for longest; how many bytes that gives. */
static size_t drop_oldest(struct fat32_volume *volume)
{
    struct fat32_index *index = list_entry(volume->indexes.prev, struct fat32_index, link);
    size_t bytes = index->size * sizeof(*index->elements);

    fat32_index_drop(index->directory);
    return bytes;
}

size_t fat32_index_reclaim(struct fat32_volume *volume, size_t frames)
{
    size_t bytes = 0;

    while (bytes / HAL_PAGE_SIZE < frames && volume->index_count > 0)
        bytes += drop_oldest(volume);
    return bytes / HAL_PAGE_SIZE;
}

static void insert(struct fat32_index *index, uint32_t hash, uint32_t first)
{
    uint32_t at = hash & (index->size - 1);

    while (index->elements[at].first != ABSENT)
        at = (at + 1) & (index->size - 1);
    index->elements[at] = (struct element){hash, first};
    index->used++;
}

/* Makes the table larger before it is three quarters full. False: no memory. */
static bool make_room(struct fat32_index *index)
{
    struct element *old = index->elements, *larger;
    uint32_t size = index->size;

    if (index->used < size / 4 * 3)
        return true;
    larger = heap_allocate_zeros((size_t)size * 2, sizeof(*larger), ALLOC_SITE_FOR(ALLOC_CACHE));
    if (!larger)
        return false;
    index->elements = larger;
    index->size = size * 2;
    index->used = 0;
    for (uint32_t i = 0; i < size; i++)
        if (old[i].first != ABSENT && old[i].first != GONE)
            insert(index, old[i].hash, old[i].first);
    kfree(old);
    return true;
}

static bool add(struct fat32_index *index, const struct fat32_entry *entry, uint64_t first)
{
    uint32_t hash = hash_text(entry->public.name), short_hash = hash_text(entry->alias);

    if (!make_room(index))
        return false;
    insert(index, hash, (uint32_t)first + 1);
    if (short_hash == hash)
        return true;
    if (!make_room(index))
        return false;
    insert(index, short_hash, (uint32_t)first + 1);
    return true;
}

/* Reads the whole directory. */
static int fill(struct fat32_node *directory, struct fat32_entry *entry)
{
    uint64_t position = 0;

    for (;;) {
        int error = fat32_directory_next(directory->volume, &directory->chain, &position, entry);

        if (error)
            return error == -ENOENT ? 0 : error;
        if (!add(directory->index, entry, position - entry->long_slots - 1))
            return -ENOMEM;
    }
}

/* An empty one. */
static bool make(struct fat32_node *directory)
{
    struct fat32_volume *volume = directory->volume;
    struct fat32_index *index = heap_allocate_zeros(1, sizeof(*index), ALLOC_SITE_FOR(ALLOC_CACHE));

    if (!index)
        return false;
    index->elements =
        heap_allocate_zeros(SIZE_MIN, sizeof(struct element), ALLOC_SITE_FOR(ALLOC_CACHE));
    if (!index->elements) {
        kfree(index);
        return false;
    }
    index->size = SIZE_MIN;
    index->directory = directory;
    directory->index = index;
    list_add_head(&volume->indexes, &index->link);
    volume->index_count++;
    return true;
}

bool fat32_index_make(struct fat32_node *directory, struct fat32_entry *entry)
{
    struct fat32_volume *volume = directory->volume;

    if (directory->index)
        return true;
    if (volume->index_count == INDEXES_MAX)
        (void)drop_oldest(volume);
    if (make(directory) && fill(directory, entry))
        fat32_index_drop(directory);
    return directory->index != NULL;
}

int fat32_index_find(struct fat32_node *directory, const char *name, size_t n, uint32_t *probe,
                     struct fat32_entry *entry, uint64_t *position)
{
    struct fat32_index *index = directory->index;
    uint32_t hash = fat32_name_hash(name, n);

    list_remove(&index->link);
    list_add_head(&directory->volume->indexes, &index->link);
    for (; *probe < index->size; ++*probe) {
        const struct element *element = &index->elements[(hash + *probe) & (index->size - 1)];

        if (element->first == ABSENT)
            return -ENOENT;
        if (element->hash != hash || element->first == GONE)
            continue;
        ++*probe;
        *position = element->first - 1;
        return fat32_directory_next(directory->volume, &directory->chain, position, entry);
    }
    return -ENOENT;
}

void fat32_index_added(struct fat32_node *directory, const struct fat32_place *place,
                       struct fat32_entry *entry)
{
    struct fat32_index *index = directory->index;
    uint64_t position = place->first;

    if (!index)
        return;
    if (fat32_directory_next(directory->volume, &directory->chain, &position, entry) ||
        !add(index, entry, place->first))
        fat32_index_drop(directory);
}

/* Takes out the element of that hash and slot. */
static void take_out(struct fat32_index *index, uint32_t hash, uint64_t first)
{
    for (uint32_t i = 0; i < index->size; i++) {
        struct element *element = &index->elements[(hash + i) & (index->size - 1)];

        if (element->first == ABSENT)
            return;
        if (element->hash == hash && element->first == first + 1) {
            element->first = GONE;
            return;
        }
    }
}

void fat32_index_removing(struct fat32_node *directory, const struct fat32_place *place,
                          struct fat32_entry *entry)
{
    struct fat32_index *index = directory->index;
    uint64_t position = place->first;

    if (!index)
        return;
    if (fat32_directory_next(directory->volume, &directory->chain, &position, entry)) {
        fat32_index_drop(directory);
        return;
    }
    take_out(index, hash_text(entry->public.name), place->first);
    take_out(index, hash_text(entry->alias), place->first);
    /* The slots become free together with those around them. */
    for (unsigned n = 1; n < FAT32_LONG_SLOTS + 2; n++)
        if (index->room[n] + n > place->first)
            index->room[n] = place->first < n ? 0 : (uint32_t)place->first - n;
}

uint64_t fat32_index_room(const struct fat32_node *directory, unsigned slots)
{
    return directory->index ? directory->index->room[slots] : 0;
}

void fat32_index_found_room(struct fat32_node *directory, unsigned slots, uint64_t first)
{
    for (unsigned n = slots; directory->index && n < FAT32_LONG_SLOTS + 2; n++)
        if (directory->index->room[n] < first)
            directory->index->room[n] = (uint32_t)first;
}
