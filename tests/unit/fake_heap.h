/* SPDX-License-Identifier: MIT */
/*
 * fake_heap.h: core's heap replaced by the host's, one block for each allocation.
 *
 * A sanitizer then sees every byte outside a block, and any allocation can be made to fail. Link
 * fake_heap.c into the program: it takes the place of core/mem/heap.c.
 */
#pragma once

#include <stdint.h>

struct fake_heap {
    uint64_t allocations; /**< asked for so far */
    uint64_t fail_at;     /**< the allocation of this number fails (1: the next); 0: none */
    uint64_t fail_from;   /**< this one and all later fail; 0: none */
    int64_t live;         /**< blocks that are out */
};

extern struct fake_heap fake_heap;
