/* SPDX-License-Identifier: MIT */
/*
 * node.h: what ramfs keeps of each file.
 *
 * A node is the file itself, with its vnode in it: there as long as it has a name or a user. Each
 * of its names has a reference to the vnode that only keeps it in memory (vnode_keep), so release()
 * comes when the last name and the last user are gone, and frees everything.
 *
 * A directory's entries are in two trees: by name, to find one, and by position, to go through them
 * while they change. Positions only grow, so one that was taken away is not given again.
 *
 *     by name        bin  etc  tmp
 *     by position    1:tmp  4:bin  5:etc         next_position 6
 *
 * A file's pages are in a tree by their number; what has none is a hole and reads as zeros.
 */
#pragma once

#include "fs/mount.h"
#include "fs/vnode.h"
#include "lib/tree.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"

#include <hal/compiler.h>

#define RAMFS_NAME_MAX 255u /**< bytes, as with Linux */

struct pipe;
struct device;

/** One mounted ramfs. */
struct ramfs {
    struct mount *mount;
    struct ramfs_node *root;
    struct spinlock lock;          /**< guards the rest */
    uint64_t pages_max, files_max; /**< limits */
    uint64_t pages, files;         /**< in use */
    uint64_t last_id;
};

struct ramfs_node {
    struct vnode vnode;
    struct ramfs *ramfs;
    struct mutex mutex; /**< held, besides the vnode's lock, by who changes attributes or names */
    uint32_t names;

    union { /* by type; guarded by the vnode's lock */
        struct {
            struct tree by_name, by_position;
            uint64_t next_position;
            struct ramfs_node *parent; /**< the root's: NULL */
        } directory;
        struct tree pages; /**< of a file */
        char *text;        /**< of a symbolic link, of attributes.size bytes; constant */
        struct {
            struct pipe *pipe;
            unsigned users; /**< that have it open, or are about to; 0: no pipe */
        } fifo;             /**< guarded by `mutex` */
    };
};

struct ramfs_entry {
    struct tree_node by_name, by_position;
    uint64_t position;
    struct ramfs_node *node;
    size_t length;
    char name[];
};

static inline struct ramfs_node *node_of(struct vnode *vnode)
{
    return (struct ramfs_node *)((char *)vnode - offsetof(struct ramfs_node, vnode));
}

/* ---- node.c ---- */

/**
 * A new node without a name, with one reference. -ENOSPC: the limit of files; -ENOMEM. Its times
 * are now. Thread context.
 */
HAL_MUST_CHECK int node_create(struct ramfs *ramfs, const struct vnode_attributes *attributes,
                               struct ramfs_node **node);

/** vnode_ops.release: frees the node. */
void node_release(struct vnode *vnode);

/** A name more. Caller holds the vnode's lock, or has just made the node. May sleep. */
void node_gain_name(struct ramfs_node *node);

/** A name less; the caller has a reference of its own. As above. */
void node_lose_name(struct ramfs_node *node);

/** The attributes as they are at one moment. May sleep. */
void node_read_attributes(struct ramfs_node *node, struct vnode_attributes *attributes);

/** The content changed: sets size, blocks and times. Caller holds the vnode's lock. May sleep. */
void node_changed(struct ramfs_node *node, uint64_t size, uint64_t blocks);

/** A hole has been filled: that is no change of the content. Lock and context as above. */
void node_gain_blocks(struct ramfs_node *node, uint64_t blocks);

/** vnode_ops.set_attributes */
int node_set_attributes(struct vnode *vnode, const struct vnode_attributes *attributes,
                        unsigned which);

/** Takes one from what may still be used, or gives it back. Any context. */
HAL_MUST_CHECK bool ramfs_take_page(struct ramfs *ramfs);
void ramfs_give_page(struct ramfs *ramfs);
HAL_MUST_CHECK bool ramfs_take_file(struct ramfs *ramfs);
void ramfs_give_file(struct ramfs *ramfs);

/** The operations on a vnode of that type. */
const struct vnode_ops *ramfs_ops(enum vnode_type type);

/* ---- directory.c ---- */

int directory_lookup(struct vnode *directory, const char *name, size_t n, struct vnode **found);
int directory_iterate(struct vnode *directory, uint64_t *position, struct directory_entry *entry);
int directory_create(struct vnode *directory, const char *name, size_t n,
                     const struct vnode_attributes *attributes, struct vnode **created);
int directory_symlink(struct vnode *directory, const char *name, size_t n, const char *text,
                      struct vnode **created);
int directory_link(struct vnode *directory, const char *name, size_t n, struct vnode *vnode);
int directory_unlink(struct vnode *directory, const char *name, size_t n, struct vnode *vnode);
int directory_rmdir(struct vnode *directory, const char *name, size_t n, struct vnode *vnode);
int directory_rename(struct vnode *from, const char *name, size_t n, struct vnode *vnode,
                     struct vnode *to, const char *new_name, size_t m, struct vnode *replaced);

/** Takes away all that is in `root` and below, which nobody uses: at unmount. May sleep. */
void directory_remove_all(struct ramfs_node *root);

/* ---- content.c ---- */

int64_t content_read(struct vnode *vnode, uint64_t offset, void *data, size_t n);
int64_t content_write(struct vnode *vnode, uint64_t offset, const void *data, size_t n);
int content_truncate(struct vnode *vnode, uint64_t size);

/** vnode_ops.frame */
int content_frame(struct vnode *vnode, uint64_t number, void **frame);

/** Gives all pages back. */
void content_finish(struct ramfs_node *node);
