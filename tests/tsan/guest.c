/* SPDX-License-Identifier: MIT */
/*
 * guest.c: a kernel with a race, of the kind that the boot word `race=` names; or with none.
 *
 * Two threads on two CPUs do the same work at the same time. What they share is guarded as it
 * should be, or not quite. For one kind it is core itself that has the race: the linker's --wrap
 * puts functions here in the place of the spinlock's, which forget the lock of the kernel's log.
 *
 * It takes the place of the shell, and powers off when it is done.
 */
#include "boot/cmdline.h"
#include "lib/log.h"
#include "lib/string.h"
#include "sync/flow/gate.h"
#include "sync/flow/semaphore.h"
#include "sync/mutex.h"
#include "sync/rwlock.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/kstate.h>

#define ROUNDS 5000u
#define SLOTS 500u

static KSTATE struct state {
    struct mutex mutex, other;
    struct spinlock spinlock;
    struct rwlock rwlock;
    struct semaphore semaphore;
    struct completion done;
    unsigned started; /* atomic */
    unsigned slots[SLOTS];
    volatile unsigned value, seen; /* or a loop may be one access, before it */
    bool ready;                    /* atomic */
    bool forgotten;                /* atomic: the lock of the log is not taken */
} state;

/* Both begin at the same moment: one after the other there would be no race. */
static void begin_together(void)
{
    __atomic_add_fetch(&state.started, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&state.started, __ATOMIC_RELAXED) < 2)
        hal_cpu_relax();
}

/* ---- the linker puts these in the place of core's ---- */

void __real_spinlock_acquire_masked_at(struct spinlock *lock, const struct lock_site *site);
void __real_spinlock_release_at(struct spinlock *lock, hal_irq_state_t irq,
                                const struct lock_site *site);
void __wrap_spinlock_acquire_masked_at(struct spinlock *lock, const struct lock_site *site);
void __wrap_spinlock_release_at(struct spinlock *lock, hal_irq_state_t irq,
                                const struct lock_site *site);

static bool forgets(const struct spinlock *lock)
{
    return lock->rank == LOCK_RANK_LOG && __atomic_load_n(&state.forgotten, __ATOMIC_RELAXED);
}

void __wrap_spinlock_acquire_masked_at(struct spinlock *lock, const struct lock_site *site)
{
    if (!forgets(lock))
        __real_spinlock_acquire_masked_at(lock, site);
}

void __wrap_spinlock_release_at(struct spinlock *lock, hal_irq_state_t irq,
                                const struct lock_site *site)
{
    if (forgets(lock))
        hal_irq_restore(irq);
    else
        __real_spinlock_release_at(lock, irq, site);
}

/* ---- races ---- */

static void part_no_lock(void *unused)
{
    (void)unused;
    begin_together();
    for (unsigned i = 0; i < ROUNDS; i++)
        state.value++; /* site: no lock */
}

static void part_wrong_lock(void *number)
{
    struct mutex *mutex = number ? &state.other : &state.mutex;

    begin_together();
    for (unsigned i = 0; i < ROUNDS; i++) {
        mutex_lock(mutex);
        state.value++; /* site: wrong lock */
        mutex_unlock(mutex);
    }
}

/* One reads beside the lock that the other takes. */
static void part_look_outside(void *number)
{
    begin_together();
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (number) {
            state.seen += state.value; /* site: look outside */
            continue;
        }
        mutex_lock(&state.mutex);
        state.value++; /* site: look outside */
        mutex_unlock(&state.mutex);
    }
}

/* A flag that is atomic, and yet does not order what is written before it. */
static void part_no_order(void *number)
{
    begin_together();
    if (number) {
        while (!__atomic_load_n(&state.ready, __ATOMIC_RELAXED))
            hal_cpu_relax();
        state.seen = state.value; /* site: no order */
        return;
    }
    state.value = 1; /* site: no order */
    __atomic_store_n(&state.ready, true, __ATOMIC_RELAXED);
}

/* Readers that write. */
static void part_reader_writes(void *unused)
{
    (void)unused;
    begin_together();
    for (unsigned i = 0; i < ROUNDS; i++) {
        rwlock_read(&state.rwlock);
        state.value++; /* site: reader writes */
        rwlock_end_read(&state.rwlock);
    }
}

