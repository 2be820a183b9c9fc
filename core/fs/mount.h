/* SPDX-License-Identifier: MIT */
/*
 * mount.h: file systems, and where in the tree each mounted one begins.
 */
#pragma once

#include "block/block.h"
#include "block/problem.h"
#include "fs/vnode.h"
#include "sync/mutex.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOUNT_OPTIONS_MAX 127 /**< bytes of the options' text */

struct file_system_status {
    uint64_t block_bytes;
    uint64_t blocks, free_blocks;
    uint64_t files, free_files; /**< 0: the file system does not count them */
    uint32_t id;                /**< volume number */
    uint32_t name_max;          /**< bytes */
    uint32_t magic;             /**< Linux's f_type */
};

struct mount;

/** A kind of file system. All may sleep. */
struct file_system {
    const char *name;  /**< "fat32" */
    bool needs_device; /**< "nodev" in /proc/filesystems otherwise */

    /**
     * Mounts `device` (NULL if none is needed) with `options` ("ro,fmask=133", or "") and sets
     * mount->root, a reference, mount->private, and what flags it has; read_only is set already if
     * the options have "ro" (and "ro" and "rw" are options of every kind). The reason of an error
     * is in `problem`. -EINVAL (damaged, or an option that is none), -ENOTSUP, -ENOMEM, -EIO, ...
     */
    int (*mount)(struct mount *mount, const struct block_device *device, const char *options,
                 struct problem *problem);

    /**
     * Puts everything on the medium and lets go of it; mount->root has been put before, and nobody
     * uses a vnode of the mount. An error is reported, but the mount is gone.
     */
    int (*unmount)(struct mount *mount);

    /** Puts everything on the medium. NULL: nothing to do. */
    int (*sync)(struct mount *mount);

    int (*status)(struct mount *mount, struct file_system_status *status);

    /** Changes options of a mounted one ("ro", "rw"). NULL: -ENOTSUP. */
    int (*remount)(struct mount *mount, const char *options, struct problem *problem);
};

struct mount {
    const struct file_system *type;
    struct vnode *root;    /**< a reference */
    bool watched;          /**< somebody looks whether it is used: moves are counted (atomic) */
    struct vnode *covered; /**< a reference to the directory under it; NULL: the root of all */
    struct mount *parent;
    const struct block_device *open; /**< its device, open in the table of devices; or NULL */
    char device[BLOCK_NAME_MAX + 1]; /**< "mmcblk0p1", or the name that the user gave */
    char options[MOUNT_OPTIONS_MAX + 1];
    bool read_only;      /**< a remount may change it: see mount_is_read_only */
    uint32_t writers;    /**< files of it that are open for writing; see mount_close; atomic */
    bool folds_names;    /**< "a" and "A" are the same name, and there are no hard links */
    bool names_change;   /**< names come and go by themselves: none is cached */
    struct mutex rename; /**< held while a directory moves to another */
    uint32_t number;     /**< st_dev */
    uint32_t leaving;    /**< vnodes being released, and... */
    uint32_t cached;     /**< ...entries of the name cache; both changed atomically */
    uint32_t moves;      /**< references that came and were explained while `watched`; atomic */
    void *private;       /**< the file system's */
    struct list link;    /**< among all mounts */
};

/** True if nobody may change anything in it now; who has seen false may still be refused by the
 * file system, which has its own lock. Any context. */
static inline bool mount_is_read_only(const struct mount *mount)
{
    return __atomic_load_n(&mount->read_only, __ATOMIC_SEQ_CST);
}

#define MOUNT_CLOSED 0x80000000u /* in `writers`: nobody begins to write */

/** Keeps files from being opened for writing, until mount_reopen: while the file system becomes
 * read-only, or finds that it cannot. False, and nobody has noticed: some are open. Any context. */
