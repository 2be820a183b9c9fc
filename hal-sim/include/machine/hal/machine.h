/* SPDX-License-Identifier: MIT */
/*
 * machine.h: the numbers and layouts of the contract that are the simulator's own.
 *
 * They are the same in every build of the simulator, whatever the compiler, the optimisation or the
 * sanitizer, because one seed must give one run in all of them: so the stacks are as big as the
 * hungriest build needs, and struct hal_context has room for every tool's needs.
 */
#pragma once

#include <hal/machine_user.h>

#include <stddef.h>
#include <stdint.h>

#define HAL_PAGE_SIZE 4096u
#define HAL_CPU_MAX 4u

/** The smallest stack that holds an interrupt's frame (3 KiB with AVX-512) and its handling. */
#define HAL_STACK_MIN 32768u
/**
 * For a thread that calls nothing deep: holds an interrupt's frame and its handling in a build
 * without sanitizers, whose frames are larger.
 */
#define HAL_STACK_SMALL 8192u
/** What a thread of the kernel should get; a guard page comes on top. */
#define HAL_STACK_SIZE 65536u

/** How the data of a block request must be aligned, in bytes. */
#define HAL_BLOCK_ALIGN 4u

/** A context that does not run: where its stack pointer stands. Members are the backend's. */
struct hal_context {
    void *sp;        /**< callee-saved registers lie from here upward */
    uintptr_t stack; /**< the stack's lowest address */
    size_t bytes;    /**< and its size */
    void *tool;      /**< what a sanitizer keeps for this stack */
    uintptr_t token; /**< under which Valgrind knows this stack */
};
