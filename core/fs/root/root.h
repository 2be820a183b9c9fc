/* SPDX-License-Identifier: MIT */
/*
 * root.h: the root of all at boot: the first FAT32 volume of the card.
 */
#pragma once

#include <hal/compiler.h>

/**
 * Probes the card and its partitions and mounts the first FAT32 volume as the root. Returns 0 or
 * what was wrong, which it has also logged in a sentence (see vfs_mount_problem). -EBUSY: there is
 * a root already. Thread context, at boot. May sleep.
 */
HAL_MUST_CHECK int vfs_mount_root(void);

/** As mount_remove("/"). */
int vfs_unmount_root(void);

/**
 * Why nothing is mounted, as sentences for people: what is wrong and what to do. "" when the root
 * is mounted. Thread context, not during vfs_mount_root.
 */
const char *vfs_mount_problem(void);

/** The name of the device that the root is on ("mmcblk0p1"), or "". As vfs_mount_problem. */
const char *vfs_mount_device(void);
