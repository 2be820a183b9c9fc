/* SPDX-License-Identifier: MIT */
/*
 * mask.c: the caller's mask, exchanged for the time of a wait.
 */
#include "sys/wait/mask.h"

#include "proc/signal/signals.h"
#include "sys/user.h"

#include <hal/errno.h>

#define SET_BYTES 8u

int mask_begin(uint64_t address, uint64_t bytes)
{
    uint64_t set;
    int error;

    if (!address)
        return 0;
    error = bytes == SET_BYTES ? user_copy_in(&set, address, sizeof(set)) : -EINVAL;
    if (!error)
        signal_set_mask_for_call(set);
    return error;
}
