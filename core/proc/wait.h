/* SPDX-License-Identifier: MIT */
/*
 * wait.h: waiting for processes: until they have ended, stopped, or gone on.
 */
#pragma once

#include "proc/process.h"

enum process_which { PROCESS_ANY, PROCESS_PID, PROCESS_GROUP };

/** What has become of a process. */
struct process_ending {
    uint32_t pid, uid;
    uint32_t status; /**< as wait4 gives it */
    int32_t code;    /**< as waitid does: SIGNAL_CHILD_EXITED and the others */
    int32_t detail;  /**< the status of exit, or a signal */
    struct process_times times;
};

/** Flags of process_wait: those of Linux. */
enum {
    PROCESS_NO_HANG = 1,
    PROCESS_STOPPED = 2,
    PROCESS_EXITED = 4,
    PROCESS_CONTINUED = 8,
    PROCESS_NO_REAP = 0x01000000,
    PROCESS_ALL_KINDS = 0x40000000
};
#define PROCESS_OTHER_KINDS 0x80000000u

/**
 * Waits until something has become of a child of the caller's process, of those that `which` and
 * `id` say: of what `flags` has of EXITED, STOPPED and CONTINUED. One that has ended is freed. Only
 * children whose end sends SIGCHLD are meant; with OTHER_KINDS only the others, with ALL_KINDS all.
 * 1 and *ending; 0: PROCESS_NO_HANG, and nothing has; -ECHILD: there is none; -EINTR.
 */
HAL_MUST_CHECK int process_wait(enum process_which which, uint32_t id, unsigned flags,
                                struct process_ending *ending);

/** Waits for the end of a child of the kernel's. -EINTR: the thread was cancelled, unless `firmly`;
 * it has to wait again. */
HAL_MUST_CHECK int process_wait_kernel(struct process *process, bool firmly,
                                       struct process_ending *ending);
