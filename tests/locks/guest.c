/* SPDX-License-Identifier: MIT */
/*
 * guest.c: a kernel that misuses its locks in the way that the boot word `misuse=` names.
 *
 * It takes the place of the shell (the linker's --wrap) and powers off when nothing stopped it.
 *
 * Where it matters who comes first, threads look at what the others have done, however long that
 * takes: a sleep says nothing of where another thread is by then. Who is not stopped as it should
 * be may stay for ever; whoever plays the kernel gives up in the end.
 */
#include "boot/cmdline.h"
#include "deferred/work.h"
#include "lib/string.h"
#include "mem/reclaim.h"
#include "sync/flow/semaphore.h"
#include "sync/mutex.h"
#include "sync/rwlock.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define MS UINT64_C(1000000)
#define FORKS 5u

static KSTATE struct state {
    struct spinlock low, high;
    struct mutex a, b, c, forks[FORKS];
    struct rwlock r;
    struct condition changed;
    struct semaphore units;
    struct wait_queue queue;
    struct thread *threads[FORKS];
    bool in_interrupt, done; /* atomic: misuse something in the next IPI; it was done */
    unsigned number;
    unsigned party;   /* how many threads meet; constant while there are any */
    unsigned arrived; /* how many have come; atomic */
} state;

static void prepare(void)
{
    spinlock_init(&state.low, LOCK_RANK_DEVICE);
    spinlock_init(&state.high, LOCK_RANK_WAIT);
    mutex_init(&state.a); /* site: class a */
    mutex_init(&state.b); /* site: class b */
    mutex_init(&state.c);
    for (unsigned i = 0; i < FORKS; i++)
        mutex_init(&state.forks[i]);
    rwlock_init(&state.r);
    condition_init(&state.changed, &state.a);
    semaphore_init(&state.units, 0);
    wait_init(&state.queue);
}

/* Waits until the whole party has come here. With no party: goes on at once. */
static void meet(void)
{
    __atomic_fetch_add(&state.arrived, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&state.arrived, __ATOMIC_ACQUIRE) < state.party)
        (void)thread_sleep(MS);
}

/* Waits until a thread stands in `waiters`, which `lock` guards. */
static void await_waiter(struct spinlock *lock, const struct wait_queue *waiters)
{
    for (bool empty = true; empty;) {
        hal_irq_state_t irq;

        (void)thread_sleep(MS);
        irq = spinlock_acquire(lock);
        empty = wait_empty(waiters);
        spinlock_release(lock, irq);
    }
}

static void stay_for_ever(void)
{
    (void)thread_sleep_until(HAL_TIME_NEVER);
}

/* Starts threads in order, and waits for them. */
static void play(unsigned n, void (*const parts[])(void *unused))
{
    for (unsigned i = 0; i < n; i++)
        if (thread_create("player", parts[i], NULL, &state.threads[i]))
            tty_print("no memory\n");
    for (unsigned i = 0; i < n; i++)
        thread_join(state.threads[i]);
}

/* The same with threads that all meet. */
static void play_together(unsigned n, void (*const parts[])(void *unused))
{
    state.party = n;
    state.arrived = 0;
    play(n, parts);
}

/* ---- spinlocks ---- */

static void spin_twice(void)
{
    hal_irq_state_t first = spinlock_acquire(&state.low);  /* site: first */
    hal_irq_state_t second = spinlock_acquire(&state.low); /* site: wrong */

    spinlock_release(&state.low, second);
    spinlock_release(&state.low, first);
}

static void spin_order(void)
{
    hal_irq_state_t first = spinlock_acquire(&state.high); /* site: first in order */
    hal_irq_state_t second = spinlock_acquire(&state.low); /* site: wrong in order */

    spinlock_release(&state.low, second);
    spinlock_release(&state.high, first);
}

static void spin_unheld(void)
{
    hal_irq_state_t irq = hal_irq_save();

    spinlock_release(&state.low, irq);
}

static void spin_unmasked(void)
{
    hal_irq_state_t irq = spinlock_acquire(&state.low);

    hal_irq_unmask();
    spinlock_release(&state.low, irq);
}

/* ---- sleeping where it is not allowed ---- */

static void lock_under_spinlock(void)
{
    hal_irq_state_t irq = spinlock_acquire(&state.low); /* site: spinlock of sleeper */

    mutex_lock(&state.a); /* site: sleep */
    mutex_unlock(&state.a);
    spinlock_release(&state.low, irq);
}

