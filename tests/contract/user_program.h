/* SPDX-License-Identifier: MIT */
/*
 * user_program.h: small programs for the tests of user code.
 *
 * A program is one of the snippets of machine/<machine>/user_code.S, copied to a page of its own.
 * They do the same on every machine, with the registers in which a system call has its arguments,
 * here a0 to a5, and the one for its number, n. All but the endless ones begin again after their
 * system call. On a machine whose result register is a0, setting a result changes that.
 *
 *   code_call        call
 *   code_add         a0 = a0 + a1, n = 7, call
 *   code_below       a1 and a3 = words below the stack pointer; a0 = a0 + 1, and to both words;
 *                    n = 11, a2 = a0, call
 *   code_guarded     a0 = a0 + 1, n = 0, or 10 if the byte at DATA_AT is 0; call
 *   code_load        a1 = the 64-bit word at a0, n = 1, call
 *   code_store       the word at a0 = a1, n = 2, call
 *   code_spin        a0 = a0 + 1, for ever
 *   code_count       the word at a0 is counted up by one, for ever
 *   code_until       a1 = a1 + 1 until the word at a0 is not 0; n = 3, call
 *   code_privileged  instructions that are not for programs, each in CODE_SLOT bytes of its own
 *   code_undefined   one that does not exist
 *   code_divide      a0 = a0 / a1, n = 4, call
 *   code_break       the breakpoint instruction; then n = 5, call
 *   code_jump        goes on at a0
 *   code_thread      a1 = the word at the thread pointer, n = 6, call
 *   code_set_thread  sets the thread pointer to a0; a1 = the word there, n = 9, call
 *   code_align       a misaligned access by the stack pointer, of the kind that is not allowed
 *   code_steps       three instructions that do nothing, then a call
 *   code_vectors     if a5 is 0: all vector registers from a0 on; a3 = a3 + 1 until the word at a2
 *                    is not 0; all vector registers to a1 on, a4 = how many bytes; n = 8, call
 *
 * <user_machine.h> has what differs: which registers these are in hal_user_read_registers, and
 * what the processor does about some of them.
 */
#pragma once

#include "contract.h"

#include <hal/aspace.h>
#include <hal/user.h>

#include <user_machine.h>

#define CODE(name) extern const uint8_t code_##name[], code_##name##_end[];
CODE(call)
CODE(add)
CODE(below)
CODE(guarded)
CODE(load)
CODE(store)
CODE(spin)
CODE(count)
CODE(until)
CODE(privileged)
CODE(undefined)
CODE(divide)
CODE(break)
CODE(jump)
CODE(thread)
CODE(set_thread)
CODE(align)
CODE(steps)
CODE(vectors)
#undef CODE

/** Where a program has its pages: code, data to read and write, and the stack's end. */
#define CODE_AT ((uintptr_t)0x400000)
#define DATA_AT ((uintptr_t)0x600000)
#define STACK_AT ((uintptr_t)0x7ff00000)
#define NOWHERE ((uintptr_t)0x10000000) /**< nothing is mapped here, or near it */

#define DATA_PAGES 4u

/** The distance of the instructions of code_privileged; less is the end of the last one. */
#define CODE_SLOT 16u

struct program {
    struct hal_aspace aspace;
    struct hal_user user;
    struct hal_user_event event;
    uint8_t *code, *data, *stack; /**< the kernel's pointers to the pages */
    uint64_t registers[HAL_USER_REGISTERS];
    unsigned interrupts; /**< how often program_run came back for one */
};

/** Makes one that runs `code`; false: that failed, and the test has, or is skipped. */
bool program_make(struct program *program, const uint8_t *code, const uint8_t *end);
#define PROGRAM(program, name) program_make(program, code_##name, code_##name##_end)

/** It begins again at the start of this code. */
void program_load(struct program *program, const uint8_t *code, const uint8_t *end);
#define LOAD(program, name) program_load(program, code_##name, code_##name##_end)

/** Sets argument register `i`, and reads it. */
void program_set(struct program *program, unsigned i, uint64_t value);
uint64_t program_get(const struct program *program, unsigned i);

/** Runs it, unmasked, until it stops for another reason than an interrupt; gives that. */
enum hal_user_trap program_run(struct program *program);

/** Runs it once. */
enum hal_user_trap program_run_once(struct program *program);

/** Runs it, expects that it stops for an access, and that it was this one. */
void program_expect_access(struct program *program, uintptr_t address, unsigned access);

/** Maps `pages` of the kernel's pages from `page` on at `at`. */
void program_map(struct program *program, uintptr_t at, const void *page, size_t pages,
                 unsigned access);

/** Random numbers for the tests, from a seed. */
static inline uint64_t program_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

/** Its end: nothing that was allocated for it is left. */
void program_end(struct program *program);
