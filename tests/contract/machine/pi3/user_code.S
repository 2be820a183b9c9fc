/* SPDX-License-Identifier: MIT */
/*
 * user_code.S: the small programs of user_program.h for AArch64. a0 to a5 are x0 to x5; n is x8.
 */
    .macro  begin name
    .global code_\name
    .global code_\name\()_end
    .balign 4
code_\name:
    .endm

    .macro  end name
code_\name\()_end:
    .endm

    .macro  call_and_again number, name
    mov     x8, #\number
    svc     #0
    b       code_\name
    end     \name
    .endm

    .section .rodata

    begin   call
    svc     #0
    b       code_call
    end     call

    begin   add
    add     x0, x0, x1
    call_and_again 7, add

    begin   below
    ldr     x1, [sp, #-8]
    ldr     x3, [sp, #-64]
    add     x0, x0, #1
    str     x0, [sp, #-8]
    str     x0, [sp, #-64]
    mov     x8, #11
    mov     x2, x0
    svc     #0
    b       code_below
    end     below

    begin   guarded
    add     x0, x0, #1
    mov     x9, #0x600000           // DATA_AT
    ldrb    w9, [x9]
    mov     x8, #0
    cbnz    w9, 0f
    mov     x8, #10
0:  svc     #0
    b       code_guarded
    end     guarded

    begin   load
    ldr     x1, [x0]
    call_and_again 1, load

    begin   store
    str     x1, [x0]
    call_and_again 2, store

    begin   spin
    add     x0, x0, #1
    b       code_spin
    end     spin

    begin   count
    ldr     x9, [x0]
    add     x9, x9, #1
    str     x9, [x0]
    b       code_count
    end     count

    begin   until
    add     x1, x1, #1
    ldr     x9, [x0]
    cbz     x9, code_until
    call_and_again 3, until

    begin   privileged
    msr     ttbr0_el1, x0
    end     privileged

    begin   undefined
    udf     #0
    end     undefined

    begin   divide
    udiv    x0, x0, x1
    call_and_again 4, divide

    begin   break
    brk     #0
    call_and_again 5, break

    begin   jump
    br      x0
    end     jump

    begin   thread
    mrs     x9, tpidr_el0
    ldr     x1, [x9]
    call_and_again 6, thread

    begin   set_thread
    msr     tpidr_el0, x0
    mrs     x9, tpidr_el0
    ldr     x1, [x9]
    call_and_again 9, set_thread

    /* An exclusive access has to be aligned, by the stack pointer as by any other register. */
    begin   align
    sub     x9, sp, #7
    ldxr    x10, [x9]
    end     align

    begin   steps
    nop
    nop
    nop
    svc     #0
    end     steps

    begin   vectors
    cbnz    x5, 0f
    ldp     q0, q1, [x0, #0]
    ldp     q2, q3, [x0, #32]
    ldp     q4, q5, [x0, #64]
    ldp     q6, q7, [x0, #96]
    ldp     q8, q9, [x0, #128]
    ldp     q10, q11, [x0, #160]
    ldp     q12, q13, [x0, #192]
    ldp     q14, q15, [x0, #224]
    ldp     q16, q17, [x0, #256]
    ldp     q18, q19, [x0, #288]
    ldp     q20, q21, [x0, #320]
    ldp     q22, q23, [x0, #352]
    ldp     q24, q25, [x0, #384]
    ldp     q26, q27, [x0, #416]
    ldp     q28, q29, [x0, #448]
    ldp     q30, q31, [x0, #480]
0:  add     x3, x3, #1
    ldr     x9, [x2]
    cbz     x9, 0b
    stp     q0, q1, [x1, #0]
    stp     q2, q3, [x1, #32]
    stp     q4, q5, [x1, #64]
    stp     q6, q7, [x1, #96]
    stp     q8, q9, [x1, #128]
    stp     q10, q11, [x1, #160]
    stp     q12, q13, [x1, #192]
    stp     q14, q15, [x1, #224]
    stp     q16, q17, [x1, #256]
    stp     q18, q19, [x1, #288]
    stp     q20, q21, [x1, #320]
    stp     q22, q23, [x1, #352]
    stp     q24, q25, [x1, #384]
    stp     q26, q27, [x1, #416]
    stp     q28, q29, [x1, #448]
    stp     q30, q31, [x1, #480]
    mov     x4, #512
    call_and_again 8, vectors
