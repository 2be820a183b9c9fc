/* SPDX-License-Identifier: MIT */
/*
 * store.h: FAT32 volumes in memory that tests write to, cut off, fill up and judge.
 *
 * A volume is made by core's own mkfs, mounted by the driver alone (no paths of the VFS), and
 * judged by core's own checker, which knows nothing of the driver.
 */
#pragma once

#include "fs/check/check.h"
#include "fs/mkfs/mkfs.h"
#include "fs/mount.h"
#include "fs/vnode.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store {
    uint8_t *bytes;
    size_t size;
    struct mount mount;
    struct vnode *root; /**< NULL: not mounted */

    uint64_t requests;  /**< reads, writes and flushes since this was set to 0 */
    uint64_t fail_at;   /**< the request of this number fails (1: the next); 0: none */
    uint64_t fail_from; /**< this one and all later do; 0: none */
    bool only_writes;   /**< reads are not counted, and do not fail */

    /** What is on the card of a write that fails: nothing of it; the first half of its sectors, of
     * one sector that one; this, and the next sector, or of one sector that one, has become
     * something else. */
    enum store_tear { STORE_NOTHING, STORE_HALF, STORE_GARBAGE } tear;
    unsigned torn; /**< how many such writes were met */

    char finding[300]; /**< the last one of the checker's */
};

extern struct store store;

/** A volume of `sectors` sectors with clusters of `cluster_bytes` (0: by its size). */
void store_make(uint64_t sectors, uint32_t cluster_bytes);

/** The same with everything that mkfs offers. */
void store_make_with(const struct mkfs_options *options);

void store_finish(void);

/** A machine with so much RAM and this card. What is mounted is forgotten. */
void store_start(uint64_t ram_bytes);

/** 0 or the driver's error. */
int store_mount(void);
int store_mount_with(const char *options);

/** The same. */
int store_unmount(void);

/** True if the volume can be written. */
bool store_is_writable(void);

/** Whether bit `bit` of the second entry of the FAT is set on the card. */
bool store_mark(unsigned bit);

/* Operations by path: "/a/b". As the driver returns. */
int store_create(const char *path);
int store_mkdir(const char *path);
int store_unlink(const char *path);
int store_rmdir(const char *path);
int store_rename(const char *from, const char *to);
int64_t store_write(const char *path, uint64_t offset, const void *data, size_t n);
int64_t store_read(const char *path, uint64_t offset, void *data, size_t n);
int store_truncate(const char *path, uint64_t size);
int store_sync(void);
int store_lookup(const char *path, struct vnode **found);

/** Names in the directory, or an error. */
int store_count(const char *path);

/** True if the checker finds nothing of class `worst` or worse. */
bool store_passes(enum check_class worst);

/** Clusters that no file has and that are not marked as bad, by the checker; 0: it found damage. */
uint32_t store_free(void);
