/* SPDX-License-Identifier: MIT */
/*
 * trace.h: a recorded trace of allocations: its operations, and reading it. record.c describes the
 * file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC "TBTRACE1"
#define TRACE_MAGIC_BYTES 8u

enum trace_operation { TRACE_FREE, TRACE_ALLOCATE, TRACE_ZEROS, TRACE_RESIZE, TRACE_ALIGNED };

/** An operation as it is replayed. */
struct trace_step {
    uint32_t what;  /**< number of the object * 8 + enum trace_operation */
    uint32_t bytes; /**< in the upper 6 bits, the logarithm of the alignment of TRACE_ALIGNED */
};
#define TRACE_ALIGN_SHIFT 26
#define TRACE_BYTES ((1u << TRACE_ALIGN_SHIFT) - 1)

struct trace {
    struct trace_step *steps; /**< in memory of its own, all of it touched */
    size_t count;
    size_t objects;     /**< numbers are below this */
    size_t allocations; /**< operations that return a block */
};

/** Reads the trace in the file at `path`; false, with a message printed, if it is none. */
bool trace_read(const char *path, struct trace *trace);
