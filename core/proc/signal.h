/* SPDX-License-Identifier: MIT */
/*
 * signal.h: signals: what is sent to processes and threads, what waits to be taken, and what
 * becomes of it.
 *
 * The numbers are Linux's, the same on both processors. Those up to SIGNAL_PLAIN are plain: of each
 * one at most waits, in a place of its own, so that sending never needs memory. The others are
 * queued, each with what its sender says.
 *
 *     signal_send --> waits with the process or a thread --> signal_attend, on the way back to
 *                     (or is ignored, or ends it at once)    user mode: a handler, a stop, the end
 *
 * A thread that a signal is for has `attention` set, its sleeps become short (thread_cancel), and
 * user code is left (hal_user_poke). A system call whose sleep was cut short answers -EINTR, and
 * signal_attend decides whether the program sees that, or the call is made again.
 *
 * Guarded by process_lock, but for what says otherwise.
 */
#pragma once

#include "lib/list.h"
#include "proc/signal/timer.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNAL_COUNT 64u
#define SIGNAL_PLAIN 31u

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
    SIGNAL_ALRM = 14,
    SIGNAL_TERM = 15,
    SIGNAL_CHLD = 17,
    SIGNAL_CONT = 18,
    SIGNAL_STOP = 19,
    SIGNAL_TSTP = 20,
    SIGNAL_TTIN = 21,
    SIGNAL_TTOU = 22,
    SIGNAL_URG = 23,
    SIGNAL_VTALRM = 26,
    SIGNAL_PROF = 27,
    SIGNAL_WINCH = 28,
    SIGNAL_SYS = 31
};

/** Handlers that are none. */
enum { SIGNAL_DEFAULT = 0, SIGNAL_IGNORE = 1 };

/** Linux's flags of an action. */
#define SIGNAL_NO_CHILD_STOP 1u
#define SIGNAL_NO_ZOMBIES 2u
#define SIGNAL_WITH_INFO 4u
#define SIGNAL_HAS_RESTORER 0x04000000u
#define SIGNAL_ON_STACK 0x08000000u
#define SIGNAL_RESTARTS 0x10000000u
#define SIGNAL_NOT_MASKED 0x40000000u
#define SIGNAL_ONCE 0x80000000u
#define SIGNAL_ACTION_FLAGS (0xdc000807u) /**< those that there are; 0x800 has programs see so */

struct signal_action {
    uintptr_t handler; /**< SIGNAL_DEFAULT, SIGNAL_IGNORE, or a user address */
    uint64_t flags;
    uintptr_t restorer;
    uint64_t mask; /**< bit N - 1: signal N */
};

/** Who or what has sent a signal: Linux's si_code. */
enum {
    SIGNAL_BY_USER = 0,
    SIGNAL_BY_KERNEL = 0x80,
    SIGNAL_BY_QUEUE = -1,
    SIGNAL_BY_TIMER = -2,
    SIGNAL_BY_TKILL = -6,
    SIGNAL_CHILD_EXITED = 1,
    SIGNAL_CHILD_KILLED = 2,
    SIGNAL_CHILD_STOPPED = 5,
    SIGNAL_CHILD_CONTINUED = 6
};

/** The rest of Linux's siginfo_t, whose fields from the 16th byte on the union is. */
struct signal_info {
    int32_t code, error;
    union {
        struct {
            uint32_t pid, uid;
            union {
                int32_t status; /**< of a child */
                uint64_t value;
            };
            uint64_t user_ticks, system_ticks;
        };
        struct {
            uint32_t timer;
            int32_t overrun;
            uint64_t timer_value;
        };
        uintptr_t address;
        uint64_t words[4];
    };
};

#define SIGNAL_INFO_BYTES 128u

struct signal_stack {
    uintptr_t start;
    uint64_t bytes;
    uint32_t flags;
};

#define SIGNAL_STACK_ON 1u
#define SIGNAL_STACK_OFF 2u
#define SIGNAL_STACK_DISARMS 0x80000000u

