/* SPDX-License-Identifier: MIT */
/*
 * signal.c: what signals do by themselves.
 */
#include "proc/signal.h"

#include "proc/process.h"

bool signal_is_ignored(unsigned signal)
{
    switch (signal) {
    case SIGNAL_CHLD:
    case SIGNAL_CONT:
    case SIGNAL_URG:
    case SIGNAL_WINCH:
        return true;
    default:
        return false;
    }
}

/* Signals that stop a process, by default. */
static bool stops(unsigned signal)
{
    return signal >= SIGNAL_STOP && signal <= SIGNAL_TTOU;
}

bool process_signal(struct process *process, unsigned signal)
{
    uintptr_t handler = process->actions[signal].handler;

    if (signal == SIGNAL_KILL) {
        process_end(process, signal);
        return true;
    }
    if (signal == SIGNAL_STOP || handler == SIGNAL_IGNORE)
        return true;
    if (handler != SIGNAL_DEFAULT)
        return false;
    if (!signal_is_ignored(signal) && !stops(signal))
        process_end(process, signal);
    return true;
}

void process_signal_fault(unsigned signal)
{
    process_end_self(signal);
}
