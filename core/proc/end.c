/* SPDX-License-Identifier: MIT */
/*
 * end.c: how threads and processes end.
 *
 * The last thread of a process gives back what the process had, each thing where it may sleep, and
 * only then makes it a zombie and tells its parent: who has waited for a process finds its files
 * closed and its memory free. From that moment the process is its parent's.
 */
#include "proc/inside.h"
#include "proc/process.h"
#include "proc/session/session.h"
#include "proc/signal/signals.h"
#include "proc/timers/timers.h"

#include "heap/heap.h"
#include "ipc/futex/robust.h"
#include "sys/trace/trace.h"
#include "thread/thread.h"
#include "vm/space.h"

#include <hal/errno.h>
#include <hal/time.h>

#define INIT_PID 1u

/* `thread` is to end. Caller holds process_lock. */
static void end_thread(struct user_thread *thread)
{
    __atomic_store_n(&thread->ending, true, __ATOMIC_RELEASE);
    signal_alert(thread);
}

/* All threads of the process, but `kept`. Caller as above. */
static void end_threads(struct process *process, const struct user_thread *kept)
{
    list_for_each (link, &process->threads) {
        struct user_thread *thread = list_entry(link, struct user_thread, link);

        if (thread != kept)
            end_thread(thread);
    }
}

void process_end(struct process *process, uint32_t status)
{
    if (!process->ended) {
        process->ended = true;
        process->status = status;
    }
    end_threads(process, NULL);
}

void process_end_self(uint32_t status)
{
    process_lock();
    process_end(process_current(), status);
    process_unlock();
}

int process_become_single(void)
{
    struct user_thread *self = user_thread_current();
    struct process *process = self->process;
    int error = 0;

    process_lock();
    if (self->ending)
        error = -EINTR;
    else
        end_threads(process, self);
    while (!error && process->thread_count > 1) {
        process_sleep(process);
        error = self->ending ? -EINTR : 0;
    }
    process_unlock();
    return error;
}

void process_sleep(struct process *process)
{
    const struct user_thread *self = user_thread_current();

    if (condition_wait_until(&process->changed, HAL_TIME_NEVER) && !self->ending)
        thread_uncancel();
}

/* ---- the last thread ---- */

void process_give_back(struct process *process)
{
    process_lock();
    if (process->borrows) {
        process->borrows = false;
        if (process->parent)
            condition_broadcast(&process->parent->changed);
    }
    process_unlock();
}

static void give_resources_back(struct process *process)
{
    struct descriptor_table *files;
    struct vm_space *space;
    struct vnode *directory;

    signal_timers_end(process);
    user_timers_end(process);
    mutex_lock(&process->mutex);
    files = process->files;
    space = process->space;
    directory = process->directory;
    process->files = NULL;
    process->space = NULL;
    process->directory = NULL;
    mutex_unlock(&process->mutex);
    descriptor_table_leave(files);
    vm_space_put(space);
    vnode_put(directory);
    process_give_back(process);
}

/* True if nobody wants to know how `process` ended. Caller holds process_lock. */
static bool is_unwanted(const struct process *process)
{
    const struct signal_action *action;

    if (!process->parent)
        return !process->awaited;
    action = &process->parent->signals.actions[SIGNAL_CHLD];
    return process->signals.at_end == SIGNAL_CHLD &&
           (action->handler == SIGNAL_IGNORE || (action->flags & SIGNAL_NO_ZOMBIES));
}

/* The parent is told how the process has ended. Caller holds process_lock. */
static void tell_of_end(struct process *process)
{
    unsigned signal = process->status & 0x7f;

    signal_tell_parent(process, process->signals.at_end,
                       signal ? SIGNAL_CHILD_KILLED : SIGNAL_CHILD_EXITED,
                       signal ? (int)signal : (int)(process->status >> 8));
}

/* Its children get a new parent; those nobody will wait for go to `dead`. Caller as above. */
static void give_children_away(struct process *process, struct list *dead)
{
    struct process *heir = process_find(INIT_PID);

    if (heir == process || (heir && heir->state == PROCESS_ZOMBIE))
        heir = NULL;
    list_for_each_safe (link, &process->children) {
        struct process *child = list_entry(link, struct process, sibling);

        list_remove(link);
        child->parent = heir;
        child->signals.at_end = SIGNAL_CHLD;
        if (child->state == PROCESS_ZOMBIE && is_unwanted(child)) {
            process_forget(child);
            list_add_tail(dead, &child->sibling);
        } else if (heir) {
            list_add_tail(&heir->children, link);
            if (child->state == PROCESS_ZOMBIE)
                tell_of_end(child);
        }
    }
    if (heir)
        condition_broadcast(&heir->changed);
}

/* Nobody may touch `process` any more after this. */
static void become_zombie(struct process *process)
{
    struct list dead;
    bool unwanted;

    list_init(&dead);
    process_lock();
    session_finish(process);
    signal_check_orphans(process);
    give_children_away(process, &dead);
    process->state = PROCESS_ZOMBIE;
    unwanted = is_unwanted(process);
    if (process->parent)
        tell_of_end(process);
    else
        condition_broadcast(&process->changed);
    if (unwanted) {
        process_forget(process);
        list_add_tail(&dead, &process->sibling);
    }
    process_unlock();
    while (!list_empty(&dead))
        process_free(list_entry(list_take_head(&dead), struct process, sibling));
}

void user_thread_finish(struct user_thread *thread)
{
    struct process *process = thread->process;
    bool last;

    trace_end(thread, process->ended ? process->status : 0);
    robust_leave_memory(thread);
    process_lock();
    user_thread_keep_times(thread);
    last = user_thread_leave(thread);
    if (!last)
        condition_broadcast(&process->changed);
    process_unlock();
    kfree(thread);
    if (last) {
        give_resources_back(process);
        become_zombie(process);
    }
}
