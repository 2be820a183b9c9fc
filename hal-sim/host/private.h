/* SPDX-License-Identifier: MIT */
/*
 * private.h: what the files of host/ share among themselves.
 */
#pragma once

#include "host/host.h"

#include <signal.h>

/** The signal of the timers and of kicks: a real-time one that programs rarely use. */
#define HOST_SIGNAL (SIGRTMIN + 2)

/** The CPU that the calling host thread plays now, or NULL. */
extern _Thread_local struct cpu *host_self __attribute__((tls_model("initial-exec")));

/** The alternate stack of a CPU's thread. */
stack_t host_cpu_alternate(const struct cpu *cpu);
/** The signals that were blocked when its thread became the CPU's. */
uint64_t host_cpu_mask(const struct cpu *cpu);
/** The timer has signalled, and is not armed any more. */
void host_timer_fired(struct cpu *cpu);
