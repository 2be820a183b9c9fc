/* SPDX-License-Identifier: MIT */
/*
 * suites.h: what tests of the heap share.
 */
#pragma once

#include "../fake_hal.h"
#include "heap/allocator.h"
#include "heap/heap.h"

#include "../../marks.h"

#define MIB (1u << 20)
#define ALLOCATORS 3

/** Slab, bin and bump. */
extern const struct heap_allocator *const allocators[ALLOCATORS];

/** Boots a fake machine with allocator number `index`, without checks. */
void start(int index, uint64_t ram_bytes);

Suite *properties_suite(void);
Suite *random_suite(void);
Suite *caches_suite(void);
Suite *cpus_suite(void);
