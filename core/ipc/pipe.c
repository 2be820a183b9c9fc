/* SPDX-License-Identifier: MIT */
/*
 * pipe.c: a ring under a mutex, and one condition for all that can change: bytes, room, and who has
 * the pipe open. Whoever waits looks again, so one condition is enough.
 */
#include "ipc/pipe.h"

#include "fs/vnode.h"
#include "heap/heap.h"
#include "mem/frame.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>
#include <hal/time.h>

struct pipe *pipe_create(void)
{
    struct pipe *pipe = kcalloc(1, sizeof(*pipe));

    if (!pipe)
        return NULL;
    pipe->ring = frame_alloc_pages(PIPE_BYTES / HAL_PAGE_SIZE, 0);
    if (!pipe->ring) {
        kfree(pipe);
        return NULL;
    }
    pipe->size = PIPE_BYTES;
    poll_source_init(&pipe->source);
    mutex_init(&pipe->mutex);
    condition_init(&pipe->changed, &pipe->mutex);
    return pipe;
}

void pipe_destroy(struct pipe *pipe)
{
    if (pipe) {
        poll_source_finish(&pipe->source);
        frame_put(pipe->ring);
    }
    kfree(pipe);
}

/* Tells all that wait. Caller holds the mutex. */
static void changed(struct pipe *pipe, unsigned events)
{
    condition_broadcast(&pipe->changed);
    poll_notify_of(&pipe->source, events);
}

/* Caller holds the mutex. */
static void come(struct pipe *pipe, bool reader, bool writer)
{
    pipe->readers += reader;
    pipe->readers_seen += reader;
    pipe->writers += writer;
    pipe->writers_seen += writer;
    changed(pipe, POLL_ANY);
}

static void go(struct pipe *pipe, bool reader, bool writer)
{
    pipe->readers -= reader;
    pipe->writers -= writer;
    changed(pipe, POLL_ANY);
}

void pipe_open(struct pipe *pipe, bool reader, bool writer)
{
    mutex_lock(&pipe->mutex);
    come(pipe, reader, writer);
    mutex_unlock(&pipe->mutex);
}

/* Waits until one of the other side is there, or has been since `seen`. Caller holds the mutex. */
static int wait_for_partner(struct pipe *pipe, const unsigned *partners, const uint32_t *counter)
{
    uint32_t seen = *counter;
    int error = 0;

    while (!error && *partners == 0 && *counter == seen)
        error = condition_wait_until(&pipe->changed, HAL_TIME_NEVER);
    return error;
}

int pipe_open_named(struct pipe *pipe, bool reader, bool writer, bool nonblock)
{
    int error = 0;

    mutex_lock(&pipe->mutex);
    if (writer && !reader && nonblock && pipe->readers == 0) {
        mutex_unlock(&pipe->mutex);
        return -ENXIO;
    }
    come(pipe, reader, writer);
    if (reader && !writer && !nonblock)
        error = wait_for_partner(pipe, &pipe->writers, &pipe->writers_seen);
    else if (writer && !reader)
        error = wait_for_partner(pipe, &pipe->readers, &pipe->readers_seen);
    if (error)
        go(pipe, reader, writer);
    mutex_unlock(&pipe->mutex);
    return error;
}

void pipe_close(struct pipe *pipe, bool reader, bool writer)
{
    mutex_lock(&pipe->mutex);
    go(pipe, reader, writer);
    mutex_unlock(&pipe->mutex);
}

/* Takes up to `n` bytes out. Caller holds the mutex. */
static size_t take_bytes(struct pipe *pipe, uint8_t *to, size_t n)
{
    size_t first;

    if (n > pipe->used)
        n = pipe->used;
    first = n < pipe->size - pipe->head ? n : pipe->size - pipe->head;
    memcpy(to, pipe->ring + pipe->head, first);
    memcpy(to + first, pipe->ring, n - first);
    pipe->head = (pipe->head + n) % pipe->size;
    pipe->used -= n;
    return n;
}

