/* SPDX-License-Identifier: MIT */
/*
 * measure.c: repeats rounds of a workload and keeps the fastest: noise only ever adds.
 */
#include "work.h"

struct work_order work_order;
struct work_result work_result;

/* The fastest of the rounds, after one that only warms up; 0 if an allocation failed. */
static uint64_t fastest(uint64_t (*round)(void))
{
    uint64_t least = UINT64_MAX;

    if (round() == 0)
        return 0;
    for (unsigned i = 0; i < work_order.rounds; i++) {
        uint64_t took = round();

        if (took == 0)
            return 0;
        if (took < least)
            least = took;
    }
    return least;
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
    /* In turns with the real thing, so that both see the machine in the same mood. */
    work_result.null_ns = fastest(work_null_round);
    work_result.ns = fastest(work_round);
    work_result.failed = work_result.ns == 0;
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
