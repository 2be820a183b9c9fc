/* SPDX-License-Identifier: MIT */
/*
 * vectors.S: where the processor goes on an interrupt or a fault, and back.
 *
 * In the kernel all general registers are saved as a struct trap_frame (trap.h) on the interrupted
 * stack, and trap_take is called. The kernel is compiled without floating-point registers, so an
 * interrupt of the kernel need not save those. A context switch inside trap_take is an ordinary
 * call that returns later; the frame waits on the interrupted stack. A trap of user code ends
 * user_enter (user.S) instead, which has left all that is needed on the stack.
 *
 * Before anything is stored the stack is probed with the address translation instruction: if it is
 * exhausted (its guard page is next) or not aligned, a store would fault again for ever. Such a
 * trap is taken on the CPU's own emergency stack. Two system registers that the kernel does not use
 * otherwise, TPIDR_EL1 and TPIDRRO_EL0, hold x0 and x1 meanwhile.
 */
#include <pi3/layout.h>

    .macro  vector kind
    .balign 0x80
    msr     tpidr_el1, x0
    msr     tpidrro_el0, x1
    mov     x0, sp
    tst     x0, #15
    b.ne    1f
    sub     x1, x0, #16
    at      s1e1w, x1
    isb
    mrs     x1, par_el1
    tbnz    x1, #0, 1f
    sub     x1, x0, #FRAME_BYTES
    at      s1e1w, x1
    isb
    mrs     x1, par_el1
    tbnz    x1, #0, 1f
    sub     sp, sp, #FRAME_BYTES
    mov     x1, #\kind
    b       trap_enter
1:  ldr     x1, =emergency_stacks + EMERGENCY_STACK_BYTES - FRAME_BYTES
    mov     sp, x1
    mrs     x1, mpidr_el1
    and     x1, x1, #3
    lsl     x1, x1, #EMERGENCY_STACK_SHIFT
    add     x1, sp, x1
    mov     sp, x1
    mov     x1, #\kind
    b       trap_enter_stackless
    .endm

/* User code was interrupted: the stack is as user_enter left it, and has room (user.S). */
    .macro  user_vector kind
    .balign 0x80
    stp     x0, x1, [sp, #GATE_X0]
    ldr     x0, [sp, #GATE_USER]
    mov     x1, #\kind
    b       user_leave
    .endm

    .section .text.high, "ax"
    .balign 0x800
    .global vectors
vectors:
    vector  TRAP_STRANGE + TRAP_SYNC    /* the kernel on SP_EL0 */
    vector  TRAP_STRANGE + TRAP_IRQ
    vector  TRAP_STRANGE + TRAP_FIQ
    vector  TRAP_STRANGE + TRAP_SERROR
    vector  TRAP_SYNC                   /* the kernel */
    vector  TRAP_IRQ
    vector  TRAP_FIQ
    vector  TRAP_SERROR
    user_vector TRAP_SYNC               /* EL0, 64 bit */
    user_vector TRAP_IRQ
    user_vector TRAP_FIQ
    user_vector TRAP_SERROR
    vector  TRAP_STRANGE + TRAP_SYNC    /* EL0, 32 bit */
    vector  TRAP_STRANGE + TRAP_IRQ
    vector  TRAP_STRANGE + TRAP_FIQ
    vector  TRAP_STRANGE + TRAP_SERROR

/* x0 = the interrupted stack pointer, x1 = kind, sp = room for the frame. */
    .macro  save_frame
    str     x0, [sp, #FRAME_SP]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    str     x30, [sp, #240]
    mrs     x2, tpidr_el1
    mrs     x3, tpidrro_el0
    msr     tpidrro_el0, xzr
    stp     x2, x3, [sp]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    stp     x2, x3, [sp, #FRAME_ELR]
    mrs     x3, esr_el1
    mrs     x4, far_el1
    stp     x3, x4, [sp, #FRAME_ESR]
    stp     x29, x2, [sp, #FRAME_LINK]  /* the calling chain goes on behind the trap */
    add     x29, sp, #FRAME_LINK
    mov     x0, sp
    .endm

/* Everything but x0, x1 and sp. */
    .macro  load_frame
    ldp     x2, x3, [sp, #FRAME_ELR]
    msr     elr_el1, x2
    msr     spsr_el1, x3
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    ldr     x30, [sp, #240]
    .endm

trap_enter:
    save_frame
    bl      trap_take
    load_frame
    ldp     x0, x1, [sp]
    add     sp, sp, #FRAME_BYTES
    eret

/* The same on the emergency stack: the stack pointer does not come back by arithmetic. */
trap_enter_stackless:
    save_frame
    bl      trap_take_stackless
    load_frame
    ldp     x0, x1, [sp]
    msr     tpidr_el1, x1
    ldr     x1, [sp, #FRAME_SP]
    mov     sp, x1
    mrs     x1, tpidr_el1
    eret
