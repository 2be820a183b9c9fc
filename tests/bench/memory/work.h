/* SPDX-License-Identifier: MIT */
/*
 * work.h: what the parts of the memory benchmark share.
 *
 * The same workloads run on two sides: in a process of the host, on its malloc (peer.c), and in the
 * kernel of a simulated machine, on kmalloc (guest.c). The driver (main.c) says what to do, starts
 * the side, and prints what came out. Both sides are in the driver's own process, so they simply
 * read and write the variables below.
 */
#pragma once

#include "trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum work_kind {
    WORK_PAIRS,      /**< 64 bytes, allocated and at once freed */
    WORK_SMALL,      /**< 64 bytes, many live, each freed at a random time */
    WORK_MIXED,      /**< 16 .. 4096 bytes, many live, each freed at a random time */
    WORK_TRACE,      /**< a recorded trace */
    WORK_GROW,       /**< 64 bytes; nothing is freed while it is measured */
    WORK_GROW_MIXED, /**< 16 .. 4096 bytes; nothing is freed while it is measured */
    WORK_PAGES       /**< a page, allocated and at once freed */
};

#define WORK_SMALL_BYTES 64u
#define WORK_MIXED_LEAST 16u
#define WORK_MIXED_MOST 4096u
#define WORK_PAGE_BYTES 4096u

/** What is to be done. */
struct work_order {
    enum work_kind kind;
    bool footprint;  /**< write all of each block, and watch what the allocator occupies */
    unsigned rounds; /**< how often, to find the fastest */
    unsigned live;   /**< blocks that are live at a time */
    unsigned pairs;  /**< of allocate and free in a round; WORK_TRACE has its own */
    struct trace trace;
    void **blocks;   /**< where the workload keeps its blocks */
    uint32_t *bytes; /**< and their sizes, while it measures a footprint */
};

/** What came out. */
struct work_result {
    bool failed;       /**< an allocation failed, or the side did not come to its end */
    uint64_t pairs;    /**< of allocate and free in a round; for WORK_GROW.., allocations */
    uint64_t ns;       /**< the fastest round */
    uint64_t null_ns;  /**< the fastest round of the same loop that allocates nothing */
    uint64_t live;     /**< the most bytes that were live, as they were asked for */
    uint64_t occupied; /**< the most bytes that the allocator occupied meanwhile */
};

extern struct work_order work_order;
extern struct work_result work_result;

/** Does what work_order says, on the side that calls it. */
void work_measure(void);

/**
 * One round, on the side's allocator or on none at all: the ns that count, or 0 if an allocation
 * failed. Every block is freed again when it returns.
 */
uint64_t work_round(void);
uint64_t work_null_round(void);

/** ns of processor time that this thread has had: what other programs take does not count. Calls
 * the host. */
uint64_t work_clock(void);

/* ---- what each side has of its own ---- */

uint64_t work_now(void);      /**< as work_clock */
uint64_t work_occupied(void); /**< bytes that the allocator occupies, with all that was before */

/** Calls work_measure on this side. False, with a message printed, if that could not be done. */
bool side_run(void);

/** Takes an option that only this side knows; false if it does not know it either. */
bool side_option(const char *word);
