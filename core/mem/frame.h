/* SPDX-License-Identifier: MIT */
/*
 * frame.h: the page frames of RAM, handed out in naturally aligned runs of 2^order.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/machine.h>

#include <stddef.h>
#include <stdint.h>

#define FRAME_ORDER_MAX 9u /**< 2 MiB */

/** The address of a run of 2^order frames, aligned to its size, or NULL. Not zeroed. Any context.
 */
HAL_MUST_CHECK void *frame_alloc(unsigned order);

/** Gives back what frame_alloc(order) returned. NULL is allowed. Any context. */
void frame_free(void *run, unsigned order);

/** The smallest order whose run holds `bytes` bytes; FRAME_ORDER_MAX + 1 if none does. */
unsigned frame_order(size_t bytes);

struct frame_stats {
    uint64_t total; /**< frames under management */
    uint64_t free;
    uint64_t used;
    uint64_t largest_free_order; /**< order of the largest free run; only if free > 0 */
    uint64_t metadata;           /**< frames that the allocator keeps for itself */
};
void frame_read_stats(struct frame_stats *stats);
