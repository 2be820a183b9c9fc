/* SPDX-License-Identifier: MIT */
/*
 * room.c: the last resort when memory is short: a process is ended, so that the others go on.
 *
 * Who comes here has found that no page can be had for a program, and that the caches gave back
 * what they could. The process with most pages is ended: that is where most memory is, and who took
 * it is likely to be why there is none. Not the first process, which the others depend on. One at a
 * time: while one that is ending still has memory, everybody waits for that, and then tries again.
 * So nobody fails whose turn it is not, and with every end there is more room.
 *
 * Allocations of the kernel's own for a system call do not come here; the call answers ENOMEM, and
 * the program may do without.
 */
#include "proc/room/room.h"

#include "lib/log.h"
#include "proc/process.h"
#include "sync/wait.h"
#include "vm/space.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define INIT_PID 1u
#define PAUSE_NS 1000000u
#define PATIENCE 300u /* pauses: then one that is ending does not count any more */

static KSTATE struct room {
    struct wait_queue pause; /* nobody wakes who sleeps here */
    struct spinlock lock;    /* of the queue */
    unsigned waited;         /* pauses since the last end was decided; guarded by process_lock */
} room;

void process_room_init(void)
{
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

/* The process to be ended, of *pages pages; or NULL, and *ending: one is on its way. Caller holds
 * process_lock. */
static struct process *choose(uint64_t *pages, bool *ending)
{
    struct process *process, *most = NULL;

    *pages = 0;
    *ending = false;
    for (process = process_from(0); process; process = process_from(process->pid + 1)) {
        uint64_t has = process->state == PROCESS_ALIVE ? pages_of(process) : 0;

        if (process->ended) {
            *ending |= has > 0;
        } else if (has > *pages && process->pid != INIT_PID) {
            most = process;
            *pages = has;
        }
    }
    return *ending && room.waited < PATIENCE ? NULL : most;
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
        klog(KLOG_WARNING, "out of memory: process %u (%s) is ended, which has most: %llu pages",
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
