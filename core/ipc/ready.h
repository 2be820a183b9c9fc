/* SPDX-License-Identifier: MIT */
/*
 * ready.h: what a file is ready for, in the bits of Linux's poll, select and epoll.
 */
#pragma once

#include "fs/file.h"

#include <stddef.h>

/** Of these, VNODE_CAN_ has those below 32. */
enum {
    READY_IN = 1,
    READY_URGENT = 2,
    READY_OUT = 4,
    READY_ERROR = 8,
    READY_HANG_UP = 16,
    READY_NOT_OPEN = 32,
    READY_IN_NORMAL = 0x40,
    READY_OUT_NORMAL = 0x100
};

/** READY_ bits, of VNODE_CAN_ bits. */
static inline unsigned ready_events(unsigned can)
{
    unsigned events = can & (READY_IN | READY_URGENT | READY_OUT | READY_ERROR | READY_HANG_UP);

    if (can & VNODE_CAN_READ)
        events |= READY_IN_NORMAL;
    if (can & VNODE_CAN_WRITE)
        events |= READY_OUT_NORMAL;
    return events;
}

/** What `file` is ready for at this moment; `waiter` as in vnode_ops.poll. May sleep. */
static inline unsigned ready_look(struct file *file, struct poll_waiter *waiter)
{
    if (!file->vnode->ops->poll)
        return ready_events(VNODE_CAN_READ | VNODE_CAN_WRITE);
    return ready_events(file->vnode->ops->poll(file, waiter));
}
