/* SPDX-License-Identifier: MIT */
/*
 * node.c: open files and directories: the operations that fs/vfs.h asks for.
 *
 * A node holds a reference to its parent, and so to all of its ancestors up to the root, which owns
 * the volume. That keeps the volume for as long as anybody uses it, and lets a damaged
 * directory that contains one of its ancestors be told from a sound one: a path through it would
 * never end.
 */
#include "fs/fat32/volume.h"

#include "fs/fat32/write/write.h"

#include "boot/panic.h"
#include "lib/string.h"
#include "heap/cache.h"
#include "heap/heap.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/runtime.h>

/** Reads of at least so many whole sectors bypass the cache. */
#define DIRECT_SECTORS_MIN 4u

static struct fat32_node *node_of(struct vnode *vnode)
{
    return (struct fat32_node *)((char *)vnode - offsetof(struct fat32_node, vnode));
}

/* --- reading --- */

/** The place on the volume of byte `offset` of a file, and how many bytes lie there in a row. */
static int locate(struct fat32_node *node, uint64_t offset, uint64_t *place, uint64_t *bytes)
{
    const struct fat32_geometry *geometry = &node->volume->geometry;
    uint64_t within = offset & (((uint64_t)1 << geometry->cluster_shift) - 1);
    uint32_t cluster, count;
    int error = fat32_chain_find(node->volume, &node->chain,
                                 (uint32_t)(offset >> geometry->cluster_shift), &cluster, &count);

    if (error == -ENOENT) {
        fat32_complain(node->volume, "the chain from cluster %u is shorter than its file",
                       node->chain.start);
        error = -EIO;
    }
    if (error)
        return error;
    *place = fat32_cluster_offset(geometry, cluster) + within;
    *bytes = ((uint64_t)count << geometry->cluster_shift) - within;
    return 0;
}

/**
 * Reads what lies in a row from `offset` on, up to `n` bytes, through the cache or, if it is
 * whole sectors and enough of them, past it. Returns how many bytes, or an error.
 */
static int64_t read_piece(struct fat32_node *node, uint64_t offset, uint8_t *data, uint64_t n)
{
    struct fat32_volume *volume = node->volume;
    const uint8_t *cached = NULL;
    uint64_t place = 0, bytes = 0;
    size_t available = 0;
    bool direct;
    int error;

    mutex_lock(&volume->mutex);
    error = locate(node, offset, &place, &bytes);
    if (bytes > n)
        bytes = n;
    direct = place % HAL_SECTOR_SIZE == 0 && bytes / HAL_SECTOR_SIZE >= DIRECT_SECTORS_MIN;
    if (!error && !direct)
        error = fat32_look(volume, place, &cached, &available);
    if (!error && !direct) {
        if (bytes > available)
            bytes = available;
        memcpy(data, cached, bytes);
    }
    mutex_unlock(&volume->mutex);
    if (!error && direct) {
        bytes -= bytes % HAL_SECTOR_SIZE;
        error =
            fat32_cache_failed(&volume->cache, block_read(&volume->device, place / HAL_SECTOR_SIZE,
                                                          data, bytes / HAL_SECTOR_SIZE));
    }
    return error ? error : (int64_t)bytes;
}

static int64_t node_read(struct vnode *vnode, uint64_t offset, void *data, size_t n)
{
    struct fat32_node *node = node_of(vnode);
    uint64_t size = vnode->attributes.size, done = 0;

    if (offset >= size)
        return 0;
    if (n > size - offset)
        n = size - offset;
    while (done < n) {
        int64_t now = read_piece(node, offset + done, (uint8_t *)data + done, n - done);

        if (now < 0)
            return done > 0 ? (int64_t)done : now;
        done += (uint64_t)now;
    }
    return (int64_t)done;
}

/* --- directories --- */

/** True if `cluster` is where the directory or one of its ancestors starts. */
static bool leads_back(const struct fat32_node *directory, uint32_t cluster)
{
    for (; directory; directory = directory->parent) {
        if (directory->chain.start == cluster)
            return true;
    }
    return false;
}

/** A directory must start somewhere, and not at one that contains it. Caller holds the mutex. */
static int check_directory(struct fat32_node *parent, const struct fat32_entry *entry)
{
    if (entry->public.attributes.type != VNODE_DIRECTORY)
        return 0;
    if (!fat32_cluster_valid(&parent->volume->geometry, entry->cluster)) {
        fat32_complain(parent->volume, "a directory starts at cluster %u, which does not exist",
                       entry->cluster);
        return -EIO;
    }
    if (leads_back(parent, entry->cluster)) {
        fat32_complain(parent->volume, "the directory at cluster %u contains itself",
                       entry->cluster);
        return -ELOOP;
    }
    return 0;
}

