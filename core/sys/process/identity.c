/* SPDX-License-Identifier: MIT */
/*
 * identity.c: who a process is: its number, group and session, its users and groups, its threads'
 * numbers.
 *
 * Whoever has effective user 0 may become anybody; others may be their own users only.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "proc/process.h"
#include "proc/session/session.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SAME 0xffffffffu /* -1: this one stays */

int64_t sys_getpid(const struct sys_args *args)
{
    (void)args;
    return process_current()->pid;
}

int64_t sys_gettid(const struct sys_args *args)
{
    (void)args;
    return user_thread_current()->tid;
}

int64_t sys_getppid(const struct sys_args *args)
{
    const struct process *parent;
    int64_t pid;

    (void)args;
    process_lock();
    parent = process_current()->parent;
    pid = parent ? parent->pid : 0;
    process_unlock();
    return pid;
}

int64_t sys_set_tid_address(const struct sys_args *args)
{
    struct user_thread *self = user_thread_current();

    self->clear_tid = (uintptr_t)args->value[0];
    return self->tid;
}

int64_t sys_set_robust_list(const struct sys_args *args)
{
    if (args->value[1] != 24) /* bytes of struct robust_list_head */
        return -EINVAL;
    __atomic_store_n(&user_thread_current()->robust_list, (uintptr_t)args->value[0],
                     __ATOMIC_RELAXED);
    return 0;
}

/* ---- groups and sessions of processes ---- */

/* The process that `pid` means, 0 being the caller's, or one of its threads; or NULL. Caller holds
 * process_lock. */
static struct process *named(uint64_t pid)
{
    const struct user_thread *thread;

    if ((uint32_t)pid == 0)
        return process_current();
    thread = user_thread_find((uint32_t)pid);
    return thread ? thread->process : process_find((uint32_t)pid);
}

int64_t sys_getpgid(const struct sys_args *args)
{
    const struct process *process;
    int64_t group;

    process_lock();
    process = named(args->value[0]);
    group = process ? (int64_t)process->group : -ESRCH;
    process_unlock();
    return group;
}

int64_t sys_getsid(const struct sys_args *args)
{
    const struct process *process;
    int64_t session;

    process_lock();
    process = named(args->value[0]);
    session = process ? (int64_t)process->session : -ESRCH;
    process_unlock();
    return session;
}

int64_t sys_setpgid(const struct sys_args *args)
{
    int64_t result;

    if ((int32_t)args->value[1] < 0)
        return -EINVAL;
    process_lock();
    result = session_set_group((uint32_t)args->value[0], (uint32_t)args->value[1]);
    process_unlock();
    return result;
}

int64_t sys_setsid(const struct sys_args *args)
{
    int64_t result;

    (void)args;
    process_lock();
    result = session_begin();
    process_unlock();
    return result ? result : (int64_t)process_current()->pid;
}

/* ---- users and groups ---- */

static struct credentials read_credentials(void)
{
    return process_credentials(process_current());
}

int64_t sys_getuid(const struct sys_args *args)
{
    (void)args;
    return read_credentials().uid;
}

int64_t sys_geteuid(const struct sys_args *args)
{
    (void)args;
    return read_credentials().effective_uid;
}

int64_t sys_getgid(const struct sys_args *args)
{
    (void)args;
    return read_credentials().gid;
}

int64_t sys_getegid(const struct sys_args *args)
{
    (void)args;
    return read_credentials().effective_gid;
}

static int64_t write_three(const struct sys_args *args, uint32_t real, uint32_t effective,
                           uint32_t saved)
{
    int error = user_copy_out(args->value[0], &real, sizeof(real));

    if (!error)
        error = user_copy_out(args->value[1], &effective, sizeof(effective));
    if (!error)
        error = user_copy_out(args->value[2], &saved, sizeof(saved));
    return error;
}

int64_t sys_getresuid(const struct sys_args *args)
{
    struct credentials own = read_credentials();

    return write_three(args, own.uid, own.effective_uid, own.saved_uid);
}

int64_t sys_getresgid(const struct sys_args *args)
{
    struct credentials own = read_credentials();

    return write_three(args, own.gid, own.effective_gid, own.saved_gid);
}

/* True if a user or group with these three may take `id` on. */
static bool may_be(const uint32_t ids[3], uint32_t id, bool root)
{
    return id == SAME || root || id == ids[0] || id == ids[1] || id == ids[2];
}

/* Makes the three what `wanted` says, SAME staying. */
static int set_three(uint32_t ids[3], const uint32_t wanted[3], bool root)
{
    for (unsigned i = 0; i < 3; i++) {
        if (!may_be(ids, wanted[i], root))
            return -EPERM;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (wanted[i] != SAME)
            ids[i] = wanted[i];
    }
    return 0;
}

