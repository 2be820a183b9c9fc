/* SPDX-License-Identifier: MIT */
/*
 * schedule.c: taking a plan for schedules from the library's user, and showing what came of it.
 */
#include "lib/library.h"
#include "tayberry_schedule.h"

#include <hal/errno.h>
#include <hal/inspect.h>

#include <stdlib.h>
#include <string.h>

enum { POINTS_USUAL = 10000, SPACING_USUAL = 100 };

static int check_steps(const struct tb_schedule *schedule)
{
    uint64_t last = 0;
    if (schedule->step_count > TB_STEPS_MAX)
        return library_fail(-EINVAL, "a schedule of %zu steps: there are %u at most",
                            schedule->step_count, TB_STEPS_MAX);
    for (size_t i = 0; i < schedule->step_count; i++) {
        const struct tb_step *step = &schedule->steps[i];
        if (step->kind < TB_STEP_PREEMPT || step->kind > TB_STEP_TURN)
            return library_fail(-EINVAL, "step %zu of the schedule is of no known kind", i + 1);
        if (step->kind >= TB_STEP_CPU && step->to >= machine.cpu_count)
            return library_fail(-EINVAL, "step %zu of the schedule: there is no CPU %u", i + 1,
                                step->to);
        if (step->point < last)
            return library_fail(-EINVAL,
                                "the steps of a schedule come in the order of their "
                                "points, but step %zu is earlier than the one before",
                                i + 1);
        last = step->point;
    }
    return 0;
}

static int check(const struct tb_schedule *schedule)
{
    if (machine.real)
        return library_fail(-ENOTSUP, "schedules need the virtual clock");
    if (library_is_on())
        return library_fail(-EBUSY, "the power is on; a schedule begins at power-on");
    if (!schedule)
        return 0;
    if (schedule->size != sizeof *schedule)
        return library_fail(-EINVAL, "struct tb_schedule: size is not that of this library");
    if ((unsigned)schedule->strategy > TB_BY_PRIORITY)
        return library_fail(-EINVAL, "%d is no strategy", (int)schedule->strategy);
    if (schedule->changes > TB_CHANGES_MAX)
        return library_fail(-EINVAL, "%u changes of priority: there are %u at most",
                            schedule->changes, TB_CHANGES_MAX);
    return check_steps(schedule);
}

int tb_schedule_set(struct tb_machine *m, const struct tb_schedule *schedule)
{
    static const struct tb_schedule none;
    struct schedule_plan *plan = &sim_schedule_plan;
    struct tb_step *steps = NULL;
    int error = check(schedule);
    (void)m;
    if (error)
        return error;
    if (!schedule)
        schedule = &none;
    if (schedule->step_count) {
        steps = malloc(schedule->step_count * sizeof *steps);
        if (!steps)
            return library_fail(-ENOMEM, "no memory on the host for the steps of a schedule");
        memcpy(steps, schedule->steps, schedule->step_count * sizeof *steps);
    }
    free(plan->steps);
    *plan = (struct schedule_plan){
        .strategy = schedule->strategy,
        .seed = schedule->seed,
        .from = schedule->from,
        .points = schedule->points ? schedule->points : POINTS_USUAL,
        .spacing = schedule->spacing ? schedule->spacing : SPACING_USUAL,
        .changes = schedule->changes,
        .steps = steps,
        .step_count = schedule->step_count,
        .watched = plan->watched,
        .watch_from = plan->watch_from,
    };
    return 0;
}

void schedule_close(void)
{
    free(sim_schedule_plan.steps);
    sim_schedule_plan = (struct schedule_plan){.watch_from = UINT64_MAX};
    library.schedule_sink = NULL;
}

uint64_t tb_schedule_points(const struct tb_machine *m)
{
    (void)m;
    return machine.points;
}

size_t tb_schedule_steps(const struct tb_machine *m, struct tb_step *steps, size_t n)
{
    size_t done = machine.schedule.done, kept = done < TB_STEPS_MAX ? done : TB_STEPS_MAX;
    (void)m;
    if (n && kept)
        memcpy(steps, sim_schedule_done, (n < kept ? n : kept) * sizeof *steps);
    return done;
}

/* ---- looking on ---- */

static bool telling; /* a sink runs */

void tb_schedule_set_sink(struct tb_machine *m, tb_schedule_sink *sink, void *context,
                          uint64_t from)
{
    host_lock(HOST_MACHINE);
    m->schedule_sink = machine.real ? NULL : sink;
    m->schedule_context = context;
    sim_schedule_plan.watched = m->schedule_sink;
    sim_schedule_plan.watch_from = m->schedule_sink ? from : UINT64_MAX;
    sim_schedule_plan_next();
    host_unlock(HOST_MACHINE);
}

void outside_moment(const struct tb_moment *moment)
{
    telling = true;
    if (library.schedule_sink)
        library.schedule_sink(library.schedule_context, moment);
    telling = false;
}

size_t tb_callers(const struct tb_machine *m, uintptr_t *callers, size_t n)
{
    size_t count = 0;
    (void)m;
    if (telling)
        count = hal_context_backtrace(sim_schedule_frame, callers, n);
    for (size_t i = 0; i < count; i++)
        callers[i] -= host_code_base();
    return count;
}

uint32_t tb_thread_on_cpu(const struct tb_machine *m, unsigned cpu, char *name, size_t bytes)
{
    (void)m;
    if (bytes)
        name[0] = '\0';
    if (machine.real || atomic_load(&machine.power) == POWER_OFF || cpu >= machine.cpu_count)
        return 0;
    return hal_inspect_thread(cpu, name, bytes);
}
