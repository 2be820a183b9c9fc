/* SPDX-License-Identifier: MIT */
/*
 * lock.h: fcntl's commands that are about locks.
 */
#pragma once

#include "sys/call.h"

#include <hal/compiler.h>

struct file;

enum {
    LOCK_GET = 5,
    LOCK_SET = 6,
    LOCK_SET_WAIT = 7,
    LOCK_GET_OF_FILE = 36,
    LOCK_SET_OF_FILE = 37,
    LOCK_SET_WAIT_OF_FILE = 38
};

/** fcntl with one of these, and `file` for its descriptor. May sleep. */
HAL_MUST_CHECK int64_t lock_control(struct file *file, const struct sys_args *args);
