/* SPDX-License-Identifier: MIT */
/*
 * life.c: clone, execve, exit, wait: how processes come and go.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/vfs.h"
#include "proc/process.h"
#include "proc/program/load.h"
#include "proc/signal/signals.h"
#include "proc/wait.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define WAIT_FLAGS \
    (0x20000000u | PROCESS_ALL_KINDS | PROCESS_OTHER_KINDS | PROCESS_NO_HANG) /* and __WNOTHREAD \
                                                                               */

enum { WAIT_ID_ALL, WAIT_ID_PID, WAIT_ID_GROUP };

int64_t sys_clone(const struct sys_args *args)
{
    const struct clone_request request = {
        .flags = args->value[0],
        .stack = (uintptr_t)args->value[1],
        .parent_tid = (uintptr_t)args->value[2],
        .tls = (uintptr_t)args->value[3],
        .child_tid = (uintptr_t)args->value[4],
    };

    return process_clone(&request);
}

/* ---- exec ---- */

static int execute(const struct user_path *path, struct program_strings *strings)
{
    struct user_thread *self = user_thread_current();
    struct program_image image;
    int error = program_load(self->process, path->base, path->text, strings, &image);

    if (error)
        return error;
    error = process_become_single();
    if (error)
        program_image_free(&image);
    else
        program_begin(self, &image);
    return error;
}

int64_t sys_execve(const struct sys_args *args)
{
    struct program_strings strings = {.bytes = NULL};
    struct user_path path;
    int error = user_path_begin(&path, (uint64_t)USER_THIS_DIRECTORY, args->value[0], 0);

    if (error)
        return error;
    error = program_strings_read(&strings, process_current()->space, (uintptr_t)args->value[1],
                                 (uintptr_t)args->value[2]);
    if (!error)
        error = execute(&path, &strings);
    program_strings_free(&strings);
    user_path_finish(&path);
    return error;
}

/* ---- the end ---- */

int64_t sys_exit(const struct sys_args *args)
{
    struct user_thread *self = user_thread_current();

    process_lock();
    if (self->process->thread_count == 1 && !self->process->ended) {
        self->process->ended = true;
        self->process->status = process_exit_status((unsigned)args->value[0]);
    }
    __atomic_store_n(&self->ending, true, __ATOMIC_RELEASE);
    process_unlock();
    return 0;
}

int64_t sys_exit_group(const struct sys_args *args)
{
    process_end_self(process_exit_status((unsigned)args->value[0]));
    return 0;
}

/* ---- waiting ---- */

static int write_usage(uint64_t to, const struct process_times *times)
{
    uint8_t usage[USER_USAGE_BYTES];

    user_put_usage(usage, times);
    return user_copy_out_optional(to, usage, sizeof(usage));
}

int64_t sys_wait4(const struct sys_args *args)
{
    int32_t pid = (int32_t)args->value[0];
    uint32_t flags = (uint32_t)args->value[2];
    enum process_which which = pid > 0 ? PROCESS_PID : pid == -1 ? PROCESS_ANY : PROCESS_GROUP;
    uint32_t id = pid > 0 ? (uint32_t)pid : 0 - (uint32_t)pid;
    struct process_ending ending;
    int result;

    if (flags & ~(WAIT_FLAGS | PROCESS_STOPPED | PROCESS_CONTINUED))
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid == 0)
        id = process_current()->group;
    result = process_wait(which, id, flags | PROCESS_EXITED, &ending);
    if (result <= 0)
        return result;
    result = user_copy_out_optional(args->value[1], &ending.status, sizeof(ending.status));
    if (!result)
        result = write_usage(args->value[3], &ending.times);
    return result ? result : (int64_t)ending.pid;
}

/* Linux's siginfo_t of a child; `ending` NULL: none has ended. */
static int write_info(uint64_t to, const struct process_ending *ending)
{
    uint8_t bytes[SIGNAL_INFO_BYTES];
    struct signal_info info = {.code = 0};

    if (!to)
        return 0;
    if (ending) {
        info.code = ending->code;
        info.pid = ending->pid;
        info.uid = ending->uid;
        info.status = ending->detail;
    }
    signal_put_info(bytes, ending ? SIGNAL_CHLD : 0, &info);
    return user_copy_out(to, bytes, sizeof(bytes));
}

/* What waitid means by its first two arguments. */
static int read_which(uint32_t kind, uint32_t *id, enum process_which *which)
{
    switch (kind) {
    case WAIT_ID_ALL:
        *which = PROCESS_ANY;
        return 0;
    case WAIT_ID_PID:
        *which = PROCESS_PID;
        return *id > 0 ? 0 : -EINVAL;
    case WAIT_ID_GROUP:
        *which = PROCESS_GROUP;
        if (*id == 0)
            *id = process_current()->group;
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t sys_waitid(const struct sys_args *args)
{
    uint32_t id = (uint32_t)args->value[1], flags = (uint32_t)args->value[3];
    struct process_ending ending;
    enum process_which which;
    int result = read_which((uint32_t)args->value[0], &id, &which);

    if (!(flags & (PROCESS_EXITED | PROCESS_STOPPED | PROCESS_CONTINUED)) ||
        (flags &
         ~(WAIT_FLAGS | PROCESS_NO_REAP | PROCESS_EXITED | PROCESS_STOPPED | PROCESS_CONTINUED)))
        result = -EINVAL;
    if (!result)
        result = process_wait(which, id, flags, &ending);
    if (result > 0 && write_usage(args->value[4], &ending.times))
        return -EFAULT;
    if (write_info(args->value[2], result > 0 ? &ending : NULL))
        return -EFAULT;
    return result < 0 ? result : 0;
}
