/* SPDX-License-Identifier: MIT */
/*
 * vnode.h: one file, directory, link or device of whatever file system, in memory.
 *
 * A vnode is made by its file system, once for each file that somebody uses, and counted: whoever
 * gets one gives it back. Its operations are all that the rest of the kernel knows of the file
 * system; they are called with the vnode's lock held as their comments say.
 *
 * Locks. A directory's lock guards its entries, a file's lock its size and content. They are taken
 * ancestor before descendant, directories before files; of two directories that are neither, the
 * one with the lower id first; a directory that moves is moved under its mount's rename lock.
 *
 * References. Most are somebody's who uses the vnode. Others only keep it in memory, for the name
 * cache or the file system: they are counted apart (vnode_keep), and make no mount busy.
 *
 * A removed file stays until its last reference: release() then frees what it had on the medium.
 */
#pragma once

#include "lib/list.h"
#include "lib/tree.h"
#include "sync/rwlock.h"
#include "sync/spinlock.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFS_NAME_MAX 765  /**< bytes of one name in UTF-8 without its NUL: 255 UTF-16 units */
#define VFS_PATH_MAX 4096 /**< bytes of a path with its NUL */

enum vnode_type {
    VNODE_FILE,
    VNODE_DIRECTORY,
    VNODE_SYMLINK,
    VNODE_CHARACTER, /**< a device of bytes: /dev/tty */
    VNODE_BLOCK,     /**< a device of sectors: /dev/mmcblk0 */
    VNODE_FIFO
};

/** Times are nanoseconds since 1970-01-01 00:00 UTC. */
struct vnode_attributes {
    enum vnode_type type;
    uint16_t mode;  /**< permissions: the lower 12 bits of Unix */
    uint32_t links; /**< names that it has; 0: removed */
    uint32_t uid, gid;
    uint64_t size;   /**< bytes; of a symbolic link, of its text; 0 for directories */
    uint64_t blocks; /**< of 512 bytes, that it takes on its medium */
    uint64_t id;     /**< its number: no two files of a mount have the same at the same time */
    uint64_t device; /**< of a device: which one, DEVICE_NUMBER(major, minor) */
    int64_t modified, accessed, changed, created;
    bool hidden, read_only, system; /**< FAT's marks (a leading dot is the shell's matter) */
};

#define DEVICE_NUMBER(major, minor) ((uint64_t)(major) << 32 | (uint32_t)(minor))

/** Which attributes set_attributes is to set. */
enum { VNODE_SET_MODE = 1, VNODE_SET_OWNER = 2, VNODE_SET_MODIFIED = 4, VNODE_SET_ACCESSED = 8 };

/** As Linux's poll has them. Nobody is on the other side any more: VNODE_CAN_HANG_UP, ERROR. */
enum { VNODE_CAN_READ = 1, VNODE_CAN_WRITE = 4, VNODE_CAN_ERROR = 8, VNODE_CAN_HANG_UP = 16 };

struct directory_entry {
    char name[VFS_NAME_MAX + 1];
    struct vnode_attributes attributes;
};

struct vnode;
struct mount;
struct file;
struct pipe;
struct poll_waiter;
struct cache_object;

/**
 * Returns are 0, a count, or a negative error. All may sleep. An operation that is NULL is not
 * supported; the error for that stands with it. Names are `n` > 0 bytes, not NUL-terminated, at
 * most VFS_NAME_MAX, without '/', and neither "." nor "..".
 *
 * After an error nothing has changed, but that a write may have been shorter than asked.
 */
struct vnode_ops {
    /** Reads up to `n` bytes at `offset`; the count, 0 at or past the end. Shared lock. -EINVAL. */
    int64_t (*read)(struct vnode *vnode, uint64_t offset, void *data, size_t n);

    /** Writes at `offset`, zeros in a gap before it. The count, > 0. Lock. -EINVAL. */
    int64_t (*write)(struct vnode *vnode, uint64_t offset, const void *data, size_t n);

    /** Makes a file `size` bytes long: cut, or with zeros added. Lock. -EINVAL. */
    int (*truncate)(struct vnode *vnode, uint64_t size);

    /** Sets those of `attributes` that `which` says. Lock. -EPERM. */
    int (*set_attributes)(struct vnode *vnode, const struct vnode_attributes *attributes,
                          unsigned which);

    /** Returns when content and attributes are on the medium to stay. No lock. 0 when NULL. */
    int (*sync)(struct vnode *vnode);

    /**
     * Finds `name`: *found with a reference. -ENOENT; -ELOOP: a directory that contains itself.
     * Shared lock of the directory.
     */
    int (*lookup)(struct vnode *directory, const char *name, size_t n, struct vnode **found);

    /**
     * The next entry from *position on (0: the first); moves *position past it. -ENOENT: no more.
     * Without "." and "..". The id of an entry is that of its vnode. An entry that is there all the
     * time comes once, whatever else is entered or removed meanwhile; a position stays valid while
     * the vnode has references. Shared lock.
     */
    int (*iterate)(struct vnode *directory, uint64_t *position, struct directory_entry *entry);

    /**
     * Enters a new file, directory, device or FIFO with the type, mode, owner and device of
     * `attributes`: *created with a reference. -EEXIST, -ENOSPC, -EINVAL (a name that the file
     * system cannot have), -ENAMETOOLONG. Lock of the directory. -EPERM: this type, or at all.
     */
    int (*create)(struct vnode *directory, const char *name, size_t n,
                  const struct vnode_attributes *attributes, struct vnode **created);

