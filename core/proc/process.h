/* SPDX-License-Identifier: MIT */
/*
 * process.h: processes, and the threads in which their programs run.
 *
 * A process is what a program owns: memory, open files, a directory, rights and limits, a place in
 * the tree of processes. A user thread is a thread of the kernel that spends its life in a loop:
 * run user code until it traps (hal_user_run), do what the trap asks for, again. So there is
 * nothing special about its sleeping, being preempted or moving to another CPU.
 *
 *     ALIVE --the last thread has ended--> ZOMBIE --somebody has waited for it--> (freed)
 *
 * A thread ends another one by setting its `ending` and cancelling it (thread_cancel): from then on
 * its sleeps are short, and its loop ends at the next trap or interrupt.
 *
 * Whose children lose their parent get process 1 as the new one, or, while there is none, nobody:
 * then the kernel frees them when they end.
 *
 * Signals, stopping and continuing: signal.h. Waiting for processes: wait.h.
 */
#pragma once

#include "fs/vnode.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "proc/files/descriptor.h"
#include "proc/signal.h"
#include "proc/times/times.h"
#include "sync/mutex.h"

#include <hal/compiler.h>
#include <hal/user.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_NAME_MAX 15u
#define PROCESS_NUMBER_MAX 4194303u /**< the greatest that a process or thread gets */
#define PROCESS_LIMITS 16u          /**< resources that Linux counts */
#define PROCESS_UNLIMITED UINT64_MAX

enum {
    PROCESS_LIMIT_DATA = 2,
    PROCESS_LIMIT_STACK = 3,
    PROCESS_LIMIT_PROCESSES = 6,
    PROCESS_LIMIT_FILES = 7,
    PROCESS_LIMIT_MEMORY = 9,
    PROCESS_LIMIT_SIGNALS = 11
};

struct terminal;
struct vm_space;
struct thread;

enum process_state { PROCESS_ALIVE, PROCESS_ZOMBIE };

/** Where a program found its arguments and, behind them, its environment: user addresses. */
struct process_texts {
    uintptr_t arguments, arguments_end, environment_end;
};

struct process_limit {
    uint64_t soft, hard;
};

struct credentials {
    uint32_t uid, effective_uid, saved_uid;
    uint32_t gid, effective_gid, saved_gid;
};

struct process {
    uint32_t pid;  /**< constant, once it has a thread, as is the next */
    uint64_t born; /**< ns since power-on; no two have the same number and time */

    /* Guarded by the mutex of all processes: process_lock. */
    struct tree_node by_pid;
    struct process *parent; /**< NULL: the kernel */
    struct list children;   /**< alive and zombies */
    struct list sibling;    /**< among the parent's */
    struct list threads;    /**< user threads that have not ended */
    unsigned thread_count;  /**< written atomically: see process_is_single */
    uint32_t group, session;
    struct terminal *terminal; /**< its controlling terminal (session.h); NULL: none */
    enum process_state state;
    bool ended;                 /**< how it ends is settled: `status` */
    bool awaited;               /**< parent NULL: somebody in the kernel is going to wait for it */
    bool borrows;               /**< it uses its parent's memory, and the parent waits (vfork) */
    uint32_t status;            /**< as wait gives it */
    struct process_times times; /**< of threads that have ended */
    struct process_times child_times; /**< of children that were waited for, and theirs */
    struct process_signals signals;
    struct condition changed; /**< a child or a thread of it has ended, stopped or gone on, or exec
                                 has given back */

    /* Changed only while it has one thread, by that one, with the mutex held. */
    struct vm_space *space;         /**< a reference; NULL: a zombie */
    struct descriptor_table *files; /**< a reference; NULL: a zombie */
    bool executed;                  /**< since it was forked: setpgid asks */

    struct mutex mutex;      /**< guards the rest */
    struct vnode *directory; /**< a reference; NULL: the root */
    unsigned umask;
    struct credentials credentials;
    struct process_limit limits[PROCESS_LIMITS];
    char name[PROCESS_NAME_MAX + 1];
    char *program; /**< absolute path of what it runs */
    struct process_texts texts;
};

struct user_thread {
    uint32_t tid; /**< changed by exec alone; the process is constant */
    struct process *process;
    struct list link;        /**< process->threads */
    struct tree_node by_tid; /**< guarded by the mutex of all processes */
    uint32_t kernel_thread;  /**< number of the kernel's thread; 0: it has not been started */
    bool ending;             /**< atomic: its loop is to end */

    /* Its own. */
    uintptr_t clear_tid;   /**< a user word that becomes 0 at its end; 0: none */
    uintptr_t robust_list; /**< as set_robust_list was told */
    struct hal_user user;

    struct thread_signals signals; /**< see signal.h */
};