static void wait_under_spinlock(void)
{
    hal_irq_state_t outer = spinlock_acquire(&state.low); /* site: spinlock of waiter */
    hal_irq_state_t inner = spinlock_acquire(&state.high);

    (void)!wait_sleep(&state.queue, &state.high, hal_time_now() + MS); /* site: wait */
    spinlock_release(&state.high, inner);
    spinlock_release(&state.low, outer);
}

static void join_under_spinlock(void)
{
    hal_irq_state_t irq = spinlock_acquire(&state.low);

    thread_join(state.threads[0]);
    spinlock_release(&state.low, irq);
}

/* The linker puts this in the place of reclaim_interrupt: a part of the handler of IPIs. */
void __wrap_reclaim_interrupt(void);
void __real_reclaim_interrupt(void);

void __wrap_reclaim_interrupt(void)
{
    if (__atomic_exchange_n(&state.in_interrupt, false, __ATOMIC_ACQ_REL)) {
        mutex_lock(&state.a); /* site: interrupt */
        mutex_unlock(&state.a);
        __atomic_store_n(&state.done, true, __ATOMIC_RELEASE);
    }
    __real_reclaim_interrupt();
}

static void sleep_in_interrupt(void)
{
    hal_irq_state_t irq = hal_irq_save();

    __atomic_store_n(&state.in_interrupt, true, __ATOMIC_RELEASE);
    hal_cpu_ipi(hal_cpu_id());
    hal_irq_restore(irq);
    while (!__atomic_load_n(&state.done, __ATOMIC_ACQUIRE))
        (void)thread_sleep(MS);
}

/* ---- mutexes ---- */

static void mutex_twice(void)
{
    mutex_lock(&state.a); /* site: first lock */
    mutex_lock(&state.a); /* site: second lock */
}

static void unlock_it(void *unused)
{
    (void)unused;
    mutex_unlock(&state.a); /* site: foreign */
}

static void mutex_foreign(void)
{
    mutex_lock(&state.a);
    play(1, (void (*const[])(void *)){unlock_it});
}

static void mutex_unlocked_twice(void)
{
    mutex_lock(&state.a);
    mutex_unlock(&state.a);
    mutex_unlock(&state.a);
}

static void condition_alone(void)
{
    condition_wait(&state.changed);
}

/* ---- rwlocks ---- */

static void read_not_begun(void)
{
    rwlock_end_read(&state.r);
}

static void write_not_begun(void)
{
    rwlock_read(&state.r);
    rwlock_end_write(&state.r);
}

static void write_twice(void)
{
    rwlock_write(&state.r);
    rwlock_write(&state.r);
}

static void read_twice(void)
{
    rwlock_read(&state.r); /* site: first read */
    rwlock_read(&state.r);
}

static void end_it(void *unused)
{
    (void)unused;
    rwlock_end_read(&state.r);
}

static void read_foreign(void)
{
    rwlock_read(&state.r);
    play(1, (void (*const[])(void *)){end_it});
}

/* ---- circles ---- */

static void part_ab(void *unused)
{
    (void)unused;
    mutex_lock(&state.a); /* site: a first */
    meet();
    mutex_lock(&state.b); /* site: b second */
    mutex_unlock(&state.b);
    mutex_unlock(&state.a);
}

static void part_ba(void *unused)
{
    (void)unused;
    mutex_lock(&state.b); /* site: b first */
    meet();
    mutex_lock(&state.a); /* site: a second */
    mutex_unlock(&state.a);
    mutex_unlock(&state.b);
}

static void deadlock_of_two(void)
{
    play_together(2, (void (*const[])(void *)){part_ab, part_ba});
}

/* Both orders, one after the other: no deadlock this time. */
static void order_circle(void)
{
    play(1, (void (*const[])(void *)){part_ab});
    play(1, (void (*const[])(void *)){part_ba});
    play(1, (void (*const[])(void *)){part_ba});
}

static void part_bc(void *unused)
{
    (void)unused;
    mutex_lock(&state.b);
    rwlock_read(&state.r);
    rwlock_end_read(&state.r);
    mutex_unlock(&state.b);
}

static void part_ca(void *unused)
{
    (void)unused;
    rwlock_write(&state.r);
    mutex_lock(&state.a);
    mutex_unlock(&state.a);
    rwlock_end_write(&state.r);
}