    /** Enters a symbolic link with this NUL-terminated text. Lock of the directory. -EPERM. */
    int (*symlink)(struct vnode *directory, const char *name, size_t n, const char *text,
                   struct vnode **created);
    /** Enters another name of `vnode`, not a directory, of this mount. Both locks. -EPERM. */
    int (*link)(struct vnode *directory, const char *name, size_t n, struct vnode *vnode);
    /** Takes a name of `vnode`, which is not a directory, away. Both locks. -EROFS. */
    int (*unlink)(struct vnode *directory, const char *name, size_t n, struct vnode *vnode);
    /** Removes an empty directory. -ENOTEMPTY. Both locks. -EROFS. */
    int (*rmdir)(struct vnode *directory, const char *name, size_t n, struct vnode *vnode);
    /**
     * Gives what is called `name` in `from`, which is `vnode`, another name and place. `replaced`
     * has that name now, and is removed in the same step (NULL: nobody). What POSIX asks about
     * types, emptiness and cycles has been checked, except for -ENOTEMPTY. Locks of both
     * directories and of `replaced`. -EROFS.
     */
    int (*rename)(struct vnode *from, const char *name, size_t n, struct vnode *vnode,
                  struct vnode *to, const char *new_name, size_t m, struct vnode *replaced);

    /** The text of a symbolic link, cut at `n` bytes: its whole length. Shared lock. -EINVAL. */
    int64_t (*readlink)(struct vnode *vnode, char *text, size_t n);
    /** Of a link that stands for a file: *to with a reference. -EAGAIN: by its text. No lock. */
    int (*follow)(struct vnode *link, struct vnode **to);

    /**
     * Devices and FIFOs: `file` is being opened (its `private` is theirs) and, later, closed. No
     * lock. NULL: nothing to do. Reads and writes of an open file that wants its own come to
     * file_read and file_write instead of read and write: no lock.
     */
    int (*open)(struct vnode *vnode, struct file *file);
    void (*close)(struct vnode *vnode, struct file *file);
    int64_t (*file_read)(struct file *file, uint64_t offset, void *data, size_t n);
    int64_t (*file_write)(struct file *file, uint64_t offset, const void *data, size_t n);

    /**
     * Of files without `pages` whose content lies in page frames: *frame is the one with page
     * `number`, which is made if there is none yet; whoever maps it takes a reference (frame_get).
     * Lock. -EINVAL: behind the end; -ENOSPC. NULL: files here cannot be mapped.
     */
    int (*frame)(struct vnode *vnode, uint64_t number, void **frame);

    /** Linux's requests; `argument` is kernel memory that it says, or, if it says none, itself. No
     * lock. -ENOTTY. */
    int (*ioctl)(struct file *file, unsigned request, void *argument);
    /** What can be done without waiting: VNODE_CAN_ bits. `waiter`, unless NULL, is hung where it
     * is told when that changes, first (ipc/poll.h). NULL: all, always. No lock. */
    unsigned (*poll)(struct file *file, struct poll_waiter *waiter);
    /** The pipe that `file` is an end of. NULL: none. No lock. */
    struct pipe *(*pipe)(struct file *file);

    /** The last reference is gone: frees the vnode. No lock. Never NULL. */
    void (*release)(struct vnode *vnode);
};

struct vnode {
    const struct vnode_ops *ops;
    struct mount *mount;
    struct mount *covered_by; /**< mounted here; guarded by the table of mounts */
    struct rwlock lock;
    struct vnode_attributes attributes; /**< guarded by the lock, but for type, id and device */
    struct cache_object *pages;         /**< its pages, or NULL: it is not cached */
    struct filelock_list *locks;        /**< of programs, or NULL; filelock.c's */
    uint32_t references;                /**< changed atomically, as is the next */
    uint32_t kept;                      /**< so many of them only keep it */
    struct list link;                   /**< among all vnodes; vnode.c's */

    /* Of directories. */
    struct spinlock names_lock; /**< guards what follows */
    struct vnode *parent;       /**< a kept reference; NULL: the root of its mount */
    struct tree names;          /**< that are cached; name_cache.c's, as is the rest */
    uint32_t changes;           /**< names that were entered */

    struct name_entry *name; /**< where names fold: the one it is cached by, in its directory */
};

/** Makes a vnode with one reference, in memory of the file system's. `mount` is NULL for what no
 * path leads to (pipes), and in tests of a file system by itself. Any context. */
void vnode_init(struct vnode *vnode, struct mount *mount, const struct vnode_ops *ops,
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

/** One more, unless the last one is gone already: for the file system that finds a vnode in a table
 * of its own, under the lock that release() takes to remove it from there. Any context. */
HAL_MUST_CHECK bool vnode_try_get(struct vnode *vnode);

/** One less, if that is not the last one; says whether. Any context. */
HAL_MUST_CHECK bool vnode_put_unless_last(struct vnode *vnode);

/** One more reference that only keeps the vnode. Any context. */
struct vnode *vnode_keep(struct vnode *vnode);

/** Makes a kept reference an ordinary one, which can be put. Any context. */
struct vnode *vnode_unkeep(struct vnode *vnode);

/** A reference to the directory that `directory` is in, or NULL: it is a root. Any context. */
struct vnode *vnode_parent(struct vnode *directory);

/** `directory` is in `parent` from now on. Caller holds the lock of `parent`. May sleep. */
void vnode_set_parent(struct vnode *directory, struct vnode *parent);

/** 0 if nobody uses a vnode of `mount`, but for one reference to its root, and nobody can come to
 * one but from outside, which the caller prevents. -EBUSY; -EAGAIN: something is going on, look
 * again. One caller at a time for a mount. Any context. */
HAL_MUST_CHECK int vnode_check_unused(struct mount *mount);
