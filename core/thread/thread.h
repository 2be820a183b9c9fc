/* SPDX-License-Identifier: MIT */
/*
 * thread.h: kernel threads.
 *
 * Life of a thread:
 *
 *     thread_create -> READY <-> RUNNING -> ZOMBIE -> (freed)
 *                        ^          |         by thread_join, or by itself when detached
 *                        +- SLEEPING+
 *
 * A thread runs on a stack of its own with a guard page below it, and may be preempted at any
 * instruction where interrupts are unmasked.
 */
#pragma once

#include "lib/list.h"
#include "lib/tree.h"
#include "sync/check/class.h"

#include <hal/compiler.h>
#include <hal/context.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREAD_NAME_MAX 31

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_ZOMBIE };

struct thread {
    /* Constant after creation. */
    uint32_t id;
    char name[THREAD_NAME_MAX + 1];
    void (*entry)(void *argument);
    void *argument;
    void *stack; /**< the run of frames; its lowest page is the guard */
    bool idle;   /**< runs when nothing else can */

    /* Guarded by the run lock. */
    enum thread_state state;
    struct hal_context context;
    struct list run_link; /**< on the run queue while READY; on the list of the dead at the end */
    struct tree_node sleep_node; /**< among the sleepers that have a deadline */
    uint64_t deadline;
    uint64_t run_since; /**< when it got the CPU */
    uint64_t run_time;  /**< ns on a CPU until run_since */
    uint64_t switches;
    unsigned cpu;
    int wake_reason; /**< what its sleep returns */
    bool cancelled;
    bool cancellable;      /**< sleeps in a way that cancelling ends */
    bool detached;         /**< nobody will join: the reaper frees it */
    struct thread *joiner; /**< sleeps until this thread is a zombie */

    /* Guarded by the lock of the wait queue it sleeps in. */
    struct list wait_link;

    /* The checks' of core/sync/check. */
    struct lock_hold *holds; /**< mutexes and rwlocks that it holds */
    struct lock_wait *wait;  /**< the one that it waits for, or the thread; NULL: none */

    /* Guarded by the lock of the thread table. */
    struct tree_node all_node; /**< in the tree of all threads, by number */
};

/**
 * Starts a thread that calls entry(argument) and ends when that returns.
 *
 * Returns 0 and the thread, which must be joined or detached; or -ENOMEM. Thread context.
 */
HAL_MUST_CHECK int thread_create(const char *name, void (*entry)(void *argument), void *argument,
                                 struct thread **thread);

/** The thread frees itself at its end; nobody may use its pointer any more. Any context but
 * interrupts. */
void thread_detach(struct thread *thread);

/** Waits for the end of `thread` and frees it. May sleep. */
#define thread_join(thread) thread_join_at(thread, LOCK_SITE())
void thread_join_at(struct thread *thread, const struct lock_site *site);

/** The thread that calls. Any context; in an interrupt, the interrupted one. */
struct thread *thread_current(void);

/** Lets others run first. Thread context. */
void thread_yield(void);

/** Sleeps for `ns` nanoseconds at least. Returns 0, or -EINTR when cancelled. May sleep. */
int thread_sleep(uint64_t ns);

/** Sleeps until hal_time_now reaches `deadline`. As thread_sleep. */
int thread_sleep_until(uint64_t deadline);

/**
 * Asks thread number `id` to end: its sleeps return -EINTR from now on, and thread_cancelled is
 * true in it. Returns 0, -ENOENT. Any context.
 */
HAL_MUST_CHECK int thread_cancel(uint32_t id);

/** True if the calling thread has been asked to end. */
bool thread_cancelled(void);

struct thread_info {
    uint32_t id;
    enum thread_state state;
    char name[THREAD_NAME_MAX + 1];
    uint64_t run_time; /**< ns on a CPU so far */
    uint64_t switches; /**< how often it got a CPU */
    unsigned cpu;
    bool idle;
};

/** The first thread whose number is >= `id`: 0, or -ENOENT. Any context. */
HAL_MUST_CHECK int thread_read_info(uint32_t id, struct thread_info *info);

/**
 * The thread after `thread` (NULL: the first), by number, or NULL. Takes no lock: only for a kernel
 * that stands still.
 */
const struct thread *thread_peek(const struct thread *thread);

/** Makes the thread system work; the calling code becomes the idle thread of CPU 0. Boot only,
 * masked. */
void thread_init(void);

/**
 * Starts the thread that frees detached threads. 0 or -ENOMEM. Boot only, after thread_init.
 */
HAL_MUST_CHECK int thread_start_reaper(void);

/**
 * Calls look(context), which may touch the page at `page`, unless that is the guard of a thread's
 * stack, and keeps it from becoming one meanwhile. False if it was not called. Any context.
 */
HAL_MUST_CHECK bool thread_look(const void *page, void (*look)(void *context), void *context);

/** The quantum of the round robin, in nanoseconds. Any context. */
void thread_set_quantum(uint64_t ns);
uint64_t thread_quantum(void);
