/* SPDX-License-Identifier: MIT */
/*
 * devfs.h: a file system with a node for each device of the kernel, made to be mounted at /dev.
 *
 * It is a ramfs that begins with these nodes, as Linux's devtmpfs is; so links, FIFOs and modes
 * work in it as well. A device that comes later appears in all that are mounted.
 *
 *     null zero full random urandom     what they have always been
 *     tty console                       the console (tty/tty.h)
 *     mmcblk0 mmcblk0p1 ... ram0 ...    disks and their partitions, as bytes
 *     gpiochip0                         the pins, for Linux's tools (gpio/gpiochip.h)
 */
#pragma once

#include <hal/compiler.h>

/** Makes `devfs` known, and the devices that every machine has. Boot. */
void devfs_register(void);

/**
 * Makes the disks and partitions devices that are none yet. Where devfs is mounted they get nodes,
 * and those that have gone lose theirs. May sleep.
 */
void devfs_update_disks(void);

/** What was written to open disks is on them when this returns. 0 or the first error. May sleep. */
HAL_MUST_CHECK int devfs_sync_disks(void);
