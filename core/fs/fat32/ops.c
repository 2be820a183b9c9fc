/* SPDX-License-Identifier: MIT */
/*
 * ops.c: the operations of files and directories that fs/vnode.h asks for.
 *
 * The caller holds the locks of the vnodes; what they share, the volume, is guarded by its mutex.
 */
#include "fs/fat32/volume.h"

#include "fs/fat32/data/pages.h"
#include "fs/fat32/write/write.h"

#include "dev/clock.h"
#include "heap/heap.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/runtime.h>

/* --- reading --- */

static int64_t node_read(struct vnode *vnode, uint64_t offset, void *data, size_t n)
{
    return fat32_pages_read(fat32_node_of(vnode), offset, data, n);
}

/* --- directories: reading --- */

static int node_lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    struct fat32_node *parent = fat32_node_of(directory);
    struct fat32_entry *entry = kmalloc(sizeof(*entry));
    struct fat32_place place;
    int error;

    if (!entry)
        return -ENOMEM;
    mutex_lock(&parent->volume->mutex);
    error = fat32_entry_find(parent, name, n, entry, &place);
    if (!error)
        error = fat32_node_get(parent, entry, place.entry, found);
    mutex_unlock(&parent->volume->mutex);
    kfree(entry);
    return error;
}

/** What is known of an open file is newer than what its entry says. */
static void tell_attributes(struct fat32_volume *volume, const struct fat32_entry *entry,
                            uint64_t place, struct vnode_attributes *attributes)
{
    const struct fat32_node *node = fat32_node_find(volume, place);

    attributes->id = node ? node->vnode.attributes.id : fat32_id(attributes, entry->cluster, place);
}

static int node_iterate(struct vnode *directory, uint64_t *position, struct directory_entry *public)
{
    struct fat32_node *node = fat32_node_of(directory);
    struct fat32_volume *volume = node->volume;
    struct fat32_entry *entry = kmalloc(sizeof(*entry));
    uint64_t place = 0;
    int error;

    if (!entry)
        return -ENOMEM;
    mutex_lock(&volume->mutex);
    error = fat32_entry_resume(node, position);
    if (!error)
        error = fat32_directory_next(volume, &node->chain, position, entry);
    if (!error)
        error = fat32_slot_place(node, *position - 1, &place);
    if (!error) {
        *public = entry->public;
        tell_attributes(volume, entry, place, &public->attributes);
    }
    mutex_unlock(&volume->mutex);
    kfree(entry);
    return error;
}

/* --- directories: writing --- */

/*
 * What is in the directory has changed, now: known as long as the directory is in memory. Its entry
 * is not written for that: a file that is made would take a record and three flushes instead of one
 * sector, and no other system wants it.
 */
static void entries_changed(struct vnode *directory)
{
    struct vnode_attributes *attributes = &directory->attributes;

    attributes->modified = attributes->changed = fat32_time_kept(wall_now() * WALL_NS);
}

static int node_make(struct vnode *directory, const char *name, size_t n,
                     const struct vnode_attributes *attributes, struct vnode **created)
{
    struct fat32_node *parent = fat32_node_of(directory), *node = NULL;
    unsigned marks = 0;
    int error;

    if (attributes->type != VNODE_FILE && attributes->type != VNODE_DIRECTORY)
        return -EPERM;
    mutex_lock(&parent->volume->mutex);
    if (attributes->type == VNODE_DIRECTORY)
        marks = FAT32_MARK_DIRECTORY;
    else if (fat32_mode_is_read_only(parent->volume, attributes->mode))
        marks = FAT32_MARK_READ_ONLY;
    error = fat32_make(parent, name, n, marks, &node);
    if (!error)
        entries_changed(directory);
    mutex_unlock(&parent->volume->mutex);
    if (!error)
        *created = &node->vnode;
    return error;
}

static int take_away(struct vnode *directory, const char *name, size_t n, bool is_directory)
{
    struct fat32_node *parent = fat32_node_of(directory);
    int error;

    mutex_lock(&parent->volume->mutex);
    error = fat32_remove(parent, name, n, is_directory);
    if (!error)
        entries_changed(directory);
    mutex_unlock(&parent->volume->mutex);
    return error;
}

static int node_unlink(struct vnode *directory, const char *name, size_t n, struct vnode *vnode)
{
    (void)vnode; /* it is found by its place */
    return take_away(directory, name, n, false);
}

static int node_rmdir(struct vnode *directory, const char *name, size_t n, struct vnode *vnode)
{
    (void)vnode;
    return take_away(directory, name, n, true);
}

static int node_rename(struct vnode *from, const char *name, size_t n, struct vnode *vnode,
                       struct vnode *to, const char *new_name, size_t m, struct vnode *replaced)
{
    struct fat32_volume *volume = fat32_volume_of(from);
    int error;

    (void)vnode, (void)replaced;
    mutex_lock(&volume->mutex);
    error = fat32_rename(fat32_node_of(from), name, n, fat32_node_of(to), new_name, m);
    if (!error) {
        entries_changed(from);
        entries_changed(to);
    }
    mutex_unlock(&volume->mutex);
    return error;
}

/* --- content and attributes --- */

static int64_t node_write(struct vnode *vnode, uint64_t offset, const void *data, size_t n)
{
    struct fat32_volume *volume = fat32_volume_of(vnode);
    int64_t result;

    mutex_lock(&volume->mutex);
    result = fat32_write(fat32_node_of(vnode), offset, data, n);
    mutex_unlock(&volume->mutex);
    return result;
}

static int node_truncate(struct vnode *vnode, uint64_t size)
{
    struct fat32_volume *volume = fat32_volume_of(vnode);
    int error;

    mutex_lock(&volume->mutex);
    error = fat32_truncate(fat32_node_of(vnode), size);
    mutex_unlock(&volume->mutex);
    return error;
}

static int node_set_attributes(struct vnode *vnode, const struct vnode_attributes *attributes,
                               unsigned which)
{
    struct fat32_volume *volume = fat32_volume_of(vnode);
    int error;

    mutex_lock(&volume->mutex);
    error = fat32_allow(volume, &vnode->attributes, attributes, &which);
    if (!error && which != 0)
        error = fat32_set_attributes(fat32_node_of(vnode), attributes, which);
    mutex_unlock(&volume->mutex);
    return error;
}

static int node_sync(struct vnode *vnode)
{
    struct fat32_volume *volume = fat32_volume_of(vnode);
    int error = cache_sync(&fat32_node_of(vnode)->pages), other;

    mutex_lock(&volume->mutex);
    other = fat32_sync_batch(volume);
    mutex_unlock(&volume->mutex);
    return error ? error : other;
}

const struct vnode_ops fat32_node_ops = {
    .read = node_read,
    .write = node_write,
    .truncate = node_truncate,
    .set_attributes = node_set_attributes,
    .sync = node_sync,
    .lookup = node_lookup,
    .iterate = node_iterate,
    .create = node_make,
    .unlink = node_unlink,
    .rmdir = node_rmdir,
    .rename = node_rename,
    .release = fat32_node_release,
};
