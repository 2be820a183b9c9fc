/* SPDX-License-Identifier: MIT */
/*
 * user_machine.h: what the tests of user code must know of x86-64; see user_program.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Indices for hal_user_read_registers: rdi, rsi, rdx, r10, r8, r9. */
static const uint8_t code_arguments[6] = {8, 9, 12, 2, 0, 1};

enum {
    CODE_NUMBER = 13, /**< where a system call has its number: rax */
    CODE_RESULT = 13, /**< and its result */
    CODE_SP = 15,
    CODE_PC = 16,
    CODE_FLAGS = 17,
    CODE_CALL_BYTES = 2,     /**< of the system call instruction */
    CODE_BREAK_BYTES = 1,    /**< the counter's distance from the breakpoint when it is reported */
    CODE_BREAK_SKIP = 1,     /**< to go on behind it */
    CODE_VECTOR_BYTES = 2048 /**< what code_vectors takes and leaves at most */
};

/** code_below: where it loads its call's number, the byte of that, what the number is when that
 * byte is one more, and how many single steps it takes from its call to the next one. */
enum {
    CODE_BELOW_ENTRY = 31,
    CODE_BELOW_NUMBER = 32,
    CODE_BELOW_CHANGED = 12,
    CODE_BELOW_STEPS = 16
};

/** Where code_add begins to do something. */
enum { CODE_ADD_ENTRY = 8 };

/** Whether instructions that the kernel writes are seen at once. */
#define CODE_TEXT_IS_COHERENT true

/** Flags that a program may set: carry, parity, adjust, zero, sign, direction, overflow. */
#define CODE_FLAGS_FREE 0xcd5u

/** Registers that code_call changes, as bits: the instruction uses rcx and r11. */
#define CODE_CALL_CHANGES ((uint64_t)1 << 14 | 1 << 3 | 1 << CODE_PC)

/** An instruction that is not for programs is an access to an address that nobody tells. */
#define CODE_PRIVILEGED_IS_ACCESS true
#define CODE_DIVIDE_TRAPS true

/** Addresses that are no program's: of the kernel's half, and of none. */
#define CODE_KERNEL_ADDRESS ((uintptr_t)0xffffc00000001000)
#define CODE_NO_ADDRESS ((uintptr_t)0x4000000000000000)

/** Whether programs can set the thread pointer by themselves. */
#define CODE_CAN_SET_THREAD (hal_user_capabilities(1) >> 1 & 1)
