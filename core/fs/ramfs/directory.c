/* SPDX-License-Identifier: MIT */
/*
 * directory.c: names, in two trees (see node.h).
 *
 * Every operation gets the memory that it needs before it changes anything. Where a name is taken
 * over by another file (rename), its entry stays, and so does its position: a reader that goes
 * through the directory meanwhile sees one file or the other under it, once.
 */
#include "fs/ramfs/node.h"

#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

struct name {
    const char *text;
    size_t length;
};

static int compare_names(const void *key, const struct tree_node *node)
{
    const struct name *name = key;
    const struct ramfs_entry *entry = tree_entry(node, struct ramfs_entry, by_name);
    size_t common = name->length < entry->length ? name->length : entry->length;
    int order = memcmp(name->text, entry->name, common);

    if (order != 0)
        return order;
    return name->length < entry->length ? -1 : name->length > entry->length;
}

static int compare_positions(const void *key, const struct tree_node *node)
{
    uint64_t position = *(const uint64_t *)key;
    uint64_t other = tree_entry(node, struct ramfs_entry, by_position)->position;

    return position < other ? -1 : position > other;
}

static struct ramfs_entry *find_entry(const struct ramfs_node *directory, const char *name,
                                      size_t n)
{
    struct name key = {name, n};
    struct tree_node *found = tree_find(&directory->directory.by_name, &key, compare_names);

    return found ? tree_entry(found, struct ramfs_entry, by_name) : NULL;
}

/* An entry that is in no directory yet. 0, -ENAMETOOLONG or -ENOMEM. */
static int make_entry(const char *name, size_t n, struct ramfs_entry **made)
{
    struct ramfs_entry *entry;

    if (n > RAMFS_NAME_MAX)
        return -ENAMETOOLONG;
    entry = kmalloc(sizeof(*entry) + n);
    if (!entry)
        return -ENOMEM;
    memcpy(entry->name, name, n);
    entry->length = n;
    *made = entry;
    return 0;
}

static void insert_entry(struct ramfs_node *directory, struct ramfs_entry *entry,
                         struct ramfs_node *node)
{
    struct name key = {entry->name, entry->length};

    entry->node = node;
    entry->position = directory->directory.next_position++;
    tree_insert(&directory->directory.by_name, &entry->by_name, &key, compare_names);
    tree_insert(&directory->directory.by_position, &entry->by_position, &entry->position,
                compare_positions);
}

static void remove_entry(struct ramfs_node *directory, struct ramfs_entry *entry)
{
    tree_remove(&directory->directory.by_name, &entry->by_name);
    tree_remove(&directory->directory.by_position, &entry->by_position);
    kfree(entry);
}

static bool is_directory(const struct ramfs_node *node)
{
    return node->vnode.attributes.type == VNODE_DIRECTORY;
}

static bool is_empty(const struct ramfs_node *directory)
{
    return tree_empty(&directory->directory.by_name);
}

/* Entries changed; `links`: by how many directories there are more in it. */
static void touch(struct ramfs_node *directory, int links)
{
    if (links != 0) {
        mutex_lock(&directory->mutex);
        directory->vnode.attributes.links += (uint32_t)links;
        mutex_unlock(&directory->mutex);
    }
    node_changed(directory, 0, 0);
}

int directory_lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found)
{
    struct ramfs_entry *entry;

    if (n > RAMFS_NAME_MAX)
        return -ENAMETOOLONG;
    entry = find_entry(node_of(directory), name, n);
    if (!entry)
        return -ENOENT;
    *found = vnode_get(&entry->node->vnode);
    return 0;
}

int directory_iterate(struct vnode *directory, uint64_t *position, struct directory_entry *entry)
{
    struct ramfs_node *node = node_of(directory);
    struct tree_node *next =
        tree_lower_bound(&node->directory.by_position, position, compare_positions);
    const struct ramfs_entry *found;

    if (!next)
        return -ENOENT;
    found = tree_entry(next, struct ramfs_entry, by_position);
    memcpy(entry->name, found->name, found->length);
    entry->name[found->length] = '\0';
    node_read_attributes(found->node, &entry->attributes);
    *position = found->position + 1;
    return 0;
}

/* Room for a new name: an entry that is in no directory yet. -EEXIST, -ENOENT (the directory has
 * been removed) and as make_entry. */
static int prepare(struct vnode *directory, const char *name, size_t n, struct ramfs_entry **made)
{
    if (directory->attributes.links == 0)
        return -ENOENT;
    if (n <= RAMFS_NAME_MAX && find_entry(node_of(directory), name, n))
        return -EEXIST;
    return make_entry(name, n, made);
}

static void give_first_name(struct ramfs_node *directory, struct ramfs_entry *entry,
                            struct ramfs_node *node)
{
    bool is_dir = is_directory(node);

    if (is_dir)
        node->directory.parent = directory;
    node_gain_name(node);
    insert_entry(directory, entry, node);
    touch(directory, is_dir);
}

