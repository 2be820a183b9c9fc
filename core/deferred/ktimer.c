/* SPDX-License-Identifier: MIT */
/*
 * ktimer.c: one wheel, and the thread that sleeps until its first time.
 *
 * Why a thread and not the interrupt: the processor's timer belongs to the scheduler, which wakes
 * sleeping threads by it; the thread of the timers is one of them. So timers need nothing of the
 * hardware, their functions may do what threads may, and interrupts stay short whatever they do.
 */
#include "deferred/ktimer.h"

#include "boot/panic.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

static KSTATE struct timers {
    struct spinlock lock; /* guards all */
    struct wheel wheel;
    struct ktimer *running;       /* only its address: the memory may be gone */
    bool last_time;               /* somebody cancels what runs: if it arms itself, in vain */
    uint64_t awake_at;            /* when the thread wakes up by itself; 0: it is awake */
    struct wait_queue sleep;      /* the thread */
    struct wait_queue cancellers; /* wait for the end of what runs */
    struct thread *thread;
} timers;

void ktimer_init(struct ktimer *timer, void (*function)(struct ktimer *timer))
{
    *timer = (struct ktimer){.function = function};
}

void ktimer_arm(struct ktimer *timer, uint64_t deadline)
{
    hal_irq_state_t state = spinlock_acquire(&timers.lock);

    (void)wheel_remove(&timers.wheel, &timer->node);
    wheel_add(&timers.wheel, &timer->node, deadline);
    if (deadline < timers.awake_at)
        (void)wait_wake_one(&timers.sleep);
    spinlock_release(&timers.lock, state);
}

int ktimer_try_cancel(struct ktimer *timer)
{
    hal_irq_state_t state = spinlock_acquire(&timers.lock);
    int result = wheel_remove(&timers.wheel, &timer->node);

    if (timers.running == timer)
        result = -EBUSY;
    spinlock_release(&timers.lock, state);
    return result;
}

bool ktimer_cancel(struct ktimer *timer)
{
    hal_irq_state_t state = spinlock_acquire(&timers.lock);
    bool armed = wheel_remove(&timers.wheel, &timer->node);

    while (timers.running == timer && thread_current() != timers.thread) {
        timers.last_time = true;
        wait_sleep_always(&timers.cancellers, &timers.lock);
    }
    spinlock_release(&timers.lock, state);
    return armed;
}

bool ktimer_is_armed(const struct ktimer *timer)
{
    hal_irq_state_t state = spinlock_acquire(&timers.lock);
    bool armed = timer->node.linked;

    spinlock_release(&timers.lock, state);
    return armed;
}

size_t ktimer_count(void)
{
    hal_irq_state_t state = spinlock_acquire(&timers.lock);
    size_t count = timers.wheel.count;

    spinlock_release(&timers.lock, state);
    return count;
}

/* ---- the thread ---- */

/* Sleeps until the first deadline, or until an earlier one comes. Caller holds the lock. */
static void rest(void)
{
    uint64_t next = wheel_next(&timers.wheel);
    int ended;

    timers.awake_at = next;
    ended = wait_sleep_firmly(&timers.sleep, &timers.lock, next);
    kassert(ended == 0 || ended == -ETIMEDOUT);
    timers.awake_at = 0;
}

/* Runs the first timer that is due; rests if there is none. */
static void turn(void)
{
    hal_irq_state_t state = spinlock_acquire(&timers.lock);
    struct wheel_node *node;
    struct ktimer *timer;
    bool more;

    node = wheel_take(&timers.wheel, hal_time_now(), &more);
    if (!node) {
        if (!more && wheel_next(&timers.wheel) > hal_time_now())
            rest();
        spinlock_release(&timers.lock, state);
        return;
    }
    timer = list_entry(node, struct ktimer, node);
    timers.running = timer;
    spinlock_release(&timers.lock, state);
    timer->function(timer);
    state = spinlock_acquire(&timers.lock);
    if (timers.last_time)
        (void)wheel_remove(&timers.wheel, &timer->node);
    timers.last_time = false;
    timers.running = NULL;
    wait_wake_all(&timers.cancellers);
    spinlock_release(&timers.lock, state);
}

static void timers_main(void *unused)
{
    (void)unused;
    for (;;)
        turn();
}

int ktimer_start(void)
{
    int error;

    spinlock_init(&timers.lock, LOCK_RANK_TIMER);
    wheel_init(&timers.wheel, hal_time_now());
    wait_init(&timers.sleep);
    wait_init(&timers.cancellers);
    error = thread_create("timers", timers_main, NULL, &timers.thread);
    if (!error)
        thread_detach(timers.thread);
    return error;
}
