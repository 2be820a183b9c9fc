/* SPDX-License-Identifier: MIT */
/*
 * poll.c: waiting until one of several files can be read or written.
 *
 * Files say what they can do now, and nobody is told when that changes: so a waiter looks again and
 * again, soon at first and each LOOK_MAX later on.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/file.h"
#include "heap/heap.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/time.h>

#define LOOK_FIRST 100000u /* 100 us */
#define LOOK_MAX 5000000u  /* 5 ms */
#define COUNT_MAX 1024u
#define NS_PER_MS 1000000u
#define NOT_OPEN 32u /* POLLNVAL */

/* Linux's struct pollfd. */
struct watch {
    int32_t descriptor;
    uint16_t wanted, found;
};

static uint16_t look(const struct watch *watch)
{
    struct file *file = user_file((uint64_t)(int64_t)watch->descriptor);
    unsigned can = VNODE_CAN_READ | VNODE_CAN_WRITE;

    if (!file)
        return NOT_OPEN;
    if (file->vnode->ops->poll)
        can = file->vnode->ops->poll(file);
    file_put(file);
    return (uint16_t)(can & (watch->wanted | VNODE_CAN_ERROR | VNODE_CAN_HANG_UP));
}

/* How many have something. */
static unsigned look_at_all(struct watch *watches, unsigned count)
{
    unsigned ready = 0;

    for (unsigned i = 0; i < count; i++) {
        watches[i].found = watches[i].descriptor >= 0 ? look(&watches[i]) : 0;
        ready += watches[i].found != 0;
    }
    return ready;
}

/* Looks until one has something, or it is `deadline`. */
static int64_t wait_for_any(struct watch *watches, unsigned count, uint64_t deadline)
{
    uint64_t pause = LOOK_FIRST;

    for (;;) {
        unsigned ready = look_at_all(watches, count);
        uint64_t now = hal_time_now();

        if (ready > 0 || now >= deadline)
            return ready;
        if (thread_sleep(deadline - now < pause ? deadline - now : pause))
            return -EINTR;
        pause = pause * 2 < LOOK_MAX ? pause * 2 : LOOK_MAX;
    }
}

static int64_t poll(uint64_t address, uint64_t count, uint64_t deadline)
{
    size_t bytes = (size_t)count * sizeof(struct watch);
    struct watch *watches;
    int64_t result;

    if (count > COUNT_MAX)
        return -EINVAL;
    watches = kcalloc(1, bytes);
    if (!watches)
        return -ENOMEM;
    result = user_copy_in(watches, address, bytes);
    if (!result)
        result = wait_for_any(watches, (unsigned)count, deadline);
    if (result >= 0 && user_copy_out(address, watches, bytes))
        result = -EFAULT;
    kfree(watches);
    return result;
}

int64_t sys_poll(const struct sys_args *args)
{
    int32_t ms = (int32_t)args->value[2];

    return poll(args->value[0], args->value[1],
                ms < 0 ? HAL_TIME_NEVER : hal_time_now() + (uint64_t)ms * NS_PER_MS);
}

int64_t sys_ppoll(const struct sys_args *args)
{
    uint64_t ns, deadline = HAL_TIME_NEVER;
    int error = 0;

    if (args->value[2]) {
        error = user_read_time(args->value[2], &ns);
        deadline = error ? 0 : hal_time_now() + ns;
    }
    return error ? error : poll(args->value[0], args->value[1], deadline);
}