int directory_create(struct vnode *directory, const char *name, size_t n,
                     const struct vnode_attributes *attributes, struct vnode **created)
{
    struct ramfs_entry *entry = NULL;
    struct ramfs_node *node = NULL;
    int error;

    if (attributes->type == VNODE_SYMLINK)
        return -EPERM;
    error = prepare(directory, name, n, &entry);
    if (!error)
        error = node_create(node_of(directory)->ramfs, attributes, &node);
    if (error) {
        kfree(entry);
        return error;
    }
    give_first_name(node_of(directory), entry, node);
    *created = &node->vnode;
    return 0;
}

int directory_symlink(struct vnode *directory, const char *name, size_t n, const char *text,
                      struct vnode **created)
{
    size_t length = string_length(text);
    struct vnode_attributes attributes = {.type = VNODE_SYMLINK, .mode = 0777, .size = length};
    struct ramfs_entry *entry = NULL;
    struct ramfs_node *node;
    char *copy = NULL;
    int error;

    if (length == 0)
        return -ENOENT;
    if (length >= VFS_PATH_MAX)
        return -ENAMETOOLONG;
    error = prepare(directory, name, n, &entry);
    if (!error)
        error = (copy = kmalloc(length + 1)) ? 0 : -ENOMEM;
    if (!error)
        error = node_create(node_of(directory)->ramfs, &attributes, &node);
    if (error) {
        kfree(copy);
        kfree(entry);
        return error;
    }
    memcpy(copy, text, length + 1);
    node->text = copy;
    give_first_name(node_of(directory), entry, node);
    *created = &node->vnode;
    return 0;
}

int directory_link(struct vnode *directory, const char *name, size_t n, struct vnode *vnode)
{
    struct ramfs_node *node = node_of(vnode);
    struct ramfs_entry *entry = NULL;
    int error;

    if (is_directory(node))
        return -EPERM;
    if (node->names == 0)
        return -ENOENT; /* removed meanwhile: it does not come back */
    error = prepare(directory, name, n, &entry);
    if (!error && !ramfs_take_file(node->ramfs)) {
        kfree(entry);
        error = -ENOSPC;
    }
    if (error)
        return error;
    insert_entry(node_of(directory), entry, node);
    node_gain_name(node);
    touch(node_of(directory), 0);
    return 0;
}

int directory_unlink(struct vnode *directory, const char *name, size_t n, struct vnode *vnode)
{
    struct ramfs_entry *entry = find_entry(node_of(directory), name, n);

    if (!entry || entry->node != node_of(vnode))
        return -ENOENT;
    remove_entry(node_of(directory), entry);
    node_lose_name(node_of(vnode));
    touch(node_of(directory), 0);
    return 0;
}

int directory_rmdir(struct vnode *directory, const char *name, size_t n, struct vnode *vnode)
{
    struct ramfs_entry *entry = find_entry(node_of(directory), name, n);

    if (!entry || entry->node != node_of(vnode))
        return -ENOENT;
    if (!is_empty(node_of(vnode)))
        return -ENOTEMPTY;
    remove_entry(node_of(directory), entry);
    node_lose_name(node_of(vnode));
    touch(node_of(directory), -1);
    return 0;
}

/* Where a file that gets the name `name` in `to` will stand: the entry of `replaced`, or a new one.
 */
static int prepare_target(struct vnode *to, const char *name, size_t n, struct vnode *replaced,
                          struct ramfs_entry **entry)
{
    if (!replaced)
        return prepare(to, name, n, entry);
    *entry = find_entry(node_of(to), name, n);
    if (!*entry || (*entry)->node != node_of(replaced))
        return -ENOENT;
    return is_directory(node_of(replaced)) && !is_empty(node_of(replaced)) ? -ENOTEMPTY : 0;
}

int directory_rename(struct vnode *from, const char *name, size_t n, struct vnode *vnode,
                     struct vnode *to, const char *new_name, size_t m, struct vnode *replaced)
{
    struct ramfs_entry *old = find_entry(node_of(from), name, n), *target = NULL;
    struct ramfs_node *node = node_of(vnode);
    int moved = is_directory(node), error;

    if (!old || old->node != node)
        return -ENOENT;
    if (replaced == vnode)
        return 0; /* two names of one file: POSIX has it so */
    error = prepare_target(to, new_name, m, replaced, &target);
    if (error)
        return error;
    if (replaced)
        target->node = node; /* and the reference that goes with the name */
    else
        insert_entry(node_of(to), target, node);
    remove_entry(node_of(from), old);
    if (replaced)
        node_lose_name(node_of(replaced));
    if (moved)
        node->directory.parent = node_of(to);
    touch(node_of(from), -moved);
    touch(node_of(to), replaced && is_directory(node_of(replaced)) ? 0 : moved);
    return 0;
}

void directory_remove_all(struct ramfs_node *root)
{
    struct ramfs_node *directory = root;

    for (;;) {
        struct tree_node *first = tree_first(&directory->directory.by_name);
        struct ramfs_entry *entry;

        if (!first && directory == root)
            return;
        if (!first) {
            directory = directory->directory.parent; /* where it is the first, and empty now */
            continue;
        }
        entry = tree_entry(first, struct ramfs_entry, by_name);
        if (is_directory(entry->node) && !is_empty(entry->node)) {
            directory = entry->node;
        } else {
            node_lose_name(entry->node);
            remove_entry(directory, entry);
        }
    }
}
