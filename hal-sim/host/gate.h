/* SPDX-License-Identifier: MIT */
/*
 * gate.h: system calls without the host.
 *
 * A system call of user code is a signal's delivery, which is most of what it costs. A call that
 * happens often is patched (board/patch.c): an instruction of 5 bytes or more in front of it gives
 * way to a jump to a stub. The stub does what that instruction and those behind it do, and goes to
 * the gate (user.S), which saves what is the program's and returns from host_user_run as if a
 * signal had come. The `syscall` itself stays where it is: who jumps to it, or to any instruction
 * between, makes the call in the ordinary way.
 *
 * Stubs must be in reach of a jump from all user addresses, so they lie just above those, below
 * AddressSanitizer's shadow:
 *
 *     HAL_USER_END    a page of the gate's: for each CPU, 64 bytes, struct user_side's address
 *             + 4096  stubs, 64 bytes each:  the instructions; movl $record, %r11d; jmp the gate
 *                                            and from byte 48 on the record
 */
#pragma once

#include "host/user.h"

#include <hal/machine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GATE_CPUS = HAL_USER_END,
    GATE_CPU_BYTES = 64,
    GATE_STUBS = GATE_CPUS + 4096,
    GATE_END = HAL_USER_END + 0x8000,
    GATE_SLOT = 64,
    GATE_MOVED_MAX = 34, /* bytes of instructions in a stub */
    GATE_RECORD = 48
};

/** Of a stub; user.S knows the first word. */
struct gate_record {
    uint64_t call;  /* where the program's `syscall` is */
    uint32_t start; /* and where the instructions are that were moved */
    uint32_t moved; /* their bytes */
};

struct user_side;

/** Makes room for stubs that go to `gate`. That it fails means that there are none. */
void gate_open(uintptr_t gate);
void gate_close(void);
/** The CPU whose thread has this number is played with `side`: gives what the gate knows it by in
 * GS, or 0 if there are no stubs. */
uint64_t gate_set_cpu(unsigned index, const struct user_side *side);

/** The record of the stub that `pc` lies in, or NULL. Any context. */
static inline HANDLER const struct gate_record *gate_record_at(uintptr_t pc)
{
    if (pc - GATE_STUBS >= GATE_END - GATE_STUBS)
        return NULL;
    return (const struct gate_record *)(pc / GATE_SLOT * GATE_SLOT + GATE_RECORD);
}
