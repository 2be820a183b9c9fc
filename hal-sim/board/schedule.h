/* SPDX-License-Identifier: MIT */
/*
 * schedule.h: who decides at an interrupt point, when that is not the seed.
 *
 * The state of a schedule is part of struct machine; the plan that it follows and the list of what
 * was done are beside it. Virtual clock only. All but sim_schedule_reset is entered, or masked.
 */
#pragma once

#include "tayberry_schedule.h"

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* From power-on. */
struct schedule {
    enum tb_strategy strategy; /* TB_BY_SEED: the rest is not used */
    uint64_t next;             /* the point at which there is something to decide */
    uint64_t random;           /* chance, priority */
    uint64_t decide_at;        /* chance: the point of the next decision */
    uint64_t at;               /* of the point that was begun last */
    size_t step;               /* steps: the next of the plan's */
    size_t done;               /* steps made so far */
    bool wanted;               /* the timer shall stop the thread that runs */
    uint32_t wanted_thread;    /* for this one; 0: any other */
    unsigned wanted_cpu;
    enum strike {
        STRIKE_NONE,
        STRIKE_WANTED, /* it has: the next choice is by wanted_thread */
        STRIKE_OVERDUE /* it could not be held back any longer: the next choice is another thread */
    } strike;
    size_t struck_step;     /* the step that was noted for it */
    unsigned tries;         /* interrupts of it that had no effect */
    bool asked;             /* the kernel does ask who is next */
    bool patient;           /* the turn is short, since a CPU gave way for it */
    bool gives;             /* the CPU waits for another one, and lets the others go first */
    uint32_t gave_to[4];    /* by CPU: to which one it gave way last; so each has its turn */
    uint32_t vain[4];       /* by CPU: how often in a row its thread yielded, and went on itself */
    uint32_t go;            /* the CPU that shall be played, + 1; 0: as is */
    uint64_t held_since[4]; /* when a CPU's timer interrupt was first held back; 0: none is */
    uint32_t fallen[TB_CHANGES_MAX]; /* priority: threads that have, the first the highest */
    unsigned fallen_count;
    uint64_t change[TB_CHANGES_MAX]; /* priority: at these points, in order */
    unsigned changed;
};

/** What the library wants: how schedules are made from the next power-on on. */
struct schedule_plan {
    enum tb_strategy strategy;
    uint64_t seed, from, points, spacing;
    unsigned changes;
    struct tb_step *steps;
    size_t step_count;
    bool watched;        /* there is a sink, for decisions, */
    uint64_t watch_from; /* and for points from this one on */
};
extern struct schedule_plan sim_schedule_plan;
/** The first TB_STEPS_MAX steps since power-on. */
extern struct tb_step sim_schedule_done[];

/** While a sink is told: the frame of the guest's stack where that is done. */
extern uintptr_t sim_schedule_frame;

/** Power-on: starts the plan. */
void sim_schedule_reset(void);
/** Works out machine.schedule.next again, after the plan's watch_from has changed too. */
void sim_schedule_plan_next(void);
/** Whether a schedule is followed. */
bool sim_schedule_on(void);
/** An interrupt point, before anything else: decides what is due at it. */
void sim_schedule_point(struct cpu *cpu);
/** Of `ready` interrupts that could strike here, those that do. */
uint32_t sim_schedule_strikes(struct cpu *cpu, uint32_t ready);
/** The timer's interrupt is about to be taken by CPU `cpu`, and has been, on whichever. */
void sim_schedule_timer_taken(unsigned cpu);
void sim_schedule_timer_done(unsigned cpu);
/** `cpu` waits for another CPU. */
void sim_schedule_relax(void);
/** Whether somebody else should be played than CPU `self`, of those that work. */
bool sim_schedule_turn_is_over(unsigned self, uint32_t working);
/** Who is played next, of the CPUs `working`, and until when. */
unsigned sim_schedule_choose_cpu(unsigned self, uint32_t working, uint64_t *end);
/** Which of `threads` runs next. */
unsigned sim_schedule_choose_thread(const uint32_t *threads, unsigned n);
