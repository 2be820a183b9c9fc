/* SPDX-License-Identifier: MIT */
/*
 * sched.c: the policy of all CPUs, and how it is changed while they run.
 *
 * All run locks are taken, so the world stands still. The ready threads of each CPU are taken off
 * the old queue in the order in which they would have run, and join the new one as new ones. The
 * threads that run or sleep are on no queue; they are known by their old epoch when they come back
 * (policy.h).
 */
#include "sched/sched.h"

#include "lib/format.h"
#include "lib/string.h"
#include "sched/lend.h"
#include "sched/policy.h"
#include "thread/cpu.h"
#include "thread/run.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

/* Written while all run locks are held. */
static KSTATE struct sched_state {
    const struct sched_policy *policy; /* atomic */
    uint64_t quantum;                  /* atomic; 0: what the policy likes */
    uint32_t epoch;                    /* counts changes of either */
} sched;

static hal_irq_state_t lock_all(void)
{
    hal_irq_state_t state = hal_irq_save();

    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        cpu_lock(cpu_at(id));
    return state;
}

static void unlock_all(hal_irq_state_t state)
{
    for (unsigned id = HAL_CPU_MAX; id-- > 0;)
        cpu_unlock(cpu_at(id));
    hal_irq_restore(state);
}

/* Empties the queue of `cpu` into a list, the next to run first. */
static void take_all(struct cpu *cpu, struct list *all, uint64_t now)
{
    struct sched_entity *entity;

    while ((entity = cpu->queue.policy->take(&cpu->queue, now)))
        list_add_tail(all, &entity->link);
}

/* The new queue of `cpu`, empty. */
static void make_queue(struct cpu *cpu)
{
    memset(&cpu->queue, 0, sizeof cpu->queue);
    cpu->queue.policy = sched.policy;
    cpu->queue.epoch = sched.epoch;
    cpu->queue.quantum = sched.quantum;
    cpu->queue.random = cpu->id + 1;
    cpu->queue.policy->init(&cpu->queue);
}

static void renew_queue(struct cpu *cpu, uint64_t now)
{
    struct list ready, *link;

    list_init(&ready);
    take_all(cpu, &ready, now);
    make_queue(cpu);
    while ((link = list_take_head(&ready)))
        cpu->queue.policy->add(&cpu->queue, list_entry(link, struct sched_entity, link), SCHED_NEW,
                               now);
    if (cpu->queue.ready > 0 || cpu->current != cpu->idle)
        run_reschedule(cpu); /* so that what runs is known to the new policy */
}

/* From now on it is `policy`, with `*quantum`; NULL: the same as before. */
static void change(const struct sched_policy *policy, const uint64_t *quantum)
{
    hal_irq_state_t state = lock_all();
    uint64_t now = hal_time_now();

    if (policy)
        __atomic_store_n(&sched.policy, policy, __ATOMIC_RELAXED);
    if (quantum)
        __atomic_store_n(&sched.quantum, *quantum, __ATOMIC_RELAXED);
    sched.epoch++;
    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        renew_queue(cpu_at(id), now);
    unlock_all(state);
}

void scheduler_init(void)
{
    sched.policy = policy_find(SCHED_POLICY_DEFAULT);
    sched.epoch = 1;
    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        make_queue(cpu_at(id));
}

static const struct sched_policy *current_policy(void)
{
    return __atomic_load_n(&sched.policy, __ATOMIC_RELAXED);
}

int scheduler_set_policy(const char *name)
{
    const struct sched_policy *policy = policy_find(name);

    if (!policy)
        return -ENOENT;
    change(policy, NULL);
    return 0;
}

const char *scheduler_policy_name(void)
{
    return current_policy()->name;
}

bool scheduler_is_cooperative(void)
{
    return current_policy()->cooperative;
}

void scheduler_list_policies(char *text, uint32_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; policy_at(i) && used < bytes; i++)
        used += format_text(text + used, bytes - used, "%s%s", i ? " " : "", policy_at(i)->name);
}

void thread_set_quantum(uint64_t ns)
{
    change(NULL, &ns);
}

uint64_t thread_quantum(void)
{
    return __atomic_load_n(&sched.quantum, __ATOMIC_RELAXED);
}

/* ---- what a thread is worth ---- */

/* Some of what a policy may go by, to be changed. */
struct worth {
    unsigned which; /* SCHED_BY_ */
    unsigned priority, lent_priority;
    int nice, lent_nice;
    uint64_t length;
};

/* Writes what counts of `thread` to its entity, which is on no queue, or on one of a policy that
 * does not look at what changes. */
static void count_worth(struct thread *thread)
{
    struct sched_entity *entity = &thread->entity;

    entity->priority =
        thread->own_priority < thread->lent_priority ? thread->own_priority : thread->lent_priority;
    entity->nice = thread->own_nice < thread->lent_nice ? thread->own_nice : thread->lent_nice;
    run_describe(thread);
}

