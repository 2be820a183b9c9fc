/* SPDX-License-Identifier: MIT */
/*
 * cpus.c: CPUs in virtual time. Each step goes to the next moment at which something happens.
 */
#include "cpus.h"

#include "suites.h"

#include <stdio.h>
#include <string.h>

void cpus_init(struct cpus *cpus, const char *policy, unsigned count, uint64_t quantum)
{
    memset(cpus, 0, sizeof(*cpus));
    cpus->policy = policy_find(policy);
    ck_assert_ptr_nonnull(cpus->policy);
    cpus->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct sched_queue *queue = &cpus->queues[i];

        queue->policy = cpus->policy;
        queue->epoch = 1;
        queue->quantum = quantum;
        queue->random = 1 + i;
        cpus->policy->init(queue);
        cpus->slice_end[i] = NEVER;
    }
}

struct task *cpus_add(struct cpus *cpus)
{
    struct task *task = &cpus->tasks[cpus->total++];

    ck_assert_uint_le(cpus->total, CPUS_TASKS);
    task->burst = task->work = NEVER;
    return task;
}

struct task *cpus_add_hog(struct cpus *cpus, int nice)
{
    struct task *task = cpus_add(cpus);

    task->entity.nice = nice;
    return task;
}

struct task *cpus_add_sleeper(struct cpus *cpus, uint64_t burst, uint64_t pause)
{
    struct task *task = cpus_add(cpus);

    task->burst = burst;
    task->pause = pause;
    return task;
}

struct task *cpus_add_job(struct cpus *cpus, uint64_t arrival_ms, uint64_t work_ms)
{
    struct task *task = cpus_add(cpus);

    task->arrival = arrival_ms * MS;
    task->work = work_ms * MS;
    task->entity.length = work_ms * MS;
    return task;
}

uint64_t cpus_share(uint64_t part, uint64_t whole)
{
    return (part * 10000 + whole / 2) / whole;
}

static struct task *task_of(struct sched_entity *entity)
{
    return (struct task *)((char *)entity - offsetof(struct task, entity));
}

/* Charges what has been run on the CPU up to now. */
static void settle(struct cpus *cpus, unsigned cpu)
{
    struct task *task = cpus->running[cpu];
    uint64_t ns = cpus->now - cpus->since[cpu];

    cpus->since[cpu] = cpus->now;
    if (!task || ns == 0)
        return;
    task->entity.run_time += ns;
    cpus->policy->charge(&cpus->queues[cpu], &task->entity, ns, cpus->now);
    if (task->burst_left != NEVER)
        task->burst_left -= ns;
}

static void tell_turn(struct cpus *cpus, unsigned cpu, const struct task *task)
{
    if (cpus->told + 64 > sizeof(cpus->story))
        return;
    cpus->told += (size_t)sprintf(cpus->story + cpus->told, "%s%c %g-%g", cpus->told ? ", " : "",
                                  (char)('A' + (task - cpus->tasks)),
                                  (double)cpus->turn_start[cpu] / 1e6, (double)cpus->now / 1e6);
}

/* Takes the CPU from its task, which is in `state` from now on. */
static struct task *stop(struct cpus *cpus, unsigned cpu, enum task_state state)
{
    struct task *task = cpus->running[cpu];

    settle(cpus, cpu);
    tell_turn(cpus, cpu, task);
    task->state = state;
    task->ready_at = cpus->now;
    task->woken = false;
    cpus->running[cpu] = NULL;
    cpus->slice_end[cpu] = NEVER;
    return task;
}

static void make_ready(struct cpus *cpus, struct task *task, enum sched_why why)
{
    task->state = TASK_READY;
    cpus->policy->add(&cpus->queues[task->cpu], &task->entity, why, cpus->now);
}

static void arm(struct cpus *cpus, unsigned cpu)
{
    const struct sched_queue *queue = &cpus->queues[cpu];
    uint64_t slice;

    if (!cpus->running[cpu] || queue->ready == 0 || cpus->slice_end[cpu] != NEVER)
        return;
    slice = cpus->policy->slice(queue, &cpus->running[cpu]->entity, cpus->now);
    cpus->slice_end[cpu] = slice > NEVER - cpus->now ? NEVER : cpus->now + slice;
}

/* Moves one from the queue with most on it to CPU `cpu`. */
static void steal(struct cpus *cpus, unsigned cpu)
{
    unsigned from = cpu;
    struct task *task;

    for (unsigned i = 0; i < cpus->count; i++) {
        if (cpus->queues[i].ready > cpus->queues[from].ready)
            from = i;
    }
    if (from == cpu)
        return;
    task = task_of(cpus->policy->steal(&cpus->queues[from]));
    task->cpu = cpu;
    make_ready(cpus, task, SCHED_MOVED);
    cpus->steals++;
}

