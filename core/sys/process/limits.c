/* SPDX-License-Identifier: MIT */
/*
 * limits.c: what a process may have, what it has used, and what it may know of the machine.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "abi/abi.h"
#include "boot/boot.h"
#include "dev/random.h"
#include "fs/procfs/procfs.h"
#include "lib/bytes.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "proc/process.h"
#include "sys/machine/name.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define NS_PER_SECOND 1000000000u
#define NS_PER_TICK 10000000u
#define RANDOM_PART 256u
#define NAME_BYTES 16u
#define UTS_FIELD 65u

enum { USAGE_SELF = 0, USAGE_CHILDREN = -1, USAGE_THREAD = 1 };
enum { SET_NAME = 15, GET_NAME = 16, SET_NO_NEW_RIGHTS = 38 };
enum { SET_FS = 0x1002, GET_FS = 0x1003 };

int64_t sys_arch_prctl(const struct sys_args *args)
{
    struct user_thread *self = user_thread_current();
    uint64_t value = args->value[1];

    switch ((uint32_t)args->value[0]) {
    case SET_FS:
        if (value >= HAL_USER_END)
            return -EPERM;
        hal_user_set_tls(&self->user, (uintptr_t)value);
        return 0;
    case GET_FS: {
        uint64_t tls = hal_user_tls(&self->user);

        return user_copy_out(value, &tls, sizeof(tls));
    }
    default:
        return -EINVAL;
    }
}

static int64_t set_name(uint64_t address)
{
    struct process *process = process_current();
    char name[NAME_BYTES];

    memset(name, 0, sizeof(name));
    for (unsigned i = 0; i < NAME_BYTES - 1; i++) {
        int error = user_copy_in(&name[i], address + i, 1);

        if (error)
            return error;
        if (name[i] == '\0')
            break;
    }
    mutex_lock(&process->mutex);
    string_copy(process->name, sizeof(process->name), name);
    mutex_unlock(&process->mutex);
    return 0;
}

static int64_t get_name(uint64_t address)
{
    struct process *process = process_current();
    char name[NAME_BYTES];

    memset(name, 0, sizeof(name));
    mutex_lock(&process->mutex);
    string_copy(name, sizeof(name), process->name);
    mutex_unlock(&process->mutex);
    return user_copy_out(address, name, sizeof(name));
}

int64_t sys_prctl(const struct sys_args *args)
{
    switch ((uint32_t)args->value[0]) {
    case SET_NAME:
        return set_name(args->value[1]);
    case GET_NAME:
        return get_name(args->value[1]);
    case SET_NO_NEW_RIGHTS: /* nothing gives any */
        return 0;
    default:
        return -EINVAL;
    }
}

/* ---- limits ---- */

/* Whether `limit` may be set. Caller holds the process's mutex. */
static int check_limit(const struct process *process, unsigned which,
                       const struct process_limit *limit)
{
    const struct process_limit *now = &process->limits[which];

    if (limit->soft > limit->hard)
        return -EINVAL;
    if (limit->hard > now->hard && process->credentials.effective_uid != 0)
        return -EPERM;
    if (which == PROCESS_LIMIT_FILES && limit->hard > DESCRIPTORS_MAX)
        return -EPERM;
    return 0;
}

/* Reads the new limit from `from`, if any, and writes the old one to `to`, if any. */
static int64_t change_limit(uint64_t which, uint64_t from, uint64_t to)
{
    struct process *process = process_current();
    struct process_limit limit, old;
    int error = 0;

    if ((uint32_t)which >= PROCESS_LIMITS)
        return -EINVAL;
    if (from)
        error = user_copy_in(&limit, from, sizeof(limit));
    if (error)
        return error;
    mutex_lock(&process->mutex);
    old = process->limits[(uint32_t)which];
    if (from)
        error = check_limit(process, (uint32_t)which, &limit);
    mutex_unlock(&process->mutex);
    if (!error)
        error = user_copy_out_optional(to, &old, sizeof(old));
    if (error || !from)
        return error;
    mutex_lock(&process->mutex);
    error = check_limit(process, (uint32_t)which, &limit);
    if (!error)
        process->limits[(uint32_t)which] = limit;
    mutex_unlock(&process->mutex);
    return error;
}

