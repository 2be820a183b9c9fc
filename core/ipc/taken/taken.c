/* SPDX-License-Identifier: MIT */
/*
 * taken.c: a file without content: each read takes signals of whoever reads.
 *
 * The set is one word, read and written whole.
 */
#include "ipc/taken/taken.h"

#include "fs/file.h"
#include "heap/heap.h"
#include "ipc/event/anonymous.h"
#include "lib/bytes.h"
#include "proc/signal/signals.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define ENTRY_BYTES 128u

struct taken {
    struct vnode vnode;
    uint64_t set; /* atomic */
};

static KSTATE struct poll_source source;

void taken_init(void)
{
    poll_source_init(&source);
}

struct poll_source *taken_source(void)
{
    return &source;
}

static struct taken *taken_of(struct vnode *vnode)
{
    return (struct taken *)((char *)vnode - offsetof(struct taken, vnode));
}

/* Linux's struct signalfd_siginfo. */
static void put_entry(uint8_t to[ENTRY_BYTES], unsigned signal, const struct signal_info *info)
{
    bool fault = info->code > 0 && info->code != SIGNAL_BY_KERNEL && signal != SIGNAL_CHLD;

    memset(to, 0, ENTRY_BYTES);
    put_le32(to, signal);
    put_le32(to + 4, (uint32_t)info->error);
    put_le32(to + 8, (uint32_t)info->code);
    if (fault) {
        put_le64(to + 72, info->address);
    } else if (info->code == SIGNAL_BY_TIMER) {
        put_le32(to + 24, info->timer);
        put_le32(to + 32, (uint32_t)info->overrun);
        put_le32(to + 44, (uint32_t)info->timer_value);
        put_le64(to + 48, info->timer_value);
    } else {
        put_le32(to + 12, info->pid);
        put_le32(to + 16, info->uid);
    }
    if (info->code == SIGNAL_BY_QUEUE) {
        put_le32(to + 44, (uint32_t)info->value);
        put_le64(to + 48, info->value);
    } else if (signal == SIGNAL_CHLD && info->code > 0 && info->code != SIGNAL_BY_KERNEL) {
        put_le32(to + 40, (uint32_t)info->status);
        put_le64(to + 56, info->user_ticks);
        put_le64(to + 64, info->system_ticks);
    }
}

static int64_t taken_read(struct file *file, uint64_t offset, void *data, size_t n)
{
    uint64_t set = __atomic_load_n(&taken_of(file->vnode)->set, __ATOMIC_RELAXED);
    struct signal_info info;
    size_t done = 0;
    int64_t signal;

    (void)offset;
    if (n < ENTRY_BYTES || !user_thread_current())
        return -EINVAL;
    signal = signal_await(set, file->flags & FILE_NONBLOCK ? 0 : HAL_TIME_NEVER, &info);
    while (signal > 0) {
        put_entry((uint8_t *)data + done, (unsigned)signal, &info);
        done += ENTRY_BYTES;
        signal = n - done >= ENTRY_BYTES ? signal_await(set, 0, &info) : 0;
    }
    return done > 0 ? (int64_t)done : signal;
}

static unsigned taken_poll(struct file *file, struct poll_waiter *waiter)
{
    const struct user_thread *self = user_thread_current();
    uint64_t set = __atomic_load_n(&taken_of(file->vnode)->set, __ATOMIC_RELAXED);

    poll_hang(&source, waiter);
    return self && (signal_pending_of(self) & set) ? VNODE_CAN_READ : 0;
}

static void taken_release(struct vnode *vnode)
{
    vnode_finish(vnode);
    kfree(taken_of(vnode));
}

static const struct vnode_ops ops = {
    .file_read = taken_read, .poll = taken_poll, .release = taken_release};

int taken_create(uint64_t set, unsigned flags, struct file **file)
{
    struct taken *taken = kcalloc(1, sizeof(*taken));
    int error;

    if (!taken)
        return -ENOMEM;
    taken->set = set & ~SIGNAL_UNBLOCKABLE;
    error = anonymous_open(&taken->vnode, &ops, flags | FILE_READ_WRITE, file);
    if (error)
        kfree(taken);
    return error;
}

int taken_set(struct file *file, uint64_t set)
{
    if (file->vnode->ops != &ops)
        return -EINVAL;
    __atomic_store_n(&taken_of(file->vnode)->set, set & ~SIGNAL_UNBLOCKABLE, __ATOMIC_RELAXED);
    poll_notify(&source); /* what waits may be of those now */
    return 0;
}
