/* SPDX-License-Identifier: MIT */
/*
 * work.h: deferred work: functions that somebody else's thread calls, soon or at a time.
 *
 * A work queue has a fixed number of threads. An item lies in the caller's object; submitting it
 * allocates nothing and is allowed in interrupts, so an interrupt can leave the rest of its task to
 * a thread. Items begin in the order of submission.
 *
 *     IDLE --submit--> PENDING --a thread is free--> RUNNING --> IDLE
 *            <--cancel--                             --submitted meanwhile--> PENDING
 *
 * An item never runs twice at the same time: submitted while it runs, it is PENDING again when that
 * has ended. Submitted while it is PENDING, it stays so and runs once. An item is used with one
 * queue.
 */
#pragma once

#include "deferred/ktimer.h"

#include <hal/compiler.h>

struct work_queue;

struct work {
    struct list link; /**< among the pending ones */
    void (*function)(struct work *work);
    struct work_queue *queue; /**< that it was submitted to; NULL: none yet */
    uint64_t sequence;        /**< of its submission */
};

/** An item that is submitted when a time has come. */
struct delayed_work {
    struct work work;
    struct ktimer timer;
    struct work_queue *queue; /**< atomic */
    unsigned cancelling;      /**< atomic: who is in delayed_work_cancel */
};

#define WORK_THREADS_MAX 8u

/**
 * Makes a queue with `threads` threads (1 .. WORK_THREADS_MAX) called NAME/0 and so on. Returns 0
 * and the queue; -EINVAL; -ENOMEM. May sleep.
 */
HAL_MUST_CHECK int work_queue_create(const char *name, unsigned threads, struct work_queue **queue);

/** Runs what is pending, then ends the threads and frees the queue. Nobody uses it meanwhile,
 * except that items may submit items. Caller is none of its threads. May sleep. */
void work_queue_destroy(struct work_queue *queue);

/** Waits until all that was submitted before this call has run. Caller is none of the queue's
 * threads; that is a panic. May sleep. */
void work_queue_flush(struct work_queue *queue);

/**
 * Makes an IDLE item, which calls function(work) in a thread of its queue. The function may submit
 * the item again, or free its memory. Any context.
 */
void work_init(struct work *work, void (*function)(struct work *work));

/** Makes it PENDING. False if it is so already. Any context that may take LOCK_RANK_WORK. */
bool work_submit(struct work_queue *queue, struct work *work);

/**
 * Makes it IDLE: if it is PENDING it will not run, and if it runs, this waits for the end; if it is
 * submitted meanwhile, that is in vain. In the item's own function it does not wait. Returns
 * whether it was PENDING at the call. May sleep.
 */
bool work_cancel(struct work *work);

/** Waits until it is IDLE. Caller is not in the item's own function; that is a panic. May sleep. */
void work_await(struct work *work);

/** As work_init, for an item that can wait for its time. */
void delayed_work_init(struct delayed_work *delayed, void (*function)(struct work *work));

/** Submits it at `deadline` of hal_time_now, also if it waits for another time. Context as
 * work_submit. */
void delayed_work_submit(struct work_queue *queue, struct delayed_work *delayed, uint64_t deadline);

/** As work_cancel, also while it waits for its time. Submitting it is in vain until this returns.
 * Not in a timer's function. May sleep. */
bool delayed_work_cancel(struct delayed_work *delayed);
