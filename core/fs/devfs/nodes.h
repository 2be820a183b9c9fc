/* SPDX-License-Identifier: MIT */
/*
 * nodes.h: the devices of devfs by file.
 */
#pragma once

/** memory.c: null, zero, full, random, urandom. Boot. */
void nodes_register_memory(void);

/** console.c: tty and console. Boot. */
void nodes_register_console(void);

/** block.c: what it needs; the disks come later. Boot. */
void nodes_register_block(void);

/** devfs.c: devices came or went after boot, and so do their nodes where devfs is mounted. May
 * sleep. */
void devfs_announce(void);
