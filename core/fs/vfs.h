/* SPDX-License-Identifier: MIT */
/*
 * vfs.h: files by path, whatever file system they are on.
 *
 * A vnode stands for one file or directory. It is reference-counted: whoever got one from vfs_open
 * or a lookup gives it back with vnode_put. The file system behind it is a table of operations.
 * There is one mount: the root.
 */
#pragma once

#include "lib/list.h"

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
    bool hidden; /**< the file system marks it so (a leading dot is the shell's matter) */
    bool read_only;
    bool system;
};

struct directory_entry {
    char name[VFS_NAME_MAX + 1];
    struct vnode_attributes attributes;
};

struct vnode;

/** Returns are 0, a count, or a negative error. All may sleep. */
struct vnode_ops {
    /** Reads up to `n` bytes at `offset`; returns the count, 0 at or past the end. Files only. */
    int64_t (*read)(struct vnode *vnode, uint64_t offset, void *data, size_t n);

    /**
     * Finds `name` (`n` > 0 bytes, not NUL-terminated, without '/', not "." or "..") in a
     * directory: a referenced vnode. -ENOENT; -ELOOP: a directory that contains itself.
     */
    int (*lookup)(struct vnode *directory, const char *name, size_t n, struct vnode **found);

    /**
     * The next entry from *position on (0: the first); moves *position past it. -ENOENT: no more.
     * Without "." and "..".
     */
    int (*iterate)(struct vnode *directory, uint64_t *position, struct directory_entry *entry);

    /** The last reference is gone: frees the vnode. */
    void (*release)(struct vnode *vnode);
};

struct vnode {
    const struct vnode_ops *ops;
    struct vnode_attributes attributes; /**< constant while nothing writes */
    uint32_t references;                /**< changed atomically */
    struct list link;                   /**< among all vnodes; vfs.c's */
};

/** Makes a vnode with one reference, in memory of the file system's. Any context. */
void vnode_init(struct vnode *vnode, const struct vnode_ops *ops,
                const struct vnode_attributes *attributes);

/** Its opposite: the memory is about to be freed. Any context. */
void vnode_finish(struct vnode *vnode);

/**
 * The vnode after `vnode` (NULL: the first) of all that there are, or NULL. Takes no lock: only for
 * a kernel that stands still.
 */
const struct vnode *vnode_peek(const struct vnode *vnode);

/** One more reference. Any context. */
struct vnode *vnode_get(struct vnode *vnode);

/** One less; the last one releases. NULL is allowed. May sleep. */
void vnode_put(struct vnode *vnode);

/** One less, without releasing: true if it was the last, and the caller has to. Any context. */
HAL_MUST_CHECK bool vnode_unreference(struct vnode *vnode);

/**
 * Opens the file or directory at `path`, which starts at `base` (an absolute, normalised path)
 * unless it begins with '/'. "." and ".." are taken away by their text.
 *
 * Returns 0 and a referenced vnode, -ENOENT (also for ""), -ENOTDIR (also for a file with a '/'
 * behind it), -ENAMETOOLONG, -EIO, -ELOOP (a damaged directory contains itself), -ENOMEM,
 * -ENOMEDIUM (nothing is mounted: no usable card). May sleep.
 */
HAL_MUST_CHECK int vfs_open(const char *base, const char *path, struct vnode **vnode);

/**
 * Reads up to `n` bytes at `offset`. Returns the count, which is short only at the end and before
 * an error, or the error when nothing was read. -EISDIR for a directory. May sleep.
 */
HAL_MUST_CHECK int64_t vfs_read(struct vnode *vnode, uint64_t offset, void *data, size_t n);

/** As vnode_ops.iterate, with checks. -ENOTDIR for a file. May sleep. */
HAL_MUST_CHECK int vfs_iterate(struct vnode *directory, uint64_t *position,
                               struct directory_entry *entry);

/**
 * Writes the absolute form of `path` (relative to the absolute `base`) without ".", ".." and
 * double slashes into the `size` bytes at `to`. ".." at the root stays there. Returns 0 or
 * -ENAMETOOLONG, when `to` holds nothing of use. Any context.
 */
HAL_MUST_CHECK int vfs_normalise(const char *base, const char *path, char *to, size_t size);

/**
 * Probes the card and its partitions and mounts the first FAT32 volume as the root. Returns 0 or
 * what was wrong, which it has also logged in a sentence (see vfs_mount_problem). -EBUSY: there is
 * a root already. Thread context, at boot. May sleep.
 */
HAL_MUST_CHECK int vfs_mount_root(void);

/** Forgets the root. Files that are open stay so. May sleep. */
void vfs_unmount_root(void);

/**
 * Why nothing is mounted, as sentences for people: what is wrong and what to do. "" when the root
 * is mounted. Thread context, not during vfs_mount_root.
 */
const char *vfs_mount_problem(void);

/** The name of the device that the root is on ("mmcblk0p1"), or "". As vfs_mount_problem. */
const char *vfs_mount_device(void);
