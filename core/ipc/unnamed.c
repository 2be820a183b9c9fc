/* SPDX-License-Identifier: MIT */
/*
 * unnamed.c: a vnode that no path leads to, and that is a pipe. Its two open files keep it.
 */
#include "ipc/unnamed.h"

#include "dev/clock.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "ipc/pipe.h"
#include "ipc/pipe_file.h"

#include <hal/errno.h>
#include <hal/kstate.h>

struct unnamed {
    struct vnode vnode;
    struct pipe *pipe;
};

static KSTATE uint64_t last_id;

static struct unnamed *unnamed_of(struct vnode *vnode)
{
    return (struct unnamed *)((char *)vnode - offsetof(struct unnamed, vnode));
}

static struct pipe *pipe_of(struct file *file)
{
    return unnamed_of(file->vnode)->pipe;
}

/* Again, by /proc/PID/fd: without waiting for the other side, since there is or was one. */
static int open_again(struct vnode *vnode, struct file *file)
{
    unsigned access = file->flags & FILE_ACCESS;

    pipe_open(unnamed_of(vnode)->pipe, access != FILE_WRITE_ONLY, access != FILE_READ_ONLY);
    pipe_file_begin(file);
    return 0;
}

static void close_end(struct vnode *vnode, struct file *file)
{
    (void)vnode;
    pipe_file_end(file);
}

static void release(struct vnode *vnode)
{
    pipe_destroy(unnamed_of(vnode)->pipe);
    vnode_finish(vnode);
    kfree(unnamed_of(vnode));
}

static const struct vnode_ops ops = {.file_read = pipe_file_read,
                                     .file_write = pipe_file_write,
                                     .ioctl = pipe_file_ioctl,
                                     .poll = pipe_file_poll,
                                     .pipe = pipe_of,
                                     .open = open_again,
                                     .close = close_end,
                                     .release = release};

/* The file of one end. */
static int open_end(struct unnamed *unnamed, unsigned flags, struct file **end)
{
    bool reader = (flags & FILE_ACCESS) == FILE_READ_ONLY;
    int error;

    pipe_open(unnamed->pipe, reader, !reader);
    error = file_of_vnode(&unnamed->vnode, flags, end);
    if (error)
        pipe_close(unnamed->pipe, reader, !reader);
    else
        (*end)->offset = UINT64_MAX; /* both ends are there from the start */
    return error;
}

int pipe_create_unnamed(bool nonblock, struct file *ends[2])
{
    struct unnamed *unnamed = kcalloc(1, sizeof(*unnamed));
    struct vnode_attributes attributes = {.type = VNODE_FIFO, .mode = 0600, .links = 1};
    unsigned flags = nonblock ? FILE_NONBLOCK : 0;
    int error;

    if (!unnamed)
        return -ENOMEM;
    unnamed->pipe = pipe_create();
    if (!unnamed->pipe) {
        kfree(unnamed);
        return -ENOMEM;
    }
    attributes.id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    attributes.modified = attributes.accessed = attributes.changed = wall_now() * WALL_NS;
    vnode_init(&unnamed->vnode, NULL, &ops, &attributes);
    error = open_end(unnamed, flags | FILE_READ_ONLY, &ends[0]);
    if (!error) {
        error = open_end(unnamed, flags | FILE_WRITE_ONLY, &ends[1]);
        if (error)
            file_put(ends[0]);
    }
    vnode_put(&unnamed->vnode);
    return error;
}
