/* SPDX-License-Identifier: MIT */
/*
 * wait.c: waiting for children.
 */
#include "proc/process.h"

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

/* A zombie among the children that are meant; *any: there are such children. */
static struct process *find_ended(struct process *parent, enum process_which which, uint32_t id,
                                  bool *any)
{
    *any = false;
    list_for_each (link, &parent->children) {
        struct process *child = list_entry(link, struct process, sibling);

        if (!is_meant(child, which, id))
            continue;
        *any = true;
        if (child->state == PROCESS_ZOMBIE)
            return child;
    }
    return NULL;
}

static void describe(const struct process *process, struct process_ending *ending)
{
    *ending = (struct process_ending){.pid = process->pid,
                                      .uid = process->credentials.uid,
                                      .status = process->status,
                                      .run_time = process->run_time + process->child_time};
}

/* A zombie goes out of the tree, if that is wanted. True: the caller frees it. */
static bool take(struct process *child, struct process *parent, unsigned flags,
                 struct process_ending *ending)
{
    describe(child, ending);
    if (flags & PROCESS_NO_REAP)
        return false;
    if (parent)
        parent->child_time += ending->run_time;
    process_forget(child);
    return true;
}

int process_wait(enum process_which which, uint32_t id, unsigned flags,
                 struct process_ending *ending)
{
    struct process *self = process_current(), *child;
    int result = 0;
    bool any, mine = false;

    process_lock();
    for (;;) {
        child = find_ended(self, which, id, &any);
        if (child) {
            mine = take(child, self, flags, ending);
            result = 1;
        } else if (!any) {
            result = -ECHILD;
        }
        if (result != 0 || (flags & PROCESS_NO_HANG))
            break;
        result = condition_wait_until(&self->changed, HAL_TIME_NEVER);
        if (result)
            break;
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
