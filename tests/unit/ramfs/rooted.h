/* SPDX-License-Identifier: MIT */
/*
 * rooted.h: a kernel whose root is a ramfs, for tests; what fails ends the test.
 */
#pragma once

#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"

#include <hal/errno.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Starts a kernel with `ram_bytes` of RAM and mounts a ramfs with `options` on "/". */
void root_start(uint64_t ram_bytes, const char *options);

/** Unmounts the root and checks that all memory is back. */
void root_stop(void);

/** What is at `path`, with a reference. */
struct vnode *root_find(const char *path);

/** Makes a file with this text. */
void root_write(const char *path, const char *text);

/** True if the file at `path` is exactly `text`. */
bool root_is(const char *path, const char *text);

/** The error of looking for `path`, or 0. */
int root_error(const char *path);

/** How full the root is; the same for the same state, byte by byte. */
struct file_system_status root_status(void);

struct vnode_attributes root_attributes(const char *path);

/** Names in a directory, without those of a sort: a count. */
unsigned root_count(const char *path);

/** Numbers by chance: the same for one seed. */
uint32_t root_random(uint64_t *state);
