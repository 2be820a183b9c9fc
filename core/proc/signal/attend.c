/* SPDX-License-Identifier: MIT */
/*
 * attend.c: what a thread does about its signals before user code goes on.
 *
 * For each signal that is not blocked and has a handler, a frame is put on the user stack (frame.h)
 * in which everything is kept that the thread had, mask and registers; user code then goes on at
 * the handler. Several signals make several frames, so the handler of the last one runs first.
 *
 * A call that was cut short is settled at the first of these frames, or, if no handler runs, at the
 * end, when it is made again as if nothing had been:
 *
 *     restart          a handler runs                 none does
 *     SYS_RESTART      again with SA_RESTART, EINTR   again
 *     SYS_RESTART_QUIET  EINTR                        again
 *     SYS_RESTART_TIMED  EINTR                        again, until the time that it had at first
 *     SYS_RESTART_NOT    EINTR                        EINTR
 */
#include "proc/signal/signals.h"

#include "abi/frame.h"
#include "lib/log.h"
#include "proc/timers/timers.h"
#include "sys/call.h"
#include "sys/trace/trace.h"
#include "thread/thread.h"

#include <hal/errno.h>

/* ---- calls that were cut short ---- */

static bool is_made_again(const struct signal_call *call, const struct signal_action *action)
{
    if (call->restart == SYS_RESTART_NOT)
        return false;
    return !action || (call->restart == SYS_RESTART && (action->flags & SIGNAL_RESTARTS));
}

/* `action` NULL: no handler runs. */
static void settle_call(struct user_thread *self, const struct signal_action *action)
{
    struct signal_call *call = &self->signals.call;

    if (call->interrupted && is_made_again(call, action)) {
        call->after = hal_user_pc(&self->user);
        call->repeated = call->restart == SYS_RESTART_TIMED;
        hal_user_repeat_call(&self->user, call->number);
    } else if (action && call->repeated) {
        /* It was going to be made again, and a handler comes before that. */
        hal_user_set_pc(&self->user, call->after);
        hal_user_set_result(&self->user, -EINTR);
        call->repeated = false;
    }
    call->interrupted = false;
}

/* ---- handlers ---- */

/* The mask at the beginning of a handler. Caller holds process_lock. */
static void mask_for_handler(struct user_thread *self, unsigned signal,
                             const struct signal_action *action)
{
    uint64_t mask = self->signals.blocked | action->mask;

    if (!(action->flags & SIGNAL_NOT_MASKED))
        mask |= signal_bit(signal);
    __atomic_store_n(&self->signals.blocked, mask & ~SIGNAL_UNBLOCKABLE, __ATOMIC_SEQ_CST);
    self->signals.restores = false;
    if (signal_pending_set(&self->process->signals.pending) & mask)
        signal_pass_on(self->process, mask);
}

/* There was no room for a frame: SIGSEGV, or the end. Caller holds process_lock. */
static void fail(struct user_thread *self, unsigned signal)
{
    const struct signal_info info = {.code = SIGNAL_BY_KERNEL};
    struct process *process = self->process;
    uint64_t bit = signal_bit(SIGNAL_SEGV);

    klog(KLOG_INFO, "process %u (%s): no room for the handler of signal %u at %#lx", process->pid,
         process->name, signal, (unsigned long)hal_user_sp(&self->user));
    if (signal == SIGNAL_SEGV || (self->signals.blocked & bit) ||
        process->signals.actions[SIGNAL_SEGV].handler <= SIGNAL_IGNORE) {
        process_end(process, SIGNAL_SEGV);
    } else {
        signal_pending_drop(&self->signals.pending, process, bit);
        (void)!signal_pending_add(&self->signals.pending, process, SIGNAL_SEGV, &info);
    }
}

/* Prepares the handler. Caller holds process_lock, which is given away for a while. */
static void handle(struct user_thread *self, unsigned signal, const struct signal_info *info)
{
    struct signal_action *own = &self->process->signals.actions[signal], action = *own;
    uint64_t saved = self->signals.restores ? self->signals.saved : self->signals.blocked;
    int error;

    if (action.flags & SIGNAL_ONCE)
        own->handler = SIGNAL_DEFAULT;
    process_unlock();
    trace_signal(self, signal);
    settle_call(self, &action);
    error = abi_frame_push(self, signal, info, &action, saved);
    process_lock();
    if (error)
        fail(self, signal);
    else
        mask_for_handler(self, signal, &action);
}

/* Does what the signal is for. Caller as above. */
static void act(struct user_thread *self, unsigned signal, const struct signal_info *info)
{
    struct process *process = self->process;

    if (process->signals.actions[signal].handler > SIGNAL_IGNORE)
        handle(self, signal, info);
    else if (signal_is_ignored(process, signal))
        return;
    else if (signal_default_effect(signal) == SIGNAL_STOPS)
        signal_stop(self, signal);
    else
        process_end(process, signal);
}

/* Takes one of `set` that waits: its number, or 0. Caller holds process_lock. */
static unsigned take(struct user_thread *self, uint64_t set, struct signal_info *info)
{
    struct process *process = self->process;
    unsigned signal = signal_pending_take(&self->signals.pending, process, set, info);

    if (signal == 0)
        signal = signal_pending_take(&process->signals.pending, process, set, info);
    if (signal == SIGNAL_ALRM)
        signal_timer_go_on(process);
    if (signal != 0 && info->code == SIGNAL_BY_TIMER)
        user_timer_taken(process, info);
    return signal;
}

unsigned signal_take(uint64_t set, struct signal_info *info)
{
    unsigned signal;

    process_lock();
    signal = take(user_thread_current(), set, info);
    process_unlock();
    return signal;
}

/* The mask that a call had for itself is over. Caller holds process_lock. */
static void restore_mask(struct user_thread *self)
{
    if (!self->signals.restores)
        return;
    self->signals.restores = false;
    __atomic_store_n(&self->signals.blocked, self->signals.saved, __ATOMIC_SEQ_CST);
    if (signal_pending_set(&self->process->signals.pending) & self->signals.saved)
        signal_pass_on(self->process, self->signals.saved);
}

void signal_attend(struct user_thread *self)
{
    struct signal_info info;
    unsigned signal;

    process_lock();
    if (!self->ending)
        thread_uncancel();
    __atomic_store_n(&self->signals.attention, false, __ATOMIC_SEQ_CST);
    if (!self->signals.call.interrupted)
        restore_mask(self);
    while (!self->ending) {
        if (self->process->signals.stop) {
            signal_stay_stopped(self);
            continue;
        }
        signal = take(self, ~self->signals.blocked, &info);
        if (signal != 0) {
            act(self, signal, &info);
        } else if (self->signals.restores) {
            settle_call(self, NULL);
            restore_mask(self);
        } else {
            break;
        }
    }
    settle_call(self, NULL);
    process_unlock();
}

void signal_set_mask_for_call(uint64_t mask)
{
    struct user_thread *self = user_thread_current();

    if (!self->signals.restores)
        self->signals.saved = self->signals.blocked;
    self->signals.restores = true;
    signal_set_mask(mask);
    signal_alert(self);
    if (signal_pending_of(self) & ~self->signals.blocked)
        (void)!thread_cancel(thread_current()->id);
}
