/* SPDX-License-Identifier: MIT */
/*
 * poll.h: being told when a file may have become ready, instead of looking again and again.
 *
 * What can become ready has a source: a list of those who want to be told. A waiter hangs itself
 * into the source of each file that it waits for, and looks at the files only then, so that
 * nothing that happens in between is missed:
 *
 *     waiter                              who makes the file ready
 *     ops->poll(file, waiter):
 *       poll_hang(source, waiter)         lock; puts a byte in; unlock
 *       lock; is there a byte? unlock     poll_notify(source)
 *     sleeps, if no file had anything
 *
 * Whoever changes what a poll function looks at does so under a lock that the poll function takes
 * as well, after poll_hang, and notifies under that lock or after it. Being told says only that it
 * is worth while to look again.
 *
 * A source lies in what the file belongs to, and a waiter that hangs in it holds a reference to the
 * file, or is told when the file is closed (epoll.h): so a source that ends has nobody in it.
 *
 * One spinlock guards all sources; a source that nobody hangs in costs its notifier one look.
 */
#pragma once

#include "lib/list.h"
#include "sync/wait.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct poll_source {
    struct list waiters; /**< guarded by the lock of all sources */
    uint32_t count;      /**< of them; atomic, for those who only look */
};

struct poll_waiter {
    /** Something has happened. The lock of all sources is held. Any context. */
    void (*notice)(struct poll_waiter *waiter, unsigned events);
    struct poll_source *source; /**< where it hangs; NULL: nowhere */
    struct list link;
};

/** All events: what vnode.h has as VNODE_CAN_ bits. */
#define POLL_ANY UINT32_MAX

/** Readies all this. Boot. */
void poll_init(void);

/** A source that nobody waits for. Any context. */
void poll_source_init(struct poll_source *source);

/** True if anybody hangs in it at this moment. Any context. */
static inline bool poll_source_is_awaited(const struct poll_source *source)
{
    return __atomic_load_n(&source->count, __ATOMIC_RELAXED) > 0;
}

/** It ends: nobody hangs in it. Any context. */
void poll_source_finish(struct poll_source *source);

/** Makes a waiter that hangs nowhere. Any context. */
void poll_waiter_init(struct poll_waiter *waiter,
                      void (*notice)(struct poll_waiter *waiter, unsigned events));

/**
 * Hangs `waiter` into `source`, for vnode_ops.poll, which is given NULL by those who only look. A
 * waiter hangs in one source: a second time is for nothing. Any context that may take
 * LOCK_RANK_POLL.
 */
void poll_hang(struct poll_source *source, struct poll_waiter *waiter);

/** Takes it out, if it hangs anywhere: it is not told any more. Context as above. */
void poll_leave(struct poll_waiter *waiter);

/** Tells all that hang in `source`. Context as above. */
void poll_notify(struct poll_source *source);

/** As poll_notify, of these events (VNODE_CAN_ bits) alone. */
void poll_notify_of(struct poll_source *source, unsigned events);

/** The same. Caller holds the lock of all sources. */
void poll_notify_locked(struct poll_source *source, unsigned events);

/** The lock of all sources, for those who keep more under it. */
HAL_MUST_CHECK hal_irq_state_t poll_lock(void);
void poll_unlock(hal_irq_state_t state);

/** Sleeps in `queue`, whose lock is that one, as wait_sleep does. Caller holds it. */
HAL_MUST_CHECK int poll_wait(struct wait_queue *queue, uint64_t deadline);

/**
 * A thread that sleeps until any of the waiters that are its has been told:
 *
 *     poll_sleeper_init(&sleeper);
 *     poll_waiter_init(&seat.waiter, poll_wake); seat.sleeper = &sleeper;    for each file
 *     poll_sleeper_sleep(&sleeper, deadline);
 */
struct poll_sleeper {
    struct wait_queue queue; /**< guarded by the lock of all sources, as is: */
    bool told;
};

struct poll_seat {
    struct poll_waiter waiter;
    struct poll_sleeper *sleeper;
    unsigned events; /**< of which it wants to be told */
};

void poll_sleeper_init(struct poll_sleeper *sleeper);
void poll_seat_init(struct poll_seat *seat, struct poll_sleeper *sleeper, unsigned events);

/**
 * Sleeps until one of its seats has been told since this was called last, or `deadline`: 0,
 * -ETIMEDOUT, -EINTR. May sleep.
 */
HAL_MUST_CHECK int poll_sleeper_sleep(struct poll_sleeper *sleeper, uint64_t deadline);
