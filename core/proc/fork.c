/* SPDX-License-Identifier: MIT */
/*
 * fork.c: new processes and threads, as copies of those who ask (clone).
 *
 * A process gets a copy of the memory, or for vfork the memory itself while its parent waits; a
 * thread shares all. All that can fail is done before the new thread is started.
 */
#include "proc/process.h"
#include "proc/room/room.h"
#include "proc/signal/signals.h"

#include "vm/copy.h"
#include "vm/space.h"

#include <hal/errno.h>

#define THREAD_FLAGS (CLONE_MEMORY | CLONE_HANDLERS)

/* Combinations that Linux does not take, and those that would need what is not here. */
static int check(const struct clone_request *request)
{
    uint64_t flags = request->flags;

    if ((flags & CLONE_SIGNAL) > SIGNAL_COUNT)
        return -EINVAL;
    if ((flags & CLONE_THREAD) && (flags & THREAD_FLAGS) != THREAD_FLAGS)
        return -EINVAL;
    if ((flags & CLONE_HANDLERS) && !(flags & CLONE_MEMORY))
        return -EINVAL;
    if ((flags & CLONE_MEMORY) && !(flags & (CLONE_THREAD | CLONE_VFORK)))
        return -EINVAL; /* two processes with one memory at the same time */
    return 0;
}

/* How the new thread begins: as its maker, which gets 0 from the call. */
static void set_registers(struct user_thread *child, const struct user_thread *self,
                          const struct clone_request *request)
{
    hal_user_copy(&child->user, &self->user);
    hal_user_set_result(&child->user, 0);
    if (request->stack)
        hal_user_set_sp(&child->user, request->stack);
    if (request->flags & CLONE_SET_TLS)
        hal_user_set_tls(&child->user, request->tls);
    signal_begin_thread(child, self,
                        !(request->flags & CLONE_MEMORY) || (request->flags & CLONE_VFORK));
    if (request->flags & CLONE_CHILD_CLEAR_TID)
        child->clear_tid = request->child_tid;
}

/* Tells user memory the new number, where that was asked for. */
static int write_tids(const struct user_thread *child, const struct user_thread *self,
                      const struct clone_request *request)
{
    int error = 0;

    if (request->flags & CLONE_PARENT_SET_TID)
        error =
            vm_copy_out(self->process->space, request->parent_tid, &child->tid, sizeof(child->tid));
    if (!error && (request->flags & CLONE_CHILD_SET_TID))
        error =
            vm_copy_out(child->process->space, request->child_tid, &child->tid, sizeof(child->tid));
    return error;
}

static int64_t clone_thread(struct user_thread *self, const struct clone_request *request)
{
    struct user_thread *child;
    int error = user_thread_create(self->process, &child);
    uint32_t tid;

    if (error)
        return error;
    set_registers(child, self, request);
    tid = child->tid;
    error = write_tids(child, self, request);
    if (error)
        user_thread_abandon(child);
    else
        error = user_thread_start(child);
    return error ? error : (int64_t)tid;
}

/* Memory and files of a new process. */
static int give_resources(struct process *child, struct process *parent, uint64_t flags)
{
    child->files = flags & CLONE_FILES ? descriptor_table_get(parent->files)
                                       : descriptor_table_copy(parent->files);
    if (!child->files)
        return -ENOMEM;
    if (!(flags & CLONE_MEMORY))
        return vm_space_fork(parent->space, parent->thread_count == 1, &child->space);
    child->space = vm_space_get(parent->space);
    child->borrows = true;
    return 0;
}

/* Waits until child `pid` has a program of its own, or has ended. */
static void await_return(struct process *self, uint32_t pid)
{
    const struct process *child;

    process_lock();
    while (!user_thread_current()->ending && (child = process_find(pid)) && child->parent == self &&
           child->borrows)
        process_sleep(self);
    process_unlock();
}

static int64_t clone_process(struct user_thread *self, const struct clone_request *request)
{
    struct process *child = process_is_room() ? process_create(self->process) : NULL;
    struct user_thread *thread;
    uint32_t pid;
    int error;

    if (!child)
        return -ENOMEM;
    error = give_resources(child, self->process, request->flags);
    if (!error)
        error = user_thread_create(child, &thread);
    if (error) {
        process_free(child);
        return error;
    }
    child->signals.at_end = request->flags & CLONE_PARENT ? self->process->signals.at_end
                                                          : request->flags & CLONE_SIGNAL;
    set_registers(thread, self, request);
    pid = thread->tid;
    error = write_tids(thread, self, request);
    if (error)
        user_thread_abandon(thread);
    else
        error = user_thread_start(thread);
    if (error)
        return error;
    if (request->flags & CLONE_VFORK)
        await_return(self->process, pid);
    return (int64_t)pid;
}

int64_t process_clone(const struct clone_request *request)
{
    struct user_thread *self = user_thread_current();
    int error = check(request);

    if (error)
        return error;
    if (request->flags & CLONE_THREAD)
        return clone_thread(self, request);
    return clone_process(self, request);
}
