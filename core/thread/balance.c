/* SPDX-License-Identifier: MIT */
/*
 * balance.c: which CPU a thread runs on.
 *
 * Threads change CPUs at four occasions, and never otherwise, because what a CPU has in its caches
 * of a thread is lost:
 *
 *   1. A thread that wakes up goes to the CPU that it ran on last, if that is idle or all others
 *      are busy, and to an idle one otherwise. A new one goes to the CPU with the least to do.
 *   2. A CPU that runs out of threads takes one from the CPU that has the most ("stealing").
 *   3. A CPU whose timer fires while threads wait for it, which happens at the end of each quantum,
 *      looks around once in BALANCE_NS and gives half of the difference to the one with the least.
 *      Where all are busy this is the only tick there is. If the difference is one, as with five
 *      threads on four CPUs, the surplus goes round: so all have the same share in the end.
 *   4. A thread's affinity says so.
 *
 * The loads of other CPUs are read without their locks: they may be a moment old, and then a thread
 * comes to a CPU that is not the best. Nothing else depends on them.
 *
 * A CPU that idles has its bit in `idle`. Who has a thread for it takes the bit away, in one step,
 * so that two who wake threads at the same time choose two CPUs.
 */
#include "thread/run.h"

#include "lib/trace.h"
#include "thread/cpu.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define BALANCE_NS 5000000u  /* 5 ms: between two looks at the others */
#define ROTATE_NS 100000000u /* 100 ms: between two threads given to a CPU that has one less */
#define REFUSALS 8u /* threads that may not run on the other CPU, until a move is given up */

static KSTATE uint32_t idle_cpus; /* atomic: a bit for each CPU that idles and was not chosen yet */

static bool has(uint32_t cpus, unsigned id)
{
    return cpus >> id & 1;
}

void balance_set_idle(const struct cpu *cpu, bool idle)
{
    if (has(__atomic_load_n(&idle_cpus, __ATOMIC_RELAXED), cpu->id) == idle)
        return;
    if (idle)
        __atomic_or_fetch(&idle_cpus, 1u << cpu->id, __ATOMIC_SEQ_CST);
    else
        __atomic_and_fetch(&idle_cpus, ~(1u << cpu->id), __ATOMIC_SEQ_CST);
}

/*
 * Which CPUs idle. All such looks and all changes have one order, since each writes; and whoever
 * comes later in it sees what the others had written before, whatever that was.
 */
static uint32_t look_in_order(void)
{
    return __atomic_fetch_or(&idle_cpus, 0, __ATOMIC_ACQ_REL);
}

/* ---- choosing ---- */

static unsigned load_of(unsigned id)
{
    return __atomic_load_n(&cpu_at(id)->load, __ATOMIC_RELAXED);
}

/* The CPU of `cpus`, which are not none, that has least to do; of equal ones the first from `from`
 * on. */
static unsigned least_loaded(uint32_t cpus, unsigned from)
{
    unsigned best = HAL_CPU_MAX, least = 0;

    for (unsigned i = 0; i < HAL_CPU_MAX; i++) {
        unsigned id = (from + i) % HAL_CPU_MAX;

        if (has(cpus, id) && (best == HAL_CPU_MAX || load_of(id) < least)) {
            best = id;
            least = load_of(id);
        }
    }
    return best;
}

/* Takes an idle CPU of `cpus` for a thread, the one at `home` if it can be. HAL_CPU_MAX: none. */
static unsigned claim_idle(uint32_t cpus, unsigned home)
{
    for (;;) {
        uint32_t idle = __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST) & cpus, bit;

        if (idle == 0)
            return HAL_CPU_MAX;
        bit = has(idle, home) ? 1u << home : idle & -idle;
        if (__atomic_fetch_and(&idle_cpus, ~bit, __ATOMIC_SEQ_CST) & bit)
            return (unsigned)__builtin_ctz(bit);
    }
}

/* Where `thread` should become ready. `home`: where it ran last. */
static struct cpu *choose(const struct thread *thread, struct cpu *home, enum sched_why why)
{
    uint32_t cpus = thread->affinity & cpu_online();
    unsigned id;

