/* SPDX-License-Identifier: MIT */
/*
 * special.c: what is no file and no directory: symbolic links, FIFOs and device nodes; and which
 * operations each type has.
 *
 * A FIFO has a pipe as long as somebody has it open; what nobody has read is forgotten then.
 */
#include "fs/devfs/device.h"
#include "fs/file.h"
#include "fs/ramfs/node.h"
#include "ipc/pipe.h"
#include "ipc/pipe_file.h"

#include <hal/errno.h>
#include <hal/runtime.h>

static int64_t link_read(struct vnode *vnode, char *text, size_t n)
{
    size_t length = (size_t)vnode->attributes.size;

    memcpy(text, node_of(vnode)->text, n < length ? n : length);
    return (int64_t)length;
}

static bool reads(const struct file *file)
{
    return (file->flags & FILE_ACCESS) != FILE_WRITE_ONLY;
}

static bool writes(const struct file *file)
{
    return (file->flags & FILE_ACCESS) != FILE_READ_ONLY;
}

/* The pipe, for one user more: the node counts them. */
static struct pipe *fifo_get(struct ramfs_node *node)
{
    struct pipe *pipe;

    mutex_lock(&node->mutex);
    if (!node->fifo.pipe)
        node->fifo.pipe = pipe_create();
    pipe = node->fifo.pipe;
    node->fifo.users += pipe != NULL;
    mutex_unlock(&node->mutex);
    return pipe;
}

static void fifo_put(struct ramfs_node *node)
{
    struct pipe *last = NULL;

    mutex_lock(&node->mutex);
    if (--node->fifo.users == 0) {
        last = node->fifo.pipe;
        node->fifo.pipe = NULL;
    }
    mutex_unlock(&node->mutex);
    pipe_destroy(last);
}

static int fifo_open(struct vnode *vnode, struct file *file)
{
    struct pipe *pipe = fifo_get(node_of(vnode));
    int error;

    if (!pipe)
        return -ENOMEM;
    error = pipe_open_named(pipe, reads(file), writes(file), file->flags & FILE_NONBLOCK);
    if (error) {
        fifo_put(node_of(vnode));
        return error;
    }
    file->private = pipe;
    pipe_file_begin(file);
    return 0;
}

static void fifo_close(struct vnode *vnode, struct file *file)
{
    pipe_file_end(file);
    fifo_put(node_of(vnode));
}

static struct pipe *fifo_pipe(struct file *file)
{
    return file->private;
}

static const struct vnode_ops file_ops = {
    .read = content_read,
    .write = content_write,
    .truncate = content_truncate,
    .frame = content_frame,
    .set_attributes = node_set_attributes,
    .release = node_release,
};

static const struct vnode_ops directory_ops = {
    .set_attributes = node_set_attributes,
    .lookup = directory_lookup,
    .iterate = directory_iterate,
    .create = directory_create,
    .symlink = directory_symlink,
    .link = directory_link,
    .unlink = directory_unlink,
    .rmdir = directory_rmdir,
    .rename = directory_rename,
    .release = node_release,
};

static const struct vnode_ops symlink_ops = {
    .set_attributes = node_set_attributes,
    .readlink = link_read,
    .release = node_release,
};

static const struct vnode_ops fifo_ops = {
    .set_attributes = node_set_attributes,
    .open = fifo_open,
    .close = fifo_close,
    .file_read = pipe_file_read,
    .file_write = pipe_file_write,
    .ioctl = pipe_file_ioctl,
    .poll = pipe_file_poll,
    .pipe = fifo_pipe,
    .release = node_release,
};

static const struct vnode_ops device_ops = {
    .set_attributes = node_set_attributes,
    .sync = device_vnode_sync,
    .open = device_vnode_open,
    .close = device_vnode_close,
    .file_read = device_file_read,
    .file_write = device_file_write,
    .ioctl = device_file_ioctl,
    .poll = device_file_poll,
    .release = node_release,
};

const struct vnode_ops *ramfs_ops(enum vnode_type type)
{
    static const struct vnode_ops *const ops[] = {
        [VNODE_FILE] = &file_ops,       [VNODE_DIRECTORY] = &directory_ops,
        [VNODE_SYMLINK] = &symlink_ops, [VNODE_CHARACTER] = &device_ops,
        [VNODE_BLOCK] = &device_ops,    [VNODE_FIFO] = &fifo_ops,
    };

    return ops[type];
}
