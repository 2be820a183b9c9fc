/* SPDX-License-Identifier: MIT */
/*
 * wait.c: waiting for children.
 */
#include "proc/wait.h"

#include <hal/errno.h>
#include <hal/time.h>

static bool is_meant(const struct process *child, enum process_which which, uint32_t id)
{
    switch (which) {
    case PROCESS_PID:
        return child->pid == id;
    case PROCESS_GROUP:
        return child->group == id;
    default:
        return true;
    }
}

/* Children whose end sends SIGCHLD are one kind, others another one: Linux's __WCLONE, __WALL. */
static bool is_kind(const struct process *child, unsigned flags)
{
    bool other = child->signals.at_end != SIGNAL_CHLD;

    return (flags & PROCESS_ALL_KINDS) || other == !!(flags & PROCESS_OTHER_KINDS);
}

/* True if there is something to say of the child, among what `flags` asks for. */
static bool has_news(const struct process *child, unsigned flags)
{
    if (child->state == PROCESS_ZOMBIE)
        return flags & PROCESS_EXITED;
    return ((flags & PROCESS_STOPPED) && child->signals.stop_news != 0) ||
           ((flags & PROCESS_CONTINUED) && child->signals.continue_news);
}

/* One with news among the children that are meant; *any: there are such children. */
static struct process *find(struct process *parent, enum process_which which, uint32_t id,
                            unsigned flags, bool *any)
{
    *any = false;
    list_for_each (link, &parent->children) {
        struct process *child = list_entry(link, struct process, sibling);

        if (!is_meant(child, which, id) || !is_kind(child, flags))
            continue;
        *any = true;
        if (has_news(child, flags))
            return child;
    }
    return NULL;
}

static void describe_end(const struct process *process, struct process_ending *ending)
{
    unsigned signal = process->status & 0x7f;

    ending->status = process->status;
    ending->code = signal ? SIGNAL_CHILD_KILLED : SIGNAL_CHILD_EXITED;
    ending->detail = signal ? (int)signal : (int)(process->status >> 8);
}

static void describe(struct process *process, unsigned flags, struct process_ending *ending)
{
    *ending = (struct process_ending){.pid = process->pid, .times = process_read_times(process)};
    process_add_times(&ending->times, &process->child_times);
    mutex_lock(&process->mutex);
    ending->uid = process->credentials.uid;
    mutex_unlock(&process->mutex);
    if (process->state == PROCESS_ZOMBIE) {
        describe_end(process, ending);
    } else if ((flags & PROCESS_STOPPED) && process->signals.stop_news != 0) {
        ending->status = process->signals.stop_news << 8 | 0x7f;
        ending->code = SIGNAL_CHILD_STOPPED;
        ending->detail = (int)process->signals.stop_news;
    } else {
        ending->status = 0xffff;
        ending->code = SIGNAL_CHILD_CONTINUED;
        ending->detail = SIGNAL_CONT;
    }
}

/* The news of the child are told, and are none any more, if that is wanted. True: it was a zombie
 * that is out of the tree, and the caller frees it. */
static bool take(struct process *child, struct process *parent, unsigned flags,
                 struct process_ending *ending)
{
    describe(child, flags, ending);
    if (flags & PROCESS_NO_REAP)
        return false;
    if (child->state != PROCESS_ZOMBIE) {
        if (ending->code == SIGNAL_CHILD_STOPPED)
            child->signals.stop_news = 0;
        else
            child->signals.continue_news = false;
        return false;
    }
    if (parent)
        process_add_times(&parent->child_times, &ending->times);
    process_forget(child);
    return true;
}

int process_wait(enum process_which which, uint32_t id, unsigned flags,
                 struct process_ending *ending)
{
    struct process *self = process_current(), *child;
    int result = 0, error = 0;
    bool any, mine = false;

    process_lock();
    for (;;) {
        child = find(self, which, id, flags, &any);
        if (child) {
            mine = take(child, self, flags, ending);
            result = 1;
        } else {
            result = any ? error : -ECHILD; /* news count for more than a signal */
        }
        if (result != 0 || (flags & PROCESS_NO_HANG))
            break;
        error = condition_wait_until(&self->changed, HAL_TIME_NEVER);
    }
    process_unlock();
    if (mine)
        process_free(child);
    return result;
}

int process_wait_kernel(struct process *process, bool firmly, struct process_ending *ending)
{
    int error = 0;
    bool mine = false;

    process_lock();
    while (process->state != PROCESS_ZOMBIE && !error) {
        if (firmly)
            condition_wait(&process->changed);
        else
            error = condition_wait_until(&process->changed, HAL_TIME_NEVER);
    }
    if (!error)
        mine = take(process, NULL, 0, ending);
    process_unlock();
    if (mine)
        process_free(process);
    return error;
}