int64_t sys_prlimit64(const struct sys_args *args)
{
    uint32_t pid = (uint32_t)args->value[0];

    if (pid != 0 && pid != process_current()->pid)
        return -ESRCH;
    return change_limit(args->value[1], args->value[2], args->value[3]);
}

int64_t sys_getrlimit(const struct sys_args *args)
{
    return change_limit(args->value[0], 0, args->value[1]);
}

int64_t sys_setrlimit(const struct sys_args *args)
{
    return args->value[1] ? change_limit(args->value[0], args->value[1], 0) : -EFAULT;
}

/* ---- what was used ---- */

/* The caller's thread, or all of its process, or the children that it has waited for. */
static struct process_times used(int32_t who)
{
    const struct process *process = process_current();
    struct process_times times;

    process_lock();
    if (who == USAGE_CHILDREN)
        times = process->child_times;
    else if (who == USAGE_SELF)
        times = process_read_times(process);
    else
        times = user_thread_times(user_thread_current());
    process_unlock();
    return times;
}

int64_t sys_getrusage(const struct sys_args *args)
{
    int32_t who = (int32_t)args->value[0];
    uint8_t usage[USER_USAGE_BYTES];
    struct process_times times;

    if (who != USAGE_SELF && who != USAGE_CHILDREN && who != USAGE_THREAD)
        return -EINVAL;
    times = used(who);
    user_put_usage(usage, &times);
    return user_copy_out(args->value[1], usage, sizeof(usage));
}

int64_t sys_times(const struct sys_args *args)
{
    struct process_times self = used(USAGE_SELF), children = used(USAGE_CHILDREN);
    const uint64_t times[4] = {self.user / NS_PER_TICK, self.system / NS_PER_TICK,
                               children.user / NS_PER_TICK, children.system / NS_PER_TICK};
    int error = user_copy_out_optional(args->value[0], times, sizeof(times));

    return error ? error : (int64_t)(hal_time_now() / NS_PER_TICK);
}

/* ---- the machine ---- */

int64_t sys_uname(const struct sys_args *args)
{
    char names[6 * UTS_FIELD], host[HOST_NAME_MAX + 1];
    const char *const fields[] = {HOST_SYSTEM,  host,    HOST_RELEASE, "Tayberry " BOOT_VERSION,
                                  abi_platform, "(none)"};

    host_name_read(host);
    memset(names, 0, sizeof(names));
    for (unsigned i = 0; i < 6; i++)
        string_copy(names + i * UTS_FIELD, UTS_FIELD, fields[i]);
    return user_copy_out(args->value[0], names, sizeof(names));
}

int64_t sys_sysinfo(const struct sys_args *args)
{
    struct frame_stats stats;
    uint8_t info[112];
    uint16_t processes = 0;
    uint32_t loads[PROC_LOADS];

    proc_read_loads(loads);
    frame_read_stats(&stats);
    process_lock();
    for (struct process *process = process_from(0); process;
         process = process_from(process->pid + 1))
        processes++;
    process_unlock();
    memset(info, 0, sizeof(info));
    put_le64(info, hal_time_now() / NS_PER_SECOND);
    for (unsigned i = 0; i < PROC_LOADS; i++)
        put_le64(info + 8 + 8 * i, loads[i]);
    put_le64(info + 32, (uint64_t)stats.total * HAL_PAGE_SIZE);
    put_le64(info + 40, (uint64_t)stats.free * HAL_PAGE_SIZE);
    put_le16(info + 80, processes);
    put_le32(info + 104, 1); /* the unit of memory: a byte */
    return user_copy_out(args->value[0], info, sizeof(info));
}

int64_t sys_getrandom(const struct sys_args *args)
{
    uint64_t total = args->value[1] < INT32_MAX ? args->value[1] : INT32_MAX, done = 0;
    uint8_t part[RANDOM_PART];

    if (args->value[2] & ~7ull)
        return -EINVAL;
    while (done < total && !__atomic_load_n(&user_thread_current()->ending, __ATOMIC_RELAXED)) {
        size_t n = total - done < RANDOM_PART ? (size_t)(total - done) : RANDOM_PART;

        if (random_fill(part, n))
            return done > 0 ? (int64_t)done : -EIO;
        if (user_copy_out(args->value[0] + done, part, n))
            return done > 0 ? (int64_t)done : -EFAULT;
        done += n;
    }
    return (int64_t)done;
}