static void order_of_three(void)
{
    play(1, (void (*const[])(void *)){part_ab});
    play(1, (void (*const[])(void *)){part_bc});
    play(1, (void (*const[])(void *)){part_ca});
}

static void order_nested(void)
{
    for (unsigned i = 0; i < 2; i++) {
        mutex_lock(&state.forks[i]);
        mutex_lock(&state.forks[1 - i]);
        mutex_unlock(&state.forks[1 - i]);
        mutex_unlock(&state.forks[i]);
    }
}

/* Each waits for the fork that the next one has. */
static void part_dine(void *unused)
{
    unsigned number = __atomic_fetch_add(&state.number, 1, __ATOMIC_RELAXED);

    (void)unused;
    mutex_lock(&state.forks[number]);
    meet();
    mutex_lock(&state.forks[(number + 1) % FORKS]);
}

static void deadlock_at_table(void)
{
    play_together(FORKS,
                  (void (*const[])(void *)){part_dine, part_dine, part_dine, part_dine, part_dine});
}

static void part_read_then_lock(void *unused)
{
    (void)unused;
    rwlock_read(&state.r);
    meet();
    mutex_lock(&state.a);
}

static void part_lock_then_write(void *unused)
{
    (void)unused;
    mutex_lock(&state.a);
    meet();
    rwlock_write(&state.r);
}

static void deadlock_with_reader(void)
{
    play_together(2, (void (*const[])(void *)){part_read_then_lock, part_lock_then_write});
}

/* A reader behind a writer behind the reader whom it keeps from going on. */
static void part_write(void *unused)
{
    (void)unused;
    meet();
    rwlock_write(&state.r);
    rwlock_end_write(&state.r);
}

static void part_lock_then_read(void *unused)
{
    (void)unused;
    mutex_lock(&state.a);
    meet();
    await_waiter(&state.r.lock, &state.r.waiters);
    rwlock_read(&state.r);
}

static void deadlock_behind_writer(void)
{
    play_together(3,
                  (void (*const[])(void *)){part_read_then_lock, part_lock_then_read, part_write});
}

/* Whichever of both waits begins last closes the circle. */
static void part_wait_for_a(void *unused)
{
    (void)unused;
    mutex_lock(&state.a);
}

static void deadlock_with_join(void)
{
    mutex_lock(&state.a);
    play(1, (void (*const[])(void *)){part_wait_for_a});
}

static void part_join_self(void *unused)
{
    (void)unused;
    thread_join(thread_current()); /* site: join itself */
}

static void join_self(void)
{
    play(1, (void (*const[])(void *)){part_join_self});
}

static void part_nap(void *unused)
{
    (void)unused;
    (void)thread_sleep(5 * MS);
}

static void part_stay(void *unused)
{
    (void)unused;
    stay_for_ever();
}

/* Comes after who joins the first thread, which is there as long as that. */
static void part_join_first(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&state.threads[0]->joiner, __ATOMIC_RELAXED))
        (void)thread_sleep(MS);
    thread_join(state.threads[0]); /* site: join again */
}

static void join_twice(void)
{
    play(2, (void (*const[])(void *)){part_stay, part_join_first});
}

static void join_ended(void)
{
    play(1, (void (*const[])(void *)){part_nap});
    thread_join(state.threads[0]);
}

static struct thread *stay_detached(void)
{
    struct thread *thread;

    if (thread_create("player", part_stay, NULL, &thread))
        tty_print("no memory\n");
    thread_detach(thread);
    return thread;
}

static void join_detached(void)
{
    thread_join(stay_detached());
}

static void detach_twice(void)
{
    thread_detach(stay_detached());
}

static void detach_joined(void)
{
    play(1, (void (*const[])(void *)){part_nap});
    thread_detach(state.threads[0]);
}

/* The same circles where every wait has a deadline: these go apart by themselves. */
static void part_timed(void *unused)
{
    bool turned = __atomic_fetch_add(&state.number, 1, __ATOMIC_RELAXED);
    struct mutex *first = turned ? &state.forks[1] : &state.forks[0];
    struct mutex *second = turned ? &state.forks[0] : &state.forks[1];

    (void)unused;
    mutex_lock(first);
    meet();
    if (mutex_lock_until(second, hal_time_now() + 5 * MS) == 0)
        mutex_unlock(second);
    mutex_unlock(first);
}

