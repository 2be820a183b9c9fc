/* SPDX-License-Identifier: MIT */
/*
 * times.h: the processor time that threads and processes have used.
 *
 * The scheduler counts how long a thread has run, and the HAL how much of that was user code: the
 * rest is what the kernel did for it. Guarded by process_lock.
 */
#pragma once

#include <stdint.h>

struct process;
struct user_thread;

/** In ns: of the program's own code, and of the kernel's. */
struct process_times {
    uint64_t user, system;
};

static inline void process_add_times(struct process_times *to, const struct process_times *more)
{
    to->user += more->user;
    to->system += more->system;
}

/** Of a thread; of all of a process, with the threads that have ended; the same in one number.
 * Callers hold process_lock. */
struct process_times user_thread_times(const struct user_thread *thread);
struct process_times process_read_times(const struct process *process);
uint64_t process_run_time(const struct process *process);

/** The thread ends: its process keeps what it used. Caller holds process_lock. */
void user_thread_keep_times(const struct user_thread *thread);

/** Of all user threads that there ever were. Takes process_lock. May sleep. */
struct process_times process_total_times(void);
