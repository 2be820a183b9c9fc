/* SPDX-License-Identifier: MIT */
/*
 * counter.c: the counter, under a mutex with one condition for both directions.
 */
#include "ipc/event/counter.h"

#include "fs/file.h"
#include "heap/heap.h"
#include "ipc/event/anonymous.h"
#include "ipc/poll.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define MOST (UINT64_MAX - 1)

struct counter {
    struct vnode vnode;
    bool semaphore; /* constant */
    struct poll_source source;
    struct mutex mutex; /* guards the rest */
    struct condition changed;
    uint64_t value;
};

static struct counter *counter_of(struct vnode *vnode)
{
    return (struct counter *)((char *)vnode - offsetof(struct counter, vnode));
}

static void changed(struct counter *counter, unsigned events)
{
    condition_broadcast(&counter->changed);
    poll_notify_of(&counter->source, events);
}

static int64_t counter_read(struct file *file, uint64_t offset, void *data, size_t n)
{
    struct counter *counter = counter_of(file->vnode);
    uint64_t taken = 0;
    int error = 0;

    (void)offset;
    if (n < sizeof(taken))
        return -EINVAL;
    mutex_lock(&counter->mutex);
    while (!error && counter->value == 0)
        error = anonymous_wait(file, &counter->changed);
    if (!error) {
        taken = counter->semaphore ? 1 : counter->value;
        counter->value -= taken;
        changed(counter, VNODE_CAN_WRITE);
    }
    mutex_unlock(&counter->mutex);
    memcpy(data, &taken, sizeof(taken));
    return error ? error : (int64_t)sizeof(taken);
}

static int64_t counter_write(struct file *file, uint64_t offset, const void *data, size_t n)
{
    struct counter *counter = counter_of(file->vnode);
    uint64_t more;
    int error = 0;

    (void)offset;
    if (n < sizeof(more))
        return -EINVAL;
    memcpy(&more, data, sizeof(more));
    if (more > MOST)
        return -EINVAL;
    mutex_lock(&counter->mutex);
    while (!error && MOST - counter->value < more)
        error = anonymous_wait(file, &counter->changed);
    if (!error) {
        counter->value += more;
        changed(counter, VNODE_CAN_READ);
    }
    mutex_unlock(&counter->mutex);
    return error ? error : (int64_t)sizeof(more);
}

static unsigned counter_poll(struct file *file, struct poll_waiter *waiter)
{
    struct counter *counter = counter_of(file->vnode);
    unsigned can;

    poll_hang(&counter->source, waiter);
    mutex_lock(&counter->mutex);
    can = counter->value > 0 ? (unsigned)VNODE_CAN_READ : 0;
    can |= counter->value < MOST ? (unsigned)VNODE_CAN_WRITE : 0;
    mutex_unlock(&counter->mutex);
    return can;
}

static void counter_release(struct vnode *vnode)
{
    vnode_finish(vnode);
    kfree(counter_of(vnode));
}

int counter_create(uint64_t value, bool semaphore, unsigned flags, struct file **file)
{
    static const struct vnode_ops ops = {.file_read = counter_read,
                                         .file_write = counter_write,
                                         .poll = counter_poll,
                                         .release = counter_release};
    struct counter *counter = kcalloc(1, sizeof(*counter));
    int error;

    if (!counter)
        return -ENOMEM;
    counter->semaphore = semaphore;
    counter->value = value;
    poll_source_init(&counter->source);
    mutex_init(&counter->mutex);
    condition_init(&counter->changed, &counter->mutex);
    error = anonymous_open(&counter->vnode, &ops, flags | FILE_READ_WRITE, file);
    if (error)
        kfree(counter);
    return error;
}
