/* SPDX-License-Identifier: MIT */
/*
 * files.c: what an open file is called, if anything.
 *
 * A directory knows where it is, and a device's node is in /dev. A file does not know by which of
 * its names it was opened: it is told by its number.
 */
#include "fs/procfs/process/texts.h"

#include "fs/devfs/device.h"
#include "fs/vfs.h"
#include "lib/format.h"
#include "lib/string.h"

#include <hal/errno.h>

int proc_file_text(struct vnode *vnode, char *to, size_t size)
{
    const struct device *device = NULL;
    enum vnode_type type = vnode->attributes.type;
    const char *kind = type == VNODE_FIFO ? "pipe" : !vnode->mount ? "anon_inode" : "file";

    if (type == VNODE_DIRECTORY)
        return vfs_path_of(vnode, to, size);
    if (type == VNODE_CHARACTER || type == VNODE_BLOCK)
        device = device_find(type, vnode->attributes.device);
    if (device)
        (void)format_text(to, size, "/dev/%s", device->name);
    else
        (void)format_text(to, size, "%s:[%llu]", kind, (unsigned long long)vnode->attributes.id);
    return 0;
}
