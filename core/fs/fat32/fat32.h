/* SPDX-License-Identifier: MIT */
/*
 * fat32.h: the FAT32 file system.
 *
 * How FAT32 lays out a volume, from its first sector on:
 *
 *     | reserved sectors          | FAT 1 | FAT 2 | cluster 2 | cluster 3 | ...
 *       0: boot sector (geometry)
 *       1: FSInfo, 6: copy of 0
 *
 * Data lies in clusters of a power of two of sectors, numbered from 2. The file allocation table
 * (FAT) has 4 bytes for each cluster: the number of the next cluster of the same file, or an end
 * mark. So a file is a linked list whose links are kept apart from its data. A directory is a file
 * of 32-byte entries; the root directory starts where the boot sector says.
 *
 * Names match without regard to case, for the letters that name.c lists. Nothing on a card
 * is believed: any bytes lead to a refusal with a reason, or to files that read with data or -EIO.
 *
 * Source: Microsoft, FAT32 File System Specification (fatgen103), 2000. What is
 * written and when: batch/batch.h. Not here: FAT12, FAT16, exFAT.
 */
#pragma once

#include "block/block.h"
#include "block/problem.h"
#include "fs/mount.h"
#include "fs/vnode.h"

/**
 * Mounts the volume on `device`, which must stay as it is until the volume is gone.
 *
 * Returns 0 and a reference to the root directory; the volume goes when the last of its vnodes is
 * put. Otherwise an error, with the reason in `problem`: -EINVAL (damaged), -ENOTSUP (sound, but
 * not FAT32), -ENOMEM, or what block_read returns. May sleep.
 */
HAL_MUST_CHECK int fat32_mount(const struct block_device *device, struct vnode **root,
                               struct problem *problem);

/** The kind "fat32". */
extern const struct file_system fat32_file_system;
