/* SPDX-License-Identifier: MIT */
/*
 * private.h: what the files of host/ share among themselves.
 */
#pragma once

#include "board/machine.h"
#include "host/host.h"
#include "host/tools.h"

#include <signal.h>

/** The signal of the timers and of kicks: a real-time one that programs rarely use. */
#define HOST_SIGNAL (SIGRTMIN + 2)

/** What the signal of a watch's timer carries, to be told from the CPU's own timer. */
enum { HOST_WATCH_MARK = 0x7a7c };

/** A watch's timer has signalled: NULL, or in which words the CPU does not come on, and `*ns`, for
 * how long. In the handler. */
const char *host_watch_look(struct cpu *cpu, uint64_t *ns);

/** Which host thread plays `cpu`: with the virtual clock one plays them all. */
UNWATCHED static inline unsigned host_index(const struct cpu *cpu)
{
    return machine.real ? sim_cpu_number(cpu) : 0;
}

/** The alternate stack of a CPU's thread. */
stack_t host_cpu_alternate(const struct cpu *cpu);
/** The signals that were blocked when its thread became the CPU's. */
uint64_t host_cpu_mask(const struct cpu *cpu);
/** The signals that a CPU's thread has to take. */
uint64_t host_cpu_signals(void);
/** The timer has signalled, and is not armed any more. */
void host_timer_fired(struct cpu *cpu);
/** Has the timer signal again in a moment: the signal came at a bad one. */
void host_timer_retry(struct cpu *cpu);

/* The kernel's struct sigaction, which libc's wrapper hides. */
struct kernel_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};
/** Installs a handler that runs on the alternate stack, with these flags on top. */
int trap_install(int signal, void (*handler)(int, siginfo_t *, void *), unsigned long flags,
                 struct kernel_sigaction *old);

/** mmap at user addresses, past the libraries that want to hear of it; what is mapped there goes,
 * unless `flags` say otherwise. The address, or -1 with errno set. */
long host_map_user(uintptr_t address, size_t bytes, int protection, int flags, int fd,
                   uint64_t offset);