/** Signals that wait to be taken. */
struct signal_pending {
    uint64_t set; /**< bit N - 1: signal N. Atomic */
    struct list queued;
    struct signal_info plain[SIGNAL_PLAIN];
};

struct condition;
struct process;
struct user_thread;

struct process_signals {
    struct signal_action actions[SIGNAL_COUNT + 1];
    struct signal_pending pending; /**< for whichever thread takes them */
    unsigned queued;               /**< how many entries of its threads' and its own queues */
    unsigned at_end;               /**< the signal its parent gets at its end; 0: none */
    unsigned stop;                 /**< its threads are to stop, or have, because of this one */
    unsigned stopped_threads;
    bool stopped;       /**< all of them have */
    unsigned stop_news; /**< because of this signal, and wait has not said so; 0: it has */
    struct signal_timer timers[SIGNAL_TIMERS];
    struct list made_timers; /**< timers/timers.h */
    bool continue_news;      /**< it has gone on, and wait has not said so */
};

/** Set by sys_call, for the way back to user mode. The thread's own. */
struct signal_call {
    bool interrupted; /**< a call has answered -EINTR */
    bool repeated;    /**< the next call is one that goes on, until `deadline` */
    uint8_t restart;  /**< enum sys_restart */
    uint64_t number;  /**< as the program gave it */
    uint64_t deadline;
    uintptr_t after; /**< the program counter behind it */
};

struct thread_signals {
    struct signal_pending pending; /**< for this thread alone */
    uint64_t blocked;              /**< atomic; changed by the thread */
    uint64_t awaited;              /**< in sigtimedwait: those wake it too */
    bool attention;                /**< atomic: signal_attend has something to look at */

    /* The thread's own. */
    bool restores; /**< `saved` becomes the mask at the end of the call */
    uint64_t saved;
    struct signal_stack stack;
    struct signal_call call;
    uint64_t fault_code; /**< of the last trap that became a signal */
    uintptr_t fault_address;
};

static inline uint64_t signal_bit(unsigned signal)
{
    return 1ull << (signal - 1);
}

/* ---- sending: signal/send.c ---- */

/**
 * Sends `signal`, 1 .. SIGNAL_COUNT, to the process, and does at once what no handler is needed
 * for. `info` NULL: it comes from the kernel. Caller holds process_lock.
 */
void signal_send(struct process *process, unsigned signal, const struct signal_info *info);

/** The same, to all processes of a group. False: there is none. Caller holds process_lock. */
bool signal_send_group(uint32_t group, unsigned signal, const struct signal_info *info);

/** The same, to one thread of a process. Caller holds process_lock. */
void signal_send_thread(struct user_thread *thread, unsigned signal,
                        const struct signal_info *info);

/** As signal_send (`thread` NULL) and signal_send_thread; true: it waits to be taken or dropped,
 * and what it says of itself with it. */
bool signal_send_kept(struct process *process, struct user_thread *thread, unsigned signal,
                      const struct signal_info *info);

/** As signal_send (`thread` NULL) and signal_send_thread; -EAGAIN: what it says of itself could not
 * be kept, and it has not been sent. */
HAL_MUST_CHECK int signal_queue(struct process *process, struct user_thread *thread,
                                unsigned signal, const struct signal_info *info);

/** The caller has done what has this signal as its answer, which cannot be blocked or ignored.
 * True: it ends by that. Takes process_lock. */
bool signal_fault(unsigned signal, const struct signal_info *info);

/** Has a thread look at its signals soon, wherever it is. Caller holds process_lock. */
void signal_alert(struct user_thread *thread);

/** True if the signal would have an effect on the caller: it is neither blocked nor ignored. Takes
 * process_lock. */
bool signal_reaches(unsigned signal);

/** True if the process ignores it, by its action or by default. Caller holds process_lock. */
bool signal_is_ignored(const struct process *process, unsigned signal);

/** What signals do by default. */
enum signal_effect { SIGNAL_ENDS, SIGNAL_DOES_NOTHING, SIGNAL_STOPS };
enum signal_effect signal_default_effect(unsigned signal);
