/* SPDX-License-Identifier: MIT */
/*
 * cpio.h: archives of the kind that Linux boots from (initramfs), unpacked into a mounted tree.
 *
 * An archive is a row of entries, each a header, a name and data; the last is called "TRAILER!!!".
 * A header is 110 characters: six of magic, "070701", or "070702" with a checksum; then thirteen
 * numbers of eight hexadecimal digits:
 *
 *     inode  mode  uid  gid  links  mtime  size  device major, minor  this device's major, minor
 *     bytes of the name with its NUL  sum of the data's bytes (070702)
 *
 * Header and name together are padded with zeros to a multiple of four bytes, and so is the data. A
 * symbolic link's data is its text. Of several names of one inode (links > 1) the last has the
 * data. Further archives may follow, with zeros between.
 *
 * Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 */
#pragma once

#include "block/problem.h"
#include "fs/vnode.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

/** Where the archive comes from: up to `n` next bytes, 0 at the end, or an error. May sleep. */
struct cpio_source {
    int64_t (*read)(void *context, void *data, size_t n);
    void *context;
};

struct cpio_totals {
    uint64_t entries, bytes; /**< unpacked */
};

/**
 * Unpacks all archives of `source` into the directory `base` (NULL: the root of all). What is there
 * by the same name is replaced, but for directories, which get the mode, owner and time of the
 * archive's. As with Linux, a name may lead through symbolic links of the tree.
 *
 * Returns 0, or an error whose reason is in `problem`: -EINVAL (no archive, a damaged one, one cut
 * short, one without a trailer, a name that leads out of the tree or into a directory that is not
 * there, a wrong sum), or what the source or the tree gave (-EIO, -ENOSPC, -ENOMEM). What was
 * unpacked before stays, and `totals` counts it. Work and memory are bounded by the archive's
 * length. May sleep.
 */
HAL_MUST_CHECK int cpio_unpack(const struct cpio_source *source, struct vnode *base,
                               struct cpio_totals *totals, struct problem *problem);
