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
 * A thread runs on a stack of its own, and may be preempted at any instruction where interrupts are
 * unmasked. On several CPUs it may be continued on another one then, unless its affinity says
 * otherwise.
 *
 * Two things tell of a stack that was too small. Below it lies a guard page, as long as the machine
 * has any left: touching it is a fault. And its lowest word is a canary, which is looked at
 * whenever the thread leaves its CPU, and when it is freed: that finds out late, but costs nothing,
 * and is all there is when the guard pages are used up (the log then says so). Both panic with the
 * thread's name.
 */
#pragma once

#include "lib/list.h"
#include "lib/tree.h"
#include "sched/policy.h"
#include "sync/check/class.h"
#include "thread/stack/stack.h"

#include <hal/compiler.h>
#include <hal/context.h>
#include <hal/trace.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREAD_NAME_MAX 31
#define THREAD_LOCALS 8u /**< keys of thread-local storage */

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_ZOMBIE };

struct thread {
    /* Guarded by the run lock of its home: see run.h. First, so that it begins with a cache line.
     */
    struct sched_entity entity; /**< what the policy knows of it */
    struct hal_context context;
    uint64_t
        run_since;     /**< until when its run time is counted, while it is RUNNING; thread_began */
    uint64_t switches; /**< how often it got a CPU */
    unsigned cpu;      /**< its home */
    enum thread_state state;
    bool queued;                  /**< READY and on the queue of its home */
    bool pinned;                  /**< may run on one CPU only */
    struct hal_trace_thread said; /**< what traces say of it: its worth by run_describe */

    /* Constant after creation. */
    bool idle;      /**< runs when nothing else can */
    uint32_t magic; /**< THREAD_MAGIC until it is freed */
    uint32_t id;
    struct stack stack;
    char name[THREAD_NAME_MAX + 1];
    void (*entry)(void *argument);
    void *argument;

    /* Guarded by the run lock of its home too. */
    unsigned own_priority;       /**< the entity's, unless a higher one is lent */
    unsigned lent_priority;      /**< SCHED_LEVELS: none */
    int own_nice;                /**< the same with nice levels */
    int lent_nice;               /**< SCHED_NICE_NONE: none */
    uint32_t affinity;           /**< a bit for each CPU that it may run on */
    struct tree_node sleep_node; /**< among the sleepers that have a deadline */
    uint64_t deadline;
    int wake_reason; /**< what its sleep returns */
    bool cancelled;
    bool cancellable; /**< sleeps in a way that cancelling ends */

    /* Guarded by the lock of the ends: see thread.c. */
    bool ended;            /**< it is about to be a zombie */
    bool detached;         /**< nobody will join: the reaper frees it */
    struct thread *joiner; /**< sleeps until this thread has ended */
    struct list end_link;  /**< on the list of the dead */

    /* Its own. */
    void *locals[THREAD_LOCALS]; /**< see local.h */

    /* Guarded by the lock of the wait queue it sleeps in. */
    struct list wait_link;
    const struct lock_site *sleeps_at; /**< where it went to sleep in one; NULL: elsewhere */

    /* The checks' of core/sync/check. */
    struct lock_hold *holds; /**< mutexes and rwlocks that it holds */
    struct lock_wait *wait;  /**< the one that it waits for, or the thread; NULL: none */

    /* Guarded by the lock of the thread table. */
    struct tree_node all_node; /**< in the tree of all threads, by number */
};

static inline struct thread *thread_of_entity(struct sched_entity *entity)
{
    return list_entry(entity, struct thread, entity);
}

/**
 * Starts a thread that calls entry(argument) and ends when that returns. It may run on the CPUs
 * that its creator may run on.
 *
 * Returns 0 and the thread, which must be joined or detached; or -ENOMEM. Thread context.
 */
HAL_MUST_CHECK int thread_create(const char *name, void (*entry)(void *argument), void *argument,
                                 struct thread **thread);

/**
 * As thread_create, on a stack of `stack_bytes` bytes, a multiple of HAL_PAGE_SIZE. For threads
 * that there are very many of: HAL_STACK_SMALL is enough for one that only computes, waits and
 * calls what is on that scale, and not for one that formats text or uses files.
 *
 * -EINVAL: less than HAL_STACK_SMALL, more than 1 MiB, or no multiple.
 */
HAL_MUST_CHECK int thread_create_sized(const char *name, void (*entry)(void *argument),
                                       void *argument, size_t stack_bytes, struct thread **thread);

/**
 * thread_create in two steps: a thread that is prepared has all that it needs, is known to nobody,
 * and has to be begun; it has its number when thread_begin returns. Thread context.
 */
HAL_MUST_CHECK int thread_prepare(const char *name, void (*entry)(void *argument), void *argument,
                                  struct thread **thread);
void thread_begin(struct thread *thread);

/** Panics, naming `thread`, if it has used more stack than it has. Any context. */
void thread_check_stack(const struct thread *thread);

/** The thread frees itself at its end; nobody may use its pointer any more: one that is detached or
 * joined already is a panic. Any context but interrupts. */
#define thread_detach(thread) thread_detach_at(thread, LOCK_SITE())
void thread_detach_at(struct thread *thread, const struct lock_site *site);

/** Waits for the end of `thread` and frees it. Joining oneself, a thread that is detached, or one
 * that somebody joins or has joined is a panic that names both. May sleep. */
