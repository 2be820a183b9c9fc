/* SPDX-License-Identifier: MIT */
/*
 * fail.h: allocations that fail on demand, so that every path for "no memory" can be walked.
 *
 * The command line's `fail_alloc=` sets a plan from power-on, and a debugger or a test sets one
 * later through <hal/inspect.h>:
 *
 *   fail_alloc=17            the 17th allocation from here fails, and no other
 *   fail_alloc=17+           the 17th and all after it
 *   fail_alloc=fs/vfs.c:217  every allocation at that line (the end of the file's path will do)
 *   fail_alloc=1/50          one in 50, by chance; 1/50:7 with seed 7
 */
#pragma once

#include "site/site.h"

#include <hal/inspect.h>

#include <stdbool.h>

/** Sets the plan that `text` describes: 0, or -EINVAL and no plan. Boot only. */
HAL_MUST_CHECK int alloc_fail_parse(const char *text);

/** Sets a plan; it counts from here. Any context. */
void alloc_fail_set(const struct hal_fail_plan *plan);

/**
 * Counts an attempt at `site`, and says whether it has to fail. Every allocation of frames and
 * objects asks this once, before it does anything, unless it serves another allocation that did.
 * Any context.
 */
HAL_MUST_CHECK bool alloc_fails(const struct alloc_site *site);

extern bool alloc_fail_watched; /* fail.c's */

/**
 * True while a plan is set, or after alloc_fail_watch. While it is false the heap takes its short
 * way, which asks nobody and counts nothing. Any context.
 */
static inline bool alloc_fail_watching(void)
{
    return __builtin_expect(__atomic_load_n(&alloc_fail_watched, __ATOMIC_RELAXED), 0);
}

/** Makes alloc_fail_watching true for good: every attempt counts. Boot only. */
void alloc_fail_watch(void);

/** Attempts since power-on that were counted. Any context. */
uint64_t alloc_attempts(void);
