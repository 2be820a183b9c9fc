/* SPDX-License-Identifier: MIT */
/*
 * guest.c: the kernel's side of the threads benchmark. It stands in for the shell, so the whole
 * kernel is up, with the real clock and its interrupts.
 */
#include "guest.h"
#include "sched/sched.h"
#include "sync/mutex.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/board.h>
#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/kstate.h>
#include <hal/machine.h>

#include "mem/frame.h"

#define STATE KSTATE
#define THREAD struct thread *
#define START(thread, entry) start_thread(&(thread), entry)
#define JOIN(thread) thread_join(thread)
#define YIELD() thread_yield()
#define LOCK struct mutex
#define LOCK_INIT(lock) mutex_init(lock)
#define TAKE(lock) mutex_lock(lock)
#define GIVE(lock) mutex_unlock(lock)
#define CONDITION struct condition
#define CONDITION_INIT(condition, lock) condition_init(condition, lock)
#define AWAIT(condition, lock) condition_wait(condition)
#define SIGNAL(condition) condition_signal(condition)
#define POST(side) post(side)
#define EXPECT(side) expect(side)
#define NOW() guest_time()
#define FAIL(text) bench_fail(text)

void bench_fail(const char *text)
{
    bench_order.error = text;
    hal_board_stop(HAL_STOP_POWER_OFF, 1);
}

uint64_t guest_time(void)
{
    hal_irq_state_t state = hal_irq_save(); /* no interrupt on top of a call to the host */
    uint64_t now = bench_order.job == BENCH_TWO_CPUS ? bench_wall_time() : bench_cpu_time();

    hal_irq_restore(state);
    return now;
}

static void start_thread(struct thread **thread, void (*entry)(void *))
{
    if (thread_create("bench", entry, NULL, thread))
        bench_fail("a thread cannot be made");
}

/* ---- the bare wait queue ---- */

static KSTATE struct side {
    struct spinlock lock;
    struct wait_queue queue;
    bool posted;
} sides[2];

static void post(unsigned side)
{
    struct side *to = &sides[side];
    hal_irq_state_t state = spinlock_acquire(&to->lock);

    to->posted = true;
    (void)wait_wake_one(&to->queue);
    spinlock_release(&to->lock, state);
}

static void expect(unsigned side)
{
    struct side *from = &sides[side];
    hal_irq_state_t state = spinlock_acquire(&from->lock);

    while (!from->posted)
        wait_sleep_always(&from->queue, &from->lock);
    from->posted = false;
    spinlock_release(&from->lock, state);
}

#include "workload.c"

/* The two threads run on the CPUs `mine` and `others`. */
static void wake_between(enum bench_figure figure, unsigned mine, unsigned others)
{
    struct thread *other;

    for (unsigned i = 0; i < 2; i++) {
        spinlock_init(&sides[i].lock, LOCK_RANK_WAIT);
        wait_init(&sides[i].queue);
        sides[i].posted = false;
    }
    leave = false;
    start_thread(&other, answer);
    if (thread_set_affinity(other, 1u << others) ||
        thread_set_affinity(thread_current(), 1u << mine))
        bench_fail("there is no such CPU");
    measure_wake(figure, bench_order.runs * 4, other);
}

/* ---- bare contexts ---- */

static KSTATE struct hal_context here, there;

static void bounce(void *unused)
{
    (void)unused;
    for (;;)
        hal_context_switch(&there, &here);
}

static void measure_contexts(unsigned runs)
{
    void *stack = frame_alloc_pages(HAL_STACK_SIZE / HAL_PAGE_SIZE, 0);
    hal_irq_state_t state;

    if (!stack)
        bench_fail("no memory for a stack");
    hal_context_init(&there, stack, HAL_STACK_SIZE, bounce, NULL);
    state = hal_irq_save();
    for (unsigned run = 0; run < runs; run++) {
        uint64_t start = guest_time();

        for (unsigned i = 0; i < YIELDS / 2; i++)
            hal_context_switch(&here, &there);
        bench_note(BENCH_SWITCH, guest_time() - start, YIELDS);
    }
    hal_irq_restore(state);
    hal_context_finish(&there);
    frame_put(stack);
}

static void measure_turns(unsigned runs)
{
    if (scheduler_set_policy("rr"))
        bench_fail("a policy is missing");
    measure_yield(BENCH_YIELD_TURNS, runs);
    if (scheduler_set_policy(SCHED_POLICY_DEFAULT))
        bench_fail("the default policy is missing");
}

/* The linker puts this in the place of shell_main (--wrap). */
HAL_NORETURN void __wrap_shell_main(void *unused);

void __wrap_shell_main(void *unused)
{
    (void)unused;
    if (bench_order.job == BENCH_ONE_CPU) {
        measure_contexts(bench_order.runs * 10);
        wake_between(BENCH_WAKE, 0, 0);
        measure_all(bench_order.runs);
        measure_turns(bench_order.runs * 10);
    } else if (bench_order.job == BENCH_TWO_CPUS) {
        wake_between(BENCH_WAKE_OTHER, 0, 1);
    } else if (bench_order.job == BENCH_YIELDS) {
        measure_yield(BENCH_YIELD, bench_order.runs * 100);
        measure_turns(bench_order.runs * 100);
    } else if (bench_order.job == BENCH_LOCKS) {
        measure_counter(BENCH_COUNTER_PAIR, bench_order.runs * 20);
    } else {
        bench_many(bench_order.job == BENCH_MANY);
    }
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
