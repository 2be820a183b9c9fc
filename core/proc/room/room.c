/* SPDX-License-Identifier: MIT */
/*
 * room.c: the last resort when memory is short: a process is ended, so that the others go on.
 *
 * Who comes here has found that no page can be had for a program, and that the caches gave back
 * what they could. The process with most pages, half of its children's included, is ended: that is
 * where most memory is, and who took it is likely to be why there is none. Not the first process,
 * which the others depend on. One at a time: while one that is ending still has memory, everybody
 * waits for that, and then tries again. So nobody fails whose turn it is not, and with every end
 * there is more room.
 *
 * Allocations of the kernel's own for a system call do not come here; the call answers ENOMEM, and
 * the program may do without.
 */
#include "proc/room/room.h"

#include "lib/log.h"
#include "mem/frame.h"
#include "mem/reclaim.h"
#include "proc/process.h"
#include "sync/wait.h"
#include "vm/space.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define INIT_PID 1u
#define RESERVE 16u /* that part of all frames is not for new processes */
#define PAUSE_NS 1000000u
#define PATIENCE 300u /* pauses: then one that is ending does not count any more */

static KSTATE struct room {
    struct wait_queue pause; /* nobody wakes who sleeps here */
    struct spinlock lock;    /* of the queue */
    uint64_t least;          /* frames; with less than that there are no new processes */
    unsigned waited;         /* pauses since the last end was decided; guarded by process_lock */
} room;

void process_room_init(void)
{
    struct frame_stats stats;

    frame_read_stats(&stats);
    room.least = stats.total / RESERVE;
    wait_init(&room.pause);
    spinlock_init(&room.lock, LOCK_RANK_WAIT);
}

/* How many pages a process has; 0: none any more. Caller holds process_lock. */
static uint64_t pages_of(struct process *process)
{
    uint64_t pages;

    mutex_lock(&process->mutex);
    pages = process->space ? vm_resident_pages(process->space) : 0;
    mutex_unlock(&process->mutex);
    return pages;
}

/* What speaks for its end: its pages, and half of its children's, so that who makes processes
 * without end comes before those who just work, but not before a child that is greedy itself. 0: it
 * has nothing to give. Caller as above. */
static uint64_t score_of(struct process *process)
{
    uint64_t own = pages_of(process), others = 0;

    list_for_each (link, &process->children)
        others += pages_of(list_entry(link, struct process, sibling));
    return own > 0 ? own + others / 2 : 0;
}

/* The process to be ended, of *pages pages; or NULL, and *ending: one is on its way. Caller holds
 * process_lock. */
static struct process *choose(uint64_t *pages, bool *ending)
{
    struct process *process, *most = NULL;

    *pages = 0;
    *ending = false;
    for (process = process_from(0); process; process = process_from(process->pid + 1)) {
        uint64_t has = process->state == PROCESS_ALIVE ? score_of(process) : 0;

        if (process->ended) {
            *ending |= has > 0;
        } else if (has > 0 && has >= *pages && process->pid != INIT_PID) { /* of equals, the last */
            most = process;
            *pages = has;
        }
    }
    return *ending && room.waited < PATIENCE ? NULL : most;
}

bool process_is_room(void)
{
    uint64_t least = room.least, free = frame_free_total();

    if (free < least)
        (void)reclaim_frames((size_t)(least - free));
    return frame_free_total() >= least;
}

static void pause_for_others(void)
{
    hal_irq_state_t state = spinlock_acquire(&room.lock);

    (void)!wait_sleep_firmly(&room.pause, &room.lock, hal_time_now() + PAUSE_NS);
    spinlock_release(&room.lock, state);
}

int process_make_room(void)
{
    const struct user_thread *self = user_thread_current();
    struct process *process;
    uint64_t pages;
    bool ending;
    int error = 0;

    process_lock();
    process = choose(&pages, &ending);
    if (self && self->process->ended) {
        error = -ENOMEM;
    } else if (process) {
        klog(KLOG_WARNING,
             "out of memory: process %u (%s) is ended, which has most: %llu pages, with half of "
             "its children's",
             process->pid, process->name, (unsigned long long)pages);
        process_end(process, SIGNAL_KILL);
        room.waited = 0;
        error = self && process == self->process ? -ENOMEM : 0;
    } else if (ending) {
        room.waited++;
    } else {
        error = -ENOMEM;
    }
    process_unlock();
    if (!error)
        pause_for_others();
    return error;
}
