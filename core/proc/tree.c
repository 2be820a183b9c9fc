/* SPDX-License-Identifier: MIT */
/*
 * tree.c: all processes and user threads, by number, and who is whose child.
 *
 * Numbers are shared: a process has that of its first thread. They are given out in rising order,
 * so that one that has just become free is not somebody else's at once; after NUMBER_MAX they begin
 * anew, past those that are a process's, a thread's, a group's or a session's.
 */
#include "proc/inside.h"
#include "proc/process.h"
#include "proc/room/room.h"
#include "proc/signal/signals.h"

#include "fs/file.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "thread/local.h"
#include "thread/thread.h"
#include "vm/space.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define NUMBER_FIRST 2u /* 1 is for the first program */
#define NUMBER_MAX PROCESS_NUMBER_MAX
#define THREADS_MAX 16384u /* of all processes */
#define FILES_USUAL 1024u
#define STACK_USUAL (8u << 20)

static KSTATE struct processes {
    struct mutex mutex; /* guards all of this, and what process.h says */
    struct tree by_pid, by_tid;
    uint32_t next; /* number to be given out next */
    unsigned threads;
    int key; /* thread-local: the user thread */
} processes;

int process_start(void)
{
    mutex_init(&processes.mutex);
    tree_init(&processes.by_pid);
    tree_init(&processes.by_tid);
    processes.next = NUMBER_FIRST;
    processes.key = thread_local_create(NULL);
    process_room_init();
    vm_set_short_hook(process_make_room);
    return processes.key < 0 ? processes.key : 0;
}

struct user_thread *user_thread_current(void)
{
    return thread_local_get(processes.key);
}

struct process *process_current(void)
{
    return user_thread_current()->process;
}

struct credentials process_credentials(struct process *process)
{
    struct credentials credentials;

    mutex_lock(&process->mutex);
    credentials = process->credentials;
    mutex_unlock(&process->mutex);
    return credentials;
}

void process_lock(void)
{
    mutex_lock(&processes.mutex);
}

void process_unlock(void)
{
    mutex_unlock(&processes.mutex);
}

struct mutex *process_mutex(void)
{
    return &processes.mutex;
}

/* ---- numbers ---- */

