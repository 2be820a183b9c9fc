/* SPDX-License-Identifier: MIT */
/*
 * view.c: taking views of processes.
 */
#include "fs/procfs/process/view.h"

#include "lib/string.h"
#include "proc/session/session.h"
#include "thread/thread.h"
#include "vm/space.h"

#include <hal/errno.h>
#include <hal/runtime.h>

/* The process, if it is that one still. Caller holds process_lock. */
static struct process *find(const struct proc_who *who)
{
    struct process *process = process_find(who->pid);

    return process && process->born == who->born ? process : NULL;
}

int proc_who_from(uint32_t pid, struct proc_who *who)
{
    const struct process *process;

    process_lock();
    process = process_from(pid);
    if (process)
        *who = (struct proc_who){.pid = process->pid, .born = process->born};
    process_unlock();
    return process ? 0 : -ESRCH;
}

int proc_thread_from(const struct proc_who *who, uint32_t tid, uint32_t *found)
{
    const struct process *process;
    uint32_t least = 0;

    process_lock();
    process = find(who);
    if (process) {
        list_for_each (link, &process->threads) {
            const struct user_thread *thread = list_entry(link, struct user_thread, link);

            if (thread->tid >= tid && (least == 0 || thread->tid < least))
                least = thread->tid;
        }
    }
    process_unlock();
    *found = least;
    return least ? 0 : -ESRCH;
}

/* Counts one thread in. Caller holds process_lock. */
static void add_thread(struct proc_view *view, const struct user_thread *thread)
{
    struct process_times times = user_thread_times(thread);
    struct thread_info info;

    view->blocked = __atomic_load_n(&thread->signals.blocked, __ATOMIC_RELAXED);
    if (thread_read_info(thread->kernel_thread, &info) || info.id != thread->kernel_thread)
        return;
    process_add_times(&view->times, &times);
    view->nice = info.nice;
    view->cpu = info.cpu;
    if (info.state == THREAD_RUNNING || info.state == THREAD_READY)
        view->state = 'R';
}

/* The threads that are meant; false: there is none. As above. */
static bool add_threads(struct proc_view *view, const struct process *process)
{
    bool any = false;

    view->state = process->state == PROCESS_ZOMBIE ? 'Z' : 'S';
    list_for_each (link, &process->threads) {
        const struct user_thread *thread = list_entry(link, struct user_thread, link);

        if (view->who.tid != 0 && thread->tid != view->who.tid)
            continue;
        add_thread(view, thread);
        any = true;
    }
    if (process->signals.stopped)
        view->state = 'T';
    return any || view->who.tid == 0;
}

static void add_actions(struct proc_view *view, const struct process *process)
{
    for (unsigned i = 1; i <= SIGNAL_COUNT; i++) {
        uintptr_t handler = process->signals.actions[i].handler;

        if (handler == SIGNAL_IGNORE)
            view->ignored |= 1ull << (i - 1);
        else if (handler != SIGNAL_DEFAULT)
            view->caught |= 1ull << (i - 1);
    }
}

/* What the process's own mutex guards. Caller holds process_lock: so nobody frees it. */
static void add_guarded(struct proc_view *view, struct process *process)
{
    mutex_lock(&process->mutex);
    view->space = process->space ? vm_space_get(process->space) : NULL;
    view->files = process->files ? descriptor_table_get(process->files) : NULL;
    view->directory = process->directory ? vnode_get(process->directory) : NULL;
    view->texts = process->texts;
    view->umask = process->umask;
    view->credentials = process->credentials;
    memcpy(view->limits, process->limits, sizeof(view->limits));
    memcpy(view->name, process->name, sizeof(view->name));
    mutex_unlock(&process->mutex);
}

/* Caller holds process_lock. */
static void add_terminal(struct proc_view *view, const struct terminal *terminal)
{
    view->foreground = terminal ? (int32_t)terminal->foreground : -1;
    if (terminal)
        view->terminal = (uint32_t)(terminal->device >> 32 << 8 | (terminal->device & 0xff));
}

/* As above. -ESRCH. */
static int fill(struct proc_view *view, struct process *process)
{
    if (!add_threads(view, process))
        return -ESRCH;
    view->parent = process->parent ? process->parent->pid : 0;
    view->group = process->group;
    view->session = process->session;
    add_terminal(view, process->terminal);
    view->threads = process->thread_count;
    view->child_times = process->child_times;
    if (view->who.tid == 0)
        process_add_times(&view->times, &process->times);
    add_actions(view, process);
    add_guarded(view, process);
    return 0;
}

int proc_view_begin(const struct proc_who *who, struct proc_view *view)
{
    struct process *process;
    int error = -ESRCH;

    *view = (struct proc_view){.who = *who};
    process_lock();
    process = find(who);
    if (process)
        error = fill(view, process);
    process_unlock();
    return error;
}

void proc_view_end(struct proc_view *view)
{
    descriptor_table_put(view->files);
    vm_space_put(view->space);
    vnode_put(view->directory);
}

int proc_view_program(const struct proc_who *who, char *to, size_t size)
{
    struct process *process;
    int error = -ESRCH;

    process_lock();
    process = find(who);
    if (process) {
        mutex_lock(&process->mutex);
        error = process->program && process->space ? 0 : -ENOENT;
        if (!error && !string_copy(to, size, process->program))
            error = -ERANGE;
        mutex_unlock(&process->mutex);
    }
    process_unlock();
    return error;
}
