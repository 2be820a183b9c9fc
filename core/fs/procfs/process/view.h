/* SPDX-License-Identifier: MIT */
/*
 * view.h: what a process is like at one moment.
 *
 * A process may end while somebody reads about it, on another CPU. So nobody who makes texts works
 * on the process itself: all that they need is copied, or referenced, under its locks, once. A
 * number that has gone to another process meanwhile is told by the time at which that one was born.
 */
#pragma once

#include "proc/process.h"

#include <hal/compiler.h>

/** Which one is meant. */
struct proc_who {
    uint32_t pid;
    uint32_t tid;  /**< one of its threads; 0: all of it */
    uint64_t born; /**< ns; process->born */
};

struct proc_view {
    struct proc_who who;
    uint32_t parent, group, session;
    uint32_t terminal;  /**< number of its controlling terminal, as stat tells it; 0: none */
    int32_t foreground; /**< the group in the terminal's foreground; -1: no terminal */
    char state;         /**< a letter, as ps shows it */
    unsigned threads, cpu;
    int nice;
    struct process_times times, child_times;
    uint64_t blocked, ignored, caught;
    struct process_texts texts;

    /* Of these, nothing is there in a zombie: NULL, and the last it had. */
    struct vm_space *space;         /**< a reference */
    struct descriptor_table *files; /**< a reference */
    struct vnode *directory;        /**< a reference; NULL: the root */
    unsigned umask;
    struct credentials credentials;
    struct process_limit limits[PROCESS_LIMITS];
    char name[PROCESS_NAME_MAX + 1];
};

/** Finds the process with the least number that is at least `pid`. -ESRCH. May sleep. */
HAL_MUST_CHECK int proc_who_from(uint32_t pid, struct proc_who *who);

/** Finds the thread with the least number that is at least `tid`, of that process. -ESRCH. */
HAL_MUST_CHECK int proc_thread_from(const struct proc_who *who, uint32_t tid, uint32_t *found);

/** Looks at it: proc_view_end ends that. -ESRCH: it is no more. May sleep. */
HAL_MUST_CHECK int proc_view_begin(const struct proc_who *who, struct proc_view *view);
void proc_view_end(struct proc_view *view);

/** The absolute path of its program, to `size` bytes at `to`. -ESRCH; -ENOENT: it has none. */
HAL_MUST_CHECK int proc_view_program(const struct proc_who *who, char *to, size_t size);
