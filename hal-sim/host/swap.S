/* SPDX-License-Identifier: MIT */
/*
 * swap.S: changing stacks on x86-64, in the System V calling convention.
 *
 * A context that does not run is its stack pointer; above it lie, in this order, r15 r14 r13 r12
 * rbx rbp and the address where it continues. The rest of the registers belong to whoever called,
 * and the floating-point control words are the same everywhere.
 *
 * It ends with a return, not a jump: nearly always the context that goes on had stopped in the same
 * chain of calls as the one that stops, and then the processor, which predicts returns from a stack
 * of its own, is right about this one and all that follow.
 */
        .text

/* void swap_stack(void **save, void *load): saves this context in *save and continues `load`. */
        .globl  swap_stack
        .hidden swap_stack
        .type   swap_stack, @function
        .p2align 4
swap_stack:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
swap_pop:
        popq    %r15
        .cfi_adjust_cfa_offset -8
        popq    %r14
        .cfi_adjust_cfa_offset -8
        popq    %r13
        .cfi_adjust_cfa_offset -8
        popq    %r12
        .cfi_adjust_cfa_offset -8
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   swap_stack, . - swap_stack

/* void swap_load(void *load): continues `load` and forgets this context. */
        .globl  swap_load
        .hidden swap_load
        .type   swap_load, @function
swap_load:
        movq    %rdi, %rsp
        jmp     swap_pop
        .size   swap_load, . - swap_load

/* The first steps of a new context: r12 holds the function, r13 its argument. */
        .globl  swap_start
        .hidden swap_start
        .type   swap_start, @function
swap_start:
        .cfi_startproc
        .cfi_undefined %rip
        xorl    %ebp, %ebp
        pushq   $0              # aligns the stack, and ends the chain of return addresses
        movq    %r13, %rdi
        callq   *%r12
        ud2
        .cfi_endproc
        .size   swap_start, . - swap_start

/* long swap_call(void *stack, long (*function)(void *), void *argument): calls it on that stack. */
        .globl  swap_call
        .hidden swap_call
        .type   swap_call, @function
        .p2align 4
swap_call:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        movq    %rdi, %rsp
        andq    $-16, %rsp
        movq    %rdx, %rdi
        callq   *%rsi
        leave
        .cfi_def_cfa %rsp, 8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   swap_call, . - swap_call

/* void swap_sigreturn(void *ucontext): ends a signal whose frame starts at `ucontext`. */
        .globl  swap_sigreturn
        .hidden swap_sigreturn
        .type   swap_sigreturn, @function
swap_sigreturn:
        .cfi_startproc
        .cfi_undefined %rip
        movq    %rdi, %rsp
        movl    $15, %eax
        syscall
        ud2
        .cfi_endproc
        .size   swap_sigreturn, . - swap_sigreturn

/* The restorer: where a signal handler returns to, with the frame at the stack pointer. */
        .globl  swap_restorer
        .hidden swap_restorer
        .type   swap_restorer, @function
        .p2align 4
        nop
swap_restorer:
        movl    $15, %eax
        syscall
        .size   swap_restorer, . - swap_restorer

        .section .note.GNU-stack, "", @progbits
