/* SPDX-License-Identifier: MIT */
/*
 * vfs.h: what can be done by path, whatever file systems the path leads through.
 *
 * A path is walked component by component: "." stays, ".." goes to the parent (from the root of a
 * mount to that of the directory under it; from the root of all it stays), a directory with a mount
 * on it is that mount's root, a symbolic link is followed, at most VFS_LINKS_MAX in one walk. A
 * path that does not begin with '/' begins at `base` (NULL: the root of all).
 *
 * Errors of all: -ENOENT (also for ""), -ENOTDIR (also for a file with a '/' behind it),
 * -ENAMETOOLONG, -ELOOP, -EIO, -ENOMEM, -ENOMEDIUM (nothing is mounted at all); of what changes
 * something: -EROFS, -ENOSPC, -EPERM (the file system cannot do that). All may sleep.
 */
#pragma once

#include "fs/mount.h"
#include "fs/vnode.h"

#define VFS_LINKS_MAX 40u

/** Flags of vfs_find. */
enum { VFS_NO_FOLLOW = 1 /**< a symbolic link at the end of the path is itself meant */ };

/** What is at `path`: *found with a reference. */
HAL_MUST_CHECK int vfs_find(struct vnode *base, const char *path, unsigned flags,
                            struct vnode **found);

/** Makes a file, directory, device or FIFO of that type, mode, owner and device. -EEXIST. */
HAL_MUST_CHECK int vfs_create(struct vnode *base, const char *path,
                              const struct vnode_attributes *attributes, struct vnode **created);
HAL_MUST_CHECK int vfs_mkdir(struct vnode *base, const char *path, unsigned mode);
HAL_MUST_CHECK int vfs_symlink(struct vnode *base, const char *path, const char *text);

/** -EXDEV: not on the same mount. -EPERM: a directory. */
HAL_MUST_CHECK int vfs_link(struct vnode *base, const char *from, const char *to);

/** -EISDIR: a directory. -EBUSY: a mount. */
HAL_MUST_CHECK int vfs_unlink(struct vnode *base, const char *path);

/** -ENOTEMPTY, -EBUSY (a mount), -EINVAL (the last component is "."). */
HAL_MUST_CHECK int vfs_rmdir(struct vnode *base, const char *path);

/** Linux's RENAME_NOREPLACE. */
enum { VFS_RENAME_NO_REPLACE = 1 };

/**
 * As POSIX rename: what has the new name is replaced in one step. -EXDEV, -EISDIR, -ENOTDIR,
 * -ENOTEMPTY, -EINVAL (a directory into itself), -EBUSY (a mount), -EEXIST (flag).
 */
HAL_MUST_CHECK int vfs_rename(struct vnode *base, const char *from, const char *to, unsigned flags);

HAL_MUST_CHECK int vfs_truncate(struct vnode *vnode, uint64_t size);

/** Makes the file at least `size` bytes long. */
HAL_MUST_CHECK int vfs_extend(struct vnode *vnode, uint64_t size);

/** Has who maps the file told that pages behind `size` are none of it. vfs_truncate does so itself;
 * this is for a file system that has taken pages back. Caller holds the vnode's lock to write. */
void vfs_cut(struct vnode *vnode, uint64_t size);

/** What that calls. Takes only spinlocks. */
typedef void vfs_cut_hook(struct vnode *vnode, uint64_t size);

/** From now on it calls that. Boot. */
void vfs_set_cut_hook(vfs_cut_hook *hook);
HAL_MUST_CHECK int vfs_set_attributes(struct vnode *vnode,
                                      const struct vnode_attributes *attributes, unsigned which);

/** A consistent copy. */
void vfs_attributes(struct vnode *vnode, struct vnode_attributes *attributes);

/** The text of a symbolic link, cut at `n` bytes: how many are there. -EINVAL: not a link. */
HAL_MUST_CHECK int64_t vfs_readlink(struct vnode *vnode, char *text, size_t n);

/**
 * Read and write with the vnode's lock: the count, which is short only at the end and before an
 * error. -EISDIR: a directory; -EINVAL: nothing to be read so.
 */
HAL_MUST_CHECK int64_t vfs_read(struct vnode *vnode, uint64_t offset, void *data, size_t n);
HAL_MUST_CHECK int64_t vfs_write(struct vnode *vnode, uint64_t offset, const void *data, size_t n);

/** As vnode_ops.iterate, with lock and checks. -ENOTDIR. */
HAL_MUST_CHECK int vfs_iterate(struct vnode *directory, uint64_t *position,
                               struct directory_entry *entry);

/** Where a directory is, as an absolute path: for `pwd` and /proc/mounts. -ERANGE, -ENOENT. */
HAL_MUST_CHECK int vfs_path_of(struct vnode *directory, char *to, size_t size);

/** A reference to the root of all, or NULL. Any context. */
struct vnode *vfs_root(void);
