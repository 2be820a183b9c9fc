/* SPDX-License-Identifier: MIT */
/*
 * inside.h: what the files of this folder have in common, and nobody else uses but tests.
 */
#pragma once

#include "proc/process.h"

/** The thread of the kernel that calls is `thread` from now on. */
void user_thread_enter(struct user_thread *thread);

/** As user_thread_start, but the thread calls main(argument) instead of running user code: that
 * begins with user_thread_enter, makes system calls, and ends with user_thread_finish. */
HAL_MUST_CHECK int user_thread_start_as(struct user_thread *thread, void (*main)(void *argument),
                                        void *argument);

/** It is so no more, and its thread is out of the trees: true if it was the last of its process.
 * Caller holds process_lock. */
HAL_MUST_CHECK bool user_thread_leave(struct user_thread *thread);
