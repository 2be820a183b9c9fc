/* SPDX-License-Identifier: MIT */
/*
 * stream.c: the streams of whoever runs the machine.
 *
 * They behave as pipes do: no places, and a read gives what is there. Input comes through a small
 * buffer, so that it can be asked for without being taken. Whoever is slow to take output is waited
 * for by looking again: no interrupt tells of room.
 */
#include "dev/stream/stream.h"

#include "fs/file.h"
#include "ipc/poll.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/stream.h>

#define INPUT_BYTES 4096u
#define PAUSE 1000000u /* ns until output is tried again */

static KSTATE struct stream {
    struct spinlock lock; /* guards the rest */
    struct wait_queue readers;
    bool ended; /* there will be no more input */
    size_t start, count;
    uint8_t input[INPUT_BYTES];
    struct poll_source source;
    struct vnode vnodes[3];
} stream;

void stream_start(void)
{
    spinlock_init(&stream.lock, LOCK_RANK_DEVICE);
    wait_init(&stream.readers);
    poll_source_init(&stream.source);
}

void stream_interrupt(void)
{
    hal_irq_state_t state;

    if (!hal_stream_is_there())
        return;
    state = spinlock_acquire(&stream.lock);
    wait_wake_all(&stream.readers);
    spinlock_release(&stream.lock, state);
    poll_notify(&stream.source);
}

/* Fetches input if none is here. True: there is some, or it has ended. Caller holds the lock. */
static bool fetch(void)
{
    int64_t n;

    if (stream.count > 0 || stream.ended)
        return true;
    n = hal_stream_read(stream.input, INPUT_BYTES);
    if (n < 0)
        return false;
    stream.start = 0;
    stream.count = (size_t)n;
    stream.ended = n == 0;
    return true;
}

static int64_t read_input(struct file *file, uint64_t offset, void *data, size_t n)
{
    hal_irq_state_t state = spinlock_acquire(&stream.lock);
    int error = 0;

    (void)offset;
    while (!fetch() && !error)
        error = file->flags & FILE_NONBLOCK
                    ? -EAGAIN
                    : wait_sleep(&stream.readers, &stream.lock, HAL_TIME_NEVER);
    if (!error && n > stream.count)
        n = stream.count;
    if (!error) {
        memcpy(data, stream.input + stream.start, n);
        stream.start += n;
        stream.count -= n;
    }
    spinlock_release(&stream.lock, state);
    return error ? error : (int64_t)n;
}

static unsigned poll_input(struct file *file, struct poll_waiter *waiter)
{
    hal_irq_state_t state;
    bool ready;

    (void)file;
    if (waiter)
        poll_hang(&stream.source, waiter);
    state = spinlock_acquire(&stream.lock);
    ready = fetch();
    spinlock_release(&stream.lock, state);
    return ready ? VNODE_CAN_READ : 0;
}

static int64_t write_output(struct file *file, uint64_t offset, const void *data, size_t n)
{
    enum hal_stream which =
        file->vnode == &stream.vnodes[2] ? HAL_STREAM_ERRORS : HAL_STREAM_OUTPUT;
    size_t done = 0;

    (void)offset;
    while (done < n) {
        size_t taken = hal_stream_write(which, (const uint8_t *)data + done, n - done);

        done += taken;
        if (taken == 0 && thread_sleep(PAUSE))
            return done > 0 ? (int64_t)done : -EINTR;
    }
    return (int64_t)done;
}

static void release(struct vnode *vnode)
{
    vnode_finish(vnode);
}

static const struct vnode_ops input_ops = {
    .file_read = read_input, .poll = poll_input, .release = release};
static const struct vnode_ops output_ops = {.file_write = write_output, .release = release};

int stream_open_all(struct file *files[3])
{
    int error = 0;
    unsigned i;

    for (i = 0; i < 3 && !error; i++) {
        const struct vnode_attributes attributes = {
            .type = VNODE_FIFO, .mode = 0600, .links = 1, .id = i + 1};

        vnode_init(&stream.vnodes[i], NULL, i == 0 ? &input_ops : &output_ops, &attributes);
        error =
            file_of_vnode(&stream.vnodes[i], i == 0 ? FILE_READ_ONLY : FILE_WRITE_ONLY, &files[i]);
        vnode_put(&stream.vnodes[i]);
    }
    while (error && i-- > 1)
        file_put(files[i - 1]);
    return error;
}
