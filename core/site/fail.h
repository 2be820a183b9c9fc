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

extern HAL_INTERNAL bool alloc_fail_watched; /* fail.c's, as the next */
extern HAL_INTERNAL size_t alloc_unasked_bytes;

#define ALLOC_UNASKED_MAX 32768u

/**
 * True while a plan is set, or always, as alloc_fail_start was told. While it is false the heap
 * takes its short way, which asks nobody and counts nothing. Any context.
 */
static inline bool alloc_fail_watching(void)
{
    return __builtin_expect(__atomic_load_n(&alloc_fail_watched, __ATOMIC_RELAXED), 0);
}

/**
 * True if an allocation of `bytes` bytes, 1 .. ALLOC_UNASKED_MAX, may take the short way: both
 * questions in one. False before alloc_fail_start. Any context.
 */
static inline bool alloc_is_unasked(size_t bytes)
{
    size_t most = __atomic_load_n(&alloc_unasked_bytes, __ATOMIC_RELAXED);

    return __builtin_expect(bytes - 1 < most, 1);
}

/** With `always`, alloc_fail_watching is true for good: every attempt counts. Boot only. */
void alloc_fail_start(bool always);

/** Attempts since power-on that were counted. Any context. */
uint64_t alloc_attempts(void);
