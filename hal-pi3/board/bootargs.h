/* SPDX-License-Identifier: MIT */
/*
 * bootargs.h: the little that the backend itself wants to know of the firmware's message.
 *
 * Reading it properly is core's task. The backend has to choose the console before core runs and
 * looks for single words of the kernel command line only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** No device tree is longer. */
#define BOOTARGS_TREE_LIMIT 0x200000u

/** Whether the `bytes` bytes at `tags` begin as a device tree does. */
bool bootargs_is_tree(const void *tags, size_t bytes);

/** How many bytes of a device tree, or 0 when there is none at `tags` or its size is not credible.
 */
size_t bootargs_tree_bytes(const void *tags, size_t bytes);

/**
 * Whether the kernel command line in the `bytes` bytes at `tags` has `word`, as a whole word or
 * followed by a comma. False for a message that is neither a list of ATAGs nor a device tree.
 */
bool bootargs_have(const void *tags, size_t bytes, const char *word);
