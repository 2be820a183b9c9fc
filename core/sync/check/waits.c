/* SPDX-License-Identifier: MIT */
/*
 * waits.c: see waits.h.
 *
 * One lock guards all waits. A thread begins to wait, is granted and goes on under it, so whoever
 * holds it sees chains that were all there at one moment, and the threads in them do not go away.
 */
#include "sync/check/waits.h"

#include "boot/cmdline.h"
#include "boot/panic.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/trace.h"
#include "sync/check/held.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"
#include "thread/thread.h"

#include <hal/kstate.h>
#include <hal/time.h>

#define STEPS_MAX 64u /* threads that a search for a circle looks at; it sees no circle beyond */
#define CHAIN_MAX 16u /* owners along a chain that are told to the scheduler */

/* A thread that the search has reached. */
struct step {
    const struct thread *thread;
    const struct lock_hold *hold; /* why the one before waits for it; NULL: for its end */
    unsigned from;                /* the number of the step before */
};

static KSTATE struct chain {
    struct spinlock lock; /* guards all */
    struct list waits;    /* in the order of their beginnings */
    unsigned count;
    const struct waits_hooks *hooks;
    struct step steps[STEPS_MAX];
    unsigned step_count;
} chain;

/* What the boot word says, or `otherwise`. */
static bool read_checks(bool otherwise)
{
    char text[8];

    if (!cmdline_value("lockchecks", text, sizeof text))
        return otherwise;
    if (string_equal(text, "0") || string_equal(text, "1"))
        return text[0] == '1';
    klog(KLOG_WARNING, "boot: lockchecks=%s is not 0 or 1", text);
    return otherwise;
}

void waits_start(bool checks)
{
    spinlock_init(&chain.lock, LOCK_RANK_CHAIN);
    list_init(&chain.waits);
    lock_checks_start(read_checks(checks));
}

const struct waits_hooks *waits_set_hooks(const struct waits_hooks *hooks)
{
    hal_irq_state_t state = spinlock_acquire(&chain.lock);
    const struct waits_hooks *before = chain.hooks;

    __atomic_store_n(&chain.hooks, hooks, __ATOMIC_RELAXED);
    spinlock_release(&chain.lock, state);
    return before;
}

/* Also without the lock: who is not told of hooks that come just now has no loans yet. */
static const struct waits_hooks *hooks_now(void)
{
    return __atomic_load_n(&chain.hooks, __ATOMIC_RELAXED);
}

/* ---- the search ---- */

/* True if a writer that does not give up waits for the rwlock before `wait` does. */
static bool writer_is_ahead(const struct lock_wait *wait)
{
    for (const struct list *link = wait->link.prev; link != &chain.waits; link = link->prev) {
        const struct lock_wait *other = list_entry(link, const struct lock_wait, link);

        if (other->object == wait->object && other->what == WAIT_FOR_WRITE && !other->timed &&
            !other->over)
            return true;
    }
    return false;
}

/* Adds a step unless the thread was reached before. True if it closes the circle. */
static bool reach(const struct thread *thread, const struct lock_hold *hold, unsigned from)
{
    for (unsigned i = 1; i < chain.step_count; i++)
        if (chain.steps[i].thread == thread)
            return false;
    if (chain.step_count == STEPS_MAX)
        return false;
    chain.steps[chain.step_count++] = (struct step){thread, hold, from};
    return thread == chain.steps[0].thread;
}

/* Reaches all that the thread of step `at` waits for. True if that closes the circle. */
static bool expand(unsigned at)
{
    const struct lock_wait *wait = chain.steps[at].thread->wait;
    const struct lock_hold *hold = NULL;

    if (!wait || wait->timed || wait->over)
        return false;
    if (wait->what == WAIT_FOR_END)
        return reach(wait->object, NULL, at);
    while ((hold = held_next(wait->object, hold))) {
        /* Readers do not keep a reader out, but a writer that waits for them does. */
        if (wait->what == WAIT_FOR_READ && hold->shared && !writer_is_ahead(wait))
            continue;
        if (reach(hold->thread, hold, at))
            return true;
    }
    return false;
}

