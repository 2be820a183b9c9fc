/* SPDX-License-Identifier: MIT */
/*
 * semaphore.h: a count of something that threads take and give, and wait for when there is none.
 *
 * It has no owner: who takes and who gives may be different threads, and an interrupt may give. A
 * unit that is given while somebody waits goes to the longest waiter at once, so nobody overtakes.
 */
#pragma once

#include "sync/wait.h"

struct semaphore {
    struct spinlock lock; /**< guards the members below */
    unsigned count;       /**< units that nobody has; 0 while anybody waits */
    struct wait_queue waiters;
};

/** Begins with `count` units. Any context. */
void semaphore_init(struct semaphore *semaphore, unsigned count);

/** Takes a unit. May sleep. Not cut short by thread_cancel. */
void semaphore_down(struct semaphore *semaphore);

/**
 * As semaphore_down, but gives up at `deadline` of hal_time_now (-ETIMEDOUT) or when the thread is
 * cancelled (-EINTR), with no unit taken. 0: it has one. A unit that is there is taken whatever the
 * deadline, also by a cancelled thread. May sleep.
 */
HAL_MUST_CHECK int semaphore_down_until(struct semaphore *semaphore, uint64_t deadline);

/** Takes a unit if there is one, and says whether. Any context. */
HAL_MUST_CHECK bool semaphore_try_down(struct semaphore *semaphore);

/** Gives a unit. Any context. There can be UINT32_MAX units; one more is a panic. */
void semaphore_up(struct semaphore *semaphore);

/** The units that nobody has at this moment. Any context. */
unsigned semaphore_count(const struct semaphore *semaphore);
