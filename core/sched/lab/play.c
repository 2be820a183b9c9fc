/* SPDX-License-Identifier: MIT */
/*
 * play.c: runs a lab: from event to event, as policy.h says that a scheduler does it.
 */
#include "sched/lab/lab.h"

#include <hal/errno.h>
#include <hal/runtime.h>

static struct lab_job *job_of(struct sched_entity *entity)
{
    return (struct lab_job *)((char *)entity - offsetof(struct lab_job, entity));
}

static void prepare(struct lab *lab)
{
    memset(&lab->queue, 0, sizeof(lab->queue));
    lab->queue.policy = lab->policy;
    lab->queue.quantum = lab->quantum;
    lab->queue.period = lab->period;
    lab->queue.levels = lab->levels;
    lab->queue.random = lab->seed;
    lab->policy->init(&lab->queue);
    lab->now = lab->busy = lab->switches = lab->taken = 0;
    for (unsigned i = 0; i < lab->cpus; i++)
        lab->cpu[i] = (struct lab_cpu){.slice_end = SCHED_FOREVER};
    for (unsigned i = 0; i < lab->count; i++) {
        struct lab_job *job = &lab->jobs[i];

        memset(&job->entity, 0, sizeof(job->entity));
        job->entity.nice = job->rank;
        job->entity.priority = job->rank < 0 ? 0 : (uint32_t)job->rank;
        job->entity.length = job->length;
        job->left = job->length;
        job->state = LAB_ABSENT;
        job->first = job->end = 0;
    }
}

/* Tells the turn that is known to be over. */
static void tell(struct lab *lab, unsigned cpu)
{
    struct lab_cpu *on = &lab->cpu[cpu];

    if (!on->last)
        return;
    lab->switches++;
    if (lab->turn)
        lab->turn(lab->context, cpu, (unsigned)(on->last - lab->jobs), on->from, on->to);
    on->last = NULL;
}

/* The running job has had the CPU up to now. */
static void settle(struct lab *lab, struct lab_cpu *on)
{
    uint64_t ns = lab->now - on->since;

    on->since = lab->now;
    if (!on->running || ns == 0)
        return;
    on->running->left -= ns;
    on->running->entity.run_time += ns;
    on->to = lab->now;
    lab->busy += ns;
    lab->policy->charge(&lab->queue, &on->running->entity, ns, lab->now);
}

/* Takes the CPU from its job. */
static void stop(struct lab *lab, struct lab_cpu *on, enum lab_state state)
{
    struct lab_job *job = on->running;

    on->running = NULL;
    on->slice_end = SCHED_FOREVER;
    job->state = state;
    if (state == LAB_ENDED)
        job->end = lab->now;
    else
        lab->policy->add(&lab->queue, &job->entity, SCHED_PREEMPTED, lab->now);
}

static void start(struct lab *lab, unsigned cpu)
{
    struct lab_cpu *on = &lab->cpu[cpu];
    struct sched_entity *entity = lab->policy->take(&lab->queue, lab->now);
    struct lab_job *job;

    on->since = lab->now;
    if (!entity)
        return;
    job = job_of(entity);
    lab->taken++;
    if (entity->run_time == 0)
        job->first = lab->now;
    job->state = LAB_RUNNING;
    on->running = job;
    if (on->last != job || on->to != lab->now) {
        tell(lab, cpu);
        on->from = on->to = lab->now;
    }
    on->last = job;
}

/* Sets the end of a slice that begins, or that is shorter now that more jobs wait. */
static void arm(struct lab *lab, struct lab_cpu *on)
{
    uint64_t slice;

    if (!on->running)
        return;
    slice = lab->policy->slice(&lab->queue, &on->running->entity, lab->now);
    if (slice < on->slice_end - lab->now)
        on->slice_end = lab->now + slice;
}

static void arrive(struct lab *lab, struct lab_job *job)
{
    struct lab_cpu *victim = NULL;

    job->state = LAB_READY;
    lab->policy->add(&lab->queue, &job->entity, SCHED_NEW, lab->now);
    for (unsigned i = 0; i < lab->cpus; i++) {
        struct lab_cpu *on = &lab->cpu[i];

        if (!on->running)
            return; /* that CPU will take it */
        /* Of those that it may stop, the one that all others may stop too. */
        if (lab->policy->preempts(&lab->queue, &job->entity, &on->running->entity, lab->now) &&
            (!victim || lab->policy->preempts(&lab->queue, &victim->running->entity,
                                              &on->running->entity, lab->now)))
            victim = on;
    }
    if (victim)
        stop(lab, victim, LAB_READY);
}

/* Lets free CPUs take jobs. */
static void fill(struct lab *lab)
{
    for (unsigned i = 0; i < lab->cpus; i++) {
        if (!lab->cpu[i].running)
            start(lab, i);
    }
}

/* Ends the slices that are over. Where nobody waits, the job is taken again at once. */
static void end_slices(struct lab *lab)
{
    for (unsigned i = 0; i < lab->cpus; i++) {
        if (!lab->cpu[i].running || lab->cpu[i].slice_end > lab->now)
            continue;
        stop(lab, &lab->cpu[i], LAB_READY);
        if (lab->queue.ready == 1)
            start(lab, i);
    }
}

/* All that happens at this moment. */
static void happen(struct lab *lab)
{
    for (unsigned i = 0; i < lab->cpus; i++) {
        settle(lab, &lab->cpu[i]);
        if (lab->cpu[i].running && lab->cpu[i].running->left == 0)
            stop(lab, &lab->cpu[i], LAB_ENDED);
    }
    for (unsigned i = 0; i < lab->count; i++) {
        if (lab->jobs[i].state == LAB_ABSENT && lab->jobs[i].arrival <= lab->now)
            arrive(lab, &lab->jobs[i]);
    }
    fill(lab);
    end_slices(lab);
    fill(lab);
    for (unsigned i = 0; i < lab->cpus; i++)
        arm(lab, &lab->cpu[i]);
}

/* When something happens next; SCHED_FOREVER: never. */
static uint64_t next_event(const struct lab *lab)
{
    uint64_t next = SCHED_FOREVER;

    for (unsigned i = 0; i < lab->cpus; i++) {
        const struct lab_cpu *on = &lab->cpu[i];

        if (on->running && on->since + on->running->left < next)
            next = on->since + on->running->left;
        if (on->slice_end < next)
            next = on->slice_end;
    }
    for (unsigned i = 0; i < lab->count; i++) {
        if (lab->jobs[i].state == LAB_ABSENT && lab->jobs[i].arrival < next)
            next = lab->jobs[i].arrival;
    }
    return next;
}

int lab_run(struct lab *lab, lab_turn *turn, void *context)
{
    uint64_t next;

    lab->turn = turn;
    lab->context = context;
    prepare(lab);
    while ((next = next_event(lab)) != SCHED_FOREVER) {
        lab->now = next;
        happen(lab);
        if (lab->taken > LAB_TURNS_MAX)
            return -E2BIG;
    }
    for (unsigned i = 0; i < lab->cpus; i++)
        tell(lab, i);
    return 0;
}
