/* SPDX-License-Identifier: MIT */
/*
 * class.c: the table of lock classes, and their words.
 */
#include "sync/check/class.h"

#include "site/site.h"
#include "lib/format.h"

#include <hal/cpu.h>

#define NO_ROOM UINT16_MAX /* in lock_class_state.number while the table is full */

KSTATE bool lock_checks_on, lock_timing_on;

static KSTATE struct classes {
    struct raw_lock lock;                       /* guards giving out numbers */
    unsigned count;                             /* numbers given out; atomic */
    const struct lock_class *all[LOCK_CLASSES]; /* all[0] stays NULL */
} classes;

void lock_checks_start(bool on)
{
    lock_checks_on = on;
}

void lock_timing(bool on)
{
    __atomic_store_n(&lock_timing_on, on && lock_checks_on, __ATOMIC_RELAXED);
}

void raw_lock_acquire(struct raw_lock *lock)
{
    while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
        hal_cpu_relax();
}

void raw_lock_release(struct raw_lock *lock)
{
    __atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

static uint16_t give_number(const struct lock_class *class)
{
    hal_irq_state_t state = hal_irq_save();
    uint16_t number;

    raw_lock_acquire(&classes.lock);
    number = class->state->number; /* another CPU may have been faster */
    if (!number && classes.count + 1 < LOCK_CLASSES) {
        number = (uint16_t)(classes.count + 1);
        classes.all[number] = class;
        __atomic_store_n(&classes.count, number, __ATOMIC_RELEASE);
        __atomic_store_n(&class->state->number, number, __ATOMIC_RELEASE);
    } else if (!number) {
        __atomic_store_n(&class->state->number, NO_ROOM, __ATOMIC_RELEASE);
    }
    raw_lock_release(&classes.lock);
    hal_irq_restore(state);
    return number;
}

uint16_t lock_class_number(const struct lock_class *class)
{
    uint16_t number = __atomic_load_n(&class->state->number, __ATOMIC_ACQUIRE);

    if (!number)
        number = give_number(class);
    return number == NO_ROOM ? 0 : number;
}

const struct lock_class *lock_class_at(unsigned number)
{
    return number <= __atomic_load_n(&classes.count, __ATOMIC_ACQUIRE) ? classes.all[number] : NULL;
}

const char *lock_class_name(const struct lock_class *class)
{
    if (!class)
        return "unnamed";
    return class->name[0] == '&' ? class->name + 1 : class->name;
}

const char *lock_class_kind(const struct lock_class *class)
{
    static const char *const kinds[] = {"spinlock", "mutex", "rwlock"};

    return class ? kinds[class->kind] : "lock";
}

void lock_site_text(const struct lock_site *site, char *text, size_t size)
{
    if (site)
        format_text(text, size, "%s:%u", alloc_file(site->file), site->line);
    else
        format_text(text, size, "?");
}

void lock_class_text(unsigned number, char *text, size_t size)
{
    const struct lock_class *class = lock_class_at(number);
    char site[64];

    lock_site_text(class ? &class->site : NULL, site, sizeof site);
    format_text(text, size, "%s %s (%s)", lock_class_kind(class), lock_class_name(class), site);
}

void lock_class_took(unsigned number)
{
    const struct lock_class *class = lock_class_at(number);

    if (class)
        __atomic_fetch_add(&class->state->taken, 1, __ATOMIC_RELAXED);
}

void lock_class_contended(unsigned number)
{
    const struct lock_class *class = lock_class_at(number);

    if (class)
        __atomic_fetch_add(&class->state->contended, 1, __ATOMIC_RELAXED);
}

void lock_class_held_for(unsigned number, uint64_t ns, const struct lock_site *site)
{
    const struct lock_class *class = lock_class_at(number);

    if (class && ns > __atomic_load_n(&class->state->longest_ns, __ATOMIC_RELAXED)) {
        __atomic_store_n(&class->state->longest_ns, ns, __ATOMIC_RELAXED);
        __atomic_store_n(&class->state->longest, site, __ATOMIC_RELAXED);
    }
}
