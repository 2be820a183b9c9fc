/* SPDX-License-Identifier: MIT */
/*
 * signals.h: what a thread does about its signals, and what the parts of this folder tell each
 * other. Sending is in proc/signal.h.
 */
#pragma once

#include "proc/process.h"
#include "proc/signal.h"

#include <hal/compiler.h>

#define SIGNAL_UNBLOCKABLE (1ull << (SIGNAL_KILL - 1) | 1ull << (SIGNAL_STOP - 1))
#define SIGNAL_STOPPERS \
    (1ull << (SIGNAL_STOP - 1) | 1ull << (SIGNAL_TSTP - 1) | 1ull << (SIGNAL_TTIN - 1) | \
     1ull << (SIGNAL_TTOU - 1))

/* ---- what waits: pending.c. Caller holds process_lock ---- */

void signal_pending_init(struct signal_pending *pending);

/**
 * Adds a signal, of `process` or of one of its threads. A plain one that waits already stays as it
 * is. 0; -EAGAIN: a queued one, and there are too many or no memory.
 */
HAL_MUST_CHECK int signal_pending_add(struct signal_pending *pending, struct process *process,
                                      unsigned signal, const struct signal_info *info);

/** Adds a queued one of which nothing is known but that it was sent. Needs no memory. */
void signal_pending_mark(struct signal_pending *pending, unsigned signal);

/** Takes the first of those in `set`: its number and *info; 0: none of them waits. Faults are
 * first, then small numbers. */
unsigned signal_pending_take(struct signal_pending *pending, struct process *process, uint64_t set,
                             struct signal_info *info);

/** Those in `set` wait no more. */
void signal_pending_drop(struct signal_pending *pending, struct process *process, uint64_t set);

/** Any context. */
static inline uint64_t signal_pending_set(const struct signal_pending *pending)
{
    return __atomic_load_n(&pending->set, __ATOMIC_SEQ_CST);
}

/** All that wait for the thread or its process. Any context. */
uint64_t signal_pending_of(const struct user_thread *thread);

/* ---- the caller's own ---- */

/**
 * Before user code goes on: takes what waits and is not blocked, until a handler is prepared for
 * each, or the process has stopped and goes on, or ends; and settles what a call that was cut short
 * becomes. May sleep.
 */
void signal_attend(struct user_thread *self);

/** Takes one in `set` that waits, for the caller: its number, or 0. Takes process_lock. */
unsigned signal_take(uint64_t set, struct signal_info *info);

/** Waits until the caller can take one of `set`: its number, and *info. -EAGAIN: it is `deadline`
 * (0: it does not wait); -EINTR. Takes process_lock. May sleep. */
HAL_MUST_CHECK int64_t signal_await(uint64_t set, uint64_t deadline, struct signal_info *info);

/** The mask becomes `mask`, but for what cannot be blocked. Takes process_lock if it has to. */
void signal_set_mask(uint64_t mask);

/** The same until the call that the caller is in has ended, and the handlers that end it begin. If
 * a signal waits that is not blocked now, its next sleep is short. */
void signal_set_mask_for_call(uint64_t mask);

/** Whether `sp` lies on it, and what is told of it. Any context. */
bool signal_on_stack(const struct signal_stack *stack, uintptr_t sp);
uint32_t signal_stack_state(const struct signal_stack *stack, uintptr_t sp);

/** sigaltstack: -EPERM (`sp` lies on the old one), -EINVAL, -ENOMEM (too small). Any context. */
HAL_MUST_CHECK int signal_set_stack(struct user_thread *self, const struct signal_stack *stack,
                                    uintptr_t sp);

/** The program gets another one: no handlers. Caller is the only thread. Takes process_lock. */
void signal_begin_program(struct user_thread *self);

/** Others than the caller are told of those in `set` that wait for the process. Caller holds
 * process_lock. */
void signal_pass_on(struct process *process, uint64_t set);

/** A new thread, which nobody else knows of yet, has the mask of its maker (NULL: none is blocked),
 * and no stack for handlers. */
void signal_begin_thread(struct user_thread *child, const struct user_thread *maker);

/** Nothing waits for it any more. Caller holds process_lock. */
void signal_end_thread(struct user_thread *thread);

/* ---- stopping: stop.c. Caller holds process_lock ---- */

/** The process is to stop because of `signal`, if it may; the caller is a thread of it. */
void signal_stop(struct user_thread *self, unsigned signal);

/** Stays stopped while it is to. May sleep: gives process_lock away meanwhile. */
void signal_stay_stopped(struct user_thread *self);

/** It goes on, if it has stopped. */
void signal_continue(struct process *process);

/** One thread less: perhaps all others have stopped. */
void signal_note_stopped(struct process *process);

/** The parent of `process` is told, by SIGCHLD (`signal`) and in its waits. */
void signal_tell_parent(struct process *process, unsigned signal, int code, int status);

/** `process` is about to leave its group, or its children's parents: groups that are orphans by
 * that, and have stopped processes, are hung up and continued. */
void signal_check_orphans(struct process *process);

/** True if nobody in the group has a parent in its session but outside the group. `without` counts
 * as gone. */
bool signal_group_is_orphan(uint32_t group, const struct process *without);

/* ---- what programs see: info.c ---- */

/** Writes Linux's siginfo_t. Any context. */
void signal_put_info(uint8_t to[SIGNAL_INFO_BYTES], unsigned signal,
                     const struct signal_info *info);
