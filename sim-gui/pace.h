/* SPDX-License-Identifier: MIT */
/*
 * pace.h: how fast the machine's time goes, seen from the window.
 *
 * With the real clock the machine runs by itself and the library is told the speed. With the
 * virtual clock it runs only when asked: each frame asks for as much machine time as host time has
 * passed, times the speed, in slices, and gives up for this frame when the host cannot keep up. A
 * hidden window is not paced: each frame is a 60th of a second of machine time, however long it
 * takes. Contacts that bounce cut slices, so that each edge comes at its own moment.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "diagram/circuit.h"
#include "tayberry_gui.h"

struct pace {
    struct tb_machine *machine;
    enum tb_clock clock;
    bool hidden;
    bool paused;
    unsigned step;          /* which of the speeds */
    uint64_t limit;         /* machine time at which a frame must end; UINT64_MAX: none */
    uint64_t last;          /* host time of the last frame */
    double owed;            /* ns of machine time still to run, virtual clock */
    uint64_t (*host)(void); /* ns, monotonic */

    /* Measured over the last half second. */
    uint64_t mark_host, mark_time, mark_idle;
    double speed, load;
};

/* Starts at options->speed, rounded to the nearest of the speeds that the window offers. */
void pace_init(struct pace *pace, struct tb_machine *machine,
               const struct tayberry_gui_options *options, uint64_t (*host)(void));

/* Lets the machine run until now: once a frame. */
void pace_run(struct pace *pace, struct circuit *circuit);

void pace_pause(struct pace *pace, bool paused);

/* Pauses, and runs to the next event. Returns a tb_reason or a negative errno. */
int pace_step(struct pace *pace);

/* The next lower (-1) or higher (+1) speed, if there is one. */
void pace_change(struct pace *pace, int direction);

/* "x0.25", "x1", "max" */
const char *pace_name(const struct pace *pace);
