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
        error = fat32_cache_get(&volume->cache, place, &cached, &available);
    if (!error && !direct) {
        if (bytes > available)
            bytes = available;
        memcpy(data, cached, bytes);
    }
    mutex_unlock(&volume->mutex);
    if (!error && direct) {
        bytes -= bytes % HAL_SECTOR_SIZE;
        error = block_read(&volume->device, place / HAL_SECTOR_SIZE, data, bytes / HAL_SECTOR_SIZE);
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

/** Looks for the entry with this name. Caller holds the volume's mutex. */
static int find_entry(struct fat32_node *directory, const char *name, size_t n,
                      struct fat32_entry *entry)
{
    uint64_t position = 0;
    int error;

    for (;;) {
        error = fat32_directory_next(directory->volume, &directory->chain, &position, entry);
        if (error)
            return error;
        if (fat32_name_equal(name, n, entry->public.name, string_length(entry->public.name)) ||
            fat32_name_equal(name, n, entry->alias, string_length(entry->alias)))
            return 0;
    }
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

static int node_lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    struct fat32_node *parent = node_of(directory), *node;
    struct fat32_entry *entry = kmalloc(sizeof(*entry));
    int error;

    if (!entry)
        return -ENOMEM;
    mutex_lock(&parent->volume->mutex);
    error = find_entry(parent, name, n, entry);
    if (!error)
        error = check_directory(parent, entry);
    mutex_unlock(&parent->volume->mutex);
    if (!error) {
        node = fat32_node_create(parent->volume, parent, entry->cluster, &entry->public.attributes);
        if (node)
            *found = &node->vnode;
        else
            error = -ENOMEM;
    }
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

/** Frees the node, and then each ancestor that nobody else holds: a loop, for paths can be deep. */
static void node_release(struct vnode *vnode)
{
    struct fat32_node *node = node_of(vnode);

    for (;;) {
        struct fat32_node *parent = node->parent;
        struct fat32_volume *volume = node->volume;

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
    if (parent)
        vnode_get(&parent->vnode);
    fat32_chain_init(&node->chain, volume, cluster,
                     (bytes + ((uint64_t)1 << volume->geometry.cluster_shift) - 1) >>
                         volume->geometry.cluster_shift);
    return node;
}
