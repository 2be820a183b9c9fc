/* SPDX-License-Identifier: MIT */
/*
 * session.h: sessions, groups of processes, and the terminal that a session is run from.
 *
 * A session is all that came of one login, or of one window; setsid begins one, and whoever called
 * that leads it. Its processes are in groups: a group is what a shell was told in one line. A
 * session may have a terminal, its controlling terminal, and a terminal is that of one session.
 * One of the session's groups is in the foreground: Ctrl-C means that group, and it may read.
 *
 *     session 2, led by ash      terminal: session 2, foreground 9
 *       group 2: ash
 *       group 7: find | sort     (in the background)
 *       group 9: vi
 *
 * The rules, and their errors, are Linux's.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

struct process;

/** A terminal, as processes see it. Written with process_lock held. */
struct terminal {
    uint64_t device;     /**< its number; constant */
    uint32_t session;    /**< whose it is; 0: nobody's. Atomic */
    uint32_t foreground; /**< the group; 0: none. Atomic */

    /** Its session's leader has ended: open files of it are of no use any more. Any context. */
    void (*hang_up)(struct terminal *terminal);
};

/* ---- sessions and groups. Caller is a user thread, which holds process_lock ---- */

/** setsid: the caller's process leads a new session, without a terminal. -EPERM. */
HAL_MUST_CHECK int session_begin(void);

/** setpgid. `pid` 0: the caller's process; `group` 0: one of its own. -ESRCH, -EPERM, -EACCES,
 * -EINVAL. */
HAL_MUST_CHECK int session_set_group(uint32_t pid, uint32_t group);

/* ---- terminals. Caller as above ---- */

/** The caller opens the terminal, for reading: if it leads a session without one, and the terminal
 * is nobody's, it is that session's from now on. */
void session_open_terminal(struct terminal *terminal);

/** TIOCSCTTY: makes it so. `steal`: also if it is another session's. -EPERM. */
HAL_MUST_CHECK int session_take_terminal(struct terminal *terminal, bool steal);

/** TIOCNOTTY: the caller's process has none any more; if it leads the session, nobody of the
 * session has. -ENOTTY. */
HAL_MUST_CHECK int session_leave_terminal(struct terminal *terminal);

/** TIOCSPGRP. -ENOTTY, -ESRCH, -EPERM. */
HAL_MUST_CHECK int session_set_foreground(struct terminal *terminal, uint32_t group);

/**
 * The caller does to its controlling terminal what only the foreground may: its group is sent
 * `signal`, and the result is -EINTR; or, if that would not stop it, -EIO (for reading) or 0. Takes
 * process_lock itself. Thread context.
 */
HAL_MUST_CHECK int session_check_foreground(const struct terminal *terminal, unsigned signal);

/* ---- births and ends. Caller holds process_lock ---- */

/** `process`, which is new and has a number, begins a session on the terminal: for programs that
 * the kernel starts. */
void session_give_terminal(struct process *process, struct terminal *terminal);

/** `process` ends: if it leads a session, the terminal is hung up, and who is in the foreground
 * gets SIGNAL_HUP. */
void session_finish(struct process *process);
