/* SPDX-License-Identifier: MIT */
/*
 * call.h: system calls: one table for all processors, driven by data.
 *
 * Linux has a list of numbers for each processor, and x86-64 has many old calls beside the new ones
 * (open beside openat). Here is one list, of the new ones and the few old ones that are more than
 * a case of a new one. core/abi maps a processor's number to it, and puts the arguments in order:
 *
 *     x86-64, 2: open(path, flags, mode)  ->  SYS_OPENAT(AT_FDCWD, path, flags, mode)
 *
 * Each entry says what its arguments are, so that whoever traces or tests calls need not know them
 * one by one. A call that is not in the list, or has no function, is answered with ENOSYS; each
 * such number is named in the log, once.
 */
#pragma once

#include "sys/numbers.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

#define SYS_ARGUMENTS 6u

/** What an argument is. A length belongs to the buffer before it. */
enum sys_kind {
    SYS_UNUSED,
    SYS_FD,
    SYS_PATH,
    SYS_STRING,
    SYS_BUFFER_IN,  /**< the call reads it: the program's bytes go in */
    SYS_BUFFER_OUT, /**< the call fills it */
    SYS_STRUCT_IN,
    SYS_STRUCT_OUT,
    SYS_STRINGS, /**< an array of strings */
    SYS_VECTOR,  /**< an array of struct iovec */
    SYS_INT,
    SYS_FLAGS,
    SYS_MODE,
    SYS_SIZE,
    SYS_OFFSET,
    SYS_ADDRESS,
    SYS_SIGNAL,
    SYS_PID,
    SYS_ID /**< of a user or group */
};

/** What becomes of a call that a signal has cut short (-EINTR). */
enum sys_restart {
    SYS_RESTART,       /**< made again, unless a handler without SA_RESTART runs */
    SYS_RESTART_QUIET, /**< made again only if no handler runs */
    SYS_RESTART_TIMED, /**< the same, and sys_deadline says what it said at first */
    SYS_RESTART_NOT,   /**< the program gets EINTR */
    SYS_RESTART_NONE   /**< -EINTR is no such thing: the result is the program's own */
};

struct sys_args {
    uint64_t value[SYS_ARGUMENTS];
};

struct sys_call {
    const char *name;
    int64_t (*run)(const struct sys_args *args); /**< NULL: known by name only */
    uint8_t kinds[SYS_ARGUMENTS];
    uint8_t restart; /**< enum sys_restart */
};

struct user_thread;

/** Call `number`, < SYS_COUNT. Any context. */
const struct sys_call *sys_call_at(unsigned number);

/** Does the system call that `thread`, which calls, has just made. May sleep. */
void sys_call(struct user_thread *thread);

/**
 * For a call that waits: the time in `ns` from now, of hal_time_now; or, if it is made again as
 * SYS_RESTART_TIMED, the one that it was when the program made it. Caller is a user thread.
 */
uint64_t sys_deadline(uint64_t ns);

/** If the call that the caller is in is cut short, this becomes of it, whatever the table says. */
void sys_restart_as(enum sys_restart how);

/** How many calls were answered with ENOSYS because they are not here. Any context. */
uint64_t sys_unknown_calls(void);