#define thread_join(thread) thread_join_at(thread, LOCK_SITE())
void thread_join_at(struct thread *thread, const struct lock_site *site);

/** The thread that calls. Any context; in an interrupt, the interrupted one. */
struct thread *thread_current(void);

/** hal_time_now() of when `thread`, the caller or what its CPU runs, got that CPU, or of when its
 * run time was last counted. Masked, this is later than all else that the CPU has done. */
static inline uint64_t thread_began(const struct thread *thread)
{
    return __atomic_load_n(&thread->run_since, __ATOMIC_RELAXED);
}

/** Lets others run first. Thread context. */
void thread_yield(void);

/** Sleeps for `ns` nanoseconds at least. Returns 0, or -EINTR when cancelled. May sleep. */
int thread_sleep(uint64_t ns);

/** Sleeps until hal_time_now reaches `deadline`. As thread_sleep. */
int thread_sleep_until(uint64_t deadline);

/**
 * Asks thread number `id` to end: its sleeps return -EINTR from now on, and thread_cancelled is
 * true in it; user code that it runs is interrupted. Returns 0, -ENOENT. Any context.
 */
HAL_MUST_CHECK int thread_cancel(uint32_t id);

/** Takes thread_cancel back, for the caller: whoever asked did not mean its end. */
void thread_uncancel(void);

/** True if the calling thread has been asked to end. */
bool thread_cancelled(void);

/**
 * From now on `thread`, which is not freed meanwhile, runs on the CPUs only whose bits are set in
 * `cpus`. If it is the caller, this is so when the call returns; another thread that runs leaves a
 * CPU it may not be on at the CPU's next interrupt, which the call raises.
 *
 * Returns 0, or -EINVAL: no CPU that is in use is among them. Thread context.
 */
HAL_MUST_CHECK int thread_set_affinity(struct thread *thread, uint32_t cpus);

/**
 * What the policies go by, as far as they do: see sched/policy.h. A new thread has what its creator
 * was given. The thread is not freed meanwhile. If it waits for a mutex, the owner counts as at
 * least as important. Any context that may take LOCK_RANK_CHAIN.
 *
 * -EINVAL: the priority is not 0 (the highest) .. 31, or the nice level not -20 .. 19.
 */
HAL_MUST_CHECK int thread_set_priority(struct thread *thread, unsigned priority);
HAL_MUST_CHECK int thread_set_nice(struct thread *thread, int nice);

/** The same for thread number `id`. -ENOENT: there is none, or it is the idle thread of a CPU. */
HAL_MUST_CHECK int thread_set_priority_of(uint32_t id, unsigned priority);
HAL_MUST_CHECK int thread_set_nice_of(uint32_t id, int nice);

/** `thread` will run for about `length` ns, all in all; 0: nobody knows. Any context. */
void thread_set_length(struct thread *thread, uint64_t length);

#define SCHED_NICE_NONE (SCHED_NICE_MAX + 1)

/**
 * From now on `thread` counts as having priority `priority` if its own is lower, and nice level
 * `nice` if its own share is smaller; SCHED_LEVELS and SCHED_NICE_NONE end that. For whoever holds
 * what an urgent thread waits for: see sched/lend.h. Takes run locks only. Any context.
 */
void thread_lend(struct thread *thread, unsigned priority, int nice);

struct thread_info {
    uint32_t id;
    enum thread_state state;
    char name[THREAD_NAME_MAX + 1];
    uint64_t run_time;  /**< ns on a CPU so far */
    uint64_t switches;  /**< how often it got a CPU */
    unsigned cpu;       /**< where it runs, is ready, or ran last */
    uint32_t affinity;  /**< a bit for each CPU that it may run on */
    unsigned priority;  /**< as it counts */
    int nice, own_nice; /**< the same; and without what is lent */
    bool lent;          /**< one of them is lent by who waits for it */
    bool idle;
};

/** The first thread whose number is >= `id`: 0, or -ENOENT. Any context. */
HAL_MUST_CHECK int thread_read_info(uint32_t id, struct thread_info *info);

/** Thread number `id`, or NULL. Whoever asks knows that it does not end meanwhile. Any context. */
struct thread *thread_find(uint32_t id);

/** The thread after `thread` (NULL: the first), by number, or NULL. Takes no lock: only for a
 * kernel that stands still. */
const struct thread *thread_peek(const struct thread *thread);

/** Makes the thread system work; the calling code becomes the idle thread of CPU 0. Boot only,
 * masked. */
void thread_init(void);

/** Starts CPU `cpu`, which then runs threads as well. Returns 0, the error of hal_cpu_start, or
 * -ETIMEDOUT: it was started, but nothing has been heard of it. Once for each CPU. May sleep. */
HAL_MUST_CHECK int thread_start_cpu(unsigned cpu);

/** The life of a CPU that thread_start_cpu started. Masked. */
HAL_NORETURN void thread_enter_cpu(void);

/** Starts the thread that frees detached threads. 0 or -ENOMEM. Boot only, after thread_init. */
HAL_MUST_CHECK int thread_start_reaper(void);

/** The unit of time slices in nanoseconds, whatever the policy makes of it; 0: the policy's own
 * choice. Thread context. */
void thread_set_quantum(uint64_t ns);
uint64_t thread_quantum(void);
