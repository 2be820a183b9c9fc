/* SPDX-License-Identifier: MIT */
/*
 * frame.h: the page frames of RAM: runs of any number of pages, shared or not.
 *
 * A run is allocated with one reference and freed when its last reference goes. frame_alloc gives
 * 2^order frames at a multiple of their size; frame_alloc_pages any number, so that nothing is lost
 * to rounding. Both are macros: each use is a site (site/site.h), and a run in use belongs to the
 * tag of its site.
 *
 * Any context that may take a spinlock; never sleeps. When free memory is short, callers that hold
 * no spinlock and are not masked first let the caches give some back (reclaim.h).
 */
#pragma once

#include "site/site.h"

#include <hal/compiler.h>
#include <hal/machine.h>

#include <stddef.h>
#include <stdint.h>

#define FRAME_ORDER_MAX 9u /**< 2 MiB */
#define FRAME_PAGES_MAX (1u << FRAME_ORDER_MAX)

/** The address of a run of 2^order frames, aligned to its size, or NULL. Not zeroed. */
#define frame_alloc(order) frame_alloc_at(order, ALLOC_SITE())

/**
 * A run of `pages` frames, 1 .. FRAME_PAGES_MAX, aligned to 2^align_order pages; or NULL. Not
 * zeroed.
 */
#define frame_alloc_pages(pages, align_order) frame_alloc_pages_at(pages, align_order, ALLOC_SITE())

HAL_MUST_CHECK void *frame_alloc_at(unsigned order, const struct alloc_site *site);
HAL_MUST_CHECK void *frame_alloc_pages_at(size_t pages, unsigned align_order,
                                          const struct alloc_site *site);

/**
 * As frame_alloc_pages_at, without asking alloc_fails: for what stands behind another allocation
 * that has been asked, as the heap's slabs do.
 */
HAL_MUST_CHECK void *frame_take_pages(size_t pages, unsigned align_order,
                                      const struct alloc_site *site);

/**
 * Drops a reference to the run that begins at `run`; the last one frees it. NULL is allowed. What
 * is no run in use is a panic that names the caller.
 */
#define frame_put(run) frame_put_at(run, __FILE__, __LINE__)
void frame_put_at(void *run, const char *file, unsigned line);

/** As frame_put, for a run that the caller knows it shares with nobody: 2^order frames. */
#define frame_free(run, order) frame_free_at(run, order, __FILE__, __LINE__)
void frame_free_at(void *run, unsigned order, const char *file, unsigned line);

/**
 * Adds a reference to the run that begins at `run`, which must be in use: else, and beyond 65535
 * references, it is a panic that names the caller.
 */
#define frame_get(run) frame_get_at(run, __FILE__, __LINE__)
void frame_get_at(void *run, const char *file, unsigned line);

/**
 * From now on the run that begins at `run`, which the caller alone holds, counts as allocated at
 * `site`: it has another use. Any context.
 */
void frame_assign(void *run, const struct alloc_site *site);

/**
 * Makes each frame of the run that begins at `run`, which the caller alone holds, a run of its own
 * with one reference: they lie in a row, and go one by one. Any context.
 */
void frame_split(void *run);

/** References to the run that begins at `run`; 0 if none that is in use does. */
unsigned frame_references(const void *run);

/** Pages of the run in use that begins at `run`; 0 if none does. Any value of `run`. */
size_t frame_run_pages(const void *run);

/** The smallest order whose run holds `bytes` bytes; FRAME_ORDER_MAX + 1 if none does. */
unsigned frame_order(size_t bytes);

/**
 * Empties this CPU's cache of free frames, so that they can join with their neighbours, and has the
 * other CPUs do so soon. Allocations do this by themselves when they need to.
 */
void frame_drain(void);

/** HAL_IRQ_IPI: does what another CPU has asked of this one. Masked. */
void frame_interrupt(void);

struct frame_stats {
    uint64_t total; /**< frames under management */
    uint64_t free;  /**< those in the CPUs' caches too */
    uint64_t used;
    uint64_t cached;             /**< free, in the CPUs' caches */
    uint64_t untouched;          /**< free, and never used since power-on */
    uint64_t largest_free_pages; /**< of the largest free run */
    uint64_t metadata;           /**< frames that the allocator keeps for itself; part of used */
    uint64_t free_runs[FRAME_ORDER_MAX + 1]; /**< of each order; those in caches are in none */
    uint64_t low;         /**< watermark: below this many free frames caches are asked for memory */
    uint64_t high;        /**< watermark: up to which they are asked */
    uint64_t allocations; /**< since boot; attempts, failed ones too */
    uint64_t failures;
};
void frame_read_stats(struct frame_stats *stats);