/* One more reference, unless the last one is gone. */
static bool revive(struct fat32_node *node)
{
    uint32_t references = __atomic_load_n(&node->vnode.references, __ATOMIC_RELAXED);

    while (references > 0)
        if (__atomic_compare_exchange_n(&node->vnode.references, &references, references + 1, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

/** The node of an entry: the one that there is, or a new one. Caller holds the volume's mutex. */
static int node_get(struct fat32_node *parent, const struct fat32_entry *entry, uint64_t place,
                    struct vnode **found)
{
    struct fat32_node *node = fat32_node_find(parent->volume, place);

    if (node && !revive(node)) {
        fat32_node_place(node, 0); /* it is on its way out */
        node = NULL;
    }
    if (!node) {
        node = fat32_node_create(parent->volume, parent, entry->cluster, &entry->public.attributes);
        if (!node)
            return -ENOMEM;
        fat32_node_place(node, place);
    }
    *found = &node->vnode;
    return 0;
}

static int node_lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    struct fat32_node *parent = node_of(directory);
    struct fat32_entry *entry = kmalloc(sizeof(*entry));
    struct fat32_place place;
    int error;

    if (!entry)
        return -ENOMEM;
    mutex_lock(&parent->volume->mutex);
    error = fat32_entry_find(parent, name, n, entry, &place);
    if (!error)
        error = check_directory(parent, entry);
    if (!error)
        error = node_get(parent, entry, place.entry, found);
    mutex_unlock(&parent->volume->mutex);
    kfree(entry);
    return error;
}

static int node_iterate(struct vnode *directory, uint64_t *position, struct directory_entry *public)
{
    struct fat32_node *node = node_of(directory);
    struct fat32_entry *entry = kmalloc(sizeof(*entry));
    int error;

    if (!entry)
        return -ENOMEM;
    mutex_lock(&node->volume->mutex);
    error = fat32_directory_next(node->volume, &node->chain, position, entry);
    mutex_unlock(&node->volume->mutex);
    if (!error)
        *public = entry->public;
    kfree(entry);
    return error;
}

/* --- life --- */

static int compare_place(const void *key, const struct tree_node *node)
{
    const uint64_t *place = key;
    uint64_t other = tree_entry(node, struct fat32_node, open)->place;

    return (*place > other) - (*place < other);
}

struct fat32_node *fat32_node_find(struct fat32_volume *volume, uint64_t place)
{
    struct tree_node *found = tree_find(&volume->open, &place, compare_place);

    return found ? tree_entry(found, struct fat32_node, open) : NULL;
}

void fat32_node_place(struct fat32_node *node, uint64_t place)
{
    if (tree_linked(&node->open))
        tree_remove(&node->volume->open, &node->open);
    node->place = place;
    if (place)
        tree_insert(&node->volume->open, &node->open, &place, compare_place);
}

void fat32_node_orphan(struct fat32_node *node)
{
    fat32_node_place(node, 0);
    node->removed = true;
}

void fat32_node_move(struct fat32_node *node, struct fat32_node *parent)
{
    struct fat32_node *old = node->parent;

    vnode_get(&parent->vnode);
    node->parent = parent;
    /* Not the last one: whoever renames has a reference to the directory it was in. */
    kassert(!vnode_unreference(&old->vnode));
}

void fat32_node_discard(struct fat32_node *node)
{
    struct fat32_volume *volume = node->volume;

    fat32_node_place(node, 0);
    fat32_index_drop(node);
    fat32_chain_finish(&node->chain);
    if (node->parent)
        kassert(!vnode_unreference(&node->parent->vnode)); /* the caller has one, too */
    vnode_finish(&node->vnode);
    object_free(volume->nodes, node);
}

/* What remains of a file that was removed while it was open. */
static void free_orphan(struct fat32_node *node)
{
    if (node->removed && node->volume->writer)
        fat32_space_give_up(node->volume, node->chain.start);
}

/** Frees the node, and then each ancestor that nobody else holds: a loop, for paths can be deep. */
static void node_release(struct vnode *vnode)
{
    struct fat32_node *node = node_of(vnode);

    for (;;) {
        struct fat32_node *parent = node->parent;
        struct fat32_volume *volume = node->volume;

        mutex_lock(&volume->mutex);
        free_orphan(node);
        fat32_node_place(node, 0);
        fat32_index_drop(node);
        mutex_unlock(&volume->mutex);
        fat32_chain_finish(&node->chain);
        vnode_finish(&node->vnode);
        object_free(volume->nodes, node);
        if (!parent) {
            fat32_volume_destroy(volume);
            return;
        }
        if (!vnode_unreference(&parent->vnode))
            return;
        node = parent;
    }
}

static const struct vnode_ops node_ops = {
    .read = node_read,
    .lookup = node_lookup,
    .iterate = node_iterate,
    .release = node_release,
};

struct fat32_node *fat32_node_create(struct fat32_volume *volume, struct fat32_node *parent,
                                     uint32_t cluster, const struct vnode_attributes *attributes)
{
    struct fat32_node *node = object_allocate(volume->nodes);
    uint64_t bytes = attributes->size;

    if (!node)
        return NULL;
    if (attributes->type == VNODE_DIRECTORY)
        bytes = (uint64_t)FAT32_SLOTS_MAX * FAT32_SLOT_BYTES;
    vnode_init(&node->vnode, &node_ops, attributes);
    node->volume = volume;
    node->parent = parent;
    node->place = 0;
    node->removed = false;
    node->index = NULL;
    tree_node_init(&node->open);
    if (parent)
        vnode_get(&parent->vnode);
    fat32_chain_init(&node->chain, volume, cluster,
                     (bytes + ((uint64_t)1 << volume->geometry.cluster_shift) - 1) >>
                         volume->geometry.cluster_shift);
    return node;
}
