/* SPDX-License-Identifier: MIT */
/*
 * run.c: the life of a user thread: user code runs until it traps, and the trap is dealt with.
 *
 *     trap                     what becomes of it
 *     system call              the table of calls (sys/call.h)
 *     interrupt                nothing: it has been handled
 *     access                   vm_fault makes the page usable, or the process gets SIGSEGV, SIGBUS
 *     anything else            the process gets the signal that Linux has for it
 */
#include "lib/log.h"
#include "proc/inside.h"
#include "proc/process.h"
#include "sys/call.h"
#include "vm/space.h"

#include <hal/errno.h>

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

static unsigned signal_of_access(struct user_thread *self, const struct hal_user_event *event)
{
    int error = -EFAULT;

    if (event->address != UINTPTR_MAX)
        error = vm_fault(self->process->space, event->address, event->access);
    switch (error) {
    case 0:
        return 0;
    case -ENXIO:
        return SIGNAL_BUS;
    case -ENOMEM:
        klog(KLOG_WARNING, "out of memory: process %u (%s) is ended", self->process->pid,
             self->process->name);
        return SIGNAL_KILL;
    default:
        return SIGNAL_SEGV;
    }
}

/* The signal that a trap ends in; 0: none. */
static unsigned signal_of(struct user_thread *self, const struct hal_user_event *event)
{
    switch (event->trap) {
    case HAL_USER_CALL:
        sys_call(self);
        return 0;
    case HAL_USER_INTERRUPT:
        return 0;
    case HAL_USER_ACCESS:
        return signal_of_access(self, event);
    case HAL_USER_ALIGNMENT:
        return SIGNAL_BUS;
    case HAL_USER_INSTRUCTION:
        return SIGNAL_ILL;
    case HAL_USER_ARITHMETIC:
        return SIGNAL_FPE;
    case HAL_USER_BREAKPOINT:
    case HAL_USER_STEP:
        return SIGNAL_TRAP;
    default:
        return SIGNAL_SEGV;
    }
}

void user_thread_main(void *argument)
{
    struct user_thread *self = argument;
    struct hal_user_event event;
    unsigned signal;

    user_thread_enter(self);
    while (!__atomic_load_n(&self->ending, __ATOMIC_ACQUIRE)) {
        hal_user_run(vm_space_aspace(self->process->space), &self->user, &event);
        signal = signal_of(self, &event);
        if (signal != 0) {
            report(self, &event, signal);
            process_signal_fault(signal);
        }
    }
    user_thread_finish(self);
}
