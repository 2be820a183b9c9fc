/* SPDX-License-Identifier: MIT */
/*
 * repair.h: makes a damaged FAT32 volume clean, as `fsck -y` does.
 *
 * It goes through the volume once, as the checker of fs/check does, and puts right what that would
 * complain about; the checker has the last word. What cannot be right is cut down to what can:
 *
 *     a chain that leads nowhere, in a circle, or to another file    ends before that
 *     a file that says it is longer than its chain                   is as long as its chain
 *     a chain that is longer than its file                           ends with the file
 *     an entry that leads to no cluster at all                       becomes empty
 *     a directory that does                                          goes
 *     a name that is not allowed, or there twice                     becomes FSCK0000.REN
 *     clusters that nobody has                                       are freed, or FSCK0000.REC
 *
 * Of two files that share clusters the one that is met first keeps them. Nothing is written to a
 * volume that is in order. While it is being repaired it is marked as in use, so that an
 * interrupted repair is seen.
 *
 * Memory: a word for each cluster of the volume, and one directory at a time. Time: no cluster is
 * passed twice.
 */
#pragma once

#include "fs/check/check.h"

struct repair_options {
    bool save_lost; /**< chains that nobody has become files in the root */
    bool finish;    /**< what the driver was doing when the volume was left is done first */
};

struct repair_result {
    uint32_t mended; /**< how many things were put right */
    uint32_t freed;  /**< clusters that nobody had */
    uint32_t saved;  /**< files that were made of such */
    struct check_result after;
};

/**
 * Repairs. Returns 0 if the volume is clean now; -EINVAL: neither the boot sector nor its copy
 * tells where things are, nothing was changed; -EIO: something is left that it could not put
 * right; -ENOMEM; or the error of a read or write. `means->found` hears what was done, each a
 * sentence. May sleep if the means do.
 */
HAL_MUST_CHECK int fat_repair(const struct check_means *means, const struct repair_options *options,
                              struct repair_result *result);
