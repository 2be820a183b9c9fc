/* SPDX-License-Identifier: MIT */
/*
 * signals.c: what a process wants done with signals, and sending them.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "proc/process.h"

#include <hal/errno.h>

#define SET_BYTES 8u
#define STACK_LEAST 2048u

enum { BLOCK, UNBLOCK, SET };

#define UNBLOCKABLE (1ull << (SIGNAL_KILL - 1) | 1ull << (SIGNAL_STOP - 1))

/* Exchanges the action of `signal`; `new` NULL: only reads. */
static void exchange(unsigned signal, const struct signal_action *new, struct signal_action *old)
{
    struct signal_action *action = &process_current()->actions[signal];

    process_lock();
    *old = *action;
    if (new) {
        *action = *new;
        action->mask &= ~UNBLOCKABLE;
    }
    process_unlock();
}

int64_t sys_rt_sigaction(const struct sys_args *args)
{
    uint32_t signal = (uint32_t)args->value[0];
    struct signal_action new, old;
    int error = 0;

    if (args->value[3] != SET_BYTES || signal < 1 || signal > SIGNAL_COUNT)
        return -EINVAL;
    if (args->value[1] && (signal == SIGNAL_KILL || signal == SIGNAL_STOP))
        return -EINVAL;
    if (args->value[1])
        error = user_copy_in(&new, args->value[1], sizeof(new));
    if (error)
        return error;
    exchange(signal, args->value[1] ? &new : NULL, &old);
    return user_copy_out_optional(args->value[2], &old, sizeof(old));
}

int64_t sys_rt_sigprocmask(const struct sys_args *args)
{
    struct user_thread *self = user_thread_current();
    uint64_t old = self->blocked, set;
    int error = 0;

    if (args->value[3] != SET_BYTES)
        return -EINVAL;
    if (args->value[1]) {
        error = user_copy_in(&set, args->value[1], sizeof(set));
        if (error)
            return error;
        switch ((uint32_t)args->value[0]) {
        case BLOCK:
            self->blocked |= set;
            break;
        case UNBLOCK:
            self->blocked &= ~set;
            break;
        case SET:
            self->blocked = set;
            break;
        default:
            return -EINVAL;
        }
        self->blocked &= ~UNBLOCKABLE;
    }
    return user_copy_out_optional(args->value[2], &old, sizeof(old));
}

/* What is not ignored has its effect at once, or none. */
int64_t sys_rt_sigpending(const struct sys_args *args)
{
    const uint64_t none = 0;

    return args->value[1] > SET_BYTES
               ? -EINVAL
               : user_copy_out(args->value[0], &none, (size_t)args->value[1]);
}

int64_t sys_sigaltstack(const struct sys_args *args)
{
    struct user_thread *self = user_thread_current();
    struct {
        uint64_t start;
        uint32_t flags, unused;
        uint64_t bytes;
    } new, old = {self->signal_stack.start, self->signal_stack.flags, 0, self->signal_stack.bytes};
    int error = 0;

    if (args->value[0])
        error = user_copy_in(&new, args->value[0], sizeof(new));
    if (!error && args->value[0] && (new.flags & ~SIGNAL_STACK_OFF))
        error = -EINVAL;
    if (!error && args->value[0] && !(new.flags &SIGNAL_STACK_OFF) && new.bytes < STACK_LEAST)
        error = -ENOMEM;
    if (!error)
        error = user_copy_out_optional(args->value[1], &old, sizeof(old));
    if (!error && args->value[0])
        self->signal_stack =
            (struct signal_stack){(uintptr_t) new.start, new.bytes, new.flags &SIGNAL_STACK_OFF};
    return error;
}

/* ---- sending ---- */

/* Sends `signal`, 0 for nothing, to those of all processes that `which` and `id` say; not to the
 * first one by PROCESS_ANY, nor to the caller. -ESRCH: there is none. */
static int64_t send(enum process_which which, uint32_t id, uint32_t signal)
{
    struct process *process;
    int64_t result = -ESRCH;

    process_lock();
    for (process = process_from(0); process; process = process_from(process->pid + 1)) {
        if ((which == PROCESS_PID && process->pid != id) ||
            (which == PROCESS_GROUP && process->group != id) ||
            (which == PROCESS_ANY && (process->pid == 1 || process == process_current())))
            continue;
        result = 0;
        if (signal != 0 && process->state == PROCESS_ALIVE)
            (void)process_signal(process, signal);
    }
    process_unlock();
    return result;
}

int64_t sys_kill(const struct sys_args *args)
{
    int32_t pid = (int32_t)args->value[0];
    uint32_t signal = (uint32_t)args->value[1];

    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    if (pid > 0)
        return send(PROCESS_PID, (uint32_t)pid, signal);
    if (pid == -1)
        return send(PROCESS_ANY, 0, signal);
    return send(PROCESS_GROUP, pid == 0 ? process_current()->group : 0 - (uint32_t)pid, signal);
}

/* Sends to the process of thread `tid`, which is `pid` unless that is 0. */
static int64_t send_to_thread(uint32_t pid, uint32_t tid, uint32_t signal)
{
    const struct user_thread *thread;
    int64_t result = -ESRCH;

    if (signal > SIGNAL_COUNT || (int32_t)tid <= 0)
        return -EINVAL;
    process_lock();
    thread = user_thread_find(tid);
    if (thread && (pid == 0 || thread->process->pid == pid)) {
        result = 0;
        if (signal != 0)
            (void)process_signal(thread->process, signal);
    }
    process_unlock();
    return result;
}

int64_t sys_tkill(const struct sys_args *args)
{
    return send_to_thread(0, (uint32_t)args->value[0], (uint32_t)args->value[1]);
}

int64_t sys_tgkill(const struct sys_args *args)
{
    if ((int32_t)args->value[0] <= 0)
        return -EINVAL;
    return send_to_thread((uint32_t)args->value[0], (uint32_t)args->value[1],
                          (uint32_t)args->value[2]);
}