static void say_step(const struct step *step)
{
    const struct thread *waiter = chain.steps[step->from].thread;
    const struct lock_wait *wait = waiter->wait;
    char name[96], where[64];

    lock_site_text(wait->site, where, sizeof where);
    if (!step->hold) {
        klog(KLOG_ERROR, "  thread %u (%s) waits at %s for the end of thread %u (%s)", waiter->id,
             waiter->name, where, step->thread->id, step->thread->name);
        return;
    }
    lock_class_text(wait->class, name, sizeof name);
    klog(KLOG_ERROR, "  thread %u (%s) waits at %s for %s", waiter->id, waiter->name, where, name);
    lock_site_text(step->hold->site, where, sizeof where);
    klog(KLOG_ERROR, "    which thread %u (%s) holds since %s", step->thread->id,
         step->thread->name, where);
}

/* The last step is the thread of the first one again. */
HAL_NORETURN static void report(void)
{
    char text[160];
    unsigned members = 0;
    size_t used = 0;

    klog(KLOG_ERROR, "locks: deadlock: these threads wait for each other, and none will ever run:");
    for (unsigned at = chain.step_count - 1; at; at = chain.steps[at].from, members++) {
        say_step(&chain.steps[at]);
        used += format_text(text + used, sizeof text - used, "%s%u (%s)", members ? ", " : "",
                            chain.steps[at].thread->id, chain.steps[at].thread->name);
        if (used >= sizeof text)
            used = sizeof text - 1;
    }
    panic("deadlock of %u thread%s: %s; the lines above say what each waits for", members,
          members == 1 ? "" : "s", text);
}

/* Caller holds the lock. */
static void search(const struct lock_wait *wait)
{
    bool closed = false;

    chain.steps[0] = (struct step){.thread = wait->thread};
    chain.step_count = 1;
    held_lock();
    for (unsigned at = 0; at < chain.step_count && !closed; at++)
        closed = expand(at);
    held_unlock();
    if (closed)
        report();
}

/* ---- waits ---- */

_Static_assert((int)WAIT_FOR_MUTEX == (int)HAL_TRACE_WAIT_MUTEX &&
                   (int)WAIT_FOR_READ == (int)HAL_TRACE_WAIT_READ &&
                   (int)WAIT_FOR_WRITE == (int)HAL_TRACE_WAIT_WRITE &&
                   (int)WAIT_FOR_END == (int)HAL_TRACE_WAIT_THREAD,
               "waits have the same numbers in traces");

/* Caller has interrupts masked. */
static void trace_wait(enum hal_trace_kind kind, const struct lock_wait *wait, uint64_t now)
{
    const struct lock_class *class = lock_class_at(wait->class);
    const struct thread *end = wait->object;
    const char *name = wait->what == WAIT_FOR_END ? end->name : class ? class->name : "unnamed";

    ktrace_named(kind, now, name[0] == '&' ? name + 1 : name, wait->class, wait->what);
}

uint64_t waits_begin(struct lock_wait *wait)
{
    hal_irq_state_t state = spinlock_acquire(&chain.lock);
    uint64_t now = hal_time_now();

    trace_wait(HAL_TRACE_WAIT, wait, now);
    wait->thread = thread_current();
    wait->over = false;
    wait->thread->wait = wait;
    list_add_tail(&chain.waits, &wait->link);
    __atomic_fetch_add(&chain.count, 1, __ATOMIC_RELAXED);
    if (lock_checked() && !wait->timed)
        search(wait);
    spinlock_release(&chain.lock, state);
    return now;
}

