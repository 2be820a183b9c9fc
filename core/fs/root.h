/* SPDX-License-Identifier: MIT */
/*
 * root.h: the one mount, for the rest of this folder.
 */
#pragma once

#include "fs/vfs.h"

/** A reference to the root directory, or NULL: nothing is mounted. Any context. */
struct vnode *root_get(void);
