/* SPDX-License-Identifier: MIT */
/*
 * vfs.h: files by path, whatever file system they are on.
 *
 * A vnode stands for one file or directory. It is reference-counted: whoever got one from vfs_open
 * or a lookup gives it back with vnode_put. The file system behind it is a table of operations.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFS_NAME_MAX 765  /**< bytes of one name in UTF-8 without its NUL: 255 UTF-16 units */
#define VFS_PATH_MAX 4096 /**< bytes of a path with its NUL */

enum vnode_type { VNODE_FILE, VNODE_DIRECTORY };

/** What `ls -l` wants to know. Times are seconds since 1970-01-01 00:00 UTC. */
struct vnode_attributes {
    enum vnode_type type;
    uint64_t size; /**< bytes; 0 for a directory */
    int64_t modified;
    int64_t accessed;
    int64_t created;
    bool hidden; /**< the file system marks it as hidden (names with a leading dot are the shell's
                    matter) */
    bool read_only;
    bool system;
};

struct directory_entry {
    char name[VFS_NAME_MAX + 1];
    struct vnode_attributes attributes;
};

struct vnode;

struct vnode_ops {
    /** Reads up to `n` bytes at `offset`; returns the count, 0 at or past the end. May sleep. */
    int64_t (*read)(struct vnode *vnode, uint64_t offset, void *data, size_t n);
    /** Finds `name` (not NUL-terminated, `n` bytes) in a directory and returns a referenced vnode.
     * May sleep. */
    int (*lookup)(struct vnode *directory, const char *name, size_t n, struct vnode **found);
    /** The next entry from *position on (0: the first); moves *position. -ENOENT: no more. No "."
     * and "..". May sleep. */
    int (*iterate)(struct vnode *directory, uint64_t *position, struct directory_entry *entry);
    /** The last reference is gone. May sleep. */
    void (*release)(struct vnode *vnode);
};

struct vnode {
    const struct vnode_ops *ops;
    struct vnode_attributes attributes; /**< constant while nothing writes */
    uint32_t references;
};

/** One more reference. Any context. */
struct vnode *vnode_get(struct vnode *vnode);

/** One less; the last one releases. NULL is allowed. May sleep. */
void vnode_put(struct vnode *vnode);

/**
 * Opens the file or directory at `path`, which starts at `base` (an absolute, normalised path)
 * unless it begins with '/'. "." and
 * ".." are taken away by their text. Returns 0 and a referenced vnode, -ENOENT, -ENOTDIR,
 * -ENAMETOOLONG, -EIO, -ENOMEM, -ENOMEDIUM (nothing is mounted: no usable card). May sleep.
 */
HAL_MUST_CHECK int vfs_open(const char *base, const char *path, struct vnode **vnode);

/** Reads up to `n` bytes at `offset`. Returns the count (short only at the end), or an error.
 * -EISDIR for a directory. May sleep. */
HAL_MUST_CHECK int64_t vfs_read(struct vnode *vnode, uint64_t offset, void *data, size_t n);

/** As vnode_ops.iterate, with checks. -ENOTDIR for a file. May sleep. */
HAL_MUST_CHECK int vfs_iterate(struct vnode *directory, uint64_t *position,
                               struct directory_entry *entry);

/**
 * Writes the absolute form of `path` (relative to the absolute `base`) without ".", ".." and double
 * slashes into the `size` bytes at `to`. -ENAMETOOLONG. Any context.
 */
HAL_MUST_CHECK int vfs_normalise(const char *base, const char *path, char *to, size_t size);

/** Probes the card and its partitions and mounts the first FAT32 volume as the root. Returns 0 or
 * what was wrong, which it has also logged in a sentence (see vfs_mount_problem). Thread context,
 * at boot. May sleep. */
HAL_MUST_CHECK int vfs_mount_root(void);

/** Why nothing is mounted, as a sentence for people that says what to do; "" when the root is
 * mounted. */
const char *vfs_mount_problem(void);