/* Puts up to `n` bytes in. Caller holds the mutex. */
static size_t put_bytes(struct pipe *pipe, const uint8_t *from, size_t n)
{
    size_t tail = (pipe->head + pipe->used) % pipe->size, room = pipe->size - pipe->used;
    size_t first;

    if (n > room)
        n = room;
    first = n < pipe->size - tail ? n : pipe->size - tail;
    memcpy(pipe->ring + tail, from, first);
    memcpy(pipe->ring, from + first, n - first);
    pipe->used += n;
    return n;
}

int64_t pipe_read(struct pipe *pipe, void *data, size_t n, bool nonblock)
{
    int64_t result = 0;

    if (n == 0)
        return 0;
    mutex_lock(&pipe->mutex);
    while (result == 0 && pipe->used == 0 && pipe->writers > 0)
        result = nonblock ? -EAGAIN : condition_wait_until(&pipe->changed, HAL_TIME_NEVER);
    if (pipe->used > 0) {
        result = (int64_t)take_bytes(pipe, data, n);
        changed(pipe, VNODE_CAN_WRITE);
    }
    mutex_unlock(&pipe->mutex);
    return result;
}

/* Waits for room for `want` bytes. 0, -EPIPE, -EAGAIN or -EINTR. Caller holds the mutex. */
static int wait_for_room(struct pipe *pipe, size_t want, bool nonblock)
{
    int error = 0;

    while (!error && pipe->readers > 0 && pipe->size - pipe->used < want)
        error = nonblock ? -EAGAIN : condition_wait_until(&pipe->changed, HAL_TIME_NEVER);
    return pipe->readers == 0 ? -EPIPE : error;
}

int64_t pipe_write(struct pipe *pipe, const void *data, size_t n, bool nonblock)
{
    const uint8_t *from = data;
    size_t done = 0;
    int error = 0;

    mutex_lock(&pipe->mutex);
    while (done < n && !error) {
        error = wait_for_room(pipe, n <= PIPE_ATOMIC ? n : 1, nonblock);
        if (!error) {
            done += put_bytes(pipe, from + done, n - done);
            changed(pipe, VNODE_CAN_READ);
        }
    }
    mutex_unlock(&pipe->mutex);
    return done > 0 ? (int64_t)done : error;
}

void pipe_read_state(struct pipe *pipe, struct pipe_state *state)
{
    mutex_lock(&pipe->mutex);
    *state = (struct pipe_state){.bytes = pipe->used,
                                 .room = pipe->size - pipe->used,
                                 .size = pipe->size,
                                 .readers = pipe->readers,
                                 .writers = pipe->writers,
                                 .writers_seen = pipe->writers_seen};
    mutex_unlock(&pipe->mutex);
}

/* Moves what is in the pipe to the start of `ring`. Caller holds the mutex; it fits. */
static void change_ring(struct pipe *pipe, uint8_t *ring, size_t size)
{
    size_t used = take_bytes(pipe, ring, pipe->used);

    frame_put(pipe->ring);
    pipe->ring = ring;
    pipe->size = size;
    pipe->head = 0;
    pipe->used = used;
    changed(pipe, VNODE_CAN_WRITE);
}

int64_t pipe_resize(struct pipe *pipe, uint64_t bytes)
{
    size_t size = HAL_PAGE_SIZE;
    uint8_t *ring;
    bool fits;

    if (bytes > PIPE_BYTES_MAX || bytes == 0)
        return bytes ? -EPERM : -EINVAL;
    while (size < bytes)
        size *= 2;
    ring = frame_alloc_pages((unsigned)(size / HAL_PAGE_SIZE), 0);
    if (!ring)
        return -ENOMEM;
    mutex_lock(&pipe->mutex);
    fits = pipe->used <= size;
    if (fits)
        change_ring(pipe, ring, size);
    mutex_unlock(&pipe->mutex);
    if (!fits)
        frame_put(ring);
    return fits ? (int64_t)size : -EBUSY;
}