    if (cpus == 1u << home->id)
        return home;
    id = claim_idle(cpus, home->id);
    if (id < HAL_CPU_MAX)
        return cpu_at(id);
    if (has(cpus, home->id) && why != SCHED_NEW)
        return home;
    return cpu_at(least_loaded(cpus, home->id));
}

/*
 * A CPU may have begun to idle after this thread looked for one, and before it was to be seen on
 * the queue where it waits. Either that CPU sees the thread (balance_pull), or this one sees that
 * it idles: whichever of them looks last.
 */
void balance_offer(const struct cpu *cpu, const struct thread *thread)
{
    uint32_t others = thread->affinity & cpu_online() & ~(1u << cpu->id), idle;

    if (!others)
        return;
    idle = look_in_order() & others;
    if (idle)
        hal_cpu_ipi((unsigned)__builtin_ctz(idle));
}

/* ---- moving ---- */

/* A CPU that was chosen for a thread and does not get it is as idle as it was. Caller holds its
 * lock. */
static void unchoose(const struct cpu *cpu)
{
    if (cpu->current == cpu->idle && !cpu->reschedule)
        balance_set_idle(cpu, true);
}

static void trace_move(struct thread *thread, const struct cpu *from, const struct cpu *to,
                       uint64_t now)
{
    ktrace_thread(HAL_TRACE_MOVE, now, &thread->said, to->id, from->id);
}

void balance_send(struct cpu *home, struct thread *thread, enum sched_why why, uint64_t now)
{
    struct cpu *target = choose(thread, home, why);

    if (target == home) {
        run_enqueue(home, thread, why, now);
        return;
    }
    thread->state = THREAD_READY;
    __atomic_store_n(&thread->cpu, target->id, __ATOMIC_RELEASE);
    cpu_unlock(home);
    cpu_lock(target);
    while (!has(thread->affinity, target->id)) { /* it was changed on the way */
        struct cpu *other = choose(thread, target, why);

        unchoose(target);
        __atomic_store_n(&thread->cpu, other->id, __ATOMIC_RELEASE);
        cpu_unlock(target);
        target = other;
        cpu_lock(target);
    }
    target->arrivals++;
    trace_move(thread, home, target, now);
    run_enqueue(target, thread, why, now);
    cpu_unlock(target);
    cpu_lock(home);
}

static void lock_both(struct cpu *a, struct cpu *b)
{
    cpu_lock(a->id < b->id ? a : b);
    cpu_lock(a->id < b->id ? b : a);
}

/* One of the ready threads of `cpu`, off its queue, or NULL. */
static struct thread *take_surplus(struct cpu *cpu)
{
    struct sched_entity *entity = cpu->queue.policy->steal(&cpu->queue);
    struct thread *thread = entity ? thread_of_entity(entity) : NULL;

    if (thread) {
        thread->queued = false;
        cpu->pinned -= thread->pinned;
    }
    return thread;
}

static void put_back(struct cpu *cpu, struct list *refused, uint64_t now)
{
    struct list *link;

    while ((link = list_take_head(refused))) {
        struct thread *thread = thread_of_entity(list_entry(link, struct sched_entity, link));

        thread->queued = true;
        cpu->pinned += thread->pinned;
        cpu->queue.policy->add(&cpu->queue, &thread->entity, SCHED_MOVED, now);
    }
}

/* Moves up to `n` ready threads, but not number `except`; returns how many. Caller holds both
 * locks.
 */
static unsigned move(struct cpu *from, struct cpu *to, unsigned n, uint32_t except, uint64_t now)
{
    unsigned moved = 0, refusals = 0;
    struct thread *thread;
    struct list refused;

    list_init(&refused);
    while (moved < n && refusals < REFUSALS && (thread = take_surplus(from))) {
        if (!has(thread->affinity, to->id) || thread->id == except) {
            list_add_tail(&refused, &thread->entity.link);
            refusals++;
            continue;
        }
        __atomic_store_n(&thread->cpu, to->id, __ATOMIC_RELEASE);
        to->arrivals++;
        to->arrived = thread->id;
        trace_move(thread, from, to, now);
        run_enqueue(to, thread, SCHED_MOVED, now);
        moved++;
    }
    put_back(from, &refused, now);
    run_publish(from);
    return moved;
}

