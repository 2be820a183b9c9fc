/* SPDX-License-Identifier: MIT */
/*
 * change.c: what changes directories: create, remove, rename. Each is one transaction, after
 * whatever preparations leave no trace that a user could see: a longer directory, zeroed clusters
 * that are still free.
 */
#include "fs/fat32/write/write.h"

#include "dev/clock.h"
#include "heap/heap.h"
#include "lib/bytes.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define FREE_SECTORS 6u /* of the FAT, in the transaction of the operation itself */

/* ---- entries ---- */

static void put_cluster(uint8_t *entry, uint32_t cluster)
{
    put_le16(entry + 20, (uint16_t)(cluster >> 16));
    put_le16(entry + 26, (uint16_t)cluster);
}

static int64_t now_ns(void)
{
    return wall_now() * WALL_NS;
}

static void make_entry(uint8_t *entry, unsigned marks, uint32_t cluster, int64_t now)
{
    memset(entry, 0, FAT32_SLOT_BYTES);
    entry[11] = (uint8_t)marks;
    fat32_time_put(now, entry + 16, entry + 14, entry + 13);
    fat32_time_put(now, entry + 18, NULL, NULL);
    fat32_time_put(now, entry + 24, entry + 22, NULL);
    put_cluster(entry, cluster);
}

int fat32_entry_update(struct fat32_node *node, uint32_t start, uint64_t size, int64_t now)
{
    uint8_t *entry = NULL;
    int error = fat32_change(node->volume, node->place, &entry);

    if (error)
        return error;
    put_cluster(entry, start);
    put_le32(entry + 28, (uint32_t)size);
    fat32_time_put(now, entry + 24, entry + 22, NULL);
    fat32_time_put(now, entry + 18, NULL, NULL);
    entry[11] |= FAT32_MARK_ARCHIVE;
    return 0;
}

/* In a transaction: those of the entry's fields that `which` has. */
static int change_entry(struct fat32_node *node, const struct vnode_attributes *attributes,
                        unsigned which)
{
    uint8_t *entry = NULL;
    int error = fat32_change(node->volume, node->place, &entry);

    if (error)
        return error;
    if (which & VNODE_SET_MODE) {
        entry[11] &= (uint8_t)~FAT32_MARK_READ_ONLY;
        if (fat32_mode_is_read_only(node->volume, attributes->mode))
            entry[11] |= FAT32_MARK_READ_ONLY;
    }
    if (which & VNODE_SET_MODIFIED)
        fat32_time_put(attributes->modified, entry + 24, entry + 22, NULL);
    if (which & VNODE_SET_ACCESSED)
        fat32_time_put(attributes->accessed, entry + 18, NULL, NULL);
    return 0;
}

int fat32_set_attributes(struct fat32_node *node, const struct vnode_attributes *attributes,
                         unsigned which)
{
    struct vnode_attributes *now = &node->vnode.attributes;
    uint8_t date[2];
    int error = fat32_begin(node->volume, 1);

    if (now->type == VNODE_DIRECTORY)
        which &= ~(unsigned)VNODE_SET_MODE; /* it has the only one that it can have */
    if (error)
        return error;
    /* The root has no entry, nor has what was removed. */
    error = fat32_end(node->volume, node->place ? change_entry(node, attributes, which) : 0);
    if (error)
        return error;
    if (which & VNODE_SET_MODE) {
        now->read_only = fat32_mode_is_read_only(node->volume, attributes->mode);
        fat32_permit(node->volume, now);
    }
    if (which & VNODE_SET_MODIFIED)
        now->modified = now->changed = fat32_time_kept(attributes->modified);
    if (which & VNODE_SET_ACCESSED) {
        fat32_time_put(attributes->accessed, date, NULL, NULL);
        now->accessed = fat32_time_read(le16(date), 0, 0);
    }
    return 0;
}

/* ---- create ---- */

