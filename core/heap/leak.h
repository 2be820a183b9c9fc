/* SPDX-License-Identifier: MIT */
/*
 * leak.h: memory that nobody will free.
 *
 * A leak is told by counting: at a site of ordinary use (site.h) more is live than was at the first
 * prompt, although everything that was started since has ended. That covers objects, with checks
 * on, and runs of page frames. What is meant to stay is no leak: its site says so with
 * ALLOC_PERMANENT or ALLOC_CACHE.
 */
#pragma once

#include "site/site.h"

/** Boot is over: what is live now may stay. Thread context. */
void heap_leaks_begin(void);

struct heap_leak {
    const struct alloc_site *site;
    int64_t blocks;
    int64_t bytes;
};

/**
 * The next site that leaks, from number *number on, which moves past it. False: there are no more.
 * True to its word only while nothing else runs that allocates. Any context.
 */
bool heap_next_leak(unsigned *number, struct heap_leak *leak);

/** Logs a warning for each leak, with checks on; says nothing if there is none. Returns how many
 * sites leak. Any context. */
unsigned heap_report_leaks(void);