/* The CPU of `cpus` with the most threads that could run elsewhere, or NULL. */
static struct cpu *busiest(uint32_t cpus)
{
    struct cpu *best = NULL;
    unsigned most = 0;

    for (unsigned id = 0; id < HAL_CPU_MAX; id++) {
        struct cpu *cpu = cpu_at(id);
        unsigned movable = __atomic_load_n(&cpu->movable, __ATOMIC_RELAXED);

        if (has(cpus, id) && movable > most) {
            most = movable;
            best = cpu;
        }
    }
    return best;
}

static bool pull_from(struct cpu *here, struct cpu *from)
{
    bool sent;

    lock_both(here, from);
    sent = here->queue.ready > 0; /* meanwhile; a second one would wait behind it */
    if (!sent)
        here->steals += move(from, here, 1, 0, hal_time_now());
    sent = here->queue.ready > 0;
    cpu_unlock(from);
    cpu_unlock(here);
    return sent;
}

bool balance_pull(void)
{
    struct cpu *here = cpu_here(), *from;
    uint32_t others = cpu_online() & ~(1u << here->id);

    if (!others)
        return false;
    (void)look_in_order(); /* see balance_offer */
    while ((from = busiest(others))) {
        if (pull_from(here, from))
            return true;
        others &= ~(1u << from->id); /* none of its threads may run here */
    }
    return false;
}

/*
 * Gives one thread to a CPU that has one less: then that one has the surplus. A CPU keeps it for
 * ROTATE_NS, and passes on another thread than the one that it got, so that nobody goes from CPU to
 * CPU and waits at each. False: it is due, but nobody who waits here can go. Caller holds both
 * locks.
 */
static bool rotate(struct cpu *from, struct cpu *to, uint64_t now)
{
    if (now - from->rotated < ROTATE_NS)
        return true;
    if (move(from, to, 1, from->visitor, now) == 0)
        return false;
    from->visitor = 0;
    to->visitor = to->arrived;
    to->rotated = now;
    return true;
}

/* False: it should be tried again as soon as another thread waits. Caller holds both locks. */
static bool even_out(struct cpu *from, struct cpu *to, uint64_t now)
{
    unsigned mine = load_of(from->id), theirs = load_of(to->id);

    if (mine > theirs + 1)
        (void)move(from, to, (mine - theirs) / 2, 0, now);
    else if (mine == theirs + 1 && theirs > 0)
        return rotate(from, to, now);
    return true;
}

void balance_push(uint64_t now)
{
    struct cpu *here = cpu_here(), *to;
    uint32_t others = cpu_online() & ~(1u << here->id);

    if (others == 0 || now - here->balanced < BALANCE_NS)
        return;
    here->balanced = now;
    to = cpu_at(least_loaded(others, (here->id + 1) % HAL_CPU_MAX));
    if (load_of(to->id) >= load_of(here->id))
        return;
    lock_both(here, to);
    /* Else two looks could take an even number of slices, and always meet the same one waiting. */
    if (!even_out(here, to, now))
        here->balanced = now - BALANCE_NS;
    cpu_unlock(to);
    cpu_unlock(here);
}

/* ---- affinity ---- */

int thread_set_affinity(struct thread *thread, uint32_t cpus)
{
    hal_irq_state_t state;
    struct cpu *home;

    cpus &= (1u << HAL_CPU_MAX) - 1;
    if (!(cpus & cpu_online()))
        return -EINVAL;
    state = hal_irq_save();
    home = run_lock_home(thread);
    if (thread->queued)
        home->pinned -= thread->pinned;
    thread->affinity = cpus;
    thread->pinned = !(cpus & (cpus - 1));
    if (thread->queued) {
        home->pinned += thread->pinned;
        run_publish(home);
    }
    if (!has(cpus, home->id) && thread->queued) {
        run_dequeue(home, thread);
        balance_send(home, thread, SCHED_MOVED, hal_time_now());
    } else if (thread->queued) {
        balance_offer(home, thread); /* it may go where it might not before */
    } else if (!has(cpus, home->id) && thread->state == THREAD_RUNNING) {
        run_reschedule(home);
    }
    cpu_unlock(home);
    run_interrupt_exit(); /* the caller itself may have to leave */
    hal_irq_restore(state);
    return 0;
}