/* Writes the first cluster of a directory, which is free: the dots, and zeros. */
static int put_dots(struct fat32_node *parent, uint32_t cluster, int64_t now)
{
    struct fat32_volume *volume = parent->volume;
    uint64_t at = fat32_cluster_offset(&volume->geometry, cluster);
    uint64_t bytes = (uint64_t)1 << volume->geometry.cluster_shift;
    uint8_t sector[HAL_SECTOR_SIZE] = {0};
    int error;

    make_entry(sector, FAT32_MARK_DIRECTORY, cluster, now);
    memcpy(sector, ".          ", FAT32_SHORT_BYTES);
    /* The root is 0 here, wherever it starts. */
    make_entry(sector + FAT32_SLOT_BYTES, FAT32_MARK_DIRECTORY,
               parent->parent ? parent->chain.start : 0, now);
    memcpy(sector + FAT32_SLOT_BYTES, "..         ", FAT32_SHORT_BYTES);
    error = fat32_put(volume, at, sector, sizeof(sector));
    return error ? error : fat32_put(volume, at + sizeof(sector), NULL, bytes - sizeof(sector));
}

/* A new entry in the making. */
struct creation {
    struct fat32_new_name name;
    struct fat32_entry found; /* room for what is found on the way */
    struct fat32_place place;
    uint8_t entry[FAT32_SLOT_BYTES];
    uint32_t cluster; /* of a directory */
};

static int prepare(struct fat32_node *directory, struct creation *new, const char *name, size_t n)
{
    int error = fat32_entry_find(directory, name, n, &new->found, NULL);

    if (error != -ENOENT)
        return error ? error : -EEXIST;
    error = fat32_name_make(name, n, &new->name);
    if (!error)
        error = fat32_entry_name(directory, &new->name);
    if (!error)
        error = fat32_entry_room(directory, fat32_name_slots(&new->name), &new->place);
    return error;
}

static int enter(struct fat32_node *directory, struct creation *new, struct fat32_node *created)
{
    struct fat32_volume *volume = directory->volume;
    int error = fat32_begin(volume, 1 + FAT32_PLACE_SECTORS);

    if (error)
        return error;
    if (new->cluster)
        error = fat32_space_claim(volume, new->cluster, 1);
    if (!error)
        error = fat32_entry_put(directory, &new->place, &new->name, new->entry);
    if (fat32_end(volume, error))
        return error;
    fat32_node_place(created, new->place.entry);
    fat32_index_added(directory, &new->place, &new->found);
    return 0;
}

static int create(struct fat32_node *directory, struct creation *new, unsigned marks,
                  struct fat32_node **created)
{
    struct fat32_volume *volume = directory->volume;
    struct vnode_attributes *attributes = &new->found.public.attributes;
    bool is_directory = marks & FAT32_MARK_DIRECTORY;
    int64_t now = now_ns();
    uint32_t count;
    int error = 0;

    if (is_directory)
        error = fat32_space_find(volume, directory->chain.start, 1, &new->cluster, &count);
    if (!error && is_directory)
        error = put_dots(directory, new->cluster, now);
    if (error)
        return error;
    make_entry(new->entry, is_directory ? marks : marks | FAT32_MARK_ARCHIVE, new->cluster, now);
    fat32_entry_attributes(volume, new->entry, attributes);
    *created = fat32_node_create(volume, directory, new->cluster, attributes);
    return *created ? enter(directory, new, *created) : -ENOMEM;
}

int fat32_make(struct fat32_node *directory, const char *name, size_t n, unsigned marks,
               struct fat32_node **created)
{
    struct creation *new = kcalloc(1, sizeof(*new));
    int error = new ? 0 : -ENOMEM;

    *created = NULL;
    if (!error)
        error = directory->volume->writer ? 0 : -EROFS;
    if (!error && directory->removed)
        error = -ENOENT;
    if (!error)
        error = prepare(directory, new, name, fat32_name_trim(name, n));
    if (!error)
        error = create(directory, new, marks, created);
    if (error && *created) {
        fat32_node_discard(*created);
        *created = NULL;
    }
    if (!error)
        fat32_node_measure(*created);
    kfree(new);
    return error;
}

/* ---- remove ---- */

