/* SPDX-License-Identifier: MIT */
/*
 * poll.c: lists of who wants to be told, under one lock.
 */
#include "ipc/poll.h"

#include "boot/panic.h"

#include <hal/errno.h>
#include <hal/kstate.h>

static KSTATE struct spinlock all;

void poll_init(void)
{
    spinlock_init(&all, LOCK_RANK_POLL);
}

hal_irq_state_t poll_lock(void)
{
    return spinlock_acquire(&all);
}

void poll_unlock(hal_irq_state_t state)
{
    spinlock_release(&all, state);
}

int poll_wait(struct wait_queue *queue, uint64_t deadline)
{
    return wait_sleep(queue, &all, deadline);
}

/* ---- sources ---- */

void poll_source_init(struct poll_source *source)
{
    list_init(&source->waiters);
    source->count = 0;
}

void poll_source_finish(struct poll_source *source)
{
    kassert(list_empty(&source->waiters));
}

void poll_waiter_init(struct poll_waiter *waiter,
                      void (*notice)(struct poll_waiter *waiter, unsigned events))
{
    waiter->notice = notice;
    waiter->source = NULL;
}

void poll_hang(struct poll_source *source, struct poll_waiter *waiter)
{
    hal_irq_state_t state;

    if (!waiter || waiter->source)
        return;
    state = poll_lock();
    waiter->source = source;
    list_add_tail(&source->waiters, &waiter->link);
    __atomic_add_fetch(&source->count, 1, __ATOMIC_RELAXED);
    poll_unlock(state);
}

void poll_leave(struct poll_waiter *waiter)
{
    struct poll_source *source = waiter->source;
    hal_irq_state_t state;

    if (!source)
        return;
    state = poll_lock();
    list_remove(&waiter->link);
    __atomic_sub_fetch(&source->count, 1, __ATOMIC_RELAXED);
    waiter->source = NULL;
    poll_unlock(state);
}

void poll_notify_locked(struct poll_source *source, unsigned events)
{
    list_for_each_safe (link, &source->waiters) {
        struct poll_waiter *waiter = list_entry(link, struct poll_waiter, link);

        waiter->notice(waiter, events);
    }
}

void poll_notify_of(struct poll_source *source, unsigned events)
{
    hal_irq_state_t state;

    /* Who comes after this look has yet to take the lock under which the file has changed. */
    if (!poll_source_is_awaited(source))
        return;
    state = poll_lock();
    poll_notify_locked(source, events);
    poll_unlock(state);
}

void poll_notify(struct poll_source *source)
{
    poll_notify_of(source, POLL_ANY);
}

/* ---- a thread that sleeps ---- */

static void wake(struct poll_waiter *waiter, unsigned events)
{
    struct poll_seat *seat = list_entry(waiter, struct poll_seat, waiter);

    if (!(seat->events & events))
        return;
    seat->sleeper->told = true;
    wait_wake_all(&seat->sleeper->queue);
}

void poll_sleeper_init(struct poll_sleeper *sleeper)
{
    wait_init(&sleeper->queue);
    sleeper->told = false;
}

void poll_seat_init(struct poll_seat *seat, struct poll_sleeper *sleeper, unsigned events)
{
    poll_waiter_init(&seat->waiter, wake);
    seat->sleeper = sleeper;
    seat->events = events;
}

int poll_sleeper_sleep(struct poll_sleeper *sleeper, uint64_t deadline)
{
    hal_irq_state_t state = poll_lock();
    int error = 0;

    while (!sleeper->told && !error)
        error = poll_wait(&sleeper->queue, deadline);
    if (sleeper->told)
        error = 0;
    sleeper->told = false;
    poll_unlock(state);
    return error;
}
