/* SPDX-License-Identifier: MIT */
/*
 * session.c: whose terminal it is, and who is in its foreground.
 */
#include "proc/session/session.h"

#include "proc/process.h"
#include "proc/signal/signals.h"

#include <hal/errno.h>

static bool leads(const struct process *process)
{
    return process->session == process->pid;
}

/* The first process of that group, or NULL. */
static const struct process *first_of_group(uint32_t group)
{
    const struct process *process = process_from(0);

    while (process && process->group != group)
        process = process_from(process->pid + 1);
    return process;
}

static void set_owner(struct terminal *terminal, uint32_t session, uint32_t foreground)
{
    __atomic_store_n(&terminal->session, session, __ATOMIC_RELEASE);
    __atomic_store_n(&terminal->foreground, foreground, __ATOMIC_RELEASE);
}

/* ---- sessions and groups ---- */

int session_begin(void)
{
    struct process *self = process_current();

    if (leads(self) || first_of_group(self->pid))
        return -EPERM;
    self->group = self->session = self->pid;
    self->terminal = NULL;
    return 0;
}

/* Whether the caller may change the group of `process`. */
static int check_group(const struct process *process)
{
    const struct process *self = process_current();

    if (process->parent == self && process != self) {
        if (process->session != self->session)
            return -EPERM;
        if (process->executed)
            return -EACCES;
    } else if (process != self) {
        return -ESRCH;
    }
    return leads(process) ? -EPERM : 0;
}

int session_set_group(uint32_t pid, uint32_t group)
{
    struct process *self = process_current();
    struct process *process = pid == 0 ? self : process_find(pid);
    const struct process *member;
    int error;

    if (!process)
        return user_thread_find(pid) ? -EINVAL : -ESRCH;
    error = check_group(process);
    if (error)
        return error;
    if (group == 0)
        group = process->pid;
    if (group != process->pid) {
        member = first_of_group(group);
        if (!member || member->session != self->session)
            return -EPERM;
    }
    process->group = group;
    return 0;
}

/* ---- terminals ---- */

/* The session loses its terminal. */
static void clear_terminal(uint32_t session)
{
    struct process *process = process_from(0);

    for (; process; process = process_from(process->pid + 1)) {
        if (process->session == session)
            process->terminal = NULL;
    }
}

void session_give_terminal(struct process *process, struct terminal *terminal)
{
    if (terminal->session != 0)
        clear_terminal(terminal->session);
    process->terminal = terminal;
    set_owner(terminal, process->session, process->group);
}

void session_open_terminal(struct terminal *terminal)
{
    struct process *self = process_current();

    if (leads(self) && !self->terminal && terminal->session == 0)
        session_give_terminal(self, terminal);
}

int session_take_terminal(struct terminal *terminal, bool steal)
{
    struct process *self = process_current();

    if (leads(self) && self->session == terminal->session)
        return 0;
    if (!leads(self) || self->terminal)
        return -EPERM;
    if (terminal->session != 0 && !steal)
        return -EPERM;
    session_give_terminal(self, terminal);
    return 0;
}

int session_leave_terminal(struct terminal *terminal)
{
    struct process *self = process_current();

    if (self->terminal != terminal)
        return -ENOTTY;
    if (!leads(self)) {
        self->terminal = NULL;
        return 0;
    }
    if (terminal->foreground != 0) {
        (void)signal_send_group(terminal->foreground, SIGNAL_HUP, NULL);
        (void)signal_send_group(terminal->foreground, SIGNAL_CONT, NULL);
    }
    set_owner(terminal, 0, 0);
    clear_terminal(self->session);
    return 0;
}

int session_set_foreground(struct terminal *terminal, uint32_t group)
{
    struct process *self = process_current();
    const struct process *member;

    if (self->terminal != terminal || terminal->session != self->session)
        return -ENOTTY;
    member = first_of_group(group);
    if (!member)
        return -ESRCH;
    if (member->session != self->session)
        return -EPERM;
    __atomic_store_n(&terminal->foreground, group, __ATOMIC_RELEASE);
    return 0;
}

/* The signal goes to the caller's group. */
static int stop_group(const struct process *self, unsigned signal)
{
    if (signal_group_is_orphan(self->group, NULL))
        return -EIO;
    (void)signal_send_group(self->group, signal, NULL);
    return -EINTR;
}

int session_check_foreground(const struct terminal *terminal, unsigned signal)
{
    const struct user_thread *thread = user_thread_current();
    const struct process *self;
    bool reaches, in_background;
    int error = 0;

    if (!thread)
        return 0;
    self = thread->process;
    reaches = signal_reaches(signal);
    process_lock();
    in_background = self->terminal == terminal && terminal->foreground != 0 &&
                    self->group != terminal->foreground;
    if (in_background && !reaches)
        error = signal == SIGNAL_TTIN ? -EIO : 0;
    else if (in_background)
        error = stop_group(self, signal);
    process_unlock();
    return error;
}

/* ---- ends ---- */

void session_finish(struct process *process)
{
    struct terminal *terminal = process->terminal;
    uint32_t foreground;

    if (!leads(process) || !terminal || terminal->session != process->session)
        return;
    foreground = terminal->foreground;
    set_owner(terminal, 0, 0);
    clear_terminal(process->session);
    terminal->hang_up(terminal);
    if (foreground != 0)
        (void)signal_send_group(foreground, SIGNAL_HUP, NULL);
}