static int check_empty(struct fat32_node *parent, uint32_t cluster, struct fat32_entry *entry)
{
    struct fat32_volume *volume = parent->volume;
    struct fat32_chain chain;
    uint64_t position = 0;
    int error;

    fat32_chain_init(&chain, volume, cluster, FAT32_SLOTS_MAX);
    error = fat32_directory_next(volume, &chain, &position, entry);
    fat32_chain_finish(&chain);
    if (error == 0)
        return -ENOTEMPTY;
    return error == -ENOENT ? 0 : error;
}

static int check_kind(struct fat32_node *parent, struct fat32_entry *entry, bool is_directory)
{
    bool found = entry->public.attributes.type == VNODE_DIRECTORY;

    if (found && !is_directory)
        return -EISDIR;
    if (!found && is_directory)
        return -ENOTDIR;
    return found ? check_empty(parent, entry->cluster, entry) : 0;
}

/* In a transaction: the clusters of what was removed, unless somebody has it open. */
static int give_back(struct fat32_volume *volume, const struct fat32_node *open, uint32_t cluster,
                     uint32_t *rest)
{
    *rest = 0;
    return open ? 0 : fat32_space_free_some(volume, cluster, FREE_SECTORS, rest);
}

static int take_out(struct fat32_node *directory, const struct fat32_place *place, uint32_t cluster)
{
    struct fat32_volume *volume = directory->volume;
    struct fat32_node *open = fat32_node_find(volume, place->entry);
    uint32_t rest = 0;
    int error = fat32_begin(volume, FAT32_PLACE_SECTORS + FREE_SECTORS);

    if (error)
        return error;
    error = fat32_entry_erase(directory, place);
    if (!error)
        error = give_back(volume, open, cluster, &rest);
    if (fat32_end(volume, error))
        return error;
    if (open)
        fat32_node_orphan(open);
    fat32_space_give_up(volume, rest);
    return 0;
}

int fat32_remove(struct fat32_node *directory, const char *name, size_t n, bool is_directory)
{
    struct fat32_entry *entry = kmalloc(sizeof(*entry));
    struct fat32_place place;
    uint32_t cluster;
    int error = entry ? fat32_entry_find(directory, name, n, entry, &place) : -ENOMEM;

    if (!error) {
        cluster = entry->cluster;
        error = check_kind(directory, entry, is_directory);
        if (!error) {
            fat32_index_removing(directory, &place, entry);
            error = take_out(directory, &place, cluster);
            if (error)
                fat32_index_drop(directory);
        }
    }
    kfree(entry);
    return error;
}

/* ---- rename ---- */

struct renaming {
    struct creation new;      /* at its new place */
    struct fat32_entry entry; /* the source's, then the target's */
    struct fat32_place from, target;
    uint32_t cluster, target_cluster;
    bool is_directory, replaces;
    bool same; /* the new name is the old one, to the letter */
};

static bool is_below(const struct fat32_node *node, uint32_t cluster)
{
    for (; node; node = node->parent)
        if (node->chain.start == cluster)
            return true;
    return false;
}

/* What is at the new name already. */
static int look_at_target(struct fat32_node *to, const char *name, size_t n,
                          struct renaming *renaming)
{
    int error = fat32_entry_find(to, name, n, &renaming->entry, &renaming->target);

    if (error == -ENOENT)
        return 0;
    if (error)
        return error;
    /* The same entry in other letters is no obstacle. */
    if (renaming->target.entry == renaming->from.entry) {
        const char *old = renaming->entry.public.name;

        renaming->same = string_length(old) == n && memcmp(old, name, n) == 0;
        return 0;
    }
    renaming->replaces = true;
    renaming->target_cluster = renaming->entry.cluster;
    return check_kind(to, &renaming->entry, renaming->is_directory);
}

static int look_at_source(struct fat32_node *from, const char *name, size_t n,
                          struct fat32_node *to, struct renaming *renaming)
{
    const uint8_t *entry;
    size_t available;
    int error = fat32_entry_find(from, name, n, &renaming->entry, &renaming->from);

