/* SPDX-License-Identifier: MIT */
/*
 * pending.c: signals that wait to be taken.
 *
 * Plain ones have a place each. Queued ones are entries of a list, in the order in which they were
 * sent, of any numbers; QUEUED_MOST a process, its threads included, or what its limit says. A bit
 * of `set` says that there is at least one; it may be set for a queued signal without an entry
 * (signal_pending_mark).
 */
#include "proc/signal/signals.h"

#include "heap/heap.h"
#include "ipc/taken/taken.h"
#include "proc/timers/timers.h"

#include <hal/errno.h>

#define QUEUED_MOST 1024u

/* Those that a trap of the program's is the reason of. */
#define FAULTS \
    (1ull << (SIGNAL_SEGV - 1) | 1ull << (SIGNAL_BUS - 1) | 1ull << (SIGNAL_ILL - 1) | \
     1ull << (SIGNAL_TRAP - 1) | 1ull << (SIGNAL_FPE - 1) | 1ull << (SIGNAL_SYS - 1))

struct entry {
    struct list link;
    unsigned signal;
    struct signal_info info;
};

void signal_pending_init(struct signal_pending *pending)
{
    __atomic_store_n(&pending->set, 0, __ATOMIC_SEQ_CST);
    list_init(&pending->queued);
}

/* Whether the process may have one more entry. */
static bool has_room(struct process *process)
{
    uint64_t limit;

    mutex_lock(&process->mutex);
    limit = process->limits[PROCESS_LIMIT_SIGNALS].soft;
    mutex_unlock(&process->mutex);
    return process->signals.queued < (limit < QUEUED_MOST ? limit : QUEUED_MOST);
}

int signal_pending_add(struct signal_pending *pending, struct process *process, unsigned signal,
                       const struct signal_info *info)
{
    if (signal > SIGNAL_PLAIN) {
        struct entry *entry = NULL;

        if (has_room(process))
            entry = kmalloc(sizeof(*entry));
        if (!entry)
            return -EAGAIN;
        entry->signal = signal;
        entry->info = *info;
        list_add_tail(&pending->queued, &entry->link);
        process->signals.queued++;
    } else if (!(pending->set & signal_bit(signal))) {
        pending->plain[signal - 1] = *info;
    }
    signal_pending_mark(pending, signal);
    return 0;
}

void signal_pending_mark(struct signal_pending *pending, unsigned signal)
{
    __atomic_fetch_or(&pending->set, signal_bit(signal), __ATOMIC_SEQ_CST);
    poll_notify(taken_source());
}

/* Takes the first entry of `signal` off; *last: it was the only one. NULL: there is none. */
static struct entry *find_entry(struct signal_pending *pending, unsigned signal, bool *last)
{
    struct entry *found = NULL;

    *last = true;
    list_for_each (link, &pending->queued) {
        struct entry *entry = list_entry(link, struct entry, link);

        if (entry->signal != signal)
            continue;
        *last = found == NULL;
        if (found)
            break;
        found = entry;
    }
    return found;
}

static void free_entry(struct entry *entry, struct process *process)
{
    list_remove(&entry->link);
    process->signals.queued--;
    kfree(entry);
}

unsigned signal_pending_take(struct signal_pending *pending, struct process *process, uint64_t set,
                             struct signal_info *info)
{
    uint64_t ready = pending->set & set;
    struct entry *entry;
    bool last = true;
    unsigned signal;

    if (!ready)
        return 0;
    signal = (unsigned)__builtin_ctzll(ready & FAULTS ? ready & FAULTS : ready) + 1;
    if (signal <= SIGNAL_PLAIN) {
        *info = pending->plain[signal - 1];
    } else {
        entry = find_entry(pending, signal, &last);
        *info = entry ? entry->info : (struct signal_info){.code = SIGNAL_BY_USER};
        if (entry)
            free_entry(entry, process);
    }
    if (last)
        __atomic_fetch_and(&pending->set, ~signal_bit(signal), __ATOMIC_SEQ_CST);
    return signal;
}

/* A timer waits for its signal to be taken. */
static void tell_timer(struct process *process, const struct signal_info *info)
{
    if (info->code == SIGNAL_BY_TIMER)
        user_timer_dropped(process, info);
}

void signal_pending_drop(struct signal_pending *pending, struct process *process, uint64_t set)
{
    uint64_t dropped = __atomic_fetch_and(&pending->set, ~set, __ATOMIC_SEQ_CST) & set;

    for (unsigned signal = 1; signal <= SIGNAL_PLAIN; signal++) {
        if (dropped & signal_bit(signal))
            tell_timer(process, &pending->plain[signal - 1]);
    }
    list_for_each_safe (link, &pending->queued) {
        struct entry *entry = list_entry(link, struct entry, link);

        if (!(set & signal_bit(entry->signal)))
            continue;
        tell_timer(process, &entry->info);
        free_entry(entry, process);
    }
}

uint64_t signal_pending_of(const struct user_thread *thread)
{
    return signal_pending_set(&thread->signals.pending) |
           signal_pending_set(&thread->process->signals.pending);
}
