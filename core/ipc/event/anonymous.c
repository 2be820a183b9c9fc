/* SPDX-License-Identifier: MIT */
/*
 * anonymous.c: a vnode without a name, and its file.
 */
#include "ipc/event/anonymous.h"

#include "dev/clock.h"
#include "fs/file.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

static KSTATE uint64_t last_id; /* atomic */

int anonymous_open(struct vnode *vnode, const struct vnode_ops *ops, unsigned flags,
                   struct file **file)
{
    struct vnode_attributes attributes = {.type = VNODE_FIFO, .mode = 0600, .links = 1};
    int error;

    attributes.id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    attributes.modified = attributes.accessed = attributes.changed = wall_now_ns();
    vnode_init(vnode, NULL, ops, &attributes);
    error = file_of_vnode(vnode, flags, file);
    if (error)
        vnode_finish(vnode);
    else
        vnode_put(vnode); /* the file has a reference of its own */
    return error;
}

int anonymous_wait(const struct file *file, struct condition *changed)
{
    return file->flags & FILE_NONBLOCK ? -EAGAIN : condition_wait_until(changed, HAL_TIME_NEVER);
}
