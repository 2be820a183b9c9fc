/* SPDX-License-Identifier: MIT */
/*
 * shares.h: what each thread and CPU had of the time since somebody last looked. For ps and top.
 *
 * A survey remembers what all had used at its last look, so that the next one can tell the
 * difference; the first tells what they had since power-on.
 */
#pragma once

#include "thread/thread.h"

#include <hal/machine.h>

#include <stdint.h>

#define SHARES_KEPT \
    256u /**< threads that are remembered and sorted; the others count from 0 on \
          */

struct shares_row {
    struct thread_info info;
    unsigned tenths; /**< of a percent of one CPU's time */
};

/** Zeroed before its first use. */
struct shares {
    uint64_t when, before; /**< the last look, and the one before that; 0: none */
    unsigned kept;         /**< threads that are remembered */
    struct shares_kept {
        uint32_t id;
        uint64_t run_time;
    } earlier[SHARES_KEPT], next[SHARES_KEPT];
    uint64_t idle[HAL_CPU_MAX];
};

/** A look begins: calls row(row, context) for each thread, in the order of their numbers. */
void shares_look(struct shares *shares, void (*row)(const struct shares_row *row, void *context),
                 void *context);

/** Tenths of a percent in which CPU `cpu` was busy since the look before. Once, after each look. */
unsigned shares_of_cpu(struct shares *shares, unsigned cpu);

/** Prints the titles, and a row, of a table of threads; each ends with `end`. */
void shares_print_titles(const char *end);
void shares_print(const struct shares_row *row, const char *end);

/** A thousand times `part` / `whole`, rounded; whatever their sizes. */
unsigned shares_permille(uint64_t part, uint64_t whole);
