/* SPDX-License-Identifier: MIT */
/*
 * run.c: round robin.
 *
 * READY threads wait in one queue, in the order in which they became ready. The first gets a free
 * CPU and keeps it until it sleeps, yields or has used its quantum while others waited; then it
 * goes to the end.
 *
 *     queue:  B <- C <- D      CPU 0: A      quantum of A over:  C <- D <- A   CPU 0: B
 *
 * There is no periodic tick. The timer is set to the nearest of two times: when the first sleeper
 * wants to be woken, and when the running thread's quantum ends (only while others wait). Setting
 * it costs, so a deadline that only moves away leaves it alone: it then fires early once, finds
 * nothing, and is set anew.
 *
 * Not here: prodding another CPU when work arrives that it could do.
 */
#include "thread/run.h"

#include "boot/panic.h"
#include "lib/trace.h"
#include "sync/spinlock.h"
#include "thread/cpu.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define QUANTUM_DEFAULT 10000000u /* 10 ms */

static KSTATE struct run_state {
    struct spinlock lock;
    struct list ready;    /* threads, first come first */
    struct tree sleepers; /* threads with a deadline, nearest first; equal ones as they came */
    uint64_t quantum;     /* ns */
} run;

static KSTATE bool run_ready;

hal_irq_state_t run_lock(void)
{
    return spinlock_acquire(&run.lock);
}

void run_unlock(hal_irq_state_t state)
{
    spinlock_release(&run.lock, state);
}

void run_init_cpu(struct thread *idle)
{
    struct cpu *cpu = cpu_here();

    if (!run_ready) {
        spinlock_init(&run.lock, LOCK_RANK_RUN);
        list_init(&run.ready);
        tree_init(&run.sleepers);
        run.quantum = QUANTUM_DEFAULT;
        run_ready = true;
    }
    cpu->idle = idle;
    cpu->current = idle;
    cpu->quantum_end = HAL_TIME_NEVER;
    cpu->armed = HAL_TIME_NEVER;
    idle->state = THREAD_RUNNING;
    idle->run_since = hal_time_now();
}

/* The thread that wants to be woken first, or NULL. Caller holds the run lock. */
static struct thread *first_sleeper(void)
{
    struct tree_node *node = tree_first(&run.sleepers);

    return node ? tree_entry(node, struct thread, sleep_node) : NULL;
}

/* Sets the timer if the nearest deadline is nearer than what it is set to. Caller holds the run
 * lock. */
static void arm(struct cpu *cpu)
{
    const struct thread *first = first_sleeper();
    uint64_t nearest = cpu->quantum_end;

    if (first && first->deadline < nearest)
        nearest = first->deadline;
    if (nearest >= cpu->armed)
        return;
    cpu->armed = nearest;
    hal_timer_set(nearest);
}

/* Others wait now: the running thread's quantum begins, or an idle CPU looks up. */
static void start_quantum(struct cpu *cpu)
{
    if (cpu->current == cpu->idle)
        cpu->reschedule = true;
    else if (cpu->quantum_end == HAL_TIME_NEVER)
        cpu->quantum_end = hal_time_now() + run.quantum;
    arm(cpu);
}

static void make_ready(struct thread *thread)
{
    thread->state = THREAD_READY;
    list_add_tail(&run.ready, &thread->run_link);
    start_quantum(cpu_here());
}

void run_add(struct thread *thread)
{
    list_init(&thread->run_link);
    tree_node_init(&thread->sleep_node);
    list_init(&thread->wait_link);
    ktrace_event(TRACE_CREATE, hal_time_now(), thread->id, 0);
    make_ready(thread);
}

/* Gives the CPU to `next`; returns when the caller runs again. Caller holds the run lock. */
static void switch_to(struct cpu *cpu, struct thread *next)
{
    struct thread *previous = cpu->current;
    uint64_t now = hal_time_now();

    cpu->reschedule = false;
    cpu->quantum_end = list_empty(&run.ready) ? HAL_TIME_NEVER : now + run.quantum;
    if (next->idle)
        cpu->quantum_end = HAL_TIME_NEVER;
    arm(cpu);
    next->state = THREAD_RUNNING;
    if (next == previous)
        return;
    if (previous->idle)
        previous->state = THREAD_READY; /* it is on no queue, but it does not run */
    previous->run_time += now - previous->run_since;
    next->run_since = now;
    next->switches++;
    next->cpu = hal_cpu_id();
    cpu->current = next;
    ktrace_event(TRACE_SWITCH, now, previous->id, next->id);
    hal_context_switch(&previous->context, &next->context);
    /* Time has passed, and this may be another CPU. */
}

/* Picks the next thread; the caller's own is where it belongs already. Caller holds the run lock.
 */
