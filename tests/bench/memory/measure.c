/* SPDX-License-Identifier: MIT */
/*
 * measure.c: repeats rounds of a workload and keeps the fastest: noise only ever adds.
 */
#include "work.h"

struct work_order work_order;
struct work_result work_result;

/* Keeps the lesser of *least (0: none yet) and `took`. */
static void keep_least(uint64_t *least, uint64_t took)
{
    if (*least == 0 || took < *least)
        *least = took;
}

static void measure_footprint(void)
{
    uint64_t before = work_occupied();

    work_result.occupied = before;
    work_result.failed = work_round() == 0;
    work_result.occupied -= before;
}

static void measure_time(void)
{
    /* The first round warms up. Both in turns, so that they see the machine in the same mood. */
    for (unsigned i = 0; i <= work_order.rounds && !work_result.failed; i++) {
        uint64_t null = work_null_round(), took = work_round();

        if (i > 0) {
            keep_least(&work_result.null_ns, null);
            keep_least(&work_result.ns, took);
        }
        work_result.failed = took == 0;
    }
}

void work_measure(void)
{
    bool grows = work_order.kind == WORK_GROW || work_order.kind == WORK_GROW_MIXED;

    work_result = (struct work_result){.pairs = grows ? work_order.live : work_order.pairs};
    if (work_order.kind == WORK_TRACE)
        work_result.pairs = work_order.trace.allocations;
    if (work_order.footprint)
        measure_footprint();
    else
        measure_time();
}
