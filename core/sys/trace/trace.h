/* SPDX-License-Identifier: MIT */
/*
 * trace.h: system calls as they are made, a line each, in the format of strace:
 *
 *     openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
 *     read(3, "root:x:0:0:root:/root:/bin/sh\nda"..., 4096) = 512
 *     [pid     7] read(0,  <unfinished ...>
 *     [pid     8] exit_group(0) = ?
 *     [pid     8] +++ exited with 0 +++
 *     [pid     7] <... read resumed>"x", 1) = 1
 *
 * The table of calls says what the arguments are (call.h); names.c, which of them are flags that
 * have names. Structures are shown by their address.
 *
 * The boot word `strace=1` has the lines on the console, `strace=host` gives them to whoever
 * listens outside (hal_trace_text). Off, it costs a look at a flag for each call.
 */
#pragma once

#include "sys/call.h"

struct signal_info;
struct user_thread;

/** Reads the boot word. Boot. */
void trace_start(void);

/** The caller is about to make the call. May sleep. */
void trace_call(struct user_thread *thread, const struct sys_call *call,
                const struct sys_args *args);

/** It has made it. May sleep. */
void trace_result(struct user_thread *thread, const struct sys_call *call,
                  const struct sys_args *args, int64_t result);

/** The caller gets a signal, and has a handler for it or ends. May sleep. */
void trace_signal(struct user_thread *thread, unsigned signal);

/** The last thread of the caller's process ends, with that status of wait's. May sleep. */
void trace_end(struct user_thread *thread, uint32_t status);
