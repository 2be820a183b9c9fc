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
    if (!(request->flags & CLONE_MEMORY) || (request->flags & CLONE_VFORK))
        child->signals.stack = self->signals.stack;
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
    int error = user_thread_create(self->process, self, &child);
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
    child->files = flags & CLONE_FILES ? descriptor_table_share(parent->files)
                                       : descriptor_table_copy(parent->files);
    if (!child->files)
        return -ENOMEM;
    if (!(flags & CLONE_MEMORY)) {
        /* What is borrowed, threads of its owner may be writing to. */
        bool alone = process_is_single(parent) && !parent->borrows;

        return vm_space_fork(parent->space, alone, &child->space);
    }
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

/* What the child's parent is to get at its end: CLONE_PARENT's gets what the caller's does. */
static unsigned signal_at_end(const struct process *self, uint64_t flags)
{
    unsigned signal;

    process_lock();
    signal = flags & CLONE_PARENT ? self->signals.at_end : (unsigned)(flags & CLONE_SIGNAL);
    process_unlock();
    return signal;
}

static int64_t clone_process(struct user_thread *self, const struct clone_request *request)
{
    struct process *child = process_is_room() ? process_create(self->process) : NULL;
    struct user_thread *thread;
    uint32_t pid;
    int error;

    if (!child)
        return -ENOMEM;
    child->signals.at_end = signal_at_end(self->process, request->flags);
    error = give_resources(child, self->process, request->flags);
    if (!error) /* from now on others find it */
        error = user_thread_create(child, self, &thread);
    if (error) {
        process_free(child);
        return error;
    }
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

/* Whether the user may have one more thread. Root may: who counts for it is process_is_room. */
static bool is_allowed(struct process *self)
{
    struct credentials own;
    uint64_t limit;

    mutex_lock(&self->mutex);
    own = self->credentials;
    limit = self->limits[PROCESS_LIMIT_PROCESSES].soft;
    mutex_unlock(&self->mutex);
    return own.uid == 0 || own.effective_uid == 0 || limit == PROCESS_UNLIMITED ||
           user_thread_count_of(own.uid) < limit;
}

int64_t process_clone(const struct clone_request *request)
{
    struct user_thread *self = user_thread_current();
    int error = check(request);

    if (error)
        return error;
    if (!is_allowed(self->process))
        return -EAGAIN;
    if (request->flags & CLONE_THREAD)
        return clone_thread(self, request);
    return clone_process(self, request);
}
