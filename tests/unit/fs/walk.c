/* SPDX-License-Identifier: MIT */
/*
 * walk.c: see walk.h.
 */
#include "walk.h"

#include "fs/vfs.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (64u << 20)
#define DEPTH_MAX 40u
#define PIECE 65536u

static void read_at(struct walk *walk, struct vnode *file, uint64_t offset, uint8_t *data)
{
    int64_t got = vfs_read(file, offset, data, PIECE);

    if (got < 0)
        walk->errors++;
    else
        walk->bytes += (uint64_t)got;
}

static void read_file(struct walk *walk, struct vnode *file)
{
    uint8_t *data = malloc(PIECE);
    uint64_t size = file->attributes.size;

    for (uint64_t offset = 0; offset < size && offset < 4 * PIECE; offset += PIECE)
        read_at(walk, file, offset, data);
    if (size > 0) {
        read_at(walk, file, size - 1, data);
        read_at(walk, file, size / 2 + 1, data);
    }
    free(data);
}

static void walk_directory(struct walk *walk, struct vnode *directory, unsigned depth);

static void walk_entry(struct walk *walk, struct vnode *directory,
                       const struct directory_entry *entry, unsigned depth)
{
    struct vnode *vnode = NULL;

    if (directory->ops->lookup(directory, entry->name, strlen(entry->name), &vnode)) {
        walk->errors++;
        return;
    }
    if (vnode->attributes.type == VNODE_DIRECTORY)
        walk_directory(walk, vnode, depth + 1);
    else if (walk->bytes < BYTES_MAX)
        read_file(walk, vnode);
    vnode_put(vnode);
}

static void walk_directory(struct walk *walk, struct vnode *directory, unsigned depth)
{
    struct directory_entry *entry = malloc(sizeof *entry);
    uint64_t position = 0, before;

    while (walk->entries < walk->limit && depth < DEPTH_MAX) {
        before = position;
        if (vfs_iterate(directory, &position, entry))
            break;
        if (position <= before)
            abort();
        walk->entries++;
        walk_entry(walk, directory, entry, depth);
    }
    free(entry);
}

void walk_card(struct walk *walk, uint64_t entries)
{
    struct vnode *root = NULL;

    memset(walk, 0, sizeof *walk);
    walk->limit = entries;
    if (vfs_find(NULL, "/", 0, &root))
        return;
    walk_directory(walk, root, 0);
    vnode_put(root);
}