static int compare(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_pid(const void *key, const struct tree_node *node)
{
    return compare(*(const uint32_t *)key, tree_entry(node, struct process, by_pid)->pid);
}

static int compare_tid(const void *key, const struct tree_node *node)
{
    return compare(*(const uint32_t *)key, tree_entry(node, struct user_thread, by_tid)->tid);
}

struct process *process_find(uint32_t pid)
{
    struct tree_node *node = tree_find(&processes.by_pid, &pid, compare_pid);

    return node ? tree_entry(node, struct process, by_pid) : NULL;
}

struct user_thread *user_thread_find(uint32_t tid)
{
    struct tree_node *node = tree_find(&processes.by_tid, &tid, compare_tid);

    return node ? tree_entry(node, struct user_thread, by_tid) : NULL;
}

struct process *process_from(uint32_t pid)
{
    struct tree_node *node = tree_lower_bound(&processes.by_pid, &pid, compare_pid);

    return node ? tree_entry(node, struct process, by_pid) : NULL;
}

static bool is_used(uint32_t number)
{
    if (process_find(number) || user_thread_find(number))
        return true;
    tree_for_each (node, &processes.by_pid) {
        const struct process *process = tree_entry(node, struct process, by_pid);

        if (process->group == number || process->session == number)
            return true;
    }
    return false;
}

/* There are fewer users than numbers. */
static uint32_t take_number(void)
{
    uint32_t number;

    do {
        number = processes.next;
        processes.next = number == NUMBER_MAX ? NUMBER_FIRST : number + 1;
    } while (is_used(number));
    return number;
}

/* ---- processes ---- */

static void set_limits(struct process *process)
{
    for (unsigned i = 0; i < PROCESS_LIMITS; i++)
        process->limits[i] = (struct process_limit){PROCESS_UNLIMITED, PROCESS_UNLIMITED};
    process->limits[PROCESS_LIMIT_FILES] = (struct process_limit){FILES_USUAL, DESCRIPTORS_MAX};
    process->limits[PROCESS_LIMIT_STACK].soft = STACK_USUAL;
}

/* What a child has of its parent. */
static int inherit(struct process *process, struct process *parent)
{
    size_t bytes;
    int error = 0;

    mutex_lock(&parent->mutex);
    bytes = parent->program ? string_length(parent->program) + 1 : 0;
    process->program = bytes > 0 ? kmalloc(bytes) : NULL;
    if (bytes > 0 && !process->program)
        error = -ENOMEM;
    else if (bytes > 0)
        memcpy(process->program, parent->program, bytes);
    process->directory = parent->directory ? vnode_get(parent->directory) : NULL;
    process->umask = parent->umask;
    process->texts = parent->texts;
    process->credentials = parent->credentials;
    memcpy(process->limits, parent->limits, sizeof(process->limits));
    memcpy(process->name, parent->name, sizeof(process->name));
    mutex_unlock(&parent->mutex);
    process_lock();
    memcpy(process->signals.actions, parent->signals.actions, sizeof(process->signals.actions));
    process_unlock();
    return error;
}

struct process *process_create(struct process *parent)
{
    struct process *process = kcalloc(1, sizeof(*process));

    if (!process)
        return NULL;
    list_init(&process->children);
    list_init(&process->sibling);
    list_init(&process->threads);
    tree_node_init(&process->by_pid);
    condition_init(&process->changed, &processes.mutex);
    mutex_init(&process->mutex);
    signal_pending_init(&process->signals.pending);
    signal_timers_init(process);
    list_init(&process->signals.made_timers);
    process->signals.at_end = SIGNAL_CHLD;
    process->parent = parent;
    process->umask = 022;
    set_limits(process);
    if (parent && inherit(process, parent)) {
        process_free(process);
        return NULL;
    }
    return process;
}

void process_free(struct process *process)
{
    signal_pending_drop(&process->signals.pending, process, UINT64_MAX); /* sent at its very end */
    descriptor_table_leave(process->files);
    vm_space_put(process->space);
    vnode_put(process->directory);
    kfree(process->program);
    kfree(process);
}

/* Enters a new process whose first thread has number `pid`. */
static void enter(struct process *process, uint32_t pid)
{
    const struct process *parent = process->parent;

    process->pid = pid;
    process->born = hal_time_now();
    process->group = parent ? parent->group : pid;
    process->session = parent ? parent->session : pid;
    process->terminal = parent ? parent->terminal : NULL;
    tree_insert(&processes.by_pid, &process->by_pid, &pid, compare_pid);
    if (process->parent)
        list_add_tail(&process->parent->children, &process->sibling);
}

void process_forget(struct process *process)
{
    tree_remove(&processes.by_pid, &process->by_pid);
    list_remove(&process->sibling);
}

/* ---- threads ---- */

/* Whether `process` may not have one more thread. One that is ending makes none: who has said so
 * (exec) knows only of those that there were. Caller holds process_lock. */
static bool is_refused(const struct process *process)
{
    const struct user_thread *self = user_thread_current();

    return process->ended || processes.threads >= THREADS_MAX ||
           (self && self->process == process && self->ending) ||
           (process->thread_count == 0 && process->pid && is_used(process->pid)) ||
           (process->parent && process->parent->ended);
}

/* From now on others find it, and send it signals. Caller as above. */
static void enter_thread(struct user_thread *thread)
{
    struct process *process = thread->process;

    __atomic_add_fetch(&processes.threads, 1, __ATOMIC_RELAXED);
    thread->tid = process->thread_count == 0 && process->pid ? process->pid : take_number();
    tree_insert(&processes.by_tid, &thread->by_tid, &thread->tid, compare_tid);
    if (__atomic_fetch_add(&process->thread_count, 1, __ATOMIC_RELAXED) == 0)
        enter(process, thread->tid);
    thread->signals.attention = process->signals.stop != 0; /* the others have been told */
    list_add_tail(&process->threads, &thread->link);
}

int user_thread_create(struct process *process, const struct user_thread *maker,
                       struct user_thread **result)
{
    struct user_thread *thread = kcalloc(1, sizeof(*thread));
    bool refused;

    if (!thread)
        return -ENOMEM;
    thread->process = process;
    signal_begin_thread(thread, maker);
    process_lock();
    refused = is_refused(process);
    if (!refused)
        enter_thread(thread);
    process_unlock();
    if (refused) {
        kfree(thread);
        return -EAGAIN;
    }
    *result = thread;
    return 0;
}

unsigned user_thread_count(void)
{
    return __atomic_load_n(&processes.threads, __ATOMIC_RELAXED);
}

unsigned user_thread_count_of(uint32_t uid)
{
    unsigned count = 0;

    process_lock();
    tree_for_each (node, &processes.by_pid) {
        struct process *process = tree_entry(node, struct process, by_pid);

        mutex_lock(&process->mutex);
        count += process->credentials.uid == uid ? process->thread_count : 0;
        mutex_unlock(&process->mutex);
    }
    process_unlock();
    return count;
}

void user_thread_become_first(struct user_thread *thread)
{
    process_lock();
    if (thread->tid != thread->process->pid) {
        tree_remove(&processes.by_tid, &thread->by_tid);
        thread->tid = thread->process->pid;
        tree_insert(&processes.by_tid, &thread->by_tid, &thread->tid, compare_tid);
    }
    process_unlock();
}

/* Takes it out of all. Caller holds process_lock. */
static void remove_thread(struct user_thread *thread)
{
    tree_remove(&processes.by_tid, &thread->by_tid);
    list_remove(&thread->link);
    __atomic_sub_fetch(&thread->process->thread_count, 1, __ATOMIC_RELEASE);
    __atomic_sub_fetch(&processes.threads, 1, __ATOMIC_RELAXED);
}

void user_thread_abandon(struct user_thread *thread)
{
    struct process *process = thread->process;
    bool alone;

    process_lock();
    remove_thread(thread);
    signal_end_thread(thread);
    alone = process->thread_count == 0;
    if (alone)
        process_forget(process);
    else
        condition_broadcast(&process->changed);
    process_unlock();
    kfree(thread);
    if (alone)
        process_free(process);
}

int user_thread_start_as(struct user_thread *thread, void (*main)(void *argument), void *argument)
{
    char name[THREAD_NAME_MAX + 1];
    struct thread *kernel;
    int error;

    mutex_lock(&thread->process->mutex);
    string_copy(name, sizeof(name), thread->process->name);
    mutex_unlock(&thread->process->mutex);
    error = thread_prepare(name, main, argument, &kernel);
    if (error) {
        user_thread_abandon(thread);
        return error;
    }
    process_lock(); /* without which it cannot end meanwhile */
    thread_begin(kernel);
    thread->kernel_thread = kernel->id;
    process_unlock();
    thread_detach(kernel);
    return 0;
}

int user_thread_start(struct user_thread *thread)
{
    return user_thread_start_as(thread, user_thread_main, thread);
}

/* What a thread of the kernel does before its first user code. */
void user_thread_enter(struct user_thread *thread)
{
    thread_local_set(processes.key, thread);
}

bool user_thread_leave(struct user_thread *thread)
{
    thread_local_set(processes.key, NULL);
    remove_thread(thread);
    signal_end_thread(thread);
    return thread->process->thread_count == 0;
}