static int64_t set_users(const uint32_t wanted[3])
{
    struct process *process = process_current();
    struct credentials *own = &process->credentials;
    uint32_t ids[3];
    int error;

    mutex_lock(&process->mutex);
    ids[0] = own->uid;
    ids[1] = own->effective_uid;
    ids[2] = own->saved_uid;
    error = set_three(ids, wanted, own->effective_uid == 0);
    own->uid = ids[0];
    own->effective_uid = ids[1];
    own->saved_uid = ids[2];
    mutex_unlock(&process->mutex);
    return error;
}

static int64_t set_groups(const uint32_t wanted[3])
{
    struct process *process = process_current();
    struct credentials *own = &process->credentials;
    uint32_t ids[3];
    int error;

    mutex_lock(&process->mutex);
    ids[0] = own->gid;
    ids[1] = own->effective_gid;
    ids[2] = own->saved_gid;
    error = set_three(ids, wanted, own->effective_uid == 0);
    own->gid = ids[0];
    own->effective_gid = ids[1];
    own->saved_gid = ids[2];
    mutex_unlock(&process->mutex);
    return error;
}

int64_t sys_setresuid(const struct sys_args *args)
{
    const uint32_t wanted[3] = {(uint32_t)args->value[0], (uint32_t)args->value[1],
                                (uint32_t)args->value[2]};

    return set_users(wanted);
}

int64_t sys_setresgid(const struct sys_args *args)
{
    const uint32_t wanted[3] = {(uint32_t)args->value[0], (uint32_t)args->value[1],
                                (uint32_t)args->value[2]};

    return set_groups(wanted);
}

/* Root gives up all three; others change the effective one. */
int64_t sys_setuid(const struct sys_args *args)
{
    uint32_t id = (uint32_t)args->value[0];
    bool root = read_credentials().effective_uid == 0;
    const uint32_t wanted[3] = {root ? id : SAME, id, root ? id : SAME};

    return id == SAME ? -EINVAL : set_users(wanted);
}

int64_t sys_setgid(const struct sys_args *args)
{
    uint32_t id = (uint32_t)args->value[0];
    bool root = read_credentials().effective_uid == 0;
    const uint32_t wanted[3] = {root ? id : SAME, id, root ? id : SAME};

    return id == SAME ? -EINVAL : set_groups(wanted);
}

/* Nobody has further groups. */
int64_t sys_getgroups(const struct sys_args *args)
{
    return (int32_t)args->value[0] < 0 ? -EINVAL : 0;
}

int64_t sys_setgroups(const struct sys_args *args)
{
    if (read_credentials().effective_uid != 0)
        return -EPERM;
    return args->value[0] == 0 ? 0 : -EINVAL;
}

/* ---- Linux's capabilities, of which root has all and others none ---- */

#define CAPABILITY_VERSION 0x20080522u
#define CAPABILITIES 0x1ffffffffffull

/* Reads the header: a version and a number of a process. *own: it is the caller's. */
static int read_capability_header(uint64_t address, bool *own)
{
    uint32_t header[2], version = CAPABILITY_VERSION;
    int error = user_copy_in(header, address, sizeof(header));

    if (error)
        return error;
    if (header[0] != CAPABILITY_VERSION)
        return user_copy_out(address, &version, sizeof(version)) ? -EFAULT : -EINVAL;
    if ((int32_t)header[1] < 0)
        return -EINVAL;
    *own = header[1] == 0 || header[1] == process_current()->pid;
    return 0;
}

/* Effective, permitted and inheritable ones: the low halves, then the high ones. */
static void put_capabilities(uint32_t to[6])
{
    uint64_t all = process_credentials(process_current()).effective_uid == 0 ? CAPABILITIES : 0;

    to[0] = to[1] = (uint32_t)all;
    to[3] = to[4] = (uint32_t)(all >> 32);
    to[2] = to[5] = 0;
}

int64_t sys_capget(const struct sys_args *args)
{
    uint32_t capabilities[6];
    bool own;
    int error = read_capability_header(args->value[0], &own);

    if (error == -EINVAL && !args->value[1])
        return 0; /* only the version was asked for */
    if (error || !args->value[1])
        return error;
    if (!own)
        return -ESRCH;
    put_capabilities(capabilities);
    return user_copy_out(args->value[1], capabilities, sizeof(capabilities));
}

/* What they are already they may be set to. */
int64_t sys_capset(const struct sys_args *args)
{
    uint32_t capabilities[6], wanted[6];
    bool own;
    int error = read_capability_header(args->value[0], &own);

    if (!error)
        error = own ? user_copy_in(wanted, args->value[1], sizeof(wanted)) : -EPERM;
    if (error)
        return error;
    put_capabilities(capabilities);
    return memcmp(wanted, capabilities, sizeof(wanted)) ? -EPERM : 0;
}

/* Only Linux's own, without any of the oddities of others. */
int64_t sys_personality(const struct sys_args *args)
{
    uint32_t persona = (uint32_t)args->value[0];

    return persona == 0 || persona == UINT32_MAX ? 0 : -EINVAL;
}
