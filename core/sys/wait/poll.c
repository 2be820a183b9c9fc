/* SPDX-License-Identifier: MIT */
/*
 * poll.c: poll and ppoll.
 */
#include "sys/calls.h"
#include "sys/user.h"
#include "sys/wait/watch.h"

#include "heap/heap.h"

#include <hal/errno.h>

#define NS_PER_MS 1000000u
#define POLL_WANTED 0x3fffu /* what a program may ask for */
#define ALWAYS (READY_ERROR | READY_HANG_UP | READY_NOT_OPEN)

/* Linux's struct pollfd. */
struct poll_entry {
    int32_t descriptor;
    uint16_t wanted, found;
};

/* What one call works on, in one piece of memory. */
struct poll_call {
    unsigned count;
    struct poll_entry *entries;
    struct watch watches[];
};

static struct poll_call *create(unsigned count)
{
    struct poll_call *call =
        kcalloc(1, sizeof(*call) + count * (sizeof(struct watch) + sizeof(struct poll_entry)));

    if (!call)
        return NULL;
    call->count = count;
    call->entries = (struct poll_entry *)(void *)&call->watches[count];
    return call;
}

/* An entry with a negative descriptor does not count. */
static void prepare(struct poll_call *call)
{
    for (unsigned i = 0; i < call->count; i++) {
        const struct poll_entry *entry = &call->entries[i];

        if (entry->descriptor < 0)
            continue;
        call->watches[i].file = user_file((uint64_t)(int64_t)entry->descriptor);
        call->watches[i].wanted = (entry->wanted & POLL_WANTED) | ALWAYS;
    }
}

static int64_t poll(uint64_t address, uint64_t count, uint64_t deadline)
{
    struct poll_call *call;
    int64_t result;

    if (count > user_file_limit())
        return -EINVAL;
    call = create((unsigned)count);
    if (!call)
        return -ENOMEM;
    result = user_copy_in(call->entries, address, call->count * sizeof(struct poll_entry));
    if (!result) {
        prepare(call);
        result = watch_wait(call->watches, call->count, deadline);
        for (unsigned i = 0; i < call->count; i++)
            call->entries[i].found = (uint16_t)call->watches[i].found;
        watch_finish(call->watches, call->count);
    }
    if (result >= 0 &&
        user_copy_out(address, call->entries, call->count * sizeof(struct poll_entry)))
        result = -EFAULT;
    kfree(call);
    return result;
}

int64_t sys_poll(const struct sys_args *args)
{
    int32_t ms = (int32_t)args->value[2];

    return poll(args->value[0], args->value[1],
                ms < 0 ? HAL_TIME_NEVER : sys_deadline((uint64_t)ms * NS_PER_MS));
}

int64_t sys_ppoll(const struct sys_args *args)
{
    struct watch_limit limit;
    int64_t result = watch_read_limit(&limit, args->value[2], false);

    if (!result)
        result = watch_set_mask(args->value[3], args->value[4]);
    if (result)
        return result;
    result = poll(args->value[0], args->value[1], limit.deadline);
    watch_write_limit(&limit);
    return result;
}
