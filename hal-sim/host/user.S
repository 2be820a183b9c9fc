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
 * 68 the features that it has; 72 the host's FS; 88 and 96 what the gate keeps for a moment; 104
 * whether user code goes on behind a system call, as the processor's own return from one has it.
 *
 * In struct hal_user, as words of 8 bytes: 5 .. 22 the registers r8 .. r15, rdi, rsi, rbp, rbx,
 * rdx, rax, rcx, rsp, rip and flags; 38 the base of FS.
 */
        .text

/* All but r11, rcx and rsp, from the frame at rdi. */
        .macro  registers
        movq    40(%rdi), %r8
        movq    48(%rdi), %r9
        movq    56(%rdi), %r10
        movq    72(%rdi), %r12
        movq    80(%rdi), %r13
        movq    88(%rdi), %r14
        movq    96(%rdi), %r15
        movq    112(%rdi), %rsi
        movq    120(%rdi), %rbp
        movq    128(%rdi), %rbx
        movq    136(%rdi), %rdx
        movq    144(%rdi), %rax
        movq    104(%rdi), %rdi
        .endm

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
        cmpl    $0, 104(%rbx)
        jne     user_behind_call
        movq    64(%rdi), %r11
        movq    152(%rdi), %rcx
        registers
        iretq

/* rcx is where to, and r11 the flags; there is no step and no trap among them. */
user_behind_call:
        leaq    176(%rdi), %rsp
        popfq
        movq    160(%rdi), %rsp
        movq    168(%rdi), %rcx
        movq    64(%rdi), %r11
        registers
        jmpq    *%rcx

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

/*
 * The gate: where the stubs of patched system calls go (gate.h). r11 is the stub's record; all else
 * but rcx is the program's: the flags, too, until they are saved.
 *
 * A signal that strikes before `running` is cleared undoes all this: the program then is at its
 * system call (rewind in user.c). From user_gate_switched on its stack pointer and rax are in
 * struct user_side. Behind that it strikes entered code, as far as it can tell, but FS may still be
 * the program's.
 *
 * GS says which CPU this is: host_user_run has set it to GATE_CPUS + 64 times the number, while the
 * program's is 0. If that is not so any more, the program has set it: then it has to make its
 * system call in the ordinary way.
 */
        .equ    GATE_CPUS, 0x7fff0000
        .globl  user_gate
        .hidden user_gate
        .type   user_gate, @function
        .p2align 6
user_gate:
        rdgsbase %rcx
        leaq    -GATE_CPUS(%rcx), %rcx
        jrcxz   user_gate_0
        leaq    -64(%rcx), %rcx
        jrcxz   user_gate_1
        leaq    -64(%rcx), %rcx
        jrcxz   user_gate_2
        leaq    -64(%rcx), %rcx
        jrcxz   user_gate_3
        jmpq    *(%r11)
user_gate_3:
        movq    GATE_CPUS + 192, %rcx
        jmp     user_gate_in
user_gate_2:
        movq    GATE_CPUS + 128, %rcx
        jmp     user_gate_in
user_gate_1:
        movq    GATE_CPUS + 64, %rcx
        jmp     user_gate_in
user_gate_0:
        movq    GATE_CPUS, %rcx
user_gate_in:
        movq    %rsp, 88(%rcx)
        movq    %rax, 96(%rcx)
        movq    (%rcx), %rsp
        .globl  user_gate_switched
        .hidden user_gate_switched
user_gate_switched:
        movq    %rax, 144(%rsp)
        leaq    184(%rsp), %rsp
        pushfq
        leaq    -176(%rsp), %rsp
        movq    %r8, 40(%rsp)
        movq    %r9, 48(%rsp)
        movq    %r10, 56(%rsp)
        movq    %r12, 72(%rsp)
        movq    %r13, 80(%rsp)
        movq    %r14, 88(%rsp)
        movq    %r15, 96(%rsp)
        movq    %rdi, 104(%rsp)
        movq    %rsi, 112(%rsp)
        movq    %rbp, 120(%rsp)
        movq    %rbx, 128(%rsp)
        movq    %rdx, 136(%rsp)
        movq    88(%rcx), %rax
        movq    %rax, 160(%rsp)
        movq    (%r11), %rax
        leaq    2(%rax), %rax
        movq    %rax, 152(%rsp)
        movq    %rax, 168(%rsp)
        movq    176(%rsp), %rax
        movq    %rax, 64(%rsp)
        rdfsbase %rax
        movq    %rax, 304(%rsp)
        movq    $0, (%rcx)
        movq    72(%rcx), %rax
        wrfsbase %rax
        movq    %rcx, %rbx
        testl   $0x40400, 176(%rsp)     # AC and DF: not here
        movq    8(%rbx), %rsp
        jz      user_gate_vectors
        pushq   $0x202
        popfq
user_gate_vectors:
        movq    56(%rbx), %rcx
        movl    64(%rbx), %eax
        movl    68(%rbx), %edx
        xsaveopt64 (%rcx)
        stmxcsr 24(%rcx)                # not saved with what is not in use
        testb   $1, 512(%rcx)           # the old floating-point unit is in use
        jz      1f
        fninit
1:      cmpl    $0x1f80, 24(%rcx)
        je      2f
        pushq   $0x1f80
        ldmxcsr (%rsp)
        popq    %rax
2:      testb   $4, 512(%rcx)           # the high halves are
        jz      3f
        vzeroupper
3:      movl    $4, %eax                # HOST_USER_PATCHED_CALL
        jmp     user_return
        .globl  user_gate_end
        .hidden user_gate_end
user_gate_end:
        .size   user_gate, . - user_gate

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
