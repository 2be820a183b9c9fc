/* SPDX-License-Identifier: MIT */
/*
 * run.c: the life of a user thread: user code runs until it traps, and the trap is dealt with.
 *
 *     trap                     what becomes of it
 *     system call              the table of calls (sys/call.h)
 *     interrupt                nothing: it has been handled
 *     access                   vm_fault makes the page usable, or the process gets SIGSEGV, SIGBUS
 *     anything else            the process gets the signal that Linux has for it
 *
 * Before user code goes on, the thread looks at its signals (signal_attend).
 */
#include "abi/frame.h"
#include "lib/log.h"
#include "proc/inside.h"
#include "proc/process.h"
#include "proc/signal/signals.h"
#include "sys/call.h"
#include "vm/space.h"

#include <hal/errno.h>

/* Linux's codes of SIGSEGV and SIGBUS. */
enum { CODE_NOT_MAPPED = 1, CODE_NOT_ALLOWED = 2, CODE_NO_BYTES = 2 };

/* Where and why a program came to its end, for people. */
static void report(const struct user_thread *self, const struct hal_user_event *event,
                   unsigned signal)
{
    klog(KLOG_INFO,
         "process %u (%s): signal %u, trap %d at %#lx, address %#lx, access %u, code %#lx",
         self->process->pid, self->process->name, signal, (int)event->trap,
         (unsigned long)hal_user_pc(&self->user), (unsigned long)event->address, event->access,
         (unsigned long)event->code);
}

/* The signal for an access that memory could not be made fit for; 0: it has been. */
static unsigned signal_of_access(struct user_thread *self, const struct hal_user_event *event,
                                 struct signal_info *info)
{
    int error = vm_fault(self->process->space, event->address, event->access);

    *info = (struct signal_info){.code = CODE_NOT_MAPPED, .address = event->address};
    switch (error) {
    case 0:
        return 0;
    case -ENXIO:
        info->code = CODE_NO_BYTES;
        return SIGNAL_BUS;
    case -ENOMEM:
        if (!self->process->ended) /* else that has been said */
            klog(KLOG_WARNING, "out of memory: process %u (%s) is ended", self->process->pid,
                 self->process->name);
        return SIGNAL_KILL;
    case -EACCES:
        info->code = CODE_NOT_ALLOWED;
        return SIGNAL_SEGV;
    default:
        return SIGNAL_SEGV;
    }
}

/* The signal that a trap ends in; 0: none. */
static unsigned signal_of(struct user_thread *self, const struct hal_user_event *event,
                          struct signal_info *info)
{
    switch (event->trap) {
    case HAL_USER_CALL:
        sys_call(self);
        return 0;
    case HAL_USER_INTERRUPT:
        return 0;
    case HAL_USER_ACCESS:
        if (event->address != UINTPTR_MAX)
            return signal_of_access(self, event, info);
        return abi_trap_signal(&self->user, event, info);
    default:
        return abi_trap_signal(&self->user, event, info);
    }
}

/* The trap was the program's fault. */
static void fault(struct user_thread *self, const struct hal_user_event *event, unsigned signal,
                  const struct signal_info *info)
{
    self->signals.fault_code = event->code;
    if (event->address != UINTPTR_MAX)
        self->signals.fault_address = event->address;
    if (signal_fault(signal, info))
        report(self, event, signal);
}

/* What is to be done before user code goes on. */
static bool has_to_attend(const struct user_thread *self)
{
    return __atomic_load_n(&self->signals.attention, __ATOMIC_SEQ_CST) ||
           self->signals.call.interrupted;
}

void user_thread_main(void *argument)
{
    struct user_thread *self = argument;
    struct hal_user_event event;
    struct signal_info info;
    unsigned signal;

    user_thread_enter(self);
    while (!__atomic_load_n(&self->ending, __ATOMIC_ACQUIRE)) {
        if (has_to_attend(self)) {
            signal_attend(self);
            continue;
        }
        hal_user_run(vm_space_aspace(self->process->space), &self->user, &event);
        signal = signal_of(self, &event, &info);
        if (signal != 0)
            fault(self, &event, signal, &info);
    }
    user_thread_finish(self);
}
