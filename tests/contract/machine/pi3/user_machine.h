/* SPDX-License-Identifier: MIT */
/*
 * user_machine.h: what the tests of user code must know of AArch64; see user_program.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Indices for hal_user_read_registers: x0 to x5. */
static const uint8_t code_arguments[6] = {0, 1, 2, 3, 4, 5};

enum {
    CODE_NUMBER = 8, /**< where a system call has its number: x8 */
    CODE_RESULT = 0, /**< and its result */
    CODE_SP = 31,
    CODE_PC = 32,
    CODE_FLAGS = 33,
    CODE_CALL_BYTES = 4,    /**< of the system call instruction */
    CODE_BREAK_BYTES = 0,   /**< the counter's distance from the breakpoint when it is reported */
    CODE_BREAK_SKIP = 4,    /**< to go on behind it */
    CODE_VECTOR_BYTES = 512 /**< what code_vectors takes and leaves at most */
};

/** code_below: where it loads its call's number, a byte of that, what the number is when that byte
 * is one more, and how many single steps it takes from its call to the next one. */
enum {
    CODE_BELOW_ENTRY = 20,
    CODE_BELOW_NUMBER = 21,
    CODE_BELOW_CHANGED = 19,
    CODE_BELOW_STEPS = 8
};

/** Where code_add begins to do something. */
enum { CODE_ADD_ENTRY = 0 };

/** Whether instructions that the kernel writes are seen at once. */
#define CODE_TEXT_IS_COHERENT false

/** Flags that a program may have set or not: negative, zero, carry, overflow. */
#define CODE_FLAGS_FREE 0xf0000000u

/** Registers that code_call changes, as bits. */
#define CODE_CALL_CHANGES ((uint64_t)1 << CODE_PC)

#define CODE_PRIVILEGED_IS_ACCESS false
/** A division by zero gives 0. */
#define CODE_DIVIDE_TRAPS false

/** Addresses that are no program's: of the kernel's half, and of none. */
#define CODE_KERNEL_ADDRESS ((uintptr_t)0xffffff8000080000)
#define CODE_NO_ADDRESS ((uintptr_t)0x0000400000000000)

/** Whether programs can set the thread pointer by themselves. */
#define CODE_CAN_SET_THREAD true
