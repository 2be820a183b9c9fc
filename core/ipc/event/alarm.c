/* SPDX-License-Identifier: MIT */
/*
 * alarm.c: a kernel timer that counts how often the time has come.
 *
 * However short the interval, the timer runs no more often than each PAUSE_LEAST: what has rung
 * meanwhile is counted by arithmetic.
 */
#include "ipc/event/alarm.h"

#include "deferred/ktimer.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "ipc/event/anonymous.h"
#include "ipc/poll.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define PAUSE_LEAST 50000u /* ns */

struct alarm {
    struct vnode vnode;
    bool wall; /* constant */
    struct ktimer timer;
    struct poll_source source;
    struct mutex mutex; /* guards the rest */
    struct condition rung;
    uint64_t deadline, interval; /* deadline 0: it is off */
    uint64_t count;              /* since the last read */
};

static struct alarm *alarm_of(struct vnode *vnode)
{
    return (struct alarm *)((char *)vnode - offsetof(struct alarm, vnode));
}

/* Counts what has rung by now. Caller holds the mutex. */
static void catch_up(struct alarm *alarm, uint64_t now)
{
    uint64_t times = 1;

    if (alarm->deadline == 0 || now < alarm->deadline)
        return;
    if (alarm->interval > 0) {
        times += (now - alarm->deadline) / alarm->interval;
        alarm->deadline += times * alarm->interval;
    } else {
        alarm->deadline = 0;
    }
    alarm->count += times;
}

static void arm(struct alarm *alarm, uint64_t now)
{
    uint64_t next = alarm->deadline;

    if (next == 0)
        return;
    if (alarm->count > 0 && next < now + PAUSE_LEAST)
        next = now + PAUSE_LEAST;
    ktimer_arm(&alarm->timer, next);
}

static void ring(struct ktimer *timer)
{
    struct alarm *alarm = (struct alarm *)((char *)timer - offsetof(struct alarm, timer));
    uint64_t now = hal_time_now();

    mutex_lock(&alarm->mutex);
    catch_up(alarm, now);
    arm(alarm, now);
    condition_broadcast(&alarm->rung);
    poll_notify(&alarm->source);
    mutex_unlock(&alarm->mutex);
}

static int64_t alarm_read(struct file *file, uint64_t offset, void *data, size_t n)
{
    struct alarm *alarm = alarm_of(file->vnode);
    int error = 0;

    (void)offset;
    if (n < sizeof(alarm->count))
        return -EINVAL;
    mutex_lock(&alarm->mutex);
    catch_up(alarm, hal_time_now());
    while (!error && alarm->count == 0)
        error = anonymous_wait(file, &alarm->rung);
    if (!error) {
        memcpy(data, &alarm->count, sizeof(alarm->count));
        alarm->count = 0;
    }
    mutex_unlock(&alarm->mutex);
    return error ? error : (int64_t)sizeof(alarm->count);
}

static unsigned alarm_poll(struct file *file, struct poll_waiter *waiter)
{
    struct alarm *alarm = alarm_of(file->vnode);
    unsigned can;

    poll_hang(&alarm->source, waiter);
    mutex_lock(&alarm->mutex);
    can = alarm->count > 0 ? (unsigned)VNODE_CAN_READ : 0;
    mutex_unlock(&alarm->mutex);
    return can;
}

static void alarm_release(struct vnode *vnode)
{
    struct alarm *alarm = alarm_of(vnode);

    mutex_lock(&alarm->mutex);
    alarm->deadline = 0;
    mutex_unlock(&alarm->mutex);
    (void)ktimer_cancel(&alarm->timer);
    vnode_finish(vnode);
    kfree(alarm);
}

static const struct vnode_ops alarm_ops = {
    .file_read = alarm_read, .poll = alarm_poll, .release = alarm_release};

int alarm_create(bool wall, unsigned flags, struct file **file)
{
    struct alarm *alarm = kcalloc(1, sizeof(*alarm));
    int error;

    if (!alarm)
        return -ENOMEM;
    alarm->wall = wall;
    ktimer_init(&alarm->timer, ring);
    poll_source_init(&alarm->source);
    mutex_init(&alarm->mutex);
    condition_init(&alarm->rung, &alarm->mutex);
    error = anonymous_open(&alarm->vnode, &alarm_ops, flags | FILE_READ_WRITE, file);
    if (error)
        kfree(alarm);
    return error;
}

int alarm_is_wall(const struct file *file)
{
    return file->vnode->ops == &alarm_ops ? alarm_of(file->vnode)->wall : -EINVAL;
}

/* Caller holds the mutex. */
static void describe(struct alarm *alarm, struct alarm_setting *setting)
{
    uint64_t now = hal_time_now();

    catch_up(alarm, now);
    setting->interval = alarm->interval;
    setting->left = alarm->deadline > now ? alarm->deadline - now : 0;
}

void alarm_get(struct file *file, struct alarm_setting *setting)
{
    struct alarm *alarm = alarm_of(file->vnode);

    mutex_lock(&alarm->mutex);
    describe(alarm, setting);
    mutex_unlock(&alarm->mutex);
}

void alarm_set(struct file *file, uint64_t deadline, uint64_t interval, struct alarm_setting *old)
{
    struct alarm *alarm = alarm_of(file->vnode);

    mutex_lock(&alarm->mutex);
    describe(alarm, old);
    alarm->deadline = deadline;
    alarm->interval = interval;
    alarm->count = 0;
    if (deadline > 0)
        ktimer_arm(&alarm->timer, deadline);
    mutex_unlock(&alarm->mutex);
}