/** The thread of user code that calls; NULL in a thread of the kernel alone. Thread context. */
struct user_thread *user_thread_current(void);

/** Its process. Caller is a user thread. */
struct process *process_current(void);

/** What it may do, as it is now. May sleep. */
struct credentials process_credentials(struct process *process);

/** Readies all this. Boot. 0 or -ENOSPC. */
HAL_MUST_CHECK int process_start(void);

/* ---- the tree of processes: tree.c ---- */

/** The mutex of all processes. May sleep. */
void process_lock(void);
void process_unlock(void);
struct mutex *process_mutex(void);

/**
 * Waits until the caller's process has `changed`, or the caller is `ending`: what else there is
 * for it can wait. Caller holds process_lock, which is given away meanwhile. May sleep.
 */
void process_sleep(struct process *process);

/** The process or user thread with that number, or NULL. Caller holds process_lock. */
struct process *process_find(uint32_t pid);
struct user_thread *user_thread_find(uint32_t tid);

/** The process with the least number that is at least `pid`, or NULL. Caller as above. */
struct process *process_from(uint32_t pid);

/**
 * A process without memory, files or threads, as a child of `parent` (NULL: the kernel) and with
 * what a child inherits; or NULL: no memory. In no tree yet. May sleep.
 */
struct process *process_create(struct process *parent);

/** Frees what process_create and others have put in; it is in no tree and has no thread. */
void process_free(struct process *process);

/**
 * A user thread of `process`, with the signal mask of `maker` (NULL: none is blocked), to be
 * started. It and, if it is the first one, the process get a number and are in the trees from now
 * on. -ENOMEM; -EAGAIN: the process ends, or the caller, which is a thread of it; or there are too
 * many.
 */
HAL_MUST_CHECK int user_thread_create(struct process *process, const struct user_thread *maker,
                                      struct user_thread **thread);

/** Starts it. On failure (-ENOMEM) it has never been, and neither has a process of which it would
 * have been the first; both are freed. */
HAL_MUST_CHECK int user_thread_start(struct user_thread *thread);

/** The only thread of its process takes the process's number. May sleep. */
void user_thread_become_first(struct user_thread *thread);

/** How many there are, and how many the user `uid` has. Any context; may sleep. */
unsigned user_thread_count(void);
unsigned user_thread_count_of(uint32_t uid);

/** True if the caller, a thread of `process`, is the last one: what the others did is done. */
static inline bool process_is_single(const struct process *process)
{
    return __atomic_load_n(&process->thread_count, __ATOMIC_ACQUIRE) == 1;
}

/** Undoes user_thread_create. */
void user_thread_abandon(struct user_thread *thread);
/** Takes the process out of the trees. Caller holds process_lock. */
void process_forget(struct process *process);

/* ---- ends: end.c ---- */

/** What wait gives: of a process that called exit, and of one that a signal has ended. */
static inline uint32_t process_exit_status(unsigned code)
{
    return (code & 0xff) << 8;
}

/** All threads of `process` are to end; `status` counts if nothing did before. Caller holds
 * process_lock. */
void process_end(struct process *process, uint32_t status);

/** The same for the caller's own process. */
void process_end_self(uint32_t status);

/** All threads but the caller end, and have ended when this returns. -EINTR: the caller is to end
 * itself. May sleep. */
HAL_MUST_CHECK int process_become_single(void);

/** The last act of a user thread, which is freed. May sleep. */
void user_thread_finish(struct user_thread *thread);

/** The memory of a vfork's parent is not used any more. Caller is the child. May sleep. */
void process_give_back(struct process *process);

/* ---- new ones: fork.c; program/spawn.h has those of the kernel ---- */

/** As Linux's. */
enum {
    CLONE_SIGNAL = 0xff, /**< the parent gets it at the child's end; 0: none */
    CLONE_MEMORY = 0x100,
    CLONE_FILES = 0x400,
    CLONE_HANDLERS = 0x800,
    CLONE_VFORK = 0x4000,
    CLONE_PARENT = 0x8000,
    CLONE_THREAD = 0x10000,
    CLONE_SET_TLS = 0x80000,
    CLONE_PARENT_SET_TID = 0x100000,
    CLONE_CHILD_CLEAR_TID = 0x200000,
    CLONE_CHILD_SET_TID = 0x1000000
};

struct clone_request {
    uint64_t flags;
    uintptr_t stack; /**< 0: the same */
    uintptr_t parent_tid, child_tid, tls;
};

/** The number of the new process or thread. -EAGAIN, -ENOMEM, -EINVAL, -EFAULT. May sleep. */
HAL_MUST_CHECK int64_t process_clone(const struct clone_request *request);

/** The loop of a user thread. run.c's. */
void user_thread_main(void *thread);