static void timed_circle(void)
{
    play_together(2, (void (*const[])(void *)){part_timed, part_timed});
}

/* ---- the rest ---- */

static void part_end(void *unused)
{
    (void)unused;
    mutex_lock(&state.a); /* site: kept */
}

static void end_with_lock(void)
{
    play(1, (void (*const[])(void *)){part_end});
}

static KSTATE struct work_queue *queue;

static void work_flushes(struct work *work)
{
    (void)work;
    work_queue_flush(queue);
}

static void work_awaits(struct work *work)
{
    work_await(work);
}

static void run_work(void (*function)(struct work *work))
{
    struct work work;

    work_init(&work, function);
    if (work_queue_create("misuse", 2, &queue))
        tty_print("no memory\n");
    else if (work_submit(queue, &work))
        stay_for_ever(); /* the work is on this stack, and does not end */
}

static void flush_inside(void)
{
    run_work(work_flushes);
}

static void await_itself(void)
{
    run_work(work_awaits);
}

static void part_reader(void *unused)
{
    (void)unused;
    rwlock_read(&state.r);
    meet();
    await_waiter(&state.r.lock, &state.r.waiters);
    rwlock_end_read(&state.r);
}

/* Keeps two mutexes until somebody waits for the first. */
static void part_hold(void *unused)
{
    (void)unused;
    mutex_lock(&state.a);
    mutex_lock(&state.b);
    meet();
    await_waiter(&state.a.lock, &state.a.waiters);
    mutex_unlock(&state.b);
    mutex_unlock(&state.a);
}

static void part_come_later(void *unused)
{
    (void)unused;
    meet();
    mutex_lock(&state.a);
    mutex_unlock(&state.a);
}

static void use_properly(void)
{
    hal_irq_state_t outer = spinlock_acquire(&state.low);
    hal_irq_state_t inner = spinlock_acquire(&state.high);

    spinlock_release(&state.high, inner);
    spinlock_release(&state.low, outer);
    play_together(2, (void (*const[])(void *)){part_hold, part_come_later});
    play_together(3, (void (*const[])(void *)){part_reader, part_write, part_reader});
}

static const struct misuse {
    const char *name;
    void (*commit)(void);
} misuses[] = {
    {"spin-twice", spin_twice},
    {"spin-order", spin_order},
    {"spin-unheld", spin_unheld},
    {"spin-unmasked", spin_unmasked},
    {"lock-under-spinlock", lock_under_spinlock},
    {"wait-under-spinlock", wait_under_spinlock},
    {"join-under-spinlock", join_under_spinlock},
    {"sleep-in-interrupt", sleep_in_interrupt},
    {"mutex-twice", mutex_twice},
    {"mutex-foreign", mutex_foreign},
    {"mutex-unlocked-twice", mutex_unlocked_twice},
    {"condition-alone", condition_alone},
    {"read-not-begun", read_not_begun},
    {"write-not-begun", write_not_begun},
    {"write-twice", write_twice},
    {"read-twice", read_twice},
    {"read-foreign", read_foreign},
    {"deadlock-of-two", deadlock_of_two},
    {"deadlock-at-table", deadlock_at_table},
    {"deadlock-with-reader", deadlock_with_reader},
    {"deadlock-behind-writer", deadlock_behind_writer},
    {"deadlock-with-join", deadlock_with_join},
    {"join-self", join_self},
    {"join-twice", join_twice},
    {"join-ended", join_ended},
    {"join-detached", join_detached},
    {"detach-twice", detach_twice},
    {"detach-joined", detach_joined},
    {"order-circle", order_circle},
    {"order-of-three", order_of_three},
    {"order-nested", order_nested},
    {"timed-circle", timed_circle},
    {"end-with-lock", end_with_lock},
    {"flush-inside", flush_inside},
    {"await-itself", await_itself},
    {"none", use_properly},
};

/* The linker puts this in the place of shell_main (--wrap). */
HAL_NORETURN void __wrap_shell_main(void *unused);

void __wrap_shell_main(void *unused)
{
    char name[32];

    (void)unused;
    prepare();
    (void)cmdline_value("misuse", name, sizeof name);
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++)
        if (string_equal(name, misuses[i].name)) {
            misuses[i].commit();
            tty_print("nobody stopped it\n");
        }
    tty_drain();
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
