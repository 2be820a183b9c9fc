/* SPDX-License-Identifier: MIT */
/*
 * listing.h: the entries of a directory in the order of their names.
 */
#pragma once

#include "fs/vfs.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>

struct listing_entry {
    struct listing_entry *next;
    struct vnode_attributes attributes;
    char name[];
};

struct listing {
    struct listing_entry *first; /**< sorted by name, byte by byte */
    size_t count;
};

/**
 * Reads a directory. `want` (NULL: all) says which entries to keep. Returns 0, or the error of
 * vfs_iterate, -ENOMEM, or -EINTR when the thread was cancelled meanwhile; *listing then has what
 * came before. The caller ends with listing_finish in any case. May sleep.
 */
HAL_MUST_CHECK int listing_read(struct vnode *directory,
                                bool (*want)(const struct directory_entry *entry, void *context),
                                void *context, struct listing *listing);

/** Frees the entries. */
void listing_finish(struct listing *listing);
