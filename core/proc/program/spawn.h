/* SPDX-License-Identifier: MIT */
/*
 * spawn.h: how the kernel itself starts a program: the first one, and those of its shell.
 */
#pragma once

#include "proc/process.h"

#include <hal/compiler.h>

#include <stdint.h>

struct file;
struct terminal;
struct vnode;

/** How the kernel starts a program. */
struct process_start {
    const char *path;                                  /**< of the program */
    const char *const *arguments, *const *environment; /**< each ends with NULL */
    struct vnode *directory;                           /**< NULL: the root */
    struct file *const *files; /**< three: 0, 1 and 2. NULL: all of them are the console */
    struct terminal *terminal; /**< its own, with it in the foreground; NULL: none */
    uint32_t pid;              /**< a free number; 0: any */
};

/** Starts a program as a child of the kernel. *process must be waited for. Errors as execve. */
HAL_MUST_CHECK int process_spawn(const struct process_start *start, struct process **process);
