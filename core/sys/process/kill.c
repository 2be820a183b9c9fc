/* SPDX-License-Identifier: MIT */
/*
 * kill.c: sending signals, to processes, groups and threads.
 *
 * Who may: root; a user with real or effective number the target's real or saved one; and for
 * SIGCONT whoever is in the same session.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "lib/bytes.h"
#include "proc/process.h"
#include "proc/wait.h"

#include <hal/errno.h>
#include <hal/runtime.h>

/* What a signal says that comes from the caller. */
static struct signal_info from_caller(int code)
{
    struct process *self = process_current();

    return (struct signal_info){
        .code = code, .pid = self->pid, .uid = process_credentials(self).uid, .value = 0};
}

/* 0, -EINVAL: no such signal; -EPERM. Caller holds process_lock. */
static int check(struct process *target, uint32_t signal)
{
    struct process *self = process_current();
    struct credentials own, other;

    if (signal > SIGNAL_COUNT)
        return -EINVAL;
    if (target == self || (signal == SIGNAL_CONT && target->session == self->session))
        return 0;
    own = process_credentials(self);
    if (own.effective_uid == 0)
        return 0;
    other = process_credentials(target);
    if (own.effective_uid == other.uid || own.effective_uid == other.saved_uid ||
        own.uid == other.uid || own.uid == other.saved_uid)
        return 0;
    return -EPERM;
}

/* To one of those that kill means. Caller holds process_lock. */
static int send(struct process *target, uint32_t signal, const struct signal_info *info)
{
    int error = check(target, signal);

    if (!error && signal != 0)
        signal_send(target, signal, info);
    return error;
}

static bool is_meant(const struct process *process, enum process_which which, uint32_t id)
{
    if (which == PROCESS_GROUP)
        return process->group == id;
    return process->pid != 1 && process != process_current(); /* of all */
}

/* To a group or to all: 0 if one got it; else the last error, or -ESRCH: nobody is meant. Caller
 * as above. */
static int64_t send_to_many(enum process_which which, uint32_t id, uint32_t signal,
                            const struct signal_info *info)
{
    struct process *process;
    int64_t result = -ESRCH;

    for (process = process_from(0); process; process = process_from(process->pid + 1)) {
        int error;

        if (!is_meant(process, which, id))
            continue;
        error = send(process, signal, info);
        if (result != 0)
            result = error;
    }
    return result;
}

int64_t sys_kill(const struct sys_args *args)
{
    struct signal_info info = from_caller(SIGNAL_BY_USER);
    int32_t pid = (int32_t)args->value[0];
    uint32_t signal = (uint32_t)args->value[1];
    struct process *target;
    int64_t result;

    if (pid == INT32_MIN)
        return -ESRCH;
    process_lock();
    if (pid > 0) {
        target = process_find((uint32_t)pid);
        result = target ? send(target, signal, &info) : -ESRCH;
    } else if (pid == -1) {
        result = send_to_many(PROCESS_ANY, 0, signal, &info);
    } else {
        result = send_to_many(
            PROCESS_GROUP, pid == 0 ? process_current()->group : 0 - (uint32_t)pid, signal, &info);
    }
    process_unlock();
    return result;
}

/* To thread `tid` of process `group`; 0: of any. */
static int64_t send_to_thread(uint32_t group, uint32_t tid, uint32_t signal,
                              const struct signal_info *info)
{
    struct user_thread *thread;
    int64_t result = -ESRCH;

    process_lock();
    thread = user_thread_find(tid);
    if (thread && (group == 0 || thread->process->pid == group))
        result = check(thread->process, signal);
    if (!result && signal != 0)
        result = signal_queue(thread->process, thread, signal, info);
    process_unlock();
    return result;
}

int64_t sys_tkill(const struct sys_args *args)
{
    struct signal_info info = from_caller(SIGNAL_BY_TKILL);

    if ((int32_t)args->value[0] <= 0)
        return -EINVAL;
    return send_to_thread(0, (uint32_t)args->value[0], (uint32_t)args->value[1], &info);
}

int64_t sys_tgkill(const struct sys_args *args)
{
    struct signal_info info = from_caller(SIGNAL_BY_TKILL);

    if ((int32_t)args->value[0] <= 0 || (int32_t)args->value[1] <= 0)
        return -EINVAL;
    return send_to_thread((uint32_t)args->value[0], (uint32_t)args->value[1],
                          (uint32_t)args->value[2], &info);
}

/* ---- with what the program says of itself ---- */

/* Reads a siginfo_t. To others than itself a process may not say that it is the kernel, or kill. */
static int read_info(uint64_t from, uint32_t pid, struct signal_info *info)
{
    uint8_t bytes[SIGNAL_INFO_BYTES];
    int error = user_copy_in(bytes, from, sizeof(bytes));

    if (error)
        return error;
    info->error = (int32_t)le32(bytes + 4);
    info->code = (int32_t)le32(bytes + 8);
    memcpy(info->words, bytes + 16, sizeof(info->words));
    if ((info->code >= 0 || info->code == SIGNAL_BY_TKILL) && pid != process_current()->pid)
        return -EPERM;
    return 0;
}

int64_t sys_rt_sigqueueinfo(const struct sys_args *args)
{
    uint32_t pid = (uint32_t)args->value[0], signal = (uint32_t)args->value[1];
    struct signal_info info;
    struct process *target;
    int64_t result = read_info(args->value[2], pid, &info);

    if (result)
        return result;
    process_lock();
    target = process_find(pid);
    result = target ? check(target, signal) : -ESRCH;
    if (!result && signal != 0)
        result = signal_queue(target, NULL, signal, &info);
    process_unlock();
    return result;
}

int64_t sys_rt_tgsigqueueinfo(const struct sys_args *args)
{
    struct signal_info info;
    int error;

    if ((int32_t)args->value[0] <= 0 || (int32_t)args->value[1] <= 0)
        return -EINVAL;
    error = read_info(args->value[3], (uint32_t)args->value[0], &info);
    if (error)
        return error;
    return send_to_thread((uint32_t)args->value[0], (uint32_t)args->value[1],
                          (uint32_t)args->value[2], &info);
}