HAL_MUST_CHECK static inline bool mount_close(struct mount *mount)
{
    uint32_t none = 0;

    return __atomic_compare_exchange_n(&mount->writers, &none, MOUNT_CLOSED, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline void mount_reopen(struct mount *mount)
{
    __atomic_fetch_and(&mount->writers, ~MOUNT_CLOSED, __ATOMIC_SEQ_CST);
}

#define FILE_SYSTEMS_MAX 16u

/** Makes a kind of file system known, once or again. Boot. The structure stays. */
void file_system_register(const struct file_system *type);

/** The kind after `type` (NULL: the first), or NULL. Any context. */
const struct file_system *file_system_next(const struct file_system *type);

/**
 * Mounts a file system of the kind `type` on the directory at `path` ("/" for the root of all,
 * while there is none). Errors as file_system.mount, and -ENODEV (no such kind), -ENOTDIR, -EBUSY
 * (something is mounted exactly there, or sectors of the device are mounted or claimed), -EPERM
 * (the directory may vanish by itself, as a process's in /proc). May sleep.
 */
HAL_MUST_CHECK int mount_add(const char *type, const struct block_device *device, const char *path,
                             const char *options, struct problem *problem);

/** One of the options in a text like "ro,fmask=133". */
struct mount_option {
    const char *name, *value; /**< not NUL-terminated; value NULL: there is no '=' */
    size_t name_bytes, value_bytes;
};

/** Takes the next option off *options; false: there are no more. Any context. */
HAL_MUST_CHECK bool mount_next_option(const char **options, struct mount_option *option);

/** True if that is the name of the option. Any context. */
bool mount_option_is(const struct mount_option *option, const char *name);

/**
 * Takes away what is mounted at `path`. -EINVAL: nothing is; -EBUSY: files of it are in use, or
 * something is mounted in it. May sleep.
 */
HAL_MUST_CHECK int mount_remove(const char *path);

/**
 * For the end: takes away all that is mounted, as far as nobody uses it, and puts the rest on its
 * medium. Needs no memory. May sleep.
 */
void mount_remove_all(void);

/** A device that somebody changes under no file system: fsck, mkfs, who writes to /dev/mmcblk0. */
struct mount_claim {
    const struct block_device *device;
    struct list link;
};

/**
 * Keeps `device`, which is open, from being mounted until mount_end_claim. -EBUSY: it is mounted,
 * or claimed, or shares sectors with such a one. May sleep.
 */
HAL_MUST_CHECK int mount_begin_claim(struct mount_claim *claim, const struct block_device *device);
void mount_end_claim(struct mount_claim *claim);

/**
 * True if somebody may write to sectors of `device`: it is mounted or claimed. *changes is another
 * number whenever that may have been so since it was asked last. May sleep.
 */
HAL_MUST_CHECK bool mount_is_used(const struct block_device *device, uint64_t *changes);

/**
 * Has a file system of the kind `type` finish on `device`, which the caller has claimed, what it
 * was doing when the power went: it is mounted, where nobody sees it, and unmounted. Errors as
 * mount_add's. May sleep.
 */
HAL_MUST_CHECK int mount_recover(const char *type, const struct block_device *device);

/** True if the device of `mount` is `device`, or shares sectors with it. Any context. */
bool mount_is_on(const struct mount *mount, const struct block_device *device);

/** Goes over to the root of what is mounted on `*vnode`, if anything is. Any context. */
void mount_cross(struct vnode **vnode);

/** The directory under `mount`, a reference; NULL: it is the root of all. Any context. */
struct vnode *mount_covered(struct mount *mount);

/** Puts all file systems' content on their media; the first error. May sleep. */
HAL_MUST_CHECK int mount_sync_all(void);

/**
 * The mount number `index` in order of mounting, with its root referenced by *root (which the
 * caller puts, and which keeps the mount), or NULL. `path`, of `size` bytes, is where it is
 * mounted. May sleep.
 */
struct mount *mount_at(unsigned index, struct vnode **root, char *path, size_t size);
