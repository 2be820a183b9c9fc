/* SPDX-License-Identifier: MIT */
/*
 * mutex.c: a mutex is an owner and a queue. Unlocking makes the longest waiter the owner before it
 * runs, so a thread that unlocks and locks again cannot overtake.
 *
 * A waiter whose deadline passes may be chosen at the same moment. The wait queue decides which of
 * the two it was, under the mutex's spinlock: the owner is then the waiter, or it is not.
 */
#include "sync/mutex.h"

#include "boot/panic.h"
#include "sync/check/held.h"
#include "sync/check/waits.h"
#include "thread/thread.h"

#include <hal/errno.h>

void mutex_init_class(struct mutex *mutex, const struct lock_class *class)
{
    *mutex = (struct mutex){.class = lock_class_number(class)};
    spinlock_init(&mutex->lock, LOCK_RANK_WAIT);
    wait_init(&mutex->waiters);
}

static void set_owner(struct mutex *mutex, struct thread *owner)
{
    __atomic_store_n(&mutex->owner, owner, __ATOMIC_RELAXED);
}

HAL_NORETURN static void refuse(const struct mutex *mutex, const char *what,
                                const struct lock_site *site)
{
    const struct thread *self = thread_current(), *owner = mutex_owner(mutex);
    char name[96];

    lock_class_text(mutex->class, name, sizeof name);
    if (!owner)
        panic_at(site->file, (int)site->line, "%s is %s by thread %u (%s) and nobody owns it", name,
                 what, self->id, self->name);
    panic_at(site->file, (int)site->line, "%s is %s by thread %u (%s) and thread %u (%s) owns it",
             name, what, self->id, self->name, owner->id, owner->name);
}

/* Sleeps until this thread is the owner, or the deadline. Caller holds the mutex's spinlock. */
static int await(struct mutex *mutex, uint64_t deadline, const struct lock_site *site)
{
    struct thread *self = thread_current();
    struct lock_wait wait = {.what = WAIT_FOR_MUTEX,
                             .object = mutex,
                             .class = mutex->class,
                             .timed = deadline != HAL_TIME_NEVER,
                             .site = site};
    uint64_t now;
    int error;

    lock_class_contended(mutex->class);
    mutex->waiting++;
    now = waits_begin(&wait);
    waits_lend(&wait, mutex->owner);
    error = wait_sleep_since_at(&mutex->waiters, &mutex->lock, now, deadline, false, site);
    waits_end(&wait, thread_began(self));
    mutex->waiting--;
    if (mutex->owner == self)
        return 0;
    if (mutex->owner)
        waits_return(mutex->owner);
    kassert(error);
    return error;
}

/* Caller holds the mutex's spinlock, and no lock is in order's way. */
static int take(struct mutex *mutex, uint64_t deadline, const struct lock_site *site)
{
    int error = 0;

    if (!mutex->owner)
        set_owner(mutex, thread_current());
    else
        error = await(mutex, deadline, site);
    if (!error && lock_checked())
        held_add(mutex, mutex->class, false, site);
    return error;
}

/* Caller holds the mutex's spinlock and owns it. */
static void give_up(struct mutex *mutex)
{
    struct thread *self = mutex->owner, *next;

    if (lock_checked())
        held_remove(mutex);
    next = wait_wake_one(&mutex->waiters);
    set_owner(mutex, next);
    if (mutex->waiting)
        waits_pass(self, next);
}

static int lock(struct mutex *mutex, uint64_t deadline, const struct lock_site *site)
{
    hal_irq_state_t state;
    int error;

    spinlock_check_sleep(NULL, site);
    state = spinlock_acquire(&mutex->lock);
    if (lock_checked())
        held_check(mutex, mutex->class, false, site);
    if (mutex->owner == thread_current())
        refuse(mutex, "taken again", site);
    error = take(mutex, deadline, site);
    spinlock_release(&mutex->lock, state);
    return error;
}

void mutex_lock_at(struct mutex *mutex, const struct lock_site *site)
{
    (void)lock(mutex, HAL_TIME_NEVER, site);
}

int mutex_lock_until_at(struct mutex *mutex, uint64_t deadline, const struct lock_site *site)
{
    return lock(mutex, deadline, site);
}

bool mutex_trylock_at(struct mutex *mutex, const struct lock_site *site)
{
    hal_irq_state_t state = spinlock_acquire(&mutex->lock);
    bool taken = !mutex->owner;

    if (taken)
        (void)take(mutex, 0, site);
    spinlock_release(&mutex->lock, state);
    return taken;
}

void mutex_unlock_at(struct mutex *mutex, const struct lock_site *site)
{
    hal_irq_state_t state = spinlock_acquire(&mutex->lock);

    if (mutex->owner != thread_current())
        refuse(mutex, "unlocked", site);
    give_up(mutex);
    spinlock_release(&mutex->lock, state);
}

bool mutex_owned(struct mutex *mutex)
{
    return mutex_owner(mutex) == thread_current();
}

/* ---- conditions ---- */

void condition_init(struct condition *condition, struct mutex *mutex)
{
    condition->mutex = mutex;
    wait_init(&condition->waiters);
}

static int wait_for(struct condition *condition, uint64_t deadline, bool cancellable,
                    const struct lock_site *site)
{
    struct mutex *mutex = condition->mutex;
    hal_irq_state_t state;
    int error;

    spinlock_check_sleep(NULL, site);
    state = spinlock_acquire(&mutex->lock);
    if (mutex->owner != thread_current())
        refuse(mutex, "waited under", site);
    give_up(mutex);
    error = wait_sleep_at(&condition->waiters, &mutex->lock, deadline, cancellable, site);
    /* As mutex_lock; the order of locks was checked when it was first taken. */
    (void)take(mutex, HAL_TIME_NEVER, site);
    spinlock_release(&mutex->lock, state);
    return error;
}

void condition_wait_at(struct condition *condition, const struct lock_site *site)
{
    (void)wait_for(condition, HAL_TIME_NEVER, false, site);
}

int condition_wait_until_at(struct condition *condition, uint64_t deadline,
                            const struct lock_site *site)
{
    return wait_for(condition, deadline, true, site);
}

void condition_signal(struct condition *condition)
{
    hal_irq_state_t state = spinlock_acquire(&condition->mutex->lock);

    (void)wait_wake_one(&condition->waiters);
    spinlock_release(&condition->mutex->lock, state);
}

void condition_broadcast(struct condition *condition)
{
    hal_irq_state_t state = spinlock_acquire(&condition->mutex->lock);

    wait_wake_all(&condition->waiters);
    spinlock_release(&condition->mutex->lock, state);
}
