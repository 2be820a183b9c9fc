/* SPDX-License-Identifier: MIT */
/*
 * switch.S: changing from one kernel context to another.
 *
 * What the procedure call standard says a function preserves goes onto the stack that is left, its
 * stack pointer into struct hal_context, and the same is taken from the stack that is entered:
 *
 *     sp -> d8 .. d15, x19 .. x28, x29, x30        160 bytes
 *
 * A context that has never run looks as if it had been switched away from at the first instruction
 * of context_begin (context.c lays it out).
 */
    .section .text.high, "ax"

    .global hal_context_switch
hal_context_switch:
    sub     sp, sp, #160
    stp     d8, d9, [sp, #0]
    stp     d10, d11, [sp, #16]
    stp     d12, d13, [sp, #32]
    stp     d14, d15, [sp, #48]
    stp     x19, x20, [sp, #64]
    stp     x21, x22, [sp, #80]
    stp     x23, x24, [sp, #96]
    stp     x25, x26, [sp, #112]
    stp     x27, x28, [sp, #128]
    stp     x29, x30, [sp, #144]
    mov     x9, sp
    ldr     x10, [x1]
    dmb     ish                 /* another CPU may continue `from` once it sees its stack pointer */
    str     x9, [x0]
    mov     sp, x10
    ldp     d8, d9, [sp, #0]
    ldp     d10, d11, [sp, #16]
    ldp     d12, d13, [sp, #32]
    ldp     d14, d15, [sp, #48]
    ldp     x19, x20, [sp, #64]
    ldp     x21, x22, [sp, #80]
    ldp     x23, x24, [sp, #96]
    ldp     x25, x26, [sp, #112]
    ldp     x27, x28, [sp, #128]
    ldp     x29, x30, [sp, #144]
    add     sp, sp, #160
    ret

/* x19 = entry, x20 = its argument. The calling chain ends here. */
    .global context_begin
context_begin:
    mov     x0, x20
    mov     x29, xzr
    mov     x30, xzr
    blr     x19
    brk     #2                  /* entry returned, which it must not */
