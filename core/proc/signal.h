/* SPDX-License-Identifier: MIT */
/*
 * signal.h: signals: their numbers, what a process wants done with each, and what they do by
 * themselves.
 *
 * The numbers are Linux's, the same on both processors. What is here is what a signal does to a
 * process that has not asked for more: it ends it, or nothing happens.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SIGNAL_COUNT 64u

enum {
    SIGNAL_HUP = 1,
    SIGNAL_INT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_ILL = 4,
    SIGNAL_TRAP = 5,
    SIGNAL_ABRT = 6,
    SIGNAL_BUS = 7,
    SIGNAL_FPE = 8,
    SIGNAL_KILL = 9,
    SIGNAL_SEGV = 11,
    SIGNAL_PIPE = 13,
    SIGNAL_TERM = 15,
    SIGNAL_CHLD = 17,
    SIGNAL_CONT = 18,
    SIGNAL_STOP = 19,
    SIGNAL_TSTP = 20,
    SIGNAL_TTIN = 21,
    SIGNAL_TTOU = 22,
    SIGNAL_URG = 23,
    SIGNAL_WINCH = 28
};

/** Handlers that are none. */
enum { SIGNAL_DEFAULT = 0, SIGNAL_IGNORE = 1 };

#define SIGNAL_NO_ZOMBIES 2u /**< a flag of SIGNAL_CHLD's action: SA_NOCLDWAIT */

struct signal_action {
    uintptr_t handler; /**< SIGNAL_DEFAULT, SIGNAL_IGNORE, or a user address */
    uint64_t flags;
    uintptr_t restorer;
    uint64_t mask; /**< bit N - 1: signal N */
};

struct signal_stack {
    uintptr_t start;
    uint64_t bytes;
    uint32_t flags;
};

#define SIGNAL_STACK_OFF 2u

struct process;

/**
 * Sends `signal`, 1 .. SIGNAL_COUNT. If the process wants the default, and that is to end, it ends.
 * True: it does, or the signal has no effect on it; false: it has a handler. Caller holds
 * process_lock.
 */
bool process_signal(struct process *process, unsigned signal);

/** The caller's process has done what has this signal as its answer: it ends, whatever it wants
 * done with it. */
void process_signal_fault(unsigned signal);

/** True if the signal, by default, has no effect. */
bool signal_is_ignored(unsigned signal);
