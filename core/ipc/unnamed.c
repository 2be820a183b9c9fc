/* SPDX-License-Identifier: MIT */
/*
 * unnamed.c: a vnode that no path leads to, and that is a pipe. Its two open files keep it.
 */
#include "ipc/unnamed.h"

#include "dev/clock.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "ipc/pipe.h"

#include <hal/errno.h>
#include <hal/kstate.h>

struct unnamed {
    struct vnode vnode;
    struct pipe *pipe;
};

static KSTATE uint64_t last_id;

static struct pipe *pipe_of(struct vnode *vnode)
{
    return ((struct unnamed *)((char *)vnode - offsetof(struct unnamed, vnode)))->pipe;
}

static bool is_reader(const struct file *file)
{
    return (file->flags & FILE_ACCESS) == FILE_READ_ONLY;
}

static int64_t read_end(struct file *file, uint64_t offset, void *data, size_t n)
{
    (void)offset;
    return n == 0 ? 0 : pipe_read(pipe_of(file->vnode), data, n, file->flags & FILE_NONBLOCK);
}

static int64_t write_end(struct file *file, uint64_t offset, const void *data, size_t n)
{
    (void)offset;
    return n == 0 ? 0 : pipe_write(pipe_of(file->vnode), data, n, file->flags & FILE_NONBLOCK);
}

static unsigned poll_end(struct file *file)
{
    struct pipe_state state;
    unsigned can = 0;

    pipe_read_state(pipe_of(file->vnode), &state);
    if (is_reader(file)) {
        can |= state.bytes > 0 ? (unsigned)VNODE_CAN_READ : 0;
        can |= state.writers == 0 ? (unsigned)VNODE_CAN_HANG_UP : 0;
    } else {
        can |= state.room >= PIPE_ATOMIC ? (unsigned)VNODE_CAN_WRITE : 0;
        can |= state.readers == 0 ? (unsigned)VNODE_CAN_ERROR : 0;
    }
    return can;
}

/* Again, by /proc/PID/fd: without waiting for the other side, since there is or was one. */
static int open_again(struct vnode *vnode, struct file *file)
{
    unsigned access = file->flags & FILE_ACCESS;

    pipe_open(pipe_of(vnode), access != FILE_WRITE_ONLY, access != FILE_READ_ONLY);
    return 0;
}

static void close_end(struct vnode *vnode, struct file *file)
{
    unsigned access = file->flags & FILE_ACCESS;

    pipe_close(pipe_of(vnode), access != FILE_WRITE_ONLY, access != FILE_READ_ONLY);
}

static void release(struct vnode *vnode)
{
    pipe_destroy(pipe_of(vnode));
    vnode_finish(vnode);
    kfree((char *)vnode - offsetof(struct unnamed, vnode));
}

static const struct vnode_ops ops = {.file_read = read_end,
                                     .file_write = write_end,
                                     .poll = poll_end,
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
