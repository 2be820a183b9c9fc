/* SPDX-License-Identifier: MIT */
/*
 * devfs.h: a file system with a node for each device of the kernel, made to be mounted at /dev.
 *
 * It is a ramfs that begins with these nodes, as Linux's devtmpfs is; so links, FIFOs and modes
 * work in it as well. A device that comes later appears in all that are mounted.
 *
 *     null zero full random urandom     what they have always been
 *     tty console                       the console (tty/tty.h)
 *     mmcblk0 mmcblk0p1 ...             the card and its partitions, as bytes
 *     gpiochip0                         the pins, for Linux's tools (gpiochip.h)
 */
#pragma once

/** Makes `devfs` known, and the devices that every machine has. Boot. */
void devfs_register(void);

struct block_device;

/** Makes a card (`number` 0) or its partition of that number a device, unless it is one. Boot. */
void devfs_add_block(const struct block_device *disk, unsigned number);