static void choose_and_switch(struct cpu *cpu)
{
    struct list *link = list_take_head(&run.ready);

    switch_to(cpu, link ? list_entry(link, struct thread, run_link) : cpu->idle);
}

/* Sends the caller to the end of the queue. Caller holds the run lock. */
static void give_way(struct cpu *cpu)
{
    struct thread *self = cpu->current;

    if (!self->idle) {
        self->state = THREAD_READY;
        list_add_tail(&run.ready, &self->run_link);
    }
    choose_and_switch(cpu);
}

/* The order of the sleepers: the time at `key` against the deadline of the thread of `node`. */
static int compare_deadline(const void *key, const struct tree_node *node)
{
    const uint64_t *deadline = key;
    uint64_t other = tree_entry(node, struct thread, sleep_node)->deadline;

    return (*deadline > other) - (*deadline < other);
}

int run_block(uint64_t deadline, bool cancellable)
{
    struct cpu *cpu = cpu_here();
    struct thread *self = cpu->current;

    kassert(!self->idle && cpu->interrupts == 0);
    kassert(cpu->held_ranks == 1u << LOCK_RANK_RUN);
    if (cancellable && self->cancelled)
        return -EINTR;
    self->state = THREAD_SLEEPING;
    self->cancellable = cancellable;
    self->wake_reason = 0;
    self->deadline = deadline;
    if (deadline != HAL_TIME_NEVER)
        tree_insert(&run.sleepers, &self->sleep_node, &deadline, compare_deadline);
    choose_and_switch(cpu);
    return self->wake_reason;
}

bool run_wake_locked(struct thread *thread, int reason)
{
    if (thread->state != THREAD_SLEEPING)
        return false;
    tree_remove(&run.sleepers, &thread->sleep_node);
    thread->wake_reason = reason;
    ktrace_event(TRACE_WAKE, hal_time_now(), thread->id, (uint64_t)(int64_t)reason);
    make_ready(thread);
    return true;
}

bool run_wake(struct thread *thread)
{
    hal_irq_state_t state = run_lock();
    bool woken = run_wake_locked(thread, 0);

    run_unlock(state);
    return woken;
}

void run_exit(void)
{
    struct cpu *cpu = cpu_here();

    cpu->current->state = THREAD_ZOMBIE;
    ktrace_event(TRACE_EXIT, hal_time_now(), cpu->current->id, 0);
    choose_and_switch(cpu);
    panic("a thread ran after its end");
}

void run_enter(void)
{
    spinlock_release(&run.lock, hal_irq_save());
    hal_irq_unmask();
}

void run_timer_interrupt(void)
{
    hal_irq_state_t state = run_lock();
    struct cpu *cpu = cpu_here();
    uint64_t now = hal_time_now();
    struct thread *first;

    cpu->armed = HAL_TIME_NEVER;
    while ((first = first_sleeper()) && first->deadline <= now)
        (void)run_wake_locked(first, -ETIMEDOUT);
    if (cpu->quantum_end <= now)
        cpu->reschedule = true;
    else
        arm(cpu);
    run_unlock(state);
}

void run_interrupt_exit(void)
{
    struct cpu *cpu = cpu_here();
    hal_irq_state_t state;

    if (!cpu->reschedule || cpu->interrupts > 0)
        return;
    state = run_lock();
    give_way(cpu);
    run_unlock(state);
}

void thread_yield(void)
{
    hal_irq_state_t state = run_lock();

    give_way(cpu_here());
    run_unlock(state);
}

int thread_sleep_until(uint64_t deadline)
{
    hal_irq_state_t state = run_lock();
    int reason = run_block(deadline, true);

    run_unlock(state);
    return reason == -ETIMEDOUT ? 0 : reason;
}

int thread_sleep(uint64_t ns)
{
    uint64_t now = hal_time_now();

    return thread_sleep_until(ns > HAL_TIME_NEVER - now ? HAL_TIME_NEVER : now + ns);
}

void run_idle(void)
{
    /* Masked all the time: interrupts are taken inside hal_cpu_idle, and may switch there. */
    for (;;) {
        if (!cpu_here()->reschedule)
            hal_cpu_idle();
        run_interrupt_exit();
    }
}

uint64_t run_idle_time(unsigned cpu)
{
    hal_irq_state_t state = run_lock();
    const struct thread *idle = cpu_at(cpu)->idle;
    uint64_t time = 0;

    if (idle) {
        time = idle->run_time;
        if (idle->state == THREAD_RUNNING)
            time += hal_time_now() - idle->run_since;
    }
    run_unlock(state);
    return time;
}

void thread_set_quantum(uint64_t ns)
{
    hal_irq_state_t state = run_lock();

    run.quantum = ns;
    run_unlock(state);
}

uint64_t thread_quantum(void)
{
    return run.quantum;
}
