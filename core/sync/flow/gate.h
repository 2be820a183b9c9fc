/* SPDX-License-Identifier: MIT */
/*
 * gate.h: threads that wait for an event: a completion, which somebody else makes happen, and a
 * barrier, which their own arrival does.
 *
 * Both may lie on a stack. A completion may go as soon as completion_wait has returned and
 * everybody who would complete it has; a barrier when all have returned from barrier_wait.
 */
#pragma once

#include "sync/wait.h"

/**
 * Something that happens some times, or once for all:
 *
 *     completion_one: lets one waiter through, now or later; so n of them let n through
 *     completion_all: lets everybody through, from now on
 */
struct completion {
    struct spinlock lock; /**< guards the members below */
    unsigned done;        /**< waiters that may still pass; UINT32_MAX: all */
    struct wait_queue waiters;
};

/** Nothing has happened yet. Any context; nobody waits. */
void completion_init(struct completion *completion);

/** Waits until it is this thread's turn. May sleep. Not cut short by thread_cancel. */
void completion_wait(struct completion *completion);

/** As above, but gives up at `deadline` (-ETIMEDOUT) or when cancelled (-EINTR). May sleep. */
HAL_MUST_CHECK int completion_wait_until(struct completion *completion, uint64_t deadline);

/** Lets one through: the longest waiter, or the next who comes. Any context. */
void completion_one(struct completion *completion);

/** Lets all through, until completion_init. Any context. */
void completion_all(struct completion *completion);

/** True if completion_wait would not wait. Any context. */
bool completion_is_done(const struct completion *completion);

/**
 * A line that `needed` threads have to reach before any of them goes on. Then it is ready for the
 * next round at once: a thread that comes back early waits for that, not for the last one.
 */
struct barrier {
    struct spinlock lock; /**< guards the members below */
    unsigned needed;      /**< constant */
    unsigned arrived;     /**< in this round */
    uint64_t round;
    struct wait_queue waiters;
};

/** For rounds of `needed` threads, at least 1. Any context. */
void barrier_init(struct barrier *barrier, unsigned needed);

/**
 * Waits until `needed` threads have come in this round. True in exactly one of them, the last to
 * arrive. What any of them did before its call is seen by all of them after it. May sleep. Not cut
 * short by thread_cancel.
 */
bool barrier_wait(struct barrier *barrier);
