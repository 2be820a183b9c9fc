/* SPDX-License-Identifier: MIT */
/*
 * robust.c: what a thread leaves behind in its program's memory when it ends, or runs exec.
 *
 * A thread keeps a list, in its memory, of the robust locks that it holds; the kernel was told
 * where (set_robust_list), and believes nothing that is in it:
 *
 *     head:  next --> entry: next --> entry: next --> head      each lock lies `distance` from its
 *            distance                                           entry; bit 0 of a pointer is a mark
 *            pending: an entry that is just being put in or taken out, or NULL
 *
 * Of each lock that has the thread's number in it the word gets a mark that its owner has died, and
 * one who waits is woken. The walk ends after ENTRIES_MAX, and at the first bad address.
 */
#include "ipc/futex/robust.h"

#include "ipc/futex/futex.h"
#include "proc/process.h"
#include "vm/copy.h"

#define ENTRIES_MAX 2048u
#define TRIES_MAX 64u /* a word that others change all the time is left to them */
#define MARK ((uint64_t)1)

/* In the word of a lock. */
#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u
#define OWNER 0x3fffffffu

struct robust_head {
    uint64_t next, distance, pending;
};

static void wake_one(struct vm_space *space, uintptr_t address)
{
    struct futex_word word;

    if (!futex_find(space, address, true, &word))
        (void)futex_wake(&word, 1, FUTEX_ANY);
}

/* Marks the word, if it is the thread's. True: it was, and somebody waits. */
static bool mark(const struct user_thread *thread, uintptr_t address, uint32_t value)
{
    struct vm_space *space = thread->process->space;

    for (unsigned i = 0; i < TRIES_MAX && (value & OWNER) == thread->tid; i++) {
        uint32_t expected = value;

        if (vm_cmpxchg_u32(space, address, &expected, (value & WAITERS) | OWNER_DIED))
            return false;
        if (expected == value)
            return value & WAITERS;
        value = expected;
    }
    return false;
}

/* The lock of `entry`. False: it is not where memory is. */
static bool let_go(const struct user_thread *thread, uint64_t entry, uint64_t distance,
                   bool pending)
{
    struct vm_space *space = thread->process->space;
    uintptr_t address = (uintptr_t)((entry & ~MARK) + distance);
    uint32_t value;

    if (vm_load_u32(space, address, &value))
        return false;
    /* One who was about to unlock it may have freed the word, and not have woken anybody yet. */
    if (mark(thread, address, value) || (pending && value == 0))
        wake_one(space, address);
    return true;
}

static void walk(const struct user_thread *thread)
{
    struct vm_space *space = thread->process->space;
    uintptr_t start = thread->robust_list;
    struct robust_head head;
    uint64_t entry, next;

    if (vm_copy_in(space, &head, start, sizeof(head)))
        return;
    entry = head.next;
    for (unsigned i = 0; i < ENTRIES_MAX && (entry & ~MARK) != start; i++) {
        bool last = vm_copy_in(space, &next, (uintptr_t)(entry & ~MARK), sizeof(next));

        if ((entry & ~MARK) != (head.pending & ~MARK) &&
            !let_go(thread, entry, head.distance, false))
            return;
        if (last)
            return;
        entry = next;
    }
    if (head.pending)
        (void)let_go(thread, head.pending, head.distance, true);
}

void robust_leave_memory(struct user_thread *thread)
{
    const uint32_t zero = 0;

    if (!thread->process->space)
        return;
    if (thread->robust_list)
        walk(thread);
    if (thread->clear_tid &&
        !vm_copy_out(thread->process->space, thread->clear_tid, &zero, sizeof(zero)))
        wake_one(thread->process->space, thread->clear_tid);
    __atomic_store_n(&thread->robust_list, 0, __ATOMIC_RELAXED);
    thread->clear_tid = 0;
}