    if (!error)
        error = fat32_look(from->volume, renaming->from.entry, &entry, &available);
    if (error)
        return error;
    memcpy(renaming->new.entry, entry, FAT32_SLOT_BYTES);
    renaming->cluster = renaming->entry.cluster;
    renaming->is_directory = renaming->entry.public.attributes.type == VNODE_DIRECTORY;
    return renaming->is_directory && is_below(to, renaming->cluster) ? -EINVAL : 0;
}

/* In a transaction: a directory that has moved has another parent. */
static int put_parent(struct fat32_node *to, uint32_t cluster)
{
    struct fat32_volume *volume = to->volume;
    uint64_t at = fat32_cluster_offset(&volume->geometry, cluster) + FAT32_SLOT_BYTES;
    uint8_t *entry = NULL;
    int error = fat32_change(volume, at, &entry);

    if (!error)
        put_cluster(entry, to->parent ? to->chain.start : 0);
    return error;
}

static int change_names(struct fat32_node *from, struct fat32_node *to, struct renaming *renaming,
                        const struct fat32_node *target, uint32_t *rest)
{
    int error = fat32_entry_put(to, &renaming->new.place, &renaming->new.name, renaming->new.entry);

    if (!error)
        error = fat32_entry_erase(from, &renaming->from);
    if (!error && renaming->replaces)
        error = fat32_entry_erase(to, &renaming->target);
    if (!error && renaming->is_directory && from != to)
        error = put_parent(to, renaming->cluster);
    if (!error && renaming->replaces)
        error = give_back(to->volume, target, renaming->target_cluster, rest);
    return error;
}

static int move(struct fat32_node *from, struct fat32_node *to, struct renaming *renaming)
{
    struct fat32_volume *volume = from->volume;
    struct fat32_node *open = fat32_node_find(volume, renaming->from.entry), *target = NULL;
    uint32_t rest = 0;
    int error;

    if (renaming->replaces)
        target = fat32_node_find(volume, renaming->target.entry);
    error = fat32_begin(volume, 3 * FAT32_PLACE_SECTORS + 1 + FREE_SECTORS);
    if (error)
        return error;
    error = change_names(from, to, renaming, target, &rest);
    if (fat32_end(volume, error))
        return error;
    if (target)
        fat32_node_orphan(target);
    if (open) {
        fat32_node_move(open, to);
        fat32_node_place(open, renaming->new.place.entry);
    }
    fat32_space_give_up(volume, rest);
    return 0;
}

static int rename(struct fat32_node *from, const char *name, size_t n, struct fat32_node *to,
                  const char *new_name, size_t m, struct renaming *renaming)
{
    struct creation *new = &renaming->new;
    int error = look_at_source(from, name, n, to, renaming);

    if (!error)
        error = look_at_target(to, new_name, m, renaming);
    if (error || renaming->same)
        return error;
    error = fat32_name_make(new_name, m, &new->name);
    if (!error)
        error = fat32_entry_name(to, &new->name);
    if (!error)
        error = fat32_entry_room(to, fat32_name_slots(&new->name), &new->place);
    if (error)
        return error;
    fat32_index_removing(from, &renaming->from, &renaming->entry);
    if (renaming->replaces)
        fat32_index_removing(to, &renaming->target, &renaming->entry);
    error = move(from, to, renaming);
    if (error) {
        fat32_index_drop(from);
        fat32_index_drop(to);
    } else {
        fat32_index_added(to, &new->place, &renaming->entry);
    }
    return error;
}

int fat32_rename(struct fat32_node *from, const char *name, size_t n, struct fat32_node *to,
                 const char *new_name, size_t m)
{
    struct renaming *renaming = kcalloc(1, sizeof(*renaming));
    int error = renaming ? 0 : -ENOMEM;

    if (!error)
        error = from->volume->writer ? 0 : -EROFS;
    if (!error && (from->removed || to->removed))
        error = -ENOENT;
    if (!error)
        error = rename(from, name, n, to, new_name, fat32_name_trim(new_name, m), renaming);
    kfree(renaming);
    return error;
}
