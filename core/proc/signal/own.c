/* SPDX-License-Identifier: MIT */
/*
 * own.c: a thread's mask, its stack for handlers, and what it has at its beginning.
 *
 * The mask is changed by its thread, and read by those who send. Each side writes first and reads
 * then: a sender makes the signal wait and looks at the mask, the thread changes the mask and looks
 * at what waits. So one of them at least sees the other.
 */
#include "proc/signal/signals.h"

#include "abi/frame.h"
#include "proc/timers/timers.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/time.h>

void signal_pass_on(struct process *process, uint64_t set)
{
    set &= signal_pending_set(&process->signals.pending);
    list_for_each (link, &process->threads) {
        struct user_thread *thread = list_entry(link, struct user_thread, link);
        uint64_t blocked = __atomic_load_n(&thread->signals.blocked, __ATOMIC_SEQ_CST);
        uint64_t takes = set & (~blocked | thread->signals.awaited);

        if (takes == 0 || thread == user_thread_current() || thread->ending)
            continue;
        signal_alert(thread);
        set &= ~takes;
    }
}

void signal_set_mask(uint64_t mask)
{
    struct user_thread *self = user_thread_current();
    uint64_t waiting, more = ~self->signals.blocked;

    mask &= ~SIGNAL_UNBLOCKABLE;
    more &= mask;
    __atomic_store_n(&self->signals.blocked, mask, __ATOMIC_SEQ_CST);
    waiting = signal_pending_of(self);
    if (waiting & ~mask)
        signal_alert(self);
    if (waiting & more) {
        process_lock();
        signal_pass_on(self->process, more);
        process_unlock();
    }
}

int64_t signal_await(uint64_t set, uint64_t deadline, struct signal_info *info)
{
    struct user_thread *self = user_thread_current();
    unsigned signal = signal_take(set, info);
    int error;

    if (signal != 0 || deadline == 0)
        return signal ? (int64_t)signal : -EAGAIN;
    process_lock();
    self->signals.awaited = set;
    process_unlock();
    signal = signal_take(set, info); /* one that came before somebody could know */
    error = signal ? 0 : thread_sleep_until(deadline);
    if (signal == 0)
        signal = signal_take(set, info);
    process_lock();
    self->signals.awaited = 0;
    signal_pass_on(self->process, set); /* it may have been told of more than the one it takes */
    process_unlock();
    if (signal != 0)
        return (int64_t)signal;
    return error ? -EINTR : -EAGAIN;
}

/* ---- stacks for handlers ---- */

bool signal_on_stack(const struct signal_stack *stack, uintptr_t sp)
{
    return !(stack->flags & SIGNAL_STACK_DISARMS) && sp > stack->start &&
           sp - stack->start <= stack->bytes;
}

uint32_t signal_stack_state(const struct signal_stack *stack, uintptr_t sp)
{
    if (stack->bytes == 0)
        return SIGNAL_STACK_OFF;
    return signal_on_stack(stack, sp) ? SIGNAL_STACK_ON : 0;
}

int signal_set_stack(struct user_thread *self, const struct signal_stack *stack, uintptr_t sp)
{
    uint32_t mode = stack->flags & ~SIGNAL_STACK_DISARMS;

    if (signal_on_stack(&self->signals.stack, sp))
        return -EPERM;
    if (mode != SIGNAL_STACK_OFF && mode != SIGNAL_STACK_ON && mode != 0)
        return -EINVAL;
    if (mode != SIGNAL_STACK_OFF && stack->bytes < abi_least_stack)
        return -ENOMEM;
    self->signals.stack = *stack;
    if (mode == SIGNAL_STACK_OFF) {
        self->signals.stack.start = 0;
        self->signals.stack.bytes = 0;
    }
    return 0;
}

/* ---- beginnings and the end ---- */

void signal_begin_thread(struct user_thread *child, const struct user_thread *maker)
{
    signal_pending_init(&child->signals.pending);
    if (!maker)
        return;
    child->signals.blocked =
        maker->signals.restores ? maker->signals.saved : maker->signals.blocked;
    child->signals.stack = (struct signal_stack){.flags = SIGNAL_STACK_OFF};
}

/* Handlers were in the memory that is gone; what is ignored stays ignored. */
void signal_begin_program(struct user_thread *self)
{
    struct signal_action *actions = self->process->signals.actions;

    process_lock();
    for (unsigned i = 1; i <= SIGNAL_COUNT; i++) {
        uintptr_t handler = actions[i].handler == SIGNAL_IGNORE ? SIGNAL_IGNORE : SIGNAL_DEFAULT;

        actions[i] = (struct signal_action){.handler = handler};
    }
    process_unlock();
    user_timers_end(self->process);
    self->signals.stack = (struct signal_stack){.flags = 0};
    memset(&self->signals.call, 0, sizeof(self->signals.call));
}

void signal_end_thread(struct user_thread *thread)
{
    struct process *process = thread->process;

    signal_pending_drop(&thread->signals.pending, process, UINT64_MAX);
    if (process->thread_count == 0)
        signal_pending_drop(&process->signals.pending, process, UINT64_MAX);
    signal_pass_on(process, UINT64_MAX);
    signal_note_stopped(process);
}
