/* SPDX-License-Identifier: MIT */
/*
 * stack.h: the stacks of threads.
 *
 *     frames -> +-------------------+
 *               | guard page, if    |   touching it is a fault
 *               | there is one      |
 *     canary -> +-------------------+ - - -
 *               | a known number    |   is looked at now and then
 *               +-------------------+       bytes
 *               | ... grows down    |
 *               +-------------------+ - - -
 *
 * Guard pages are few on some machines. When they are used up, new stacks do without, and the log
 * says so once.
 */
#pragma once

#include "lib/tree.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_CANARY 0x7c9ad0e51f63b8a2u /* no address, and no number that is often met */

/** The lowest page of a stack, as long as it could be a guard: see stack.c. */
struct stack_guard {
    struct tree_node node;
    const void *page;
};

/** Zeroed: the boot code's stack, which nobody watches. */
struct stack {
    uint64_t *canary; /**< the lowest word, right above the guard page */
    size_t bytes;     /**< without the guard page */
    void *frames;     /**< where all of it begins, guard page included */
    bool guarded;     /**< the lowest page is a guard */
    struct stack_guard guard;
};

/** Makes a stack of `bytes` bytes, a multiple of HAL_PAGE_SIZE. 0 or -ENOMEM. Thread context. */
HAL_MUST_CHECK int stack_create(struct stack *stack, size_t bytes);

/** Frees it, or keeps it for the next who wants one. Nobody runs on it. Thread context. */
void stack_destroy(struct stack *stack);

/** Writes the canary, when what the stack held before means nothing any more. */
static inline void stack_seal(const struct stack *stack)
{
    *stack->canary = STACK_CANARY;
}

/** False: somebody has used more of it than there is. Any context. */
static inline bool stack_is_whole(const struct stack *stack)
{
    return !stack->canary || *stack->canary == STACK_CANARY;
}

/**
 * Calls look(context), which may touch the page at `page`, unless that is the guard of a stack, and
 * keeps it from becoming one meanwhile. False if it was not called. Any context.
 */
HAL_MUST_CHECK bool stack_look(const void *page, void (*look)(void *context), void *context);

/** Boot only, masked. */
void stack_init(void);

/** From now on stacks are kept, and given back when memory is short. Boot only, with memory. */
void stack_start_spares(void);
