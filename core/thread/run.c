/* SPDX-License-Identifier: MIT */
/*
 * run.c: what each CPU does: switching, sleeping and waking, quanta, the timer.
 *
 * Which of the ready threads comes next is the policy's affair (sched/policy.h), and which CPU's
 * queue a thread comes to that of balance.c. With round robin on one CPU:
 *
 *     queue:  B <- C <- D      CPU 0: A      quantum of A over:  C <- D <- A   CPU 0: B
 *
 * There is no periodic tick. The timer of a CPU is set to the nearest of two times: when the first
 * of its sleepers wants to be woken, and when the running thread's quantum ends (only while others
 * wait). Setting it costs, so a deadline that only moves away leaves it alone: it then fires early
 * once, finds nothing, and is set anew. Only a CPU itself can set its timer; who makes it necessary
 * from outside interrupts it.
 *
 * run.h says why this works on several CPUs.
 */
#include "thread/run.h"

#include "boot/panic.h"
#include "lib/trace.h"
#include "sync/spinlock.h"
#include "thread/cpu.h"

#include <hal/board.h>
#include <hal/errno.h>
#include <hal/time.h>

#define PRIORITY_NORMAL (SCHED_LEVELS / 2)
#define OPTIONS_MAX 16u /* threads that the board chooses from, with the policy `search` */

/* ---- locks ---- */

hal_irq_state_t run_lock(void)
{
    hal_irq_state_t state = hal_irq_save();

    cpu_lock(cpu_here());
    return state;
}

void run_unlock(hal_irq_state_t state)
{
    spinlock_release(&cpu_here()->lock, state);
}

struct cpu *run_lock_home(const struct thread *thread)
{
    for (;;) {
        unsigned id = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
        struct cpu *cpu = cpu_at(id);

        cpu_lock(cpu);
        /* Who sends it to another CPU says so first, and takes the lock there later. */
        if (__atomic_load_n(&thread->cpu, __ATOMIC_ACQUIRE) == id)
            return cpu;
        cpu_unlock(cpu);
    }
}

/* ---- telling ---- */

static void trace(enum hal_trace_kind kind, struct thread *thread, uint64_t b, uint32_t c,
                  uint64_t now)
{
    ktrace_thread(kind, now, &thread->said, b, c);
}

/* What `thread`, which leaves its CPU, does from now on: see hal/trace.h. */
static char trace_state(const struct thread *thread, bool preempted)
{
    if (thread->state == THREAD_SLEEPING)
        return thread->cancellable ? 'S' : 'D';
    if (thread->state == THREAD_ZOMBIE)
        return 'Z';
    return preempted && !thread->idle ? 'r' : 'R';
}

/* ---- the beginning ---- */

void run_init(void)
{
    for (unsigned id = 0; id < HAL_CPU_MAX; id++) {
        struct cpu *cpu = cpu_at(id);

        cpu->id = id;
        spinlock_init_class(&cpu->lock, LOCK_RANK_RUN + id, LOCK_CLASS(LOCK_SPIN, "run.lock"));
        tree_init(&cpu->sleepers);
        cpu->quantum_end = HAL_TIME_NEVER;
        cpu->armed = HAL_TIME_NEVER;
    }
}

void run_init_cpu(struct thread *idle)
{
    struct cpu *cpu = cpu_here();

    cpu->idle = idle;
    cpu->current = idle;
    idle->state = THREAD_RUNNING;
    idle->cpu = cpu->id;
    idle->run_since = hal_time_now();
    ktrace_start(&idle->said);
    balance_set_idle(cpu, true);
    cpu_set_online();
}

/* ---- the timer; the caller holds the lock of the CPU ---- */

/* The thread that wants to be woken first, or NULL. */
static struct thread *first_sleeper(const struct cpu *cpu)
{
    struct tree_node *node = tree_first(&cpu->sleepers);

    return node ? tree_entry(node, struct thread, sleep_node) : NULL;
}

/* Sets this CPU's timer if the nearest deadline is nearer than what it is set to. */
static void arm(struct cpu *cpu)
{
    const struct thread *first = first_sleeper(cpu);
    uint64_t nearest = cpu->quantum_end;

    if (first && first->deadline < nearest)
        nearest = first->deadline;
    if (nearest >= cpu->armed)
        return;
    cpu->armed = nearest;
    hal_timer_set(nearest);
}

