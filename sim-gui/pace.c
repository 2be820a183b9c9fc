/* SPDX-License-Identifier: MIT */
/*
 * pace.c: speeds, slices and what is measured of them.
 */
#include "pace.h"

#include <math.h>

#define MILLISECONDS UINT64_C(1000000)
#define PACE_FRAME (UINT64_C(1000000000) / 60)
#define PACE_HOST (12 * MILLISECONDS) /* of a frame's 16.7 that the machine may take */
#define PACE_SLICE (1 * MILLISECONDS)
#define PACE_MEASURE (500 * MILLISECONDS)

static const struct {
    double speed;
    const char *name;
} pace_speeds[] = {
    {0.1, "x0.1"}, {0.25, "x0.25"}, {0.5, "x0.5"}, {1, "x1"},
    {2, "x2"},     {5, "x5"},       {10, "x10"},   {INFINITY, "max"},
};

#define PACE_SPEEDS (sizeof(pace_speeds) / sizeof(pace_speeds[0]))

static void pace_apply(const struct pace *pace)
{
    if (pace->clock == TB_CLOCK_REAL)
        tb_set_speed(pace->machine, pace->paused ? 0 : pace_speeds[pace->step].speed);
}

void pace_init(struct pace *pace, struct tb_machine *machine,
               const struct tayberry_gui_options *options, uint64_t (*host)(void))
{
    double speed = options->speed > 0 ? options->speed : 1;

    *pace = (struct pace){.machine = machine,
                          .clock = options->clock,
                          .hidden = options->hidden,
                          .limit = UINT64_MAX,
                          .host = host};
    while (pace->step + 1 < PACE_SPEEDS && pace_speeds[pace->step].speed < speed)
        pace->step++;
    pace->last = pace->mark_host = host();
    pace->mark_time = tb_time(machine);
    pace->mark_idle = tb_idle_time(machine);
    pace_apply(pace);
}

/* ---- the virtual clock ---- */

/* Runs one slice, or up to the next change of a contact. Returns the time that passed. */
static uint64_t pace_slice(const struct pace *pace, struct circuit *circuit, uint64_t most)
{
    uint64_t now = tb_time(pace->machine);
    uint64_t until = now + most;
    uint64_t due;

    circuit_advance(circuit, pace->machine, now);
    due = circuit_due(circuit);
    until = due < until ? due : until;
    until = pace->limit > now && pace->limit < until ? pace->limit : until;
    if (tb_run_until(pace->machine, until) < 0)
        return most;
    return tb_time(pace->machine) - now;
}

/* Runs `owed` of machine time; false when the host's share of the frame was used up before. */
static bool pace_run_owed(struct pace *pace, struct circuit *circuit, uint64_t give_up)
{
    while (pace->owed >= 1 && tb_state(pace->machine) == TB_RUNNING) {
        uint64_t most = pace->owed < PACE_SLICE ? (uint64_t)pace->owed : PACE_SLICE;

        pace->owed -= (double)pace_slice(pace, circuit, most);
        if (tb_time(pace->machine) == pace->limit)
            return true;
        if (pace->host() >= give_up)
            return false;
    }
    return true;
}

static void pace_run_virtual(struct pace *pace, struct circuit *circuit, uint64_t now)
{
    double passed = (double)(now - pace->last);
    bool max = isinf(pace_speeds[pace->step].speed);

    if (pace->hidden) {
        pace->owed = (double)PACE_FRAME;
        pace_run_owed(pace, circuit, UINT64_MAX);
        return;
    }
    if (max)
        pace->owed = 1e10;
    else
        pace->owed += passed * pace_speeds[pace->step].speed;
    if (!pace_run_owed(pace, circuit, now + PACE_HOST) || max)
        pace->owed = 0;
}

/* ---- both clocks ---- */

static void pace_measure(struct pace *pace, uint64_t now)
{
    uint64_t time = tb_time(pace->machine);
    uint64_t idle = tb_idle_time(pace->machine);
    bool anew = time < pace->mark_time || idle < pace->mark_idle;

    if (!anew && now - pace->mark_host < PACE_MEASURE)
        return;
    if (!anew) {
        double passed = (double)(time - pace->mark_time);

        pace->speed = passed / (double)(now - pace->mark_host);
        pace->load = passed > 0 ? 1 - (double)(idle - pace->mark_idle) / passed : 0;
        pace->load = fmin(fmax(pace->load, 0), 1);
    }
    pace->mark_host = now;
    pace->mark_time = time;
    pace->mark_idle = idle;
}

void pace_run(struct pace *pace, struct circuit *circuit)
{
    uint64_t now = pace->host();

    if (pace->clock == TB_CLOCK_VIRTUAL && !pace->paused)
        pace_run_virtual(pace, circuit, now);
    circuit_advance(circuit, pace->machine, tb_time(pace->machine));
    pace_measure(pace, now);
    pace->last = now;
}

void pace_pause(struct pace *pace, bool paused)
{
    pace->paused = paused;
    pace->owed = 0;
    pace_apply(pace);
}

int pace_step(struct pace *pace)
{
    if (!pace->paused)
        pace_pause(pace, true);
    if (tb_state(pace->machine) != TB_RUNNING)
        return TB_STOPPED;
    return tb_step_event(pace->machine);
}

void pace_change(struct pace *pace, int direction)
{
    if (direction > 0 && pace->step + 1 < PACE_SPEEDS)
        pace->step++;
    else if (direction < 0 && pace->step > 0)
        pace->step--;
    pace->owed = 0;
    pace_apply(pace);
}

const char *pace_name(const struct pace *pace)
{
    return pace_speeds[pace->step].name;
}
