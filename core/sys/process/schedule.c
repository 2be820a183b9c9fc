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

static struct thread *behind(const struct user_thread *thread)
{
    return thread && thread->kernel_thread ? thread_find(thread->kernel_thread) : NULL;
}

static struct thread *find(uint64_t tid)
{
    return behind(find_user(tid));
}

/* Whether the caller may change how the threads of `process` are scheduled: root may, and whose own
 * they are. Caller holds process_lock. */
static bool is_own(struct process *process)
{
    struct process *self = process_current();
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
    else if (changes && !is_own(find_user(tid)->process))
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
    else if (!is_own(find_user(args->value[0])->process))
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

/* What each thread that is meant is to be, and what comes of them all. */
struct level {
    int nice;
    int64_t result; /* -ESRCH: there was none */
};

typedef void with_level(struct process *process, struct thread *thread, struct level *level);

/* Whether a group, or a user, has `process`. */
static bool has(uint32_t which, uint32_t id, struct process *process)
{
    return which == OF_GROUP ? process->group == id : process_credentials(process).uid == id;
}

static void with_threads(struct process *process, with_level *act, struct level *level)
{
    list_for_each (link, &process->threads) {
        struct thread *thread = behind(list_entry(link, struct user_thread, link));

        if (thread)
            act(process, thread, level);
    }
}

/* Of a thread, or of all threads of the processes that a group or a user has; 0 is the caller's. */
static int64_t with_all(uint32_t which, uint32_t id, with_level *act, struct level *level)
{
    struct process *process;

    if (which > OF_USER)
        return -EINVAL;
    level->result = -ESRCH;
    process_lock();
    if (which == OF_THREAD && find(id))
        act(find_user(id)->process, find(id), level);
    if (which != OF_THREAD && id == 0)
        id = which == OF_GROUP ? process_current()->group
                               : process_credentials(process_current()).uid;
    process = which == OF_THREAD ? NULL : process_from(0);
    for (; process; process = process_from(process->pid + 1))
        if (has(which, id, process))
            with_threads(process, act, level);
    process_unlock();
    return level->result;
}

/* False: it has ended. */
static bool read_nice(const struct thread *thread, int *nice)
{
    struct thread_info info;
    bool there = thread_read_info(thread->id, &info) == 0 && info.id == thread->id;

    if (there)
        *nice = info.own_nice;
    return there;
}

/* What Linux returns: 40 for -20 to 1 for 19, and so the least nice one of all. */
static void note_nice(struct process *process, struct thread *thread, struct level *level)
{
    int nice;

    (void)process;
    if (read_nice(thread, &nice) && 20 - nice > level->result)
        level->result = 20 - nice;
}

int64_t sys_getpriority(const struct sys_args *args)
{
    struct level level;

    return with_all((uint32_t)args->value[0], (uint32_t)args->value[1], note_nice, &level);
}

/* Root makes things more important, others less. An error stays, whatever comes of the next. */
static void set_nice(struct process *process, struct thread *thread, struct level *level)
{
    bool may = process_credentials(process_current()).effective_uid == 0;
    int before;

    if (!read_nice(thread, &before))
        return;
    if (!is_own(process)) {
        level->result = -EPERM;
    } else if (level->nice < before && !may) {
        level->result = -EACCES;
    } else {
        int error = thread_set_nice(thread, level->nice);

        if (level->result == -ESRCH)
            level->result = error;
    }
}

int64_t sys_setpriority(const struct sys_args *args)
{
    int32_t nice = (int32_t)args->value[2];
    struct level level = {.nice = nice < -20 ? -20 : nice > 19 ? 19 : nice};

    return with_all((uint32_t)args->value[0], (uint32_t)args->value[1], set_nice, &level);
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
