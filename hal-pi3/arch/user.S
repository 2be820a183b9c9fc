/* SPDX-License-Identifier: MIT */
/*
 * user.S: into user code and out of it.
 *
 * user_enter is an ordinary function that returns when user code traps. What a call preserves lies
 * on the thread's kernel stack meanwhile, which is where the processor's stack pointer is when the
 * trap comes:
 *
 *     sp -> x19 .. x30, the struct hal_user, (free), x0 and x1 of the program      GATE_BYTES
 *
 * All that the program owns is taken from struct hal_user and put back there. The lower half of the
 * address space is the program's only in between: the kernel runs with an empty one, so its tables
 * can go at any time, and a mistaken access of the kernel's to a user address faults. The empty one
 * has the program's ASID: to change that at each crossing would cost little on the board, but under
 * QEMU, which drops its whole TLB then, ten times what a system call takes. So on the board such an
 * access can still find the page in the TLB; it can not in QEMU, which keeps the kernel's apart.
 */
#include <pi3/layout.h>

    .arch_extension fp
    .arch_extension simd
    .section .text.high, "ax"

/* x0 = struct hal_user, x1 = for TTBR0_EL1. IRQ and FIQ are masked. */
    .global user_enter
user_enter:
    sub     sp, sp, #GATE_BYTES
    stp     x19, x20, [sp, #0]
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    str     x0, [sp, #GATE_USER]
    msr     ttbr0_el1, x1
    ldr     x2, [x0, #USER_STEP]
    cbz     x2, 1f
    mov     x2, #MDSCR_STEP
    msr     mdscr_el1, x2
    isb                                 /* eret goes by it */
1:

    add     x3, x0, #USER_VECTORS
    ldp     q0, q1, [x3, #0]
    ldp     q2, q3, [x3, #32]
    ldp     q4, q5, [x3, #64]
    ldp     q6, q7, [x3, #96]
    ldp     q8, q9, [x3, #128]
    ldp     q10, q11, [x3, #160]
    ldp     q12, q13, [x3, #192]
    ldp     q14, q15, [x3, #224]
    ldp     q16, q17, [x3, #256]
    ldp     q18, q19, [x3, #288]
    ldp     q20, q21, [x3, #320]
    ldp     q22, q23, [x3, #352]
    ldp     q24, q25, [x3, #384]
    ldp     q26, q27, [x3, #416]
    ldp     q28, q29, [x3, #448]
    ldp     q30, q31, [x3, #480]
    ldp     x2, x3, [x0, #USER_FPSR]
    msr     fpsr, x2
    msr     fpcr, x3
    ldp     x2, x3, [x0, #USER_SP]
    msr     sp_el0, x2
    msr     elr_el1, x3
    ldp     x2, x3, [x0, #USER_PSTATE]
    msr     spsr_el1, x2
    msr     tpidr_el0, x3

    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    eret

/*
 * From the vectors. x0 = struct hal_user, x1 = why, x0 and x1 of the program at GATE_X0. Returns
 * from user_enter with x1.
 */
    .global user_leave
user_leave:
    stp     x2, x3, [x0, #16]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    str     x30, [x0, #240]
    ldp     x2, x3, [sp, #GATE_X0]
    stp     x2, x3, [x0]
    mrs     x2, sp_el0
    mrs     x3, elr_el1
    stp     x2, x3, [x0, #USER_SP]
    mrs     x2, spsr_el1
    mrs     x3, tpidr_el0
    stp     x2, x3, [x0, #USER_PSTATE]
    mrs     x2, esr_el1
    mrs     x3, far_el1
    stp     x2, x3, [x0, #USER_ESR]
    mrs     x2, fpsr
    mrs     x3, fpcr
    stp     x2, x3, [x0, #USER_FPSR]
    add     x3, x0, #USER_VECTORS
    stp     q0, q1, [x3, #0]
    stp     q2, q3, [x3, #32]
    stp     q4, q5, [x3, #64]
    stp     q6, q7, [x3, #96]
    stp     q8, q9, [x3, #128]
    stp     q10, q11, [x3, #160]
    stp     q12, q13, [x3, #192]
    stp     q14, q15, [x3, #224]
    stp     q16, q17, [x3, #256]
    stp     q18, q19, [x3, #288]
    stp     q20, q21, [x3, #320]
    stp     q22, q23, [x3, #352]
    stp     q24, q25, [x3, #384]
    stp     q26, q27, [x3, #416]
    stp     q28, q29, [x3, #448]
    stp     q30, q31, [x3, #480]

    ldr     x2, =user_nothing
    mrs     x3, ttbr0_el1
    bfi     x3, x2, #0, #32             /* its physical address, below 4 GiB; the ASID stays */
    msr     ttbr0_el1, x3
    ldr     x2, [x0, #USER_STEP]
    cbz     x2, 1f
    mov     x2, #MDSCR_VALUE
    msr     mdscr_el1, x2
1:  isb

    mov     x0, x1
    ldp     x19, x20, [sp, #0]
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    add     sp, sp, #GATE_BYTES
    ret
