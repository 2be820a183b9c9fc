/* SPDX-License-Identifier: MIT */
/*
 * root.h: the root of all at boot, and the first FAT32 volume of the card.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>

/**
 * Probes the card and its partitions and mounts the first FAT32 volume as the root. Returns 0 or
 * what was wrong, which it has also logged in a sentence (see vfs_mount_problem). -EBUSY: there is
 * a root already. Thread context, at boot. May sleep.
 */
HAL_MUST_CHECK int vfs_mount_root(void);

/** The same at `path`, a directory, with options for the file system. */
HAL_MUST_CHECK int vfs_mount_card(const char *path, const char *options);

/**
 * If the card itself is an archive (raw.c): makes a ramfs with its content the root. False: it is
 * none, or, as the log says then, one that cannot be used. There is no root. May sleep.
 */
HAL_MUST_CHECK bool vfs_mount_raw(void);

/** Nothing is wrong any more: vfs_mount_problem is "". */
void vfs_forget_problem(void);

/** Makes the tree of files at boot, of what there is: see tree.c. Thread context. May sleep. */
void vfs_mount_tree(void);

/** As mount_remove("/"). */
int vfs_unmount_root(void);

/**
 * Why nothing is mounted, as sentences for people: what is wrong and what to do. "" when the root
 * is mounted. Thread context, not during vfs_mount_root.
 */
const char *vfs_mount_problem(void);

/** The name of the device that the root is on ("mmcblk0p1"), or "". As vfs_mount_problem. */
const char *vfs_mount_device(void);
