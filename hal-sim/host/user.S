/* SPDX-License-Identifier: MIT */
/*
 * user.S: the way into user code on x86-64, and the way back.
 *
 * user_enter returns only through user_leave, where a signal handler sends it. From the moment that
 * `running` is set until the host has taken the registers out of the frame, a signal that wants
 * user code stopped finds the program counter between user_way_in and user_way_in_end; it then
 * drops these few instructions, and the frame is as it was.
 *
 * struct user_side, in host/user.c: 0 running, 8 kernel's stack pointer, 16 pending bits' address,
 * 24 the bits that are wanted (32 bits), 28 whether bases are set by instructions, 32 and 40 the
 * bases of FS and GS to set; 48 what iretq takes, or NULL, and with it 56 the vector image, 64 and
 * 68 the features that it has.
 */
        .text

/* long user_enter(struct user_side *side, void *frame) */
        .globl  user_enter
        .hidden user_enter
        .type   user_enter, @function
        .p2align 4
user_enter:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, 8(%rdi)
        .globl  user_way_in
        .hidden user_way_in
user_way_in:
        movq    %rsi, (%rdi)
        movq    16(%rdi), %rax
        movl    (%rax), %eax
        testl   %eax, 24(%rdi)
        jnz     user_not_now
        movq    %rdi, %rbx
        movq    %rsi, %rsp
        cmpl    $0, 28(%rbx)
        je      user_bases_by_call
        movq    40(%rbx), %rax
        wrgsbase %rax
        movq    32(%rbx), %rax
        wrfsbase %rax
        movq    48(%rbx), %rax
        testq   %rax, %rax
        jnz     user_jump
        movl    $15, %eax
        syscall
        ud2

user_jump:
        movq    %rsi, %rdi
        movq    %rax, %rsp
        movq    56(%rbx), %rcx
        movl    64(%rbx), %eax
        movl    68(%rbx), %edx
        xrstor64 (%rcx)
        movq    40(%rdi), %r8
        movq    48(%rdi), %r9
        movq    56(%rdi), %r10
        movq    64(%rdi), %r11
        movq    72(%rdi), %r12
        movq    80(%rdi), %r13
        movq    88(%rdi), %r14
        movq    96(%rdi), %r15
        movq    112(%rdi), %rsi
        movq    120(%rdi), %rbp
        movq    128(%rdi), %rbx
        movq    136(%rdi), %rdx
        movq    144(%rdi), %rax
        movq    152(%rdi), %rcx
        movq    104(%rdi), %rdi
        iretq

user_bases_by_call:
        movq    40(%rbx), %rsi
        movl    $0x1001, %edi           # ARCH_SET_GS
        movl    $158, %eax
        syscall
        movq    32(%rbx), %rsi
        movl    $0x1002, %edi           # ARCH_SET_FS
        movl    $158, %eax
        syscall
        movl    $15, %eax
        syscall
        ud2
user_not_now:
        movq    $0, (%rdi)
        .globl  user_way_in_end
        .hidden user_way_in_end
user_way_in_end:
        xorl    %eax, %eax
        jmp     user_return
        .size   user_enter, . - user_enter

/* A handler continues here, with rsp as user_enter has kept it, rax as what that returns. */
        .globl  user_leave
        .hidden user_leave
        .type   user_leave, @function
user_leave:
user_return:
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .size   user_leave, . - user_leave

/* void user_leave_now(void *sp, long result): from a handler, without ending its signal. */
        .globl  user_leave_now
        .hidden user_leave_now
        .type   user_leave_now, @function
user_leave_now:
        movq    %rdi, %rsp
        movq    %rsi, %rax
        cld
        jmp     user_leave
        .size   user_leave_now, . - user_leave_now

        .section .note.GNU-stack, "", @progbits
