/* SPDX-License-Identifier: MIT */
/*
 * node.c: the life of files and directories that somebody uses.
 *
 * A node holds a reference to its parent, and so to all of its ancestors up to the root, which owns
 * the volume. That keeps the volume for as long as anybody uses it, and lets a damaged
 * directory that contains one of its ancestors be told from a sound one: a path through it would
 * never end.
 */
#include "fs/fat32/volume.h"

#include "fs/fat32/data/pages.h"
#include "fs/fat32/write/write.h"

#include "boot/panic.h"
#include "lib/string.h"
#include "heap/cache.h"
#include "heap/heap.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/runtime.h>

struct fat32_node *fat32_node_of(struct vnode *vnode)
{
    return (struct fat32_node *)((char *)vnode - offsetof(struct fat32_node, vnode));
}

struct fat32_volume *fat32_volume_of(struct vnode *vnode)
{
    return fat32_node_of(vnode)->volume;
}

/* --- directories --- */

/*
 * What files are told apart by. A directory keeps its first cluster; a file has the number of its
 * entry on the volume, as long as it has one, and then a number that no other one ever had.
 */
#define DIRECTORY_ID (UINT64_C(1) << 40)
#define ORPHAN_ID (UINT64_C(1) << 41)

uint64_t fat32_id(const struct vnode_attributes *attributes, uint32_t cluster, uint64_t place)
{
    if (attributes->type == VNODE_DIRECTORY)
        return DIRECTORY_ID | cluster;
    return place / FAT32_SLOT_BYTES;
}

/** True if `cluster` is where the directory or one of its ancestors starts. */
static bool leads_back(const struct fat32_node *directory, uint32_t cluster)
{
    for (; directory; directory = directory->parent) {
        if (directory->chain.start == cluster)
            return true;
    }
    return false;
}

/** A directory must start somewhere, and not at one that contains it. Nor may a file start where
 * the root does, which is said of no entry. Caller holds the mutex. */
static int check_start(struct fat32_node *parent, const struct fat32_entry *entry)
{
    if (entry->public.attributes.type != VNODE_DIRECTORY) {
        if (entry->cluster != parent->volume->geometry.root_cluster)
            return 0;
        fat32_complain(parent->volume, "a file starts at cluster %u, which is the root's",
                       entry->cluster);
        return -EIO;
    }
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

int fat32_node_get(struct fat32_node *parent, const struct fat32_entry *entry, uint64_t place,
                   struct vnode **found)
{
    struct fat32_node *node;
    int error = check_start(parent, entry);

    if (error)
        return error;
    /* One that is on its way out may still have to write what is in the file. */
    while ((node = fat32_node_find(parent->volume, place)) && !vnode_try_get(&node->vnode))
        condition_wait(&parent->volume->released);
    if (!node) {
        node = fat32_node_create(parent->volume, parent, entry->cluster, &entry->public.attributes);
        if (!node)
            return -ENOMEM;
        fat32_node_place(node, place);
        fat32_node_measure(node);
    }
    *found = &node->vnode;
    return 0;
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
    if (!place)
        return;
    node->vnode.attributes.id = fat32_id(&node->vnode.attributes, node->chain.start, place);
    tree_insert(&node->volume->open, &node->open, &place, compare_place);
}

void fat32_node_measure(struct fat32_node *node)
{
    unsigned shift = node->volume->geometry.cluster_shift;
    uint64_t clusters = (node->vnode.attributes.size + ((uint64_t)1 << shift) - 1) >> shift;
    uint32_t cluster, count;

    /* A directory whose chain is damaged has as much as can be reached of it. */
    if (node->vnode.attributes.type == VNODE_DIRECTORY)
        for (clusters = 0; fat32_chain_find(node->volume, &node->chain, (uint32_t)clusters,
                                            &cluster, &count) == 0;)
            clusters += count;
    node->vnode.attributes.blocks = (clusters << shift) / 512;
}

void fat32_node_orphan(struct fat32_node *node)
{
    fat32_node_place(node, 0);
    node->removed = true;
    fat32_pages_forget(node);
    node->vnode.attributes.links = 0;
    node->vnode.attributes.id = ORPHAN_ID | ++node->volume->orphan_id;
    node->volume->orphans++;
}

void fat32_node_move(struct fat32_node *node, struct fat32_node *parent)
{
    struct fat32_node *old = node->parent;

    vnode_keep(&parent->vnode);
    node->parent = parent;
    /* Not the last one: whoever renames has a reference to the directory it was in. */
    kassert(vnode_put_unless_last(vnode_unkeep(&old->vnode)));
}

void fat32_node_discard(struct fat32_node *node)
{
    struct fat32_volume *volume = node->volume;

    fat32_node_place(node, 0);
    fat32_index_drop(node);
    cache_object_finish(&node->pages); /* there are none */
    fat32_chain_finish(&node->chain);
    if (node->parent)
        kassert(vnode_put_unless_last(vnode_unkeep(&node->parent->vnode))); /* the caller's */
    vnode_finish(&node->vnode);
    object_free(volume->nodes, node);
}

/* What remains of a file that was removed while it was open. */
static void free_orphan(struct fat32_node *node)
{
    if (!node->removed)
        return;
    node->volume->orphans--;
    if (node->volume->writer)
        fat32_space_give_up(node->volume, node->chain.start);
}

/** Frees the node. The reference to its parent is hardly ever the last: that keeps its own. */
void fat32_node_release(struct vnode *vnode)
{
    struct fat32_node *node = fat32_node_of(vnode), *parent;
    struct fat32_volume *volume = node->volume;

    /* Its pages go before its clusters do. */
    fat32_pages_release(node);
    mutex_lock(&volume->mutex);
    parent = node->parent;
    fat32_pages_forget(node);
    free_orphan(node);
    fat32_node_place(node, 0);
    fat32_index_drop(node);
    condition_broadcast(&volume->released);
    mutex_unlock(&volume->mutex);
    fat32_chain_finish(&node->chain);
    vnode_finish(&node->vnode);
    object_free(volume->nodes, node);
    if (parent)
        vnode_put(vnode_unkeep(&parent->vnode));
    else if (!volume->mount)
        (void)fat32_volume_destroy(volume); /* what went wrong is in the log */
}

struct fat32_node *fat32_node_create(struct fat32_volume *volume, struct fat32_node *parent,
                                     uint32_t cluster, const struct vnode_attributes *attributes)
{
    struct fat32_node *node = object_allocate_at(volume->nodes, ALLOC_SITE_FOR(ALLOC_CACHE));
    uint64_t bytes = attributes->size;

    if (!node)
        return NULL;
    if (attributes->type == VNODE_DIRECTORY)
        bytes = (uint64_t)FAT32_SLOTS_MAX * FAT32_SLOT_BYTES;
    vnode_init(&node->vnode, volume->mount, &fat32_node_ops, attributes);
    node->volume = volume;
    node->parent = parent;
    node->place = 0;
    node->removed = false;
    node->index = NULL;
    fat32_pages_init(node);
    tree_node_init(&node->open);
    if (parent)
        vnode_keep(&parent->vnode);
    fat32_chain_init(&node->chain, volume, cluster,
                     (bytes + ((uint64_t)1 << volume->geometry.cluster_shift) - 1) >>
                         volume->geometry.cluster_shift);
    return node;
}
