/* SPDX-License-Identifier: MIT */
/*
 * sched.c: the policy of all CPUs, and how it is changed while they run.
 *
 * All run locks are taken, so the world stands still. The ready threads of each CPU are taken off
 * the old queue in the order in which they would have run, and join the new one as new ones. The
 * threads that run or sleep are on no queue; each policy has a number, its generation, by which the
 * scheduler sees that what it finds in a thread is of an earlier one (run.c).
 */
#include "sched/sched.h"

#include "lib/format.h"
#include "lib/string.h"
#include "sched/policy.h"
#include "thread/cpu.h"
#include "thread/run.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define QUANTUM_DEFAULT 10000000u /* 10 ms */

static KSTATE const struct sched_policy *policy; /* atomic; of all queues, while all are locked */

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

void thread_renew_entity(struct thread *thread, unsigned generation)
{
    struct sched_entity *entity = &thread->entity;

    *entity = (struct sched_entity){.run_time = entity->run_time,
                                    .priority = entity->priority,
                                    .nice = entity->nice,
                                    .length = entity->length};
    thread->generation = generation;
}

/* Empties the queue of `cpu` into a list, the next to run first. */
static void take_all(struct cpu *cpu, struct list *all, uint64_t now)
{
    struct sched_entity *entity;

    while ((entity = cpu->queue.policy->take(&cpu->queue, now)))
        list_add_tail(all, &entity->link);
}

static void make_queue(struct cpu *cpu, const struct sched_policy *new, uint64_t quantum)
{
    memset(&cpu->queue, 0, sizeof cpu->queue);
    cpu->queue.policy = new;
    cpu->queue.quantum = quantum;
    cpu->queue.random = cpu->id + 1;
    cpu->generation++;
    new->init(&cpu->queue);
}

/* Caller holds all run locks. */
static void change_policy(struct cpu *cpu, const struct sched_policy *new, uint64_t now)
{
    struct list ready, *link;

    list_init(&ready);
    take_all(cpu, &ready, now);
    make_queue(cpu, new, cpu->queue.quantum);
    while ((link = list_take_head(&ready))) {
        struct sched_entity *entity = list_entry(link, struct sched_entity, link);

        thread_renew_entity(thread_of_entity(entity), cpu->generation);
        new->add(&cpu->queue, entity, SCHED_NEW, now);
    }
    if (!cpu->idle)
        return;
    thread_renew_entity(cpu->current, cpu->generation);
    run_publish(cpu);
    run_reschedule(cpu); /* so that what runs has a quantum of the new policy */
}

void sched_init(void)
{
    policy = sched_policy_find(SCHED_POLICY_DEFAULT);
    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        make_queue(cpu_at(id), policy, QUANTUM_DEFAULT);
}

int sched_set_policy(const char *name)
{
    const struct sched_policy *new = sched_policy_find(name);
    hal_irq_state_t state;

    if (!new)
        return -ENOENT;
    state = lock_all();
    __atomic_store_n(&policy, new, __ATOMIC_RELAXED);
    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        change_policy(cpu_at(id), new, hal_time_now());
    unlock_all(state);
    return 0;
}

const char *sched_policy_name(void)
{
    return __atomic_load_n(&policy, __ATOMIC_RELAXED)->name;
}

void sched_list_policies(char *text, uint32_t bytes)
{
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; sched_policy_at(i) && used < bytes; i++)
        used +=
            format_text(text + used, bytes - used, "%s%s", i ? " " : "", sched_policy_at(i)->name);
}

void thread_set_quantum(uint64_t ns)
{
    hal_irq_state_t state = lock_all();

    for (unsigned id = 0; id < HAL_CPU_MAX; id++)
        __atomic_store_n(&cpu_at(id)->queue.quantum, ns, __ATOMIC_RELAXED);
    unlock_all(state);
}

uint64_t thread_quantum(void)
{
    return __atomic_load_n(&cpu_at(0)->queue.quantum, __ATOMIC_RELAXED);
}

void sched_read_cpu(unsigned id, struct sched_cpu_info *info)
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
