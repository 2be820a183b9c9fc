/* SPDX-License-Identifier: MIT */
/*
 * bounded.h: a queue of at most so many pointers, between threads that make something and threads
 * that use it. Who puts into a full one waits for room; who gets from an empty one waits for
 * something.
 *
 *     slots:  | . | c | d | e | . |     first = 1, count = 3: get gives c; put goes into slot 4
 *
 * Closing it is how makers say that there will be no more: nothing can be put any longer, what is
 * in it can still be got, and then nobody waits.
 */
#pragma once

#include "sync/wait.h"

#include <stddef.h>

struct bounded_queue {
    struct spinlock lock; /**< guards the members below */
    void **slots;         /**< the caller's; constant */
    size_t size;          /**< of them; constant */
    size_t first, count;
    bool closed;
    struct wait_queue makers; /**< wait for room */
    struct wait_queue users;  /**< wait for something */
};

/** Makes an empty queue of the `size` slots at `slots`, at least 1, which stay. Any context. */
void bounded_queue_init(struct bounded_queue *queue, void **slots, size_t size);

/**
 * Adds `item`, waiting for room until `deadline` of hal_time_now: 0; -ETIMEDOUT; -EINTR when the
 * thread was cancelled while it waited; -ECANCELED when the queue is closed, also meanwhile. With a
 * deadline that has passed it is tried once. May sleep.
 */
HAL_MUST_CHECK int bounded_queue_put(struct bounded_queue *queue, void *item, uint64_t deadline);

/**
 * Takes the oldest item, waiting for one. As bounded_queue_put; -ECANCELED: closed, and empty. May
 * sleep.
 */
HAL_MUST_CHECK int bounded_queue_get(struct bounded_queue *queue, void **item, uint64_t deadline);

/** As above, but -EAGAIN instead of waiting. Any context. */
HAL_MUST_CHECK int bounded_queue_try_put(struct bounded_queue *queue, void *item);
HAL_MUST_CHECK int bounded_queue_try_get(struct bounded_queue *queue, void **item);

/** Closes the queue; all that wait look again. Any context. */
void bounded_queue_close(struct bounded_queue *queue);

/** Items in it at this moment. Any context. */
size_t bounded_queue_count(const struct bounded_queue *queue);
