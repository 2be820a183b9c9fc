/* SPDX-License-Identifier: MIT */
/*
 * late.c: requests that take too long.
 *
 * A try has a deadline from the moment the driver has it; a request that waits in the queue has
 * none, because those before it do end in time, one way or the other. Whoever waits for a request
 * looks at the deadlines when he has slept so long; for requests that nobody waits for there is a
 * timer, which runs only when something is under way.
 *
 * A driver that cannot let go of a request (abort is NULL) has no deadlines: it promises itself
 * that all of them end.
 */
#include "block/queue/queue.h"

#include "lib/log.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

static KSTATE bool timers_run;

static void expire(struct block_disk *disk, struct block_request *request)
{
    if (disk->driver->abort(disk, request)) {
        disk->stats.timeouts++;
        queue_settle(disk, request, -ETIMEDOUT);
    } else if (!request->late) {
        request->late = true;
        klog(KLOG_WARNING, "%s: a request for sector %llu takes too long", disk->device.name,
             (unsigned long long)request->at);
    }
}

void block_expire(struct block_disk *disk)
{
    uint64_t now = hal_time_now();
    hal_irq_state_t state;

    if (!disk->driver->abort)
        return;
    state = spinlock_acquire(&disk->lock);
    list_for_each_safe (link, &disk->started) {
        struct block_request *request = list_entry(link, struct block_request, link);

        if (request->deadline <= now)
            expire(disk, request);
    }
    queue_run(disk);
    spinlock_release(&disk->lock, state);
}

/** The earliest deadline of those under way. Caller holds the lock. */
static uint64_t earliest(const struct block_disk *disk)
{
    uint64_t first = HAL_TIME_NEVER;

    list_for_each (link, &disk->started) {
        const struct block_request *request = list_entry(link, struct block_request, link);

        if (request->deadline < first && !request->late)
            first = request->deadline;
    }
    return first;
}

static void look(struct ktimer *timer)
{
    struct block_disk *disk = list_entry(timer, struct block_disk, timer);
    hal_irq_state_t state;
    uint64_t next;

    block_expire(disk);
    state = spinlock_acquire(&disk->lock);
    next = earliest(disk);
    disk->timed = next != HAL_TIME_NEVER;
    if (disk->timed)
        ktimer_arm(&disk->timer, next);
    spinlock_release(&disk->lock, state);
}

static void go_on(struct ktimer *timer)
{
    struct block_disk *disk = list_entry(timer, struct block_disk, relay);
    hal_irq_state_t state = spinlock_acquire(&disk->lock);

    queue_run(disk);
    spinlock_release(&disk->lock, state);
}

bool queue_hand_over(struct block_disk *disk)
{
    if (timers_run)
        ktimer_arm(&disk->relay, hal_time_now());
    return timers_run;
}

void queue_init_timer(struct block_disk *disk)
{
    ktimer_init(&disk->timer, look);
    ktimer_init(&disk->relay, go_on);
}

void queue_watch(struct block_disk *disk, struct block_request *request)
{
    request->late = false;
    request->deadline = HAL_TIME_NEVER;
    if (!disk->driver->abort || disk->limits.timeout == 0)
        return;
    request->deadline = hal_time_now() + disk->limits.timeout;
    if (!timers_run || disk->timed || (request->flags & BLOCK_WATCHED))
        return;
    disk->timed = true;
    ktimer_arm(&disk->timer, request->deadline);
}

void block_start_timers(void)
{
    timers_run = true;
}
