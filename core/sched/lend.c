/* SPDX-License-Identifier: MIT */
/*
 * lend.c: see lend.h. The chains are those of sync/check/waits.h, which calls this.
 *
 * Invariant, whenever the lock of the chains is free: what is lent to a thread is the best of what
 * counts for those who wait for its mutexes. When somebody joins the waiters, this can only become
 * better, along the chain, and is cheap; when somebody leaves, it is counted anew from all waits.
 */
#include "sched/lend.h"

#include "sync/check/waits.h"
#include "thread/thread.h"

struct loan {
    unsigned priority;
    int nice;
};

/* Makes `loan` at least as good as what counts for `waiter`, which does not change meanwhile: it
 * changes under the lock of the chains, or is counted anew after that. */
static void improve(struct loan *loan, const struct thread *waiter)
{
    unsigned priority = __atomic_load_n(&waiter->entity.priority, __ATOMIC_RELAXED);
    int nice = __atomic_load_n(&waiter->entity.nice, __ATOMIC_RELAXED);

    if (priority < loan->priority)
        loan->priority = priority;
    if (nice < loan->nice)
        loan->nice = nice;
}

static void lend_waits(struct thread *owner, struct thread *waiter)
{
    struct loan loan = {owner->lent_priority, owner->lent_nice};

    improve(&loan, waiter);
    thread_lend(owner, loan.priority, loan.nice);
}

static void visit(struct thread *waiter, void *context)
{
    improve(context, waiter);
}

static void lend_counts(struct thread *owner)
{
    struct loan loan = {SCHED_LEVELS, SCHED_NICE_NONE};

    waits_each(owner, visit, &loan);
    thread_lend(owner, loan.priority, loan.nice);
}

static const struct waits_hooks lend_hooks = {lend_waits, lend_counts};

void lend_recount(struct thread *thread)
{
    if (!waits_has_hooks())
        (void)waits_set_hooks(&lend_hooks);
    waits_recount(thread);
}