/* The end of what `thread` may run from `now` on, while others wait. */
static uint64_t slice_end(const struct cpu *cpu, const struct thread *thread, uint64_t now)
{
    uint64_t slice = cpu->queue.policy->slice(&cpu->queue, &thread->entity, now);

    return slice < HAL_TIME_NEVER - now ? now + slice : HAL_TIME_NEVER;
}

/* ---- the queue; the caller holds the lock of the CPU ---- */

void run_publish(struct cpu *cpu)
{
    unsigned ready = cpu->queue.ready;

    __atomic_store_n(&cpu->load, ready + (cpu->current != cpu->idle), __ATOMIC_RELAXED);
    __atomic_store_n(&cpu->movable, ready - cpu->pinned, __ATOMIC_RELAXED);
}

void run_reschedule(struct cpu *cpu)
{
    if (cpu->reschedule)
        return;
    __atomic_store_n(&cpu->reschedule, true, __ATOMIC_RELAXED);
    /* The end of an interrupt looks at it; a thread of this CPU would go on until the next one. */
    if (cpu != cpu_here() || cpu->interrupts == 0)
        hal_cpu_ipi(cpu->id);
}

/* False: what is known of it is of an earlier policy. */
static bool is_known(const struct cpu *cpu, const struct thread *thread)
{
    return thread->entity.epoch == cpu->queue.epoch;
}

/* `now` may have been read on another CPU, and be past here. */
void run_charge(struct cpu *cpu, uint64_t now)
{
    struct thread *thread = cpu->current;
    uint64_t ns = now - thread->run_since;

    if (now <= thread->run_since)
        return;
    __atomic_store_n(&thread->run_since, now, __ATOMIC_RELAXED); /* see thread_began */
    thread->entity.run_time += ns;
    if (is_known(cpu, thread))
        cpu->queue.policy->charge(&cpu->queue, &thread->entity, ns, now);
}

static void add(struct cpu *cpu, struct thread *thread, enum sched_why why, uint64_t now)
{
    thread->state = THREAD_READY;
    thread->queued = true;
    cpu->pinned += thread->pinned;
    cpu->queue.policy->add(&cpu->queue, &thread->entity, why, now);
}

void run_dequeue(struct cpu *cpu, struct thread *thread)
{
    cpu->queue.policy->remove(&cpu->queue, &thread->entity);
    cpu->pinned -= thread->pinned;
    thread->queued = false;
    run_publish(cpu);
}

/* Others wait now: the running thread's quantum begins. */
static void start_quantum(struct cpu *cpu, uint64_t now)
{
    cpu->quantum_end = slice_end(cpu, cpu->current, now);
    if (cpu->quantum_end == HAL_TIME_NEVER)
        return;
    if (cpu == cpu_here())
        arm(cpu);
    else
        hal_cpu_ipi(cpu->id); /* run_ipi_interrupt */
}

/* Whether `thread`, which has just become ready, runs at once. A new one does not: who makes
 * threads goes on until it has made them all, or its time is over. */
static bool comes_first(struct cpu *cpu, const struct thread *thread, enum sched_why why,
                        uint64_t now)
{
    const struct thread *current = cpu->current;

    if (current->idle || !is_known(cpu, current))
        return true;
    if (!cpu->queue.policy->option)
        return why != SCHED_NEW &&
               cpu->queue.policy->preempts(&cpu->queue, &thread->entity, &current->entity, now);
    return hal_board_choose((const uint32_t[]){current->id, thread->id}, 2) != 0;
}

void run_enqueue(struct cpu *cpu, struct thread *thread, enum sched_why why, uint64_t now)
{
    struct thread *current = cpu->current;

    run_charge(cpu, now);
    if (why == SCHED_WOKEN || why == SCHED_NEW)
        trace(HAL_TRACE_READY, thread, cpu->id, why == SCHED_NEW, now);
    add(cpu, thread, why, now);
    run_publish(cpu);
    if (current->idle)
        balance_set_idle(cpu, false);
    if (comes_first(cpu, thread, why, now))
        run_reschedule(cpu);
    else if (cpu->quantum_end == HAL_TIME_NEVER)
        start_quantum(cpu, now);
    if (cpu->queue.ready > current->idle && cpu_online() != 1u << cpu->id)
        balance_offer(cpu, thread); /* not all will run at once */
}