static void start(struct cpus *cpus, unsigned cpu)
{
    struct sched_entity *entity;
    struct task *task;
    uint64_t waited;

    if (cpus->queues[cpu].ready == 0)
        steal(cpus, cpu);
    cpus->since[cpu] = cpus->turn_start[cpu] = cpus->now;
    entity = cpus->policy->take(&cpus->queues[cpu], cpus->now);
    if (!entity)
        return;
    task = task_of(entity);
    waited = cpus->now - task->ready_at;
    if (waited > task->longest_wait)
        task->longest_wait = waited;
    if (task->woken && waited > task->slowest_wake)
        task->slowest_wake = waited;
    if (task->turns++ == 0)
        task->first_run = cpus->now;
    task->state = TASK_RUNNING;
    cpus->running[cpu] = task;
    cpus->switches++;
    arm(cpus, cpu);
}

static void renew_burst(struct task *task)
{
    uint64_t left = task->work == NEVER ? NEVER : task->work - task->entity.run_time;

    task->burst_left = task->burst < left ? task->burst : left;
}

/* The running task has done its burst. */
static void end_burst(struct cpus *cpus, unsigned cpu)
{
    struct task *task = cpus->running[cpu];

    if (task->entity.run_time == task->work) {
        stop(cpus, cpu, TASK_ENDED)->end = cpus->now;
    } else if (task->pause == 0) {
        renew_burst(task);
        make_ready(cpus, stop(cpus, cpu, TASK_READY), SCHED_YIELDED);
    } else {
        renew_burst(task);
        stop(cpus, cpu, TASK_PAUSING)->wake_at = cpus->now + task->pause;
    }
}

static void arrive(struct cpus *cpus, struct task *task, enum sched_why why)
{
    unsigned cpu = task->cpu;

    settle(cpus, cpu);
    task->ready_at = cpus->now;
    task->woken = why == SCHED_WOKEN;
    make_ready(cpus, task, why);
    if (!cpus->running[cpu])
        return;
    if (cpus->policy->preempts(&cpus->queues[cpu], &task->entity, &cpus->running[cpu]->entity,
                               cpus->now))
        make_ready(cpus, stop(cpus, cpu, TASK_READY), SCHED_PREEMPTED);
}

/* All that happens at this moment. */
static void happen(struct cpus *cpus)
{
    for (unsigned i = 0; i < cpus->count; i++) {
        settle(cpus, i);
        if (cpus->running[i] && cpus->running[i]->burst_left == 0)
            end_burst(cpus, i);
    }
    for (unsigned i = 0; i < cpus->total; i++) {
        struct task *task = &cpus->tasks[i];

        if (task->state == TASK_ABSENT && task->arrival <= cpus->now) {
            renew_burst(task);
            arrive(cpus, task, SCHED_NEW);
        } else if (task->state == TASK_PAUSING && task->wake_at <= cpus->now) {
            arrive(cpus, task, SCHED_WOKEN);
        }
    }
    for (unsigned i = 0; i < cpus->count; i++) {
        if (cpus->running[i] && cpus->slice_end[i] <= cpus->now)
            make_ready(cpus, stop(cpus, i, TASK_READY), SCHED_PREEMPTED);
    }
    for (unsigned i = 0; i < cpus->count; i++) {
        if (!cpus->running[i])
            start(cpus, i);
    }
    for (unsigned i = 0; i < cpus->count; i++)
        arm(cpus, i);
}

static uint64_t nearer(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When something happens next. */
static uint64_t next_moment(const struct cpus *cpus)
{
    uint64_t next = NEVER;

    for (unsigned i = 0; i < cpus->count; i++) {
        const struct task *task = cpus->running[i];

        if (task && task->burst_left != NEVER)
            next = nearer(next, cpus->since[i] + task->burst_left);
        next = nearer(next, cpus->slice_end[i]);
    }
    for (unsigned i = 0; i < cpus->total; i++) {
        const struct task *task = &cpus->tasks[i];

        if (task->state == TASK_ABSENT)
            next = nearer(next, task->arrival);
        else if (task->state == TASK_PAUSING)
            next = nearer(next, task->wake_at);
    }
    return next;
}

void cpus_run(struct cpus *cpus, uint64_t until)
{
    for (;;) {
        uint64_t next;

        happen(cpus);
        next = next_moment(cpus);
        if (next == NEVER && until == NEVER)
            break;
        if (next >= until) {
            cpus->now = until;
            break;
        }
        ck_assert(next >= cpus->now);
        cpus->now = next;
    }
    for (unsigned i = 0; i < cpus->count; i++)
        settle(cpus, i);
    for (unsigned i = 0; i < cpus->total; i++) {
        struct task *task = &cpus->tasks[i];

        if (task->state == TASK_READY && cpus->now - task->ready_at > task->longest_wait)
            task->longest_wait = cpus->now - task->ready_at;
    }
}
