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
 *                                            for a guard, jmp where its branch leads
 *                                            and from byte 48 on the record
 *
 * A guard is what the C library has in front of a read, which may be a thread's last deed:
 *
 *     80 3d .. .. .. .. 00   cmpb $0, variable(%rip)
 *     74 ..                  je   elsewhere
 *     31 c0                  xorl %eax, %eax
 *
 * In the stub it finds the same variable, and its branch leads to the jump at the end.
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
    GATE_RECORD = 48,
    GATE_GUARD = 11 /* bytes of a guard */
};

/** Of a stub; user.S knows the first word. */
struct gate_record {
    uint64_t call;  /* where the program's `syscall` is */
    uint32_t start; /* and where the instructions are that were moved */
    uint16_t moved; /* their bytes */
    uint16_t other; /* where in the stub the jump is that a guard's branch leads to; 0: none */
};

struct user_side;

/** Makes room for stubs that go to `gate`. That it fails means that there are none. */
void gate_open(uintptr_t gate);
void gate_close(void);
/** The CPU whose thread has this number is played with `side`: gives what the gate knows it by in
 * GS, or 0 if there are no stubs. */
uint64_t gate_set_cpu(unsigned index, const struct user_side *side);

/** Whether these bytes of code are a guard. */
static inline bool gate_is_guard(const uint8_t *code, size_t bytes)
{
    return bytes == GATE_GUARD && code[0] == 0x80 && code[1] == 0x3d && code[6] == 0 &&
           code[7] == 0x74 && code[9] == 0x31 && code[10] == 0xc0;
}

/** The record of the stub that `pc` lies in, or NULL. Any context. */
static inline HANDLER const struct gate_record *gate_record_at(uintptr_t pc)
{
    if (pc - GATE_STUBS >= GATE_END - GATE_STUBS)
        return NULL;
    return (const struct gate_record *)(pc / GATE_SLOT * GATE_SLOT + GATE_RECORD);
}

/** Where the jump at `pc` leads, to which the branch of a guard has led. Any context. */
static inline HANDLER uintptr_t gate_other_way(uintptr_t pc)
{
    struct __attribute__((packed)) jump {
        uint8_t code;
        int32_t distance;
    } const *jump = (const void *)pc;
    return (uintptr_t)((intptr_t)pc + (intptr_t)sizeof *jump + jump->distance);
}
