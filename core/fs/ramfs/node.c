/* SPDX-License-Identifier: MIT */
/*
 * node.c: nodes, what they count against, and their attributes.
 */
#include "fs/ramfs/node.h"

#include "dev/clock.h"
#include "heap/heap.h"

#include <hal/errno.h>

static int64_t time_now(void)
{
    return wall_now() * WALL_NS;
}

/* ---- limits ---- */

static bool take(struct ramfs *ramfs, uint64_t *used, uint64_t max)
{
    hal_irq_state_t state = spinlock_acquire(&ramfs->lock);
    bool room = *used < max;

    *used += room;
    spinlock_release(&ramfs->lock, state);
    return room;
}

static void give(struct ramfs *ramfs, uint64_t *used)
{
    hal_irq_state_t state = spinlock_acquire(&ramfs->lock);

    (*used)--;
    spinlock_release(&ramfs->lock, state);
}

bool ramfs_take_page(struct ramfs *ramfs)
{
    return take(ramfs, &ramfs->pages, ramfs->pages_max);
}

void ramfs_give_page(struct ramfs *ramfs)
{
    give(ramfs, &ramfs->pages);
}

bool ramfs_take_file(struct ramfs *ramfs)
{
    return take(ramfs, &ramfs->files, ramfs->files_max);
}

void ramfs_give_file(struct ramfs *ramfs)
{
    give(ramfs, &ramfs->files);
}

/* ---- life ---- */

static uint64_t next_id(struct ramfs *ramfs)
{
    hal_irq_state_t state = spinlock_acquire(&ramfs->lock);
    uint64_t id = ++ramfs->last_id;

    spinlock_release(&ramfs->lock, state);
    return id;
}

static void init_content(struct ramfs_node *node, enum vnode_type type)
{
    if (type == VNODE_DIRECTORY) {
        tree_init(&node->directory.by_name);
        tree_init(&node->directory.by_position);
        node->directory.next_position = 1;
    } else if (type == VNODE_FILE) {
        tree_init(&node->pages);
    }
}

static void set_first_attributes(struct ramfs *ramfs, const struct vnode_attributes *wanted,
                                 struct vnode_attributes *first)
{
    int64_t now = time_now();

    *first = (struct vnode_attributes){
        .type = wanted->type,
        .mode = wanted->mode & 07777,
        .links = wanted->type == VNODE_DIRECTORY ? 2 : 0,
        .uid = wanted->uid,
        .gid = wanted->gid,
        .size = wanted->type == VNODE_SYMLINK ? wanted->size : 0,
        .id = next_id(ramfs),
        .device = wanted->device,
        .modified = now,
        .accessed = now,
        .changed = now,
        .created = now,
    };
}

int node_create(struct ramfs *ramfs, const struct vnode_attributes *attributes,
                struct ramfs_node **node)
{
    struct ramfs_node *made;
    struct vnode_attributes first;

    if (!ramfs_take_file(ramfs))
        return -ENOSPC;
    made = kcalloc(1, sizeof(*made));
    if (!made) {
        ramfs_give_file(ramfs);
        return -ENOMEM;
    }
    made->ramfs = ramfs;
    mutex_init(&made->mutex);
    init_content(made, attributes->type);
    set_first_attributes(ramfs, attributes, &first);
    vnode_init(&made->vnode, ramfs->mount, ramfs_ops(first.type), &first);
    *node = made;
    return 0;
}

void node_release(struct vnode *vnode)
{
    struct ramfs_node *node = node_of(vnode);

    if (vnode->attributes.type == VNODE_FILE)
        content_finish(node);
    else if (vnode->attributes.type == VNODE_SYMLINK)
        kfree(node->text);
    vnode_finish(vnode);
    ramfs_give_file(node->ramfs);
    kfree(node);
}

/* ---- attributes ---- */

static void add_names(struct ramfs_node *node, int change)
{
    mutex_lock(&node->mutex);
    node->names += (uint32_t)change;
    if (node->vnode.attributes.type != VNODE_DIRECTORY)
        node->vnode.attributes.links = node->names;
    else if (node->names == 0)
        node->vnode.attributes.links = 0; /* not even its own "." */
    node->vnode.attributes.changed = time_now();
    mutex_unlock(&node->mutex);
}

void node_gain_name(struct ramfs_node *node)
{
    (void)vnode_keep(&node->vnode);
    add_names(node, 1);
}

void node_lose_name(struct ramfs_node *node)
{
    add_names(node, -1);
    if (node->names > 0)
        ramfs_give_file(node->ramfs); /* the name's; the file's own goes with the node */
    vnode_put(vnode_unkeep(&node->vnode));
}

void node_read_attributes(struct ramfs_node *node, struct vnode_attributes *attributes)
{
    mutex_lock(&node->mutex);
    *attributes = node->vnode.attributes;
    mutex_unlock(&node->mutex);
}

void node_changed(struct ramfs_node *node, uint64_t size, uint64_t blocks)
{
    struct vnode_attributes *attributes = &node->vnode.attributes;

    mutex_lock(&node->mutex);
    attributes->size = size;
    attributes->blocks = blocks;
    attributes->modified = time_now();
    attributes->changed = attributes->modified;
    mutex_unlock(&node->mutex);
}

void node_gain_blocks(struct ramfs_node *node, uint64_t blocks)
{
    mutex_lock(&node->mutex);
    node->vnode.attributes.blocks += blocks;
    mutex_unlock(&node->mutex);
}

int node_set_attributes(struct vnode *vnode, const struct vnode_attributes *wanted, unsigned which)
{
    struct ramfs_node *node = node_of(vnode);
    struct vnode_attributes *attributes = &vnode->attributes;

    mutex_lock(&node->mutex);
    if (which & VNODE_SET_MODE)
        attributes->mode = wanted->mode & 07777;
    if (which & VNODE_SET_OWNER) {
        attributes->uid = wanted->uid;
        attributes->gid = wanted->gid;
    }
    if (which & VNODE_SET_MODIFIED)
        attributes->modified = wanted->modified;
    if (which & VNODE_SET_ACCESSED)
        attributes->accessed = wanted->accessed;
    attributes->changed = time_now();
    mutex_unlock(&node->mutex);
    return 0;
}
