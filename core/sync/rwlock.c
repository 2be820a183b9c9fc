/* SPDX-License-Identifier: MIT */
/*
 * rwlock.c: a count of readers, a writer, and one queue for both. Who leaves lets in from the head
 * of the queue whoever fits, before they run.
 */
#include "sync/rwlock.h"

#include "boot/panic.h"
#include "sync/check/held.h"
#include "sync/check/waits.h"
#include "thread/thread.h"

#include <hal/errno.h>

void rwlock_init_class(struct rwlock *rwlock, const struct lock_class *class)
{
    *rwlock = (struct rwlock){.class = lock_class_number(class)};
    spinlock_init(&rwlock->lock, LOCK_RANK_WAIT);
    wait_init(&rwlock->waiters);
}

HAL_NORETURN static void refuse(const struct rwlock *rwlock, const char *what,
                                const struct lock_site *site)
{
    const struct thread *self = thread_current();
    char name[96];

    lock_class_text(rwlock->class, name, sizeof name);
    panic_at(site->file, (int)site->line, "thread %u (%s) %s %s (%u readers, %s)", self->id,
             self->name, what, name, rwlock->readers,
             rwlock->writer ? rwlock->writer->name : "no writer");
}

/* Caller holds the spinlock, here and below. */
static bool fits(const struct rwlock *rwlock, bool shared)
{
    return !rwlock->writer && (shared || rwlock->readers == 0);
}

static void enter(struct rwlock *rwlock, bool shared, struct thread *thread)
{
    if (shared)
        rwlock->readers++;
    else
        rwlock->writer = thread;
}

/* Lets in whoever stands at the head of the queue and fits. */
static void let_in(struct rwlock *rwlock)
{
    struct thread *first;

    while ((first = wait_first(&rwlock->waiters))) {
        struct lock_wait *wait = first->wait;
        bool shared = wait->what == WAIT_FOR_READ;

        if (!fits(rwlock, shared))
            break;
        if (!wait_wake_thread(first))
            continue; /* its time was up */
        enter(rwlock, shared, first);
        waits_grant(wait);
    }
}

/* Sleeps until let in, or the deadline. */
static int await(struct rwlock *rwlock, bool shared, uint64_t deadline,
                 const struct lock_site *site)
{
    struct lock_wait wait = {.what = shared ? WAIT_FOR_READ : WAIT_FOR_WRITE,
                             .object = rwlock,
                             .class = rwlock->class,
                             .timed = deadline != HAL_TIME_NEVER,
                             .site = site};
    uint64_t now;
    int error;

    lock_class_contended(rwlock->class);
    now = waits_begin(&wait);
    error = wait_sleep_since_at(&rwlock->waiters, &rwlock->lock, now, deadline, false, site);
    waits_end(&wait, thread_began(thread_current()));
    /* A writer that gives up may have been all that was in the way of readers behind it. */
    if (error)
        let_in(rwlock);
    return error;
}

static int take(struct rwlock *rwlock, bool shared, bool nested, uint64_t deadline,
                const struct lock_site *site)
{
    hal_irq_state_t state;
    int error = 0;

    spinlock_check_sleep(NULL, site);
    state = spinlock_acquire(&rwlock->lock);
    if (lock_checked())
        held_check(rwlock, rwlock->class, nested, site);
    if (rwlock->writer == thread_current())
        refuse(rwlock, "takes again, as its writer,", site);
    if (fits(rwlock, shared) && wait_empty(&rwlock->waiters))
        enter(rwlock, shared, thread_current());
    else
        error = await(rwlock, shared, deadline, site);
    if (!error && lock_checked())
        held_add(rwlock, rwlock->class, shared, site);
    spinlock_release(&rwlock->lock, state);
    return error;
}

void rwlock_take_at(struct rwlock *rwlock, bool shared, const struct lock_site *site)
{
    (void)take(rwlock, shared, false, HAL_TIME_NEVER, site);
}

void rwlock_take_nested_at(struct rwlock *rwlock, const struct lock_site *site)
{
    (void)take(rwlock, false, true, HAL_TIME_NEVER, site);
}

int rwlock_take_until_at(struct rwlock *rwlock, bool shared, uint64_t deadline,
                         const struct lock_site *site)
{
    return take(rwlock, shared, false, deadline, site);
}

bool rwlock_try_at(struct rwlock *rwlock, bool shared, const struct lock_site *site)
{
    hal_irq_state_t state = spinlock_acquire(&rwlock->lock);
    bool taken = fits(rwlock, shared) && wait_empty(&rwlock->waiters);

    if (taken) {
        enter(rwlock, shared, thread_current());
        if (lock_checked())
            held_add(rwlock, rwlock->class, shared, site);
    }
    spinlock_release(&rwlock->lock, state);
    return taken;
}

/* Panics unless the caller may end what it says it began. */
static void check_end(struct rwlock *rwlock, bool shared, const struct lock_site *site)
{
    if (shared && rwlock->readers == 0)
        refuse(rwlock, "ends reading of", site);
    if (shared && lock_checked() && !held_by_caller(rwlock))
        refuse(rwlock, "ends reading, which it did not begin, of", site);
    if (!shared && rwlock->writer != thread_current())
        refuse(rwlock, "ends writing, which it did not begin, of", site);
}

void rwlock_end_at(struct rwlock *rwlock, bool shared, const struct lock_site *site)
{
    hal_irq_state_t state = spinlock_acquire(&rwlock->lock);

    check_end(rwlock, shared, site);
    if (lock_checked())
        held_remove(rwlock);
    if (shared)
        rwlock->readers--;
    else
        rwlock->writer = NULL;
    let_in(rwlock);
    spinlock_release(&rwlock->lock, state);
}
