/* SPDX-License-Identifier: MIT */
/*
 * schedule.c: how a program wants its threads to be scheduled: on which processors, how nicely, by
 * which policy.
 *
 * How threads are scheduled is the machine's choice (docs/SCHEDULING.md), the same for all. So a
 * program has Linux's ordinary policy, SCHED_OTHER: asking for those that are even more modest,
 * SCHED_BATCH and SCHED_IDLE, changes nothing, and what is more than that it may not have.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "proc/process.h"
#include "thread/cpu.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/errno.h>

#define NS_PER_SECOND 1000000000u

/* Linux's numbers of policies. */
enum { POLICY_OTHER = 0, POLICY_FIFO = 1, POLICY_TURNS = 2, POLICY_BATCH = 3, POLICY_IDLE = 5 };

#define PRIORITY_MOST 99
#define RESETS_ON_FORK 0x40000000u

int64_t sys_sched_yield(const struct sys_args *args)
{
    (void)args;
    thread_yield();
    return 0;
}

/* Thread `tid` of any process, 0: the caller; or NULL. It does not end while the caller holds
 * process_lock, and neither does the kernel's thread behind it. */
static struct user_thread *find_user(uint64_t tid)
{
    return (uint32_t)tid ? user_thread_find((uint32_t)tid) : user_thread_current();
}

static struct thread *find(uint64_t tid)
{
    const struct user_thread *thread = find_user(tid);

    return thread && thread->kernel_thread ? thread_find(thread->kernel_thread) : NULL;
}

/* Whether the caller may change how thread `tid`, which there is, is scheduled: root may, and whose
 * own it is. Caller holds process_lock. */
static bool is_own(uint64_t tid)
{
    struct process *self = process_current(), *process = find_user(tid)->process;
    struct credentials own, other;

    if (process == self)
        return true;
    own = process_credentials(self);
    other = process_credentials(process);
    return own.effective_uid == 0 || own.effective_uid == other.uid ||
           own.effective_uid == other.effective_uid;
}

/* -ESRCH: there is no such thread; -EINVAL: it cannot be one; -EPERM: it is to be changed, and the
 * caller may not. */
static int64_t check(uint64_t tid, bool changes)
{
    int64_t error = 0;

    if ((int32_t)tid < 0)
        return -EINVAL;
    process_lock();
    if (!find(tid))
        error = -ESRCH;
    else if (changes && !is_own(tid))
        error = -EPERM;
    process_unlock();
    return error;
}

/* ---- processors ---- */

int64_t sys_sched_getaffinity(const struct sys_args *args)
{
    const struct thread *thread;
    struct thread_info info;
    uint64_t cpus = 0;
    int error;

    if ((uint32_t)args->value[1] < sizeof(cpus) || (uint32_t)args->value[1] % sizeof(cpus))
        return -EINVAL;
    process_lock();
    thread = find(args->value[0]);
    if (thread && thread_read_info(thread->id, &info) == 0)
        cpus = info.affinity & cpu_online();
    process_unlock();
    if (!thread)
        return -ESRCH;
    error = user_copy_out(args->value[2], &cpus, sizeof(cpus));
    return error ? error : (int64_t)sizeof(cpus);
}

int64_t sys_sched_setaffinity(const struct sys_args *args)
{
    uint32_t bytes = (uint32_t)args->value[1];
    struct thread *thread;
    uint64_t cpus = 0;
    int error = user_copy_in(&cpus, args->value[2], bytes < sizeof(cpus) ? bytes : sizeof(cpus));

    if (error)
        return error;
    process_lock();
    thread = find(args->value[0]);
    if (!thread)
        error = -ESRCH;
    else if (!is_own(args->value[0]))
        error = -EPERM;
    else
        error = thread_set_affinity(thread, (uint32_t)cpus & cpu_online());
    process_unlock();
    return error;
}

int64_t sys_getcpu(const struct sys_args *args)
{
    uint32_t cpu = hal_cpu_id(), node = 0;
    int error = user_copy_out_optional(args->value[0], &cpu, sizeof(cpu));

    return error ? error : user_copy_out_optional(args->value[1], &node, sizeof(node));
}

/* ---- nice levels ---- */

