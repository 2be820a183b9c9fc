/* SPDX-License-Identifier: MIT */
/*
 * ramfs.h: a file system whose medium is RAM: the root of all, and whatever is mounted for files
 * that need not outlive the power.
 *
 * Everything that Unix knows of: hard and symbolic links, FIFOs, device nodes, modes and owners.
 * What is in it counts against two limits, set at mount, so it cannot eat the machine:
 *
 *     size=N       bytes of file content, in whole pages; with k, m or g, or N% of RAM.
 *                  Default: 50%
 *     nr_inodes=N  files, directories, ... and further names of them. Default: one for each page
 *                  of half of RAM. With k or m
 *     mode=OCTAL   permissions of the root. Default: 755; of a tmpfs 1777
 *     uid=N gid=N  its owner
 *     ro rw
 *
 * It is known as `ramfs` and as `tmpfs`, which differ in a default. Not here: swapping out; times
 * of the last read, which stay at the time of the last change (Linux's `noatime`).
 */
#pragma once

#include "fs/mount.h"

/** Makes `ramfs` and `tmpfs` known. Boot. */
void ramfs_register(void);

/*
 * For file systems that are a ramfs with something in it. The functions of struct file_system, and
 * mounting with a mode for the root that the options can still change.
 */
HAL_MUST_CHECK int ramfs_mount_with_mode(struct mount *mount, const char *options, uint16_t mode,
                                         struct problem *problem);
int ramfs_unmount(struct mount *mount);
int ramfs_status(struct mount *mount, struct file_system_status *status);
