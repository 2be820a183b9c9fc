/* SPDX-License-Identifier: MIT */
/*
 * complete.h: what Tab does: completes the name of a command or of a file.
 *
 * The word before the cursor is completed as far as all candidates agree. A file's name gets quotes
 * or backslashes where the shell needs them. Names match in either case, as FAT's do.
 */
#pragma once

#include "fs/vnode.h"
#include "shell/edit/editor.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>

/** For editor_ops.complete: paths start at `base`, NULL: at the root. 1, 0, or -ENOMEM. May sleep.
 */
HAL_MUST_CHECK int complete_line(struct vnode *base, const char *line, size_t cursor,
                                 struct editor_completion *completion);

/** For editor_ops.list: prints the candidates on the console. May sleep. */
bool complete_list(struct vnode *base, const char *line, size_t cursor);
