/* SPDX-License-Identifier: MIT */
/*
 * model.h: an oracle for the heap: knows what is allocated, and holds every answer against it.
 *
 * Each 16 bytes of the fake machine's RAM have a word that says whose they are, so an overlap is
 * seen at once; each block is full of a byte of its own, which must still be there when it is
 * resized or freed; and `find` of the allocator is asked about pointers of every kind. A violation
 * prints a line and aborts, so that Check and libFuzzer both see it.
 */
#pragma once

#include "heap/allocator.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_BLOCKS 4096u

struct model_block {
    uint8_t *pointer; /**< NULL: none */
    size_t bytes;
    uint8_t fill;
};

struct model {
    const struct heap_allocator *allocator;
    bool checks;
    uint64_t ram_bytes;
    struct model_block blocks[MODEL_BLOCKS];
    uint32_t *owners; /**< of each 16 bytes of RAM: number of the block + 1, or 0 */
    uint64_t live_bytes, live_blocks;
    uint64_t refused; /**< allocations that gave NULL */
    const void *last_freed;
};

/** Boots a fake machine with this allocator. */
void model_start(struct model *model, const struct heap_allocator *allocator, bool checks,
                 uint64_t ram_bytes);

/** Each of these does what its name says in place `at` (modulo MODEL_BLOCKS) and checks it. */
void model_allocate(struct model *model, unsigned at, size_t bytes, size_t alignment);
void model_allocate_zeros(struct model *model, unsigned at, size_t count, size_t bytes);
void model_reallocate(struct model *model, unsigned at, size_t bytes);
void model_free(struct model *model, unsigned at);

/** Asks `find` about the block, a pointer into it, and what is no block. */
void model_look(struct model *model, unsigned at, size_t offset);

/** Frees everything; nothing may be left, but with bump. */
void model_finish(struct model *model);
