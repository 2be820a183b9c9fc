/* SPDX-License-Identifier: MIT */
/*
 * held.c: see held.h. Records hang on their thread, and in a hash table by the address of the lock.
 */
#include "sync/check/held.h"

#include "boot/panic.h"
#include "sync/check/order.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/time.h>

#define BUCKETS 64u

static KSTATE struct held {
    struct raw_lock lock; /* guards all of it, and the lists of the threads */
    unsigned used;        /* records that were used at least once */
    unsigned count;       /* records in use */
    uint64_t lost;
    struct lock_hold *free;
    struct lock_hold *buckets[BUCKETS];
    struct lock_hold records[HELD_MAX];
} held;

void held_lock(void)
{
    raw_lock_acquire(&held.lock);
}

void held_unlock(void)
{
    raw_lock_release(&held.lock);
}

/* Locks lie some words apart, in objects of all sizes. */
static struct lock_hold **bucket_of(const void *lock)
{
    uintptr_t at = (uintptr_t)lock >> 3;

    return &held.buckets[(at ^ at >> 6 ^ at >> 12) % BUCKETS];
}

static struct lock_hold *find_own(const void *lock)
{
    struct lock_hold *hold = thread_current()->holds;

    while (hold && hold->lock != lock)
        hold = hold->next_of_thread;
    return hold;
}

void held_check(const void *lock, unsigned class, bool nested, const struct lock_site *site)
{
    const struct lock_hold *hold = find_own(lock);
    char name[96], where[64];

    if (hold) {
        lock_class_text(class, name, sizeof name);
        lock_site_text(hold->site, where, sizeof where);
        panic_at(site->file, (int)site->line,
                 "%s is taken again by the thread that holds it since %s", name, where);
    }
    /* Only the thread itself changes its list. */
    for (hold = thread_current()->holds; hold; hold = hold->next_of_thread)
        if (!nested || hold->class != class)
            order_check(hold->class, hold->site, class, site,
                        (uintptr_t)hold->lock < (uintptr_t)lock);
}

static struct lock_hold *take_record(void)
{
    struct lock_hold *hold = held.free;

    if (hold)
        held.free = hold->next_of_lock;
    else if (held.used < HELD_MAX)
        hold = &held.records[held.used++];
    else
        __atomic_fetch_add(&held.lost, 1, __ATOMIC_RELAXED);
    if (hold)
        __atomic_fetch_add(&held.count, 1, __ATOMIC_RELAXED);
    return hold;
}

void held_add(const void *lock, unsigned class, bool shared, const struct lock_site *site)
{
    uint64_t now = lock_timed() ? hal_time_now() : 0;
    struct lock_hold **bucket = bucket_of(lock), *hold;
    struct thread *self = thread_current();

    lock_class_took(class);
    held_lock();
    hold = take_record();
    if (hold) {
        *hold = (struct lock_hold){.lock = lock,
                                   .thread = self,
                                   .site = site,
                                   .since = now,
                                   .class = (uint16_t) class,
                                   .shared = shared,
                                   .next_of_thread = self->holds,
                                   .next_of_lock = *bucket};
        self->holds = hold;
        *bucket = hold;
    }
    held_unlock();
}

/* Takes `hold` off both lists. Caller holds the lock. */
static void unlink(struct lock_hold *hold)
{
    struct lock_hold **link = &hold->thread->holds;

    while (*link != hold)
        link = &(*link)->next_of_thread;
    *link = hold->next_of_thread;
    link = bucket_of(hold->lock);
    while (*link != hold)
        link = &(*link)->next_of_lock;
    *link = hold->next_of_lock;
}

void held_remove(const void *lock)
{
    struct lock_hold *hold = find_own(lock);

    if (!hold)
        return;
    if (lock_timed() && hold->since)
        lock_class_held_for(hold->class, hal_time_now() - hold->since, hold->site);
    held_lock();
    unlink(hold);
    hold->lock = NULL;
    hold->next_of_lock = held.free;
    held.free = hold;
    __atomic_fetch_sub(&held.count, 1, __ATOMIC_RELAXED);
    held_unlock();
}

bool held_by_caller(const void *lock)
{
    return find_own(lock) || held_lost();
}

void held_check_end(void)
{
    const struct thread *self = thread_current();
    const struct lock_hold *hold = self->holds;
    char name[96], where[64];

    if (!hold)
        return;
    lock_class_text(hold->class, name, sizeof name);
    lock_site_text(hold->site, where, sizeof where);
    panic("thread %u (%s) ends while it holds %s, taken at %s", self->id, self->name, name, where);
}

bool held_at(unsigned index, struct lock_hold *hold, uint32_t *thread)
{
    hal_irq_state_t state = hal_irq_save();
    bool used;

    held_lock();
    *hold = held.records[index];
    used = hold->lock != NULL;
    *thread = used ? hold->thread->id : 0;
    held_unlock();
    hal_irq_restore(state);
    return used;
}

uint64_t held_lost(void)
{
    return __atomic_load_n(&held.lost, __ATOMIC_RELAXED);
}

unsigned held_count(void)
{
    return __atomic_load_n(&held.count, __ATOMIC_RELAXED);
}

const struct lock_hold *held_next(const void *lock, const struct lock_hold *hold)
{
    hold = hold ? hold->next_of_lock : *bucket_of(lock);
    while (hold && hold->lock != lock)
        hold = hold->next_of_lock;
    return hold;
}
