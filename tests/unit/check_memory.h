/* SPDX-License-Identifier: MIT */
/*
 * check_memory.h: memory for the checker and the repair of volumes, in tests: from the host. The
 * other means are of the test, which knows where its volume is.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/* For struct check_means: `allocate` and `release`. */

static inline void *check_memory_allocate(void *context, size_t bytes)
{
    (void)context;
    return calloc(1, bytes);
}

static inline void check_memory_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}