static void part_log(void *unused)
{
    (void)unused;
    begin_together();
    for (unsigned i = 0; i < ROUNDS; i++)
        klog(KLOG_DEBUG, "line %u", i);
}

/* ---- no races ---- */

static void part_locks(void *unused)
{
    hal_irq_state_t irq;

    (void)unused;
    begin_together();
    for (unsigned i = 0; i < ROUNDS; i++) {
        mutex_lock(&state.mutex);
        state.value++;
        mutex_unlock(&state.mutex);
        irq = spinlock_acquire(&state.spinlock);
        state.seen++;
        spinlock_release(&state.spinlock, irq);
        klog(KLOG_DEBUG, "line %u", i);
    }
}

static void part_readers_read(void *unused)
{
    (void)unused;
    begin_together();
    for (unsigned i = 0; i < ROUNDS; i++) {
        rwlock_write(&state.rwlock);
        state.value++;
        rwlock_end_write(&state.rwlock);
        rwlock_read(&state.rwlock);
        if (state.value == 0)
            klog(KLOG_DEBUG, "nothing was written");
        rwlock_end_read(&state.rwlock);
    }
}

/* What is done before a wake-up is done before what follows the wait. */
static void part_signals(void *number)
{
    begin_together();
    for (unsigned i = 0; i < SLOTS; i++) {
        if (number) {
            semaphore_down(&state.semaphore);
            state.seen += state.slots[i];
        } else {
            state.slots[i] = i;
            semaphore_up(&state.semaphore);
        }
    }
    if (number) {
        completion_wait(&state.done);
        state.seen += state.value;
    } else {
        state.value = 2;
        completion_one(&state.done);
    }
}

static void part_order(void *number)
{
    begin_together();
    if (number) {
        while (!__atomic_load_n(&state.ready, __ATOMIC_ACQUIRE))
            hal_cpu_relax();
        state.seen = state.value;
        return;
    }
    state.value = 1;
    __atomic_store_n(&state.ready, true, __ATOMIC_RELEASE);
}

/* ---- the play ---- */

static const struct race {
    const char *name;
    void (*part)(void *number);
} races[] = {
    {"no-lock", part_no_lock},
    {"wrong-lock", part_wrong_lock},
    {"look-outside", part_look_outside},
    {"no-order", part_no_order},
    {"reader-writes", part_reader_writes},
    {"log-without-lock", part_log},
    {"none-locks", part_locks},
    {"none-readers", part_readers_read},
    {"none-signals", part_signals},
    {"none-order", part_order},
};

static void prepare(const char *name)
{
    mutex_init(&state.mutex);
    mutex_init(&state.other);
    spinlock_init(&state.spinlock, LOCK_RANK_DEVICE);
    rwlock_init(&state.rwlock);
    semaphore_init(&state.semaphore, 0);
    completion_init(&state.done);
    __atomic_store_n(&state.forgotten, string_equal(name, "log-without-lock"), __ATOMIC_RELAXED);
}

static void play(const struct race *race)
{
    struct thread *threads[2];

    for (uintptr_t i = 0; i < 2; i++) {
        /* Each on a CPU of its own: a new thread may run where its creator may. */
        if (thread_set_affinity(thread_current(), 2u << i) ||
            thread_create("player", race->part, (void *)i, &threads[i])) {
            tty_print("cannot start\n");
            return;
        }
    }
    if (thread_set_affinity(thread_current(), UINT32_MAX))
        tty_print("cannot go anywhere\n");
    for (unsigned i = 0; i < 2; i++)
        thread_join(threads[i]);
    tty_print("done\n");
}

HAL_NORETURN void __wrap_shell_main(void *unused);

void __wrap_shell_main(void *unused)
{
    char name[32];

    (void)unused;
    (void)cmdline_value("race", name, sizeof name);
    prepare(name);
    for (size_t i = 0; i < sizeof races / sizeof races[0]; i++)
        if (string_equal(name, races[i].name))
            play(&races[i]);
    tty_drain();
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
