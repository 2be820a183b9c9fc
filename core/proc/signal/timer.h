/* SPDX-License-Identifier: MIT */
/*
 * timer.h: a process's interval timers, which send it signals: SIGALRM when so much time has gone,
 * SIGVTALRM and SIGPROF when it has used so much of a processor.
 *
 * What is used is that of all threads: in their program's own code for SIGVTALRM, and in the kernel
 * as well for SIGPROF.
 */
#pragma once

#include "deferred/ktimer.h"

#include <stdint.h>

struct process;

enum { SIGNAL_TIMER_REAL, SIGNAL_TIMER_VIRTUAL, SIGNAL_TIMER_PROF, SIGNAL_TIMERS };

struct signal_timer {
    struct ktimer timer;
    struct process *process;
    uint64_t expires;  /**< of hal_time_now, or of the time used; 0: it is off */
    uint64_t interval; /**< 0: once */
    uint64_t used;     /**< when it was looked at last */
    uint64_t pause;    /**< until the next look */
    unsigned which;
};

/** ns. */
struct signal_timer_setting {
    uint64_t left; /**< 0: it is off */
    uint64_t interval;
};

/** Timers that are off, of a new process. */
void signal_timers_init(struct process *process);

/** No timer runs any more. Caller holds nothing. May sleep. */
void signal_timers_end(struct process *process);

/** Those of the caller's process. Take process_lock. May sleep. */
void signal_timer_set(unsigned which, const struct signal_timer_setting *setting,
                      struct signal_timer_setting *old);
void signal_timer_get(unsigned which, struct signal_timer_setting *setting);

/** SIGALRM has been taken: an interval timer goes on. Caller holds process_lock. */
void signal_timer_go_on(struct process *process);
