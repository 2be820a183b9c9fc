/* SPDX-License-Identifier: MIT */
/*
 * stack.h: what a program finds on its stack when it begins.
 *
 *     top   8 bytes of zeros
 *           the file's path, the strings of environment and arguments,
 *           16 random bytes, the processor's name
 *           pairs of the auxiliary vector: (AT_PHDR, address), ..., (AT_NULL, 0)
 *           pointers to the environment, NULL
 *           pointers to the arguments, NULL
 *     sp -> the number of arguments                                    a multiple of 16
 *
 * Source: System V ABI, supplements for x86-64 (3.4.1) and AArch64; the numbers of the auxiliary
 * vector are Linux's, include/uapi/linux/auxvec.h.
 */
#pragma once

#include "proc/process.h"
#include "proc/program/strings.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

#define PROGRAM_RANDOM_BYTES 16u

/** What goes into the auxiliary vector. */
struct program_facts {
    uintptr_t table_at, entry; /**< addresses of the table of segments and the first instruction */
    unsigned entries;          /**< of the table */
    uint64_t capabilities[2];  /**< of the processor */
    uint32_t uid, effective_uid, gid, effective_gid;
    const char *platform; /**< the processor's name */
    const char *path;     /**< the program's */
    uint8_t random[PROGRAM_RANDOM_BYTES];
};

struct program_stack {
    uint8_t *bytes; /**< what lies from `start` to the top */
    size_t count;
    uintptr_t start; /**< the stack pointer */
    struct process_texts texts;
};

/**
 * Builds the stack that ends at `top`, a multiple of 16: program_stack_free frees it. -ENOMEM.
 * Thread context.
 */
HAL_MUST_CHECK int program_stack_build(const struct program_strings *strings,
                                       const struct program_facts *facts, uintptr_t top,
                                       struct program_stack *stack);

void program_stack_free(struct program_stack *stack);