void waits_grant(struct lock_wait *wait)
{
    hal_irq_state_t state;

    if (!lock_checked())
        return; /* nobody follows chains through what is no mutex */
    state = spinlock_acquire(&chain.lock);
    wait->over = true;
    spinlock_release(&chain.lock, state);
}

void waits_end(struct lock_wait *wait, uint64_t now)
{
    hal_irq_state_t state = spinlock_acquire(&chain.lock);

    trace_wait(HAL_TRACE_GOT, wait, now);
    wait->thread->wait = NULL;
    list_remove(&wait->link);
    __atomic_fetch_sub(&chain.count, 1, __ATOMIC_RELAXED);
    spinlock_release(&chain.lock, state);
}

bool waits_at(unsigned index, struct lock_wait *wait, uint32_t *thread)
{
    hal_irq_state_t state = spinlock_acquire(&chain.lock);
    const struct list *link = chain.waits.next;
    bool found;

    while (index-- > 0 && link != &chain.waits)
        link = link->next;
    found = link != &chain.waits;
    if (found) {
        *wait = *list_entry(link, const struct lock_wait, link);
        *thread = wait->thread->id;
    }
    spinlock_release(&chain.lock, state);
    return found;
}

unsigned waits_count(void)
{
    return __atomic_load_n(&chain.count, __ATOMIC_RELAXED);
}

/* ---- the scheduler's part ---- */

/* Whom `thread` waits for, if for a mutex; or NULL. Caller holds the lock. */
static struct thread *next_owner(const struct thread *thread)
{
    const struct lock_wait *wait = thread->wait;
    struct thread *owner;

    if (!wait || wait->over || wait->what != WAIT_FOR_MUTEX)
        return NULL;
    owner = mutex_owner(wait->object);
    return owner == thread ? NULL : owner;
}

bool waits_has_hooks(void)
{
    return hooks_now() != NULL;
}

/* Has what is lent to `owner`, and to those it waits for, counted anew. Caller holds the lock. */
static void count_chain(struct thread *owner)
{
    const struct waits_hooks *hooks = hooks_now();

    for (unsigned i = 0; hooks && owner && i < CHAIN_MAX; i++) {
        hooks->counts(owner);
        owner = next_owner(owner);
    }
}

void waits_lend(struct lock_wait *wait, struct thread *owner)
{
    hal_irq_state_t state;

    if (!hooks_now())
        return;
    state = spinlock_acquire(&chain.lock);
    for (unsigned i = 0; hooks_now() && owner && i < CHAIN_MAX; i++) {
        hooks_now()->waits(owner, wait->thread);
        owner = next_owner(owner);
    }
    spinlock_release(&chain.lock, state);
}

/*
 * Takes the lock even if nobody wants to know: `owner` may be just what somebody found who follows
 * a chain, and must not go on, and maybe end, before that is over.
 */
void waits_pass(struct thread *owner, struct thread *next)
{
    hal_irq_state_t state = spinlock_acquire(&chain.lock);

    if (next)
        next->wait->over = true;
    count_chain(owner);
    count_chain(next);
    spinlock_release(&chain.lock, state);
}

void waits_return(struct thread *owner)
{
    hal_irq_state_t state;

    if (!hooks_now())
        return;
    state = spinlock_acquire(&chain.lock);
    count_chain(owner);
    spinlock_release(&chain.lock, state);
}

void waits_recount(struct thread *waiter)
{
    hal_irq_state_t state = spinlock_acquire(&chain.lock);

    count_chain(next_owner(waiter));
    spinlock_release(&chain.lock, state);
}

void waits_each(const struct thread *owner, void (*visit)(struct thread *waiter, void *context),
                void *context)
{
    list_for_each (link, &chain.waits) {
        const struct lock_wait *wait = list_entry(link, const struct lock_wait, link);

        if (wait->what == WAIT_FOR_MUTEX && !wait->over && wait->thread != owner &&
            mutex_owner(wait->object) == owner)
            visit(wait->thread, context);
    }
}