/* A new thread may run where its creator may, or anywhere if that is the boot code; and so on. */
static void inherit(struct thread *thread, const struct thread *creator)
{
    thread->affinity = creator->idle ? (1u << HAL_CPU_MAX) - 1 : creator->affinity;
    thread->pinned = !(thread->affinity & (thread->affinity - 1));
    thread->own_priority = creator->idle ? PRIORITY_NORMAL : creator->own_priority;
    thread->lent_priority = SCHED_LEVELS;
    thread->entity.priority = thread->own_priority;
    thread->own_nice = creator->own_nice;
    thread->lent_nice = SCHED_NICE_NONE;
    thread->entity.nice = thread->own_nice;
    run_describe(thread);
}

/* Makes `cpu` the home of a thread that is on no queue. Returns the one before, locked. Masked. */
static struct cpu *give_home(struct thread *thread, const struct cpu *cpu)
{
    struct cpu *before = run_lock_home(thread);

    __atomic_store_n(&thread->cpu, cpu->id, __ATOMIC_RELEASE);
    return before;
}

void run_add(struct thread *thread)
{
    hal_irq_state_t state = hal_irq_save();
    struct cpu *cpu = cpu_here();
    uint64_t now;

    tree_node_init(&thread->sleep_node);
    list_init(&thread->wait_link);
    /* It is in the table of all threads already: who looks at it there holds its home's lock. */
    cpu_unlock(give_home(thread, cpu));
    cpu_lock(cpu);
    inherit(thread, cpu->current);
    now = hal_time_now();
    trace(HAL_TRACE_CREATE, thread, 0, 0, now);
    balance_send(cpu, thread, SCHED_NEW, now);
    cpu_unlock(cpu);
    hal_irq_restore(state);
}

/* ---- switching; the caller holds the lock of this CPU ---- */

static HAL_NOINLINE void send_outgoing(struct cpu *cpu)
{
    struct thread *left = cpu->outgoing;

    cpu->outgoing = NULL;
    balance_send(cpu, left, SCHED_MOVED, thread_began(cpu->current));
}

/* What the thread that comes does for the one that left: gives it to another CPU, if it may not
 * stay. Called on the CPU where both happened. */
static inline void arrive(void)
{
    struct cpu *cpu = cpu_here();

    if (cpu->outgoing)
        send_outgoing(cpu);
}

/* Gives the CPU to `next`; returns when the caller runs again. */
static void switch_to(struct cpu *cpu, struct thread *next, bool preempted, uint64_t now)
{
    struct thread *previous = cpu->current;
    bool alone = next->idle || cpu->queue.ready == 0;

    __atomic_store_n(&cpu->reschedule, false, __ATOMIC_RELAXED);
    cpu->quantum_end = alone ? HAL_TIME_NEVER : slice_end(cpu, next, now);
    arm(cpu);
    next->state = THREAD_RUNNING;
    if (next == previous) {
        run_publish(cpu);
        if (next->idle) /* what this CPU was to run is gone */
            balance_set_idle(cpu, true);
        return;
    }
    if (previous->idle)
        previous->state = THREAD_READY; /* it is on no queue, but it does not run */
    if (previous->idle != next->idle)
        balance_set_idle(cpu, next->idle);
    __atomic_store_n(&next->run_since, now, __ATOMIC_RELAXED);
    next->switches++;
    cpu->switches++;
    __atomic_store_n(&cpu->current, next, __ATOMIC_RELEASE);
    run_publish(cpu);
    ktrace_switch(now, &previous->said, trace_state(previous, preempted), &next->said);
    if (!stack_is_whole(&previous->stack))
        thread_check_stack(previous);
    hal_context_switch(&previous->context, &next->context);
    /* Time has passed, and this may be another CPU. */
    arrive();
}

#define FEW 32u /* so many threads fit into the caches */

/*
 * With very many threads ready none of them is in a cache when its turn comes. Those whose turns
 * come next are known, though: so while this one runs, the processor fetches the one after it, and
 * the stack of the next, whose struct it has fetched a turn ago.
 */
static HAL_NOINLINE void fetch_coming(const struct sched_queue *queue)
{
    enum { LINE = 64 };
    struct sched_entity *coming[2];

    if (!queue->policy->foresee)
        return;
    queue->policy->foresee(queue, coming);
    if (coming[0]) {
        hal_context_prefetch(&thread_of_entity(coming[0])->context);
        __builtin_prefetch(thread_of_entity(coming[0])->stack.canary);
    }
    if (coming[1]) {
        const char *thread = (const char *)thread_of_entity(coming[1]);

        for (unsigned at = 0; at < offsetof(struct thread, stack.bytes); at += LINE)
            __builtin_prefetch(thread + at, 1);
    }
}

