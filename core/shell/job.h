/* SPDX-License-Identifier: MIT */
/*
 * job.h: a command on its way: its words, the directory that it started in, and its thread.
 *
 * A command in the foreground runs in a thread of its own while the shell waits, so that Ctrl-C can
 * cancel it (thread_cancel) without harm to the shell; one in the background ("&") the same, only
 * that the shell does not wait. Commands that are quick run in the shell's own thread: they need no
 * memory, so that poweroff works when there is none.
 *
 * A command that takes long looks at thread_cancelled, or at the results of its sleeps, and ends.
 */
#pragma once

#include "fs/vnode.h"
#include "shell/edit/args.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#define JOB_BACKGROUND_MAX 16u

struct command;

struct job {
    const struct command *command;
    struct args args;             /**< words[0] is the command's name */
    struct vnode *base;           /**< where relative paths start, a reference; NULL: at the root */
    char directory[VFS_PATH_MAX]; /**< where that was when `cd` went there */
    unsigned number;              /**< in the background: "%1" and so on; 0: foreground */
    bool cancelled;               /**< it was cancelled while it ran */
};

/** Prepares the table of background jobs. Boot of the shell calls it once. */
void job_start(void);

/** Runs all commands of `line`, in the directory of `job`, which keeps what `cd` changed. May
 * sleep. */
void job_run_line(struct job *job, const char *line);

/** Runs job->command in the calling thread: for commands that run others. May sleep. */
void job_run_here(struct job *job);

/**
 * Starts a copy of `job` in the background that runs `command`, and prints its number and words.
 * Prints an error if that cannot be. May sleep.
 */
void job_start_background(const struct job *job, const struct command *command);

/** Asks background job `number` to end. 0, or -ENOENT. */
HAL_MUST_CHECK int job_cancel(unsigned number);

/** The thread of background job `number`, 0: there is none, or it has not begun. Any context. */
uint32_t job_thread(unsigned number);

/** The number of the background job that is thread `id`, or 0. */
unsigned job_of_thread(uint32_t id);
