/* SPDX-License-Identifier: MIT */
/*
 * volume.h: what fsck and mkfs share: the device that is meant, kept from being mounted, and its
 * sectors.
 */
#pragma once

#include "block/block.h"
#include "fs/mount.h"
#include "shell/job.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shell_volume {
    const struct block_device *device; /**< open */
    struct mount_claim claim;
    bool claimed;       /**< it is not mounted, and nobody can mount it now */
    bool mounted;       /**< the opposite, if its claim was asked for */
    uint64_t first_bad; /**< the first sector that failed; UINT64_MAX: none */
};

/**
 * Opens the device called `name` ("ram0", "/dev/ram0"), or with `paths` the one whose file system
 * has the file `name`, and claims it if it is not mounted. False: that has been said. May sleep.
 */
bool shell_volume_open(struct shell_volume *volume, struct job *job, const char *name, bool paths);
void shell_volume_close(struct shell_volume *volume);

/** Where what is mounted on it is, into VFS_PATH_MAX bytes. 0, -ENOMEM, -ENOENT (not any more). */
HAL_MUST_CHECK int shell_volume_path(const struct shell_volume *volume, char *path);

/** Says why `what` came to nothing. Nothing is said of -EINTR but that. */
void shell_volume_error(const struct shell_volume *volume, const char *what, int error);

/** A partition that the whole disk has; false: it has none, or it is a partition itself. */
bool shell_volume_has_partition(const struct shell_volume *volume, char name[BLOCK_NAME_MAX + 1]);

/* For struct check_means and struct mkfs_options: -EINTR when the thread is cancelled. */
int shell_volume_read(void *context, uint64_t sector, void *data, unsigned count);
int shell_volume_write(void *context, uint64_t sector, const void *data, unsigned count);