/* Has the board choose among the options of a policy that does not choose itself. */
static HAL_NOINLINE void ask(struct sched_queue *queue)
{
    uint32_t threads[OPTIONS_MAX];
    const struct sched_entity *entity;
    unsigned n = 0;

    while (n < OPTIONS_MAX && (entity = queue->policy->option(queue, n)))
        threads[n++] = list_entry(entity, const struct thread, entity)->id;
    queue->choice = n > 0 ? hal_board_choose(threads, n) : 0;
}

/* Picks the next thread; the caller's own is where it belongs already. `preempted`: it did not ask
 * for this. */
static void choose_and_switch(struct cpu *cpu, bool preempted, uint64_t now)
{
    struct sched_entity *entity;
    struct thread *next = cpu->idle;

    if (cpu->queue.policy->option)
        ask(&cpu->queue);
    entity = cpu->queue.policy->take(&cpu->queue, now);
    if (entity) {
        next = thread_of_entity(entity);
        next->queued = false;
        cpu->pinned -= next->pinned;
        if (cpu->queue.ready >= FEW)
            fetch_coming(&cpu->queue);
    }
    switch_to(cpu, next, preempted, now);
}

/* Puts the caller back among the ready, or sends it away if it may not run here any more. */
static void give_way(struct cpu *cpu, enum sched_why why)
{
    struct thread *self = cpu->current;
    uint64_t now = hal_time_now();

    run_charge(cpu, now);
    if (!self->idle && self->affinity >> cpu->id & 1) {
        add(cpu, self, why, now);
        if (why == SCHED_PREEMPTED) {
            run_publish(cpu);
            balance_offer(cpu, self);
        }
    } else if (!self->idle) {
        self->state = THREAD_READY;
        cpu->outgoing = self;
    }
    choose_and_switch(cpu, why == SCHED_PREEMPTED, now);
}

/* ---- sleeping and waking ---- */

/* The order of the sleepers: the time at `key` against the deadline of the thread of `node`. */
static int compare_deadline(const void *key, const struct tree_node *node)
{
    const uint64_t *deadline = key;
    uint64_t other = tree_entry(node, struct thread, sleep_node)->deadline;

    return (*deadline > other) - (*deadline < other);
}

int run_block(uint64_t now, uint64_t deadline, bool cancellable)
{
    struct cpu *cpu = cpu_here();
    struct thread *self = cpu->current;

    kassert(!self->idle && cpu->interrupts == 0);
    kassert(cpu->held_ranks == 1u << (LOCK_RANK_RUN + cpu->id));
    if (cancellable && self->cancelled)
        return -EINTR;
    self->state = THREAD_SLEEPING;
    self->cancellable = cancellable;
    self->wake_reason = 0;
    self->deadline = deadline;
    if (deadline != HAL_TIME_NEVER)
        tree_insert(&cpu->sleepers, &self->sleep_node, &deadline, compare_deadline);
    run_charge(cpu, now);
    choose_and_switch(cpu, false, now);
    return self->wake_reason;
}

/* Ends the sleep of `thread`. Caller holds the lock of its home, which is let go for a while if it
 * will run on another CPU. */
static void wake(struct cpu *home, struct thread *thread, int reason)
{
    uint64_t now = hal_time_now();

    tree_remove(&home->sleepers, &thread->sleep_node);
    thread->wake_reason = reason;
    trace(HAL_TRACE_WAKE, thread, (uint64_t)(int64_t)reason, 0, now);
    balance_send(home, thread, SCHED_WOKEN, now);
}

bool run_wake(struct thread *thread)
{
    hal_irq_state_t state = hal_irq_save();
    struct cpu *home = run_lock_home(thread);
    bool sleeps = thread->state == THREAD_SLEEPING;

    if (sleeps)
        wake(home, thread, 0);
    cpu_unlock(home);
    hal_irq_restore(state);
    return sleeps;
}