static void write_worth(struct thread *thread, const struct worth *worth)
{
    if (worth->which & SCHED_BY_PRIORITY)
        thread->own_priority = worth->priority;
    if (worth->which & SCHED_BY_NICE)
        thread->own_nice = worth->nice;
    /* Changed by who lends alone, who reads it under the lock of the chains only: nobody else may
     * so much as write it anew. */
    if (worth->which & SCHED_BY_PRIORITY && thread->lent_priority != worth->lent_priority)
        thread->lent_priority = worth->lent_priority;
    if (worth->which & SCHED_BY_NICE && thread->lent_nice != worth->lent_nice)
        thread->lent_nice = worth->lent_nice;
    if (worth->which & SCHED_BY_LENGTH)
        thread->entity.length = worth->length;
    count_worth(thread);
}

/* A ready thread stays in its place under a policy that does not look at what changes; but what its
 * queue weighs is counted under all. */
static void rewrite_queued(struct cpu *home, struct thread *thread, const struct worth *worth)
{
    if (home->queue.policy->goes_by & worth->which) {
        run_dequeue(home, thread);
        write_worth(thread, worth);
        run_enqueue(home, thread, SCHED_MOVED, hal_time_now());
        return;
    }
    home->queue.weight -= policy_weight(thread->entity.nice);
    write_worth(thread, worth);
    home->queue.weight += policy_weight(thread->entity.nice);
}

/* Caller holds the lock of the thread's home. */
static void change_worth(struct cpu *home, struct thread *thread, const struct worth *worth)
{
    if (thread->queued) {
        rewrite_queued(home, thread, worth);
        return;
    }
    if (thread->state == THREAD_RUNNING)
        run_charge(home, hal_time_now());
    write_worth(thread, worth);
    if (thread->state == THREAD_RUNNING && home->queue.ready > 0)
        run_reschedule(home);
}

/* The worth of `thread` as it is; what is not lent stays as it is when it is written. Caller holds
 * the lock of its home. */
static struct worth worth_of(const struct thread *thread, unsigned which)
{
    return (struct worth){.which = which,
                          .priority = thread->own_priority,
                          .lent_priority = thread->lent_priority,
                          .nice = thread->own_nice,
                          .lent_nice = thread->lent_nice};
}

int thread_set_priority(struct thread *thread, unsigned priority)
{
    hal_irq_state_t state;
    struct worth worth;
    struct cpu *home;

    if (priority >= SCHED_LEVELS)
        return -EINVAL;
    state = hal_irq_save();
    home = run_lock_home(thread);
    worth = worth_of(thread, SCHED_BY_PRIORITY);
    worth.priority = priority;
    change_worth(home, thread, &worth);
    cpu_unlock(home);
    hal_irq_restore(state);
    lend_recount(thread);
    return 0;
}

int thread_set_nice(struct thread *thread, int nice)
{
    hal_irq_state_t state;
    struct worth worth;
    struct cpu *home;

    if (nice < SCHED_NICE_MIN || nice > SCHED_NICE_MAX)
        return -EINVAL;
    state = hal_irq_save();
    home = run_lock_home(thread);
    worth = worth_of(thread, SCHED_BY_NICE);
    worth.nice = nice;
    change_worth(home, thread, &worth);
    cpu_unlock(home);
    hal_irq_restore(state);
    lend_recount(thread);
    return 0;
}

void thread_set_length(struct thread *thread, uint64_t length)
{
    const struct worth worth = {.which = SCHED_BY_LENGTH, .length = length};
    hal_irq_state_t state = hal_irq_save();
    struct cpu *home = run_lock_home(thread);

    change_worth(home, thread, &worth);
    cpu_unlock(home);
    hal_irq_restore(state);
}

void thread_lend(struct thread *thread, unsigned priority, int nice)
{
    hal_irq_state_t state = hal_irq_save();
    struct cpu *home = run_lock_home(thread);
    struct worth worth = worth_of(thread, 0);

    worth.which |= thread->lent_priority != priority ? SCHED_BY_PRIORITY : 0;
    worth.which |= thread->lent_nice != nice ? SCHED_BY_NICE : 0;
    worth.lent_priority = priority;
    worth.lent_nice = nice;
    if (worth.which)
        change_worth(home, thread, &worth);
    cpu_unlock(home);
    hal_irq_restore(state);
}

/* ---- looking ---- */

void scheduler_read_cpu(unsigned id, struct sched_cpu_info *info)
{
    struct cpu *cpu = cpu_at(id);
    hal_irq_state_t state;

    *info = (struct sched_cpu_info){.online = cpu_online() >> id & 1, .idle = run_idle_time(id)};
    if (!info->online)
        return;
    state = hal_irq_save();
    cpu_lock(cpu);
    info->ready = cpu->queue.ready;
    info->running = cpu->current->id;
    info->switches = cpu->switches;
    info->arrivals = cpu->arrivals;
    info->steals = cpu->steals;
    cpu_unlock(cpu);
    hal_irq_restore(state);
}
