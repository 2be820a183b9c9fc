/* SPDX-License-Identifier: MIT */
/*
 * mask.c: the caller's mask, exchanged for the time of a wait.
 */
#include "sys/wait/mask.h"

#include "proc/process.h"
#include "sys/user.h"

#include <hal/errno.h>

#define SET_BYTES 8u
#define UNBLOCKABLE (1ull << (SIGNAL_KILL - 1) | 1ull << (SIGNAL_STOP - 1))

int mask_begin(uint64_t address, uint64_t bytes)
{
    struct user_thread *self = user_thread_current();
    uint64_t set;
    int error;

    self->blocked_before = self->blocked;
    if (!address)
        return 0;
    error = bytes == SET_BYTES ? user_copy_in(&set, address, sizeof(set)) : -EINVAL;
    if (!error)
        self->blocked = set & ~UNBLOCKABLE;
    return error;
}

void mask_end(int64_t result)
{
    struct user_thread *self = user_thread_current();

    (void)result;
    self->blocked = self->blocked_before;
}
