/* SPDX-License-Identifier: MIT */
/*
 * signals.c: what a process wants done with signals, which of them it blocks, and waiting for them.
 * Sending is kill.c's.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "abi/frame.h"
#include "proc/process.h"
#include "proc/signal/signals.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/time.h>

#define SET_BYTES 8u

enum { BLOCK, UNBLOCK, SET };

/* What is ignored from now on does not wait any more, either. */
static void forget_ignored(struct process *process, unsigned signal)
{
    if (!signal_is_ignored(process, signal))
        return;
    signal_pending_drop(&process->signals.pending, process, signal_bit(signal));
    list_for_each (link, &process->threads) {
        struct user_thread *thread = list_entry(link, struct user_thread, link);

        signal_pending_drop(&thread->signals.pending, process, signal_bit(signal));
    }
}

/* Exchanges the action of `signal`; `new` NULL: only reads. */
static void exchange(unsigned signal, const struct signal_action *new, struct signal_action *old)
{
    struct process *process = process_current();
    struct signal_action *action = &process->signals.actions[signal];

    process_lock();
    *old = *action;
    if (new) {
        *action = *new;
        action->mask &= ~SIGNAL_UNBLOCKABLE;
        action->flags &= SIGNAL_ACTION_FLAGS;
        forget_ignored(process, signal);
    }
    process_unlock();
}

int64_t sys_rt_sigaction(const struct sys_args *args)
{
    uint32_t signal = (uint32_t)args->value[0];
    struct signal_action new, old;
    int error = 0;

    if (args->value[3] != SET_BYTES)
        return -EINVAL;
    if (args->value[1])
        error = user_copy_in(&new, args->value[1], sizeof(new));
    if (error)
        return error;
    if (signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    if (args->value[1] && (signal == SIGNAL_KILL || signal == SIGNAL_STOP))
        return -EINVAL;
    exchange(signal, NULL, &old);
    error = user_copy_out_optional(args->value[2], &old, sizeof(old));
    if (!error && args->value[1])
        exchange(signal, &new, &old);
    return error;
}

int64_t sys_rt_sigprocmask(const struct sys_args *args)
{
    uint64_t old = user_thread_current()->signals.blocked, set = 0;
    uint32_t how = (uint32_t)args->value[0];
    int error = 0;

    if (args->value[3] != SET_BYTES)
        return -EINVAL;
    if (args->value[1])
        error = user_copy_in(&set, args->value[1], sizeof(set));
    if (!error && args->value[1] && how > SET)
        error = -EINVAL;
    if (!error)
        error = user_copy_out_optional(args->value[2], &old, sizeof(old));
    if (!error && args->value[1])
        signal_set_mask(how == BLOCK ? old | set : how == UNBLOCK ? old & ~set : set);
    return error;
}

int64_t sys_rt_sigpending(const struct sys_args *args)
{
    const struct user_thread *self = user_thread_current();
    uint64_t set = signal_pending_of(self) & self->signals.blocked;

    return args->value[1] > SET_BYTES ? -EINVAL
                                      : user_copy_out(args->value[0], &set, (size_t)args->value[1]);
}

int64_t sys_sigaltstack(const struct sys_args *args)
{
    struct user_thread *self = user_thread_current();
    const struct signal_stack *own = &self->signals.stack;
    uintptr_t sp = hal_user_sp(&self->user);
    struct {
        uint64_t start;
        uint32_t flags, unused;
        uint64_t bytes;
    } new, old = {own->start, signal_stack_state(own, sp) | (own->flags & SIGNAL_STACK_DISARMS), 0,
                  own->bytes};
    struct signal_stack stack;
    int error = 0;

    if (args->value[0])
        error = user_copy_in(&new, args->value[0], sizeof(new));
    if (!error)
        error = user_copy_out_optional(args->value[1], &old, sizeof(old));
    if (!error && args->value[0]) {
        stack = (struct signal_stack){(uintptr_t) new.start, new.bytes, new.flags};
        error = signal_set_stack(self, &stack, sp);
    }
    return error;
}

int64_t sys_rt_sigreturn(const struct sys_args *args)
{
    const struct signal_info info = {.code = SIGNAL_BY_KERNEL};
    struct user_thread *self = user_thread_current();
    uint64_t mask;

    (void)args;
    if (abi_frame_pop(self, &mask)) {
        (void)signal_fault(SIGNAL_SEGV, &info);
        return (int64_t)hal_user_result(&self->user);
    }
    signal_set_mask(mask);
    return (int64_t)hal_user_result(&self->user);
}

/* Nothing but a handler, or the end, ends this. */
static int64_t sleep_for_signals(void)
{
    while (thread_sleep_until(HAL_TIME_NEVER) == 0)
        ;
    return -EINTR;
}

int64_t sys_rt_sigsuspend(const struct sys_args *args)
{
    uint64_t mask;
    int error = args->value[1] == SET_BYTES ? 0 : -EINVAL;

    if (!error)
        error = user_copy_in(&mask, args->value[0], sizeof(mask));
    if (error)
        return error;
    signal_set_mask_for_call(mask);
    return sleep_for_signals();
}

int64_t sys_pause(const struct sys_args *args)
{
    (void)args;
    return sleep_for_signals();
}

/* Calls are made again as they were, so programs have no reason to make this one. */
int64_t sys_restart_syscall(const struct sys_args *args)
{
    (void)args;
    return -EINTR;
}

int64_t sys_rt_sigtimedwait(const struct sys_args *args)
{
    uint64_t set, ns, deadline = HAL_TIME_NEVER;
    uint8_t bytes[SIGNAL_INFO_BYTES];
    struct signal_info info;
    int64_t signal;
    int error = args->value[3] == SET_BYTES ? 0 : -EINVAL;

    if (!error)
        error = user_copy_in(&set, args->value[0], sizeof(set));
    if (!error && args->value[2]) {
        error = user_read_time(args->value[2], &ns);
        if (!error)
            deadline = ns ? hal_time_now() + ns : 0;
    }
    if (error)
        return error;
    signal = signal_await(set & ~SIGNAL_UNBLOCKABLE, deadline, &info);
    if (signal > 0)
        signal_put_info(bytes, (unsigned)signal, &info);
    if (signal > 0 && user_copy_out_optional(args->value[1], bytes, sizeof(bytes)))
        return -EFAULT;
    return signal;
}
