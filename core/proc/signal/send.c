/* SPDX-License-Identifier: MIT */
/*
 * send.c: sending signals.
 *
 * A signal for a process waits with the process, and one of its threads that do not block it is
 * told; it is taken by whichever comes first. What ends the process ends it here.
 */
#include "proc/signal/signals.h"

#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/user.h>

#define INIT_PID 1u

enum signal_effect signal_default_effect(unsigned signal)
{
    switch (signal) {
    case SIGNAL_CHLD:
    case SIGNAL_CONT:
    case SIGNAL_URG:
    case SIGNAL_WINCH:
        return SIGNAL_DOES_NOTHING;
    case SIGNAL_STOP:
    case SIGNAL_TSTP:
    case SIGNAL_TTIN:
    case SIGNAL_TTOU:
        return SIGNAL_STOPS;
    default:
        return SIGNAL_ENDS;
    }
}

bool signal_is_ignored(const struct process *process, unsigned signal)
{
    uintptr_t handler = process->signals.actions[signal].handler;

    if (handler != SIGNAL_DEFAULT)
        return handler == SIGNAL_IGNORE;
    return process->pid == INIT_PID || signal_default_effect(signal) == SIGNAL_DOES_NOTHING;
}

static bool is_blocked(const struct user_thread *thread, unsigned signal)
{
    return __atomic_load_n(&thread->signals.blocked, __ATOMIC_SEQ_CST) & signal_bit(signal);
}

bool signal_reaches(unsigned signal)
{
    struct user_thread *self = user_thread_current();
    bool reaches;

    process_lock();
    reaches = !is_blocked(self, signal) && !signal_is_ignored(self->process, signal);
    process_unlock();
    return reaches;
}

/* ---- whom it is for ---- */

void signal_alert(struct user_thread *thread)
{
    __atomic_store_n(&thread->signals.attention, true, __ATOMIC_SEQ_CST);
    if (thread == user_thread_current())
        return;
    hal_user_poke(&thread->user);
    if (thread->kernel_thread != 0)
        (void)!thread_cancel(thread->kernel_thread);
}

/* The thread that is told: one that would take it, or NULL. `only`: that one or none. */
static struct user_thread *find_taker(struct process *process, struct user_thread *only,
                                      unsigned signal)
{
    struct user_thread *waiter = NULL;

    list_for_each (link, &process->threads) {
        struct user_thread *thread = list_entry(link, struct user_thread, link);

        if ((only && thread != only) || thread->ending)
            continue;
        if (!is_blocked(thread, signal))
            return thread;
        if (!waiter && (thread->signals.awaited & signal_bit(signal)))
            waiter = thread;
    }
    return waiter;
}

/* What it does to all of the process, whoever takes it. */
static void stop_or_continue(struct process *process, unsigned signal)
{
    uint64_t drop = signal_bit(SIGNAL_CONT);

    if (signal == SIGNAL_CONT)
        drop = SIGNAL_STOPPERS;
    else if (!(SIGNAL_STOPPERS & signal_bit(signal)))
        return;
    signal_pending_drop(&process->signals.pending, process, drop);
    list_for_each (link, &process->threads) {
        struct user_thread *thread = list_entry(link, struct user_thread, link);

        signal_pending_drop(&thread->signals.pending, process, drop);
    }
    if (signal == SIGNAL_CONT)
        signal_continue(process);
}

/* True if it ends the process, whatever that is doing. To one that is stopped only one signal does
 * so; others wait until it goes on. */
static bool is_deadly(const struct process *process, const struct user_thread *taker,
                      unsigned signal)
{
    if (signal == SIGNAL_KILL)
        return process->pid != INIT_PID;
    return taker && !process->signals.stop && !is_blocked(taker, signal) &&
           process->signals.actions[signal].handler == SIGNAL_DEFAULT &&
           signal_default_effect(signal) == SIGNAL_ENDS;
}

/* As signal_queue; but 1: it waits, and what it says of itself with it. */
static int queue(struct process *process, struct user_thread *thread, unsigned signal,
                 const struct signal_info *info)
{
    struct signal_pending *pending = thread ? &thread->signals.pending : &process->signals.pending;
    const struct signal_info kernel = {.code = SIGNAL_BY_KERNEL};
    struct user_thread *taker;
    bool merges;
    int error;

    if (process->state != PROCESS_ALIVE || process->ended)
        return 0;
    stop_or_continue(process, signal);
    taker = find_taker(process, thread, signal);
    if (taker && !is_blocked(taker, signal) && signal_is_ignored(process, signal))
        return 0;
    if (is_deadly(process, taker, signal)) {
        process_end(process, signal);
        return 0;
    }
    merges = signal <= SIGNAL_PLAIN && (signal_pending_set(pending) & signal_bit(signal));
    error = signal_pending_add(pending, process, signal, info ? info : &kernel);
    /* Who unblocks it meanwhile, without the lock, has not seen it yet, or is seen now. */
    if (!taker)
        taker = find_taker(process, thread, signal);
    if (!error && taker)
        signal_alert(taker);
    return error ? error : !merges;
}

int signal_queue(struct process *process, struct user_thread *thread, unsigned signal,
                 const struct signal_info *info)
{
    int result = queue(process, thread, signal, info);

    return result < 0 ? result : 0;
}

bool signal_send_kept(struct process *process, struct user_thread *thread, unsigned signal,
                      const struct signal_info *info)
{
    struct user_thread *taker;
    int result = queue(process, thread, signal, info);

    if (result >= 0)
        return result;
    signal_pending_mark(thread ? &thread->signals.pending : &process->signals.pending, signal);
    taker = find_taker(process, thread, signal);
    if (taker)
        signal_alert(taker);
    return false;
}

void signal_send(struct process *process, unsigned signal, const struct signal_info *info)
{
    (void)signal_send_kept(process, NULL, signal, info);
}

void signal_send_thread(struct user_thread *thread, unsigned signal, const struct signal_info *info)
{
    (void)signal_send_kept(thread->process, thread, signal, info);
}

bool signal_send_group(uint32_t group, unsigned signal, const struct signal_info *info)
{
    struct process *process = process_from(0);
    bool any = false;

    for (; process; process = process_from(process->pid + 1)) {
        if (process->group != group)
            continue;
        any = true;
        signal_send(process, signal, info);
    }
    return any;
}

/* ---- traps ---- */

bool signal_fault(unsigned signal, const struct signal_info *info)
{
    struct user_thread *self = user_thread_current();
    struct process *process = self->process;
    struct signal_action *action = &process->signals.actions[signal];
    bool ends;

    process_lock();
    ends = is_blocked(self, signal) || action->handler <= SIGNAL_IGNORE;
    if (ends) {
        process_end(process, signal);
    } else {
        signal_pending_drop(&self->signals.pending, process, signal_bit(signal));
        (void)!signal_pending_add(&self->signals.pending, process, signal, info);
        signal_alert(self);
    }
    process_unlock();
    return ends;
}
