/* SPDX-License-Identifier: MIT */
/*
 * stop.c: processes stop and go on, and their parents are told.
 *
 *     RUNS --a thread takes a stop--> STOPPING --all threads stay--> STOPPED
 *       ^                                |                             |
 *       +-----------------SIGCONT is sent, or the end------------------+
 *
 * A thread stays stopped in signal_attend, so in no call and with nothing held. One that sleeps in
 * a call leaves it first, and the call is made again when the process goes on.
 *
 * A group of processes is an orphan if nobody outside of it, in its session, is there to continue
 * it: then terminals' signals do not stop it.
 */
#include "proc/signal/signals.h"

#include "thread/thread.h"

#include <hal/kstate.h>
#include <hal/time.h>

#define INIT_PID 1u
#define NS_PER_TICK 10000000u

static KSTATE unsigned stopped_processes;

void signal_tell_parent(struct process *process, unsigned signal, int code, int status)
{
    struct process *parent = process->parent;
    struct signal_info info = {.code = code, .pid = process->pid};
    const struct signal_action *action;
    struct process_times times;

    if (!parent)
        return;
    action = &parent->signals.actions[SIGNAL_CHLD];
    mutex_lock(&process->mutex);
    info.uid = process->credentials.uid;
    mutex_unlock(&process->mutex);
    info.status = status;
    times = process_read_times(process);
    info.user_ticks = times.user / NS_PER_TICK;
    info.system_ticks = times.system / NS_PER_TICK;
    if (signal != 0 && !(code >= SIGNAL_CHILD_STOPPED && (action->flags & SIGNAL_NO_CHILD_STOP)))
        signal_send(parent, signal, &info);
    condition_broadcast(&parent->changed);
}

void signal_note_stopped(struct process *process)
{
    struct process_signals *signals = &process->signals;

    if (!signals->stop || signals->stopped || signals->stopped_threads < process->thread_count ||
        process->ended || process->thread_count == 0)
        return;
    signals->stopped = true;
    signals->stop_news = signals->stop;
    signals->continue_news = false;
    stopped_processes++;
    signal_tell_parent(process, SIGNAL_CHLD, SIGNAL_CHILD_STOPPED, (int)signals->stop);
}

/* It is stopped no more. */
static void release(struct process *process)
{
    struct process_signals *signals = &process->signals;

    stopped_processes -= signals->stopped;
    signals->stopped = false;
    signals->stop = 0;
    signals->stop_news = 0;
    condition_broadcast(&process->changed);
}

void signal_stop(struct user_thread *self, unsigned signal)
{
    struct process *process = self->process;

    if (process->signals.stop || process->ended)
        return;
    if (signal != SIGNAL_STOP && signal_group_is_orphan(process->group, NULL))
        return;
    process->signals.stop = signal;
    list_for_each (link, &process->threads)
        signal_alert(list_entry(link, struct user_thread, link));
}

void signal_stay_stopped(struct user_thread *self)
{
    struct process *process = self->process;

    process->signals.stopped_threads++;
    signal_note_stopped(process);
    while (process->signals.stop && !self->ending) {
        if (condition_wait_until(&process->changed, HAL_TIME_NEVER) && !self->ending)
            thread_uncancel();
    }
    process->signals.stopped_threads--;
    if (process->ended && process->signals.stop) /* exec ends threads, and the stop stays */
        release(process);
}

void signal_continue(struct process *process)
{
    bool stopped = process->signals.stopped;

    if (!process->signals.stop)
        return;
    release(process);
    if (stopped) {
        process->signals.continue_news = true;
        signal_tell_parent(process, SIGNAL_CHLD, SIGNAL_CHILD_CONTINUED, SIGNAL_CONT);
    }
}

/* ---- orphans ---- */

/* True if somebody may continue `process` who is not of its group. */
static bool has_keeper(const struct process *process, const struct process *without)
{
    const struct process *parent = process->parent;

    return process != without && process->state == PROCESS_ALIVE && parent && parent != without &&
           parent->pid != INIT_PID && parent->group != process->group &&
           parent->session == process->session;
}

bool signal_group_is_orphan(uint32_t group, const struct process *without)
{
    const struct process *process = process_from(0);

    for (; process; process = process_from(process->pid + 1)) {
        if (process->group == group && has_keeper(process, without))
            return false;
    }
    return true;
}

static bool has_stopped(uint32_t group)
{
    const struct process *process = process_from(0);

    for (; process; process = process_from(process->pid + 1)) {
        if (process->group == group && process->signals.stopped)
            return true;
    }
    return false;
}

/* The group loses `without`, who is of it or may continue it. */
static void check_group(uint32_t group, const struct process *without)
{
    if (!has_stopped(group) || !signal_group_is_orphan(group, without))
        return;
    (void)signal_send_group(group, SIGNAL_HUP, NULL);
    (void)signal_send_group(group, SIGNAL_CONT, NULL);
}

void signal_check_orphans(struct process *process)
{
    const struct process *parent = process->parent;

    if (stopped_processes == 0)
        return;
    if (parent && parent->group != process->group && parent->session == process->session)
        check_group(process->group, process);
    list_for_each (link, &process->children) {
        const struct process *child = list_entry(link, struct process, sibling);

        if (child->group != process->group && child->session == process->session)
            check_group(child->group, process);
    }
}
