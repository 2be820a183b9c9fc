/* SPDX-License-Identifier: MIT */
/*
 * pipe_file.c: an open file and its pipe.
 */
#include "ipc/pipe_file.h"

#include "fs/file.h"
#include "ipc/pipe.h"

#include <hal/errno.h>

#define FIONREAD 0x541bu

static struct pipe *pipe_of(struct file *file)
{
    return file->vnode->ops->pipe(file);
}

static bool reads(const struct file *file)
{
    return (file->flags & FILE_ACCESS) != FILE_WRITE_ONLY;
}

static bool writes(const struct file *file)
{
    return (file->flags & FILE_ACCESS) != FILE_READ_ONLY;
}

void pipe_file_begin(struct file *file)
{
    struct pipe_state state;

    pipe_read_state(pipe_of(file), &state);
    if ((file->flags & FILE_NONBLOCK) && state.writers == 0)
        file->offset = state.writers_seen;
    else
        file->offset = UINT64_MAX; /* who was there, if only while this was opened, is missed */
}

void pipe_file_end(struct file *file)
{
    pipe_close(pipe_of(file), reads(file), writes(file));
}

int64_t pipe_file_read(struct file *file, uint64_t offset, void *data, size_t n)
{
    (void)offset;
    return pipe_read(pipe_of(file), data, n, file->flags & FILE_NONBLOCK);
}

int64_t pipe_file_write(struct file *file, uint64_t offset, const void *data, size_t n)
{
    (void)offset;
    return pipe_write(pipe_of(file), data, n, file->flags & FILE_NONBLOCK);
}

unsigned pipe_file_poll(struct file *file, struct poll_waiter *waiter)
{
    struct pipe *pipe = pipe_of(file);
    struct pipe_state state;
    unsigned can = 0;

    poll_hang(&pipe->source, waiter);
    pipe_read_state(pipe, &state);
    if (reads(file)) {
        can |= state.bytes > 0 ? (unsigned)VNODE_CAN_READ : 0;
        if (state.writers == 0 && file->offset != state.writers_seen)
            can |= VNODE_CAN_HANG_UP;
    }
    if (writes(file)) {
        can |= state.room >= PIPE_ATOMIC ? (unsigned)VNODE_CAN_WRITE : 0;
        can |= state.readers == 0 ? (unsigned)VNODE_CAN_ERROR : 0;
    }
    return can;
}

int pipe_file_ioctl(struct file *file, unsigned request, void *argument)
{
    struct pipe_state state;

    if (request != FIONREAD)
        return -ENOTTY;
    pipe_read_state(pipe_of(file), &state);
    *(int32_t *)argument = (int32_t)state.bytes;
    return 0;
}
