/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c: asks the caches for memory, from the newest on: a file system's before the heap's own,
 * which then gives on what the file system gave.
 *
 * A cache's function runs without any lock of ours, so several threads may be in it; its entry on
 * the list counts them, and stays on the list until they are out:
 *
 *     listed -- reclaim_unregister --> leaving (nobody new goes in) -- users == 0 --> gone
 *
 * The thread cannot be woken from inside an allocation, whose caller may hold locks of any rank: a
 * CPU that crosses the watermark sends itself an interrupt, and that wakes the thread when all
 * locks are free.
 */
#include "mem/reclaim.h"

#include "mem/frame.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/kstate.h>

#define THREAD_RAM_MIN ((8u << 20) / HAL_PAGE_SIZE) /* frames from which on it pays */

#define ROUNDS_MAX 8u

static KSTATE struct reclaim_state {
    struct spinlock lock;   /* guards all below */
    struct list all;        /* of reclaimers, in the order in which they are asked */
    struct wait_queue left; /* for reclaimers whose last user leaves */
    struct wait_queue work; /* for the thread */
    bool started;           /* there is a thread; constant after boot */
    bool wanted;            /* the thread should look; atomic, also without the lock */
} reclaim;

void reclaim_init(void)
{
    spinlock_init(&reclaim.lock, LOCK_RANK_WAIT);
    list_init(&reclaim.all);
    wait_init(&reclaim.left);
    wait_init(&reclaim.work);
}

void reclaim_register(struct reclaimer *reclaimer)
{
    hal_irq_state_t state = spinlock_acquire(&reclaim.lock);

    reclaimer->users = 0;
    reclaimer->leaving = false;
    list_add_head(&reclaim.all, &reclaimer->link);
    spinlock_release(&reclaim.lock, state);
}

void reclaim_unregister(struct reclaimer *reclaimer)
{
    hal_irq_state_t state = spinlock_acquire(&reclaim.lock);

    reclaimer->leaving = true;
    while (reclaimer->users > 0)
        wait_sleep_always(&reclaim.left, &reclaim.lock);
    list_remove(&reclaimer->link);
    spinlock_release(&reclaim.lock, state);
}

/* Asks the cache at `link` without the lock; `state` is the mask outside of it. */
static size_t ask(struct list *link, size_t frames, hal_irq_state_t *state)
{
    struct reclaimer *reclaimer = list_entry(link, struct reclaimer, link);
    size_t got;

    if (reclaimer->leaving)
        return 0;
    reclaimer->users++;
    spinlock_release(&reclaim.lock, *state);
    got = reclaimer->reclaim(reclaimer->context, frames);
    *state = spinlock_acquire(&reclaim.lock);
    if (--reclaimer->users == 0 && reclaimer->leaving)
        wait_wake_all(&reclaim.left);
    return got;
}

size_t reclaim_frames(size_t frames)
{
    uint64_t before = frame_free_total();
    hal_irq_state_t state;
    size_t got = 0;

    if (hal_irq_masked()) /* as it is while any spinlock is held */
        return 0;
    state = spinlock_acquire(&reclaim.lock);
    for (struct list *link = reclaim.all.next; link != &reclaim.all; link = link->next) {
        uint64_t now = frame_free_total();
        uint64_t came = now > before ? now - before : 0;

        if (came >= frames)
            break;
        got += ask(link, frames - came, &state);
    }
    spinlock_release(&reclaim.lock, state);
    return got;
}

/* ---- the thread ---- */

static void await_work(void)
{
    hal_irq_state_t state = spinlock_acquire(&reclaim.lock);

    while (!__atomic_exchange_n(&reclaim.wanted, false, __ATOMIC_ACQ_REL))
        wait_sleep_always(&reclaim.work, &reclaim.lock);
    spinlock_release(&reclaim.lock, state);
}

static void reclaim_main(void *unused)
{
    (void)unused;
    for (;;) {
        await_work();
        for (unsigned round = 0; round < ROUNDS_MAX; round++) {
            uint64_t missing = frame_shortage();

            if (missing == 0 || reclaim_frames((size_t)missing) == 0)
                break;
        }
    }
}

int reclaim_start(void)
{
    struct frame_stats stats;
    struct thread *thread;
    int error;

    frame_read_stats(&stats);
    if (stats.total < THREAD_RAM_MIN)
        return 0;
    error = thread_create("reclaim", reclaim_main, NULL, &thread);
    if (error)
        return error;
    thread_detach(thread);
    reclaim.started = true;
    return 0;
}

void reclaim_wake(void)
{
    hal_irq_state_t state;

    if (!reclaim.started || __atomic_exchange_n(&reclaim.wanted, true, __ATOMIC_ACQ_REL))
        return;
    state = hal_irq_save();
    hal_cpu_ipi(hal_cpu_id());
    hal_irq_restore(state);
}

void reclaim_interrupt(void)
{
    hal_irq_state_t state;

    if (!__atomic_load_n(&reclaim.wanted, __ATOMIC_ACQUIRE))
        return;
    state = spinlock_acquire(&reclaim.lock);
    (void)wait_wake_one(&reclaim.work);
    spinlock_release(&reclaim.lock, state);
}