void run_cancel(struct thread *thread)
{
    hal_irq_state_t state = hal_irq_save();
    struct cpu *home = run_lock_home(thread);

    __atomic_store_n(&thread->cancelled, true, __ATOMIC_RELAXED);
    if (thread->state == THREAD_SLEEPING && thread->cancellable)
        wake(home, thread, -EINTR);
    else if (thread->state == THREAD_RUNNING && home != cpu_here())
        hal_cpu_ipi(home->id); /* it may be in user code */
    cpu_unlock(home);
    hal_irq_restore(state);
}

/* ---- the end ---- */

void run_exit(void)
{
    struct cpu *cpu = cpu_here();
    uint64_t now;

    cpu_lock(cpu);
    cpu->current->state = THREAD_ZOMBIE;
    now = hal_time_now();
    ktrace_event(HAL_TRACE_EXIT, now, cpu->current->id, 0);
    now = hal_time_now();
    run_charge(cpu, now);
    choose_and_switch(cpu, false, now);
    panic("a thread ran after its end");
}

void run_await_exit(const struct thread *thread)
{
    for (;;) {
        struct cpu *home = run_lock_home(thread);
        bool gone = thread->state == THREAD_ZOMBIE;

        cpu_unlock(home);
        if (gone)
            return;
        hal_cpu_relax();
    }
}

void run_enter(void)
{
    arrive();
    run_unlock(hal_irq_save());
    hal_irq_unmask();
}

/* ---- interrupts ---- */

/* Who is left has a deadline that has passed: the timer, set to that, strikes at once. */
static void wake_sleepers(struct cpu *cpu, uint64_t now)
{
    struct thread *first;

    for (unsigned woken = 0; woken < RUN_WAKES_MOST; woken++) {
        first = first_sleeper(cpu);
        if (!first || first->deadline > now)
            break;
        wake(cpu, first, -ETIMEDOUT);
    }
}

void run_timer_interrupt(void)
{
    hal_irq_state_t state = run_lock();
    struct cpu *cpu = cpu_here();
    uint64_t now = hal_time_now();
    bool crowded;

    cpu->armed = HAL_TIME_NEVER;
    wake_sleepers(cpu, now);
    if (cpu->quantum_end <= now)
        run_reschedule(cpu);
    else
        arm(cpu);
    crowded = cpu->queue.ready > 0;
    run_unlock(state);
    if (crowded)
        balance_push(now);
}

void run_ipi_interrupt(void)
{
    hal_irq_state_t state = run_lock();

    arm(cpu_here());
    run_unlock(state);
}

static bool wants_reschedule(const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->reschedule, __ATOMIC_RELAXED);
}

void run_interrupt_exit(void)
{
    struct cpu *cpu = cpu_here();
    hal_irq_state_t state;

    if (!wants_reschedule(cpu) || cpu->interrupts > 0)
        return;
    state = run_lock();
    give_way(cpu, SCHED_PREEMPTED);
    run_unlock(state);
}

void thread_yield(void)
{
    hal_irq_state_t state = hal_irq_save();
    struct cpu *cpu = cpu_here();

    cpu_lock(cpu);
    give_way(cpu, SCHED_YIELDED);
    run_unlock(state);
}

static int sleep_until(uint64_t now, uint64_t deadline)
{
    hal_irq_state_t state = run_lock();
    int reason = run_block(now, deadline, true);

    run_unlock(state);
    return reason == -ETIMEDOUT ? 0 : reason;
}

int thread_sleep_until(uint64_t deadline)
{
    return sleep_until(hal_time_now(), deadline);
}

int thread_sleep(uint64_t ns)
{
    uint64_t now = hal_time_now();

    return sleep_until(now, ns > HAL_TIME_NEVER - now ? HAL_TIME_NEVER : now + ns);
}

void run_idle(void)
{
    /* Masked all the time: interrupts are taken inside hal_cpu_idle, and may switch there. */
    for (;;) {
        if (!wants_reschedule(cpu_here()) && !balance_pull())
            hal_cpu_idle();
        run_interrupt_exit();
    }
}

uint64_t run_idle_time(unsigned id)
{
    hal_irq_state_t state = hal_irq_save();
    struct cpu *cpu = cpu_at(id);
    uint64_t time = 0;

    cpu_lock(cpu);
    if (cpu->idle) {
        time = cpu->idle->entity.run_time;
        if (cpu->current == cpu->idle)
            time += hal_time_now() - cpu->idle->run_since;
    }
    cpu_unlock(cpu);
    hal_irq_restore(state);
    return time;
}
