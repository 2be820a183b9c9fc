/* SPDX-License-Identifier: MIT */
/*
 * anonymous.h: open files that no path leads to, for what programs reach by descriptors alone.
 */
#pragma once

#include "fs/vnode.h"
#include "sync/mutex.h"

#include <hal/compiler.h>

/**
 * Makes `vnode`, which lies in the caller's object, one with these operations, and *file its only
 * open file, with one reference: ops->release frees the object when it is closed. 0; -ENOMEM: the
 * object is the caller's as before. Thread context.
 */
HAL_MUST_CHECK int anonymous_open(struct vnode *vnode, const struct vnode_ops *ops, unsigned flags,
                                  struct file **file);

/** A read or write of `file` waits until the object has changed: 0; -EAGAIN: it is not to wait;
 * -EINTR. Caller holds the condition's mutex. May sleep. */
HAL_MUST_CHECK int anonymous_wait(const struct file *file, struct condition *changed);