enum { OF_THREAD, OF_GROUP, OF_USER };

/* 0; -ESRCH: there is no thread `tid`. */
static int read_nice(uint64_t tid, int *nice)
{
    const struct thread *thread;
    struct thread_info info;
    int error = -ESRCH;

    process_lock();
    thread = find(tid);
    if (thread && thread_read_info(thread->id, &info) == 0 && info.id == thread->id)
        error = 0;
    process_unlock();
    if (!error)
        *nice = info.own_nice;
    return error;
}

/* A group or a user has what the caller has. */
int64_t sys_getpriority(const struct sys_args *args)
{
    int nice, error;

    if ((uint32_t)args->value[0] > OF_USER)
        return -EINVAL;
    error = read_nice((uint32_t)args->value[0] == OF_THREAD ? args->value[1] : 0, &nice);
    return error ? error : 20 - nice;
}

/* Root makes things more important, others less. */
static int set_nice(uint64_t tid, int nice)
{
    bool may = process_credentials(process_current()).effective_uid == 0;
    int before, error = read_nice(tid, &before);

    if (error)
        return error;
    process_lock();
    if (!find(tid))
        error = -ESRCH;
    else if (!is_own(tid))
        error = -EPERM;
    else if (nice < before && !may)
        error = -EACCES;
    else
        error = thread_set_nice(find(tid), nice);
    process_unlock();
    return error;
}

int64_t sys_setpriority(const struct sys_args *args)
{
    int32_t nice = (int32_t)args->value[2];

    if ((uint32_t)args->value[0] > OF_USER)
        return -EINVAL;
    if ((uint32_t)args->value[0] != OF_THREAD)
        return -ESRCH;
    return set_nice(args->value[1], nice < -20 ? -20 : nice > 19 ? 19 : nice);
}

/* ---- policies ---- */

/* How much priority there is at most in a policy; -EINVAL: it is none. */
static int64_t most_of(uint64_t policy)
{
    switch ((uint32_t)policy) {
    case POLICY_FIFO:
    case POLICY_TURNS:
        return PRIORITY_MOST;
    case POLICY_OTHER:
    case POLICY_BATCH:
    case POLICY_IDLE:
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t sys_sched_get_priority_max(const struct sys_args *args)
{
    return most_of(args->value[0]);
}

int64_t sys_sched_get_priority_min(const struct sys_args *args)
{
    int64_t most = most_of(args->value[0]);

    return most > 0 ? 1 : most;
}

/* Whether thread `tid` may have that policy, with the priority at `address`. */
static int64_t choose(uint64_t tid, uint32_t policy, uint64_t address)
{
    int64_t most, result;
    int32_t priority;

    if ((int32_t)tid < 0 || !address)
        return -EINVAL;
    if (user_copy_in(&priority, address, sizeof(priority)))
        return -EFAULT;
    result = check(tid, true);
    most = most_of(policy & ~RESETS_ON_FORK);
    if (result || most < 0)
        return result ? result : most;
    if (priority < (most > 0) || priority > most)
        return -EINVAL;
    return most == 0 ? 0 : -EPERM;
}

int64_t sys_sched_setscheduler(const struct sys_args *args)
{
    return choose(args->value[0], (uint32_t)args->value[1], args->value[2]);
}

int64_t sys_sched_setparam(const struct sys_args *args)
{
    return choose(args->value[0], POLICY_OTHER, args->value[1]);
}

int64_t sys_sched_getscheduler(const struct sys_args *args)
{
    int64_t error = check(args->value[0], false);

    return error ? error : POLICY_OTHER;
}

int64_t sys_sched_getparam(const struct sys_args *args)
{
    const int32_t priority = 0;
    int64_t error = args->value[1] ? check(args->value[0], false) : -EINVAL;

    return error ? error : user_copy_out(args->value[1], &priority, sizeof(priority));
}

int64_t sys_sched_rr_get_interval(const struct sys_args *args)
{
    uint64_t ns = thread_quantum();
    const struct user_time time = {(int64_t)(ns / NS_PER_SECOND), (int64_t)(ns % NS_PER_SECOND)};
    int64_t error = check(args->value[0], false);

    return error ? error : user_copy_out(args->value[1], &time, sizeof(time));
}
