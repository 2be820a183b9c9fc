/* SPDX-License-Identifier: MIT */
/*
 * entry.h: what procfs has of processes: /proc/PID, /proc/self, and all below.
 *
 * Its vnodes are made when somebody asks for them, and go with their last user: there may be
 * several of the same file. They know a process by number and time of birth (view.h), so they can
 * outlive it: then nothing is in them any more, -ENOENT and -ESRCH.
 */
#pragma once

#include "fs/vnode.h"

#include <hal/compiler.h>

/** Finds "17", "self" or "thread-self" in the root of `mount`: *found with a reference. -ENOENT. */
HAL_MUST_CHECK int proc_process_lookup(struct mount *mount, const char *name, size_t n,
                                       struct vnode **found);

/** The entry of the root from *position on, as vnode_ops.iterate, where "self" comes first. */
HAL_MUST_CHECK int proc_process_iterate(uint64_t *position, struct directory_entry *entry);
