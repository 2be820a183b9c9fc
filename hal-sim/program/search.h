/* SPDX-License-Identifier: MIT */
/*
 * search.h: the parts of the search for schedules that make a scenario fail (docs/SEARCH.md).
 *
 *     search.c    which schedules are tried, by how many processes
 *     trial.c     one run, and how it ended
 *     bounded.c   every schedule with few preemptions
 *     shrink.c    a failing schedule with fewer steps
 *     steps.c     schedules as text
 *     story.c     what happens in a failing run, in words
 *     places.c    addresses of the guest's code in words
 */
#pragma once

#include "program.h"
#include "tayberry_schedule.h"

#include <stdio.h>

/* ---- steps.c ---- */

struct steps {
    struct tb_step *list;
    size_t count;
};

/**
 * Reads "4711>7,4720.2@1,4800=6": at point 4711 the timer stops who runs, for thread 7; at the
 * second masked point after 4720 CPU 1 goes on; at 4800 it is thread 6 that is chosen, and with
 * "4800:2" CPU 2. "none": no step. NULL, or what is wanted instead.
 */
const char *steps_read(const char *text, struct steps *steps);
void steps_write(FILE *file, const struct tb_step *list, size_t count);
/** Those that somebody did not want: preemptions, and CPUs that had to wait. */
size_t steps_preemptions(const struct tb_step *list, size_t count);

/* ---- trial.c ---- */

enum verdict {
    VERDICT_GOOD,
    VERDICT_PANIC,
    VERDICT_STATUS, /**< the guest powered off with another status than 0 */
    VERDICT_TEXT,   /**< the fail text was printed */
    VERDICT_SILENT, /**< the expected text was not */
    VERDICT_STUCK,  /**< nobody can go on, and nothing will change that */
    VERDICT_SLOW,   /**< it had not ended at the limit of machine time */
    VERDICT_ERROR   /**< the library refused */
};

struct trial {
    enum verdict verdict;
    int status;
    uint64_t points; /**< the position at its end */
    uint64_t trace;
    size_t steps; /**< how many it made */
    char console[1 << 14];
    size_t console_bytes; /**< of them the last are kept */
};

/** Opens the machine of the scenario, with `seed`. False, after a message. */
bool trial_open(const struct options *options, uint64_t seed);
void trial_close(void);
struct tb_machine *trial_machine(void);

/** Runs the scenario once. */
void trial_run(struct trial *trial, const struct tb_schedule *schedule);

/**
 * The position at which the scenario begins: where `--from-text` is printed; without that, where
 * the thread of a kernel test begins, or whichever of its crew runs first. 0: at power-on.
 */
uint64_t trial_begin(void);

/** Runs it the usual way, and gives the last position from `from` on where it could go another. */
uint64_t trial_measure(struct trial *trial, uint64_t from);

/** The verdict in words. */
void trial_say(FILE *file, const struct trial *trial);

/* ---- bounded.c ---- */

struct bounded_result {
    uint64_t runs;
    struct steps failing; /**< list NULL: none */
};

/**
 * Tries the schedules with exactly `preemptions` after position `from`: share `share` of `shares`.
 * False: no memory.
 */
bool bounded_search(unsigned preemptions, uint64_t from, unsigned share, unsigned shares,
                    struct bounded_result *result);

/* ---- shrink.c ---- */

/** Drops steps from `steps` as long as the run still has this verdict. Returns the runs it took. */
unsigned shrink_steps(struct steps *steps, enum verdict verdict);

/* ---- places.c ---- */

struct place {
    char function[64];
    char file[96];
    unsigned line;
};

/** What is at `addresses`, offsets in the file `path`, each with what is inlined there, innermost
 * first; `found` is called for each. False: there is no addr2line, or it failed. */
bool places_find(const char *path, const uintptr_t *addresses, size_t count,
                 void (*found)(size_t index, const struct place *place));

/* ---- story.c ---- */

/** Runs the schedule and tells what happens from position `from` on. */
void story_tell(FILE *file, const struct steps *steps, uint64_t from);

/* ---- search.c ---- */

/** The whole of `tayberry --seeds`, `--pct`, `--chance`, `--preemptions`. Gives the exit status. */
int search_main(const struct options *options);
/** Whether the options ask for a search. */
bool search_wanted(const struct options *options);
