/* SPDX-License-Identifier: MIT */
/*
 * null.c: the workloads on an allocator that costs nothing: what remains is the driver's own loop,
 * which is subtracted from the others' times.
 */
#include <stddef.h>
#include <stdint.h>

static uint64_t nothing[2];

/* The compiler must not see that it is always the same block. */
static inline void *same_block(size_t bytes)
{
    void *it = nothing;

    __asm__ volatile("" : "+r"(it) : "r"(bytes));
    return it;
}

static inline void no_use(void *it)
{
    __asm__ volatile("" : : "r"(it));
}

#define ROUND work_null_round
#define ALLOCATE(bytes) same_block(bytes)
#define ZEROS(bytes) same_block(bytes)
#define ALIGNED(bytes, alignment) same_block((bytes) + (alignment))
#define RESIZE(block, bytes) (no_use(block), same_block(bytes))
#define FREE(block) no_use(block)
#define PAGE_ALLOCATE() same_block(WORK_PAGE_BYTES)
#define PAGE_FREE(page) no_use(page)
#include "workload.c"
