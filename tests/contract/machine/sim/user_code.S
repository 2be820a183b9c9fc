/* SPDX-License-Identifier: MIT */
/*
 * user_code.S: the small programs of user_program.h for x86-64. a0 to a5 are rdi, rsi, rdx, r10,
 * r8 and r9; n is rax.
 */
        .macro  begin name
        .globl  code_\name
        .globl  code_\name\()_end
code_\name\():
        .endm

        .macro  end name
code_\name\()_end:
        .endm

        .macro  call_and_again number, name
        movl    $\number, %eax
        syscall
        jmp     code_\name
        end     \name
        .endm

        .section .rodata

        begin   call
        syscall
        jmp     code_call
        end     call

        begin   add
        .skip   8, 0x90                 # who reads code backwards has something to read
        addq    %rsi, %rdi
        call_and_again 7, add

        begin   below
        .skip   8, 0x90
        movq    -8(%rsp), %rsi
        movq    -64(%rsp), %r10
        incq    %rdi
        movq    %rdi, -8(%rsp)
        movq    %rdi, -64(%rsp)
        movl    $11, %eax               # CODE_BELOW_ENTRY
        movq    %rdi, %rdx
        syscall
        jmp     code_below
        end     below

        begin   guarded
        .skip   8, 0x90
        incq    %rdi
        .byte   0x80, 0x3d              # cmpb $0, DATA_AT(%rip), from where it is copied to
        .long   0x200000 - (0f - code_guarded)
        .byte   0
0:      je      1f
        xorl    %eax, %eax
        syscall
        jmp     code_guarded
1:      movl    $10, %eax
        syscall
        jmp     code_guarded
        end     guarded

        begin   load
        movq    (%rdi), %rsi
        call_and_again 1, load

        begin   store
        movq    %rsi, (%rdi)
        call_and_again 2, store

        begin   spin
        incq    %rdi
        jmp     code_spin
        end     spin

        begin   count
        incq    (%rdi)
        jmp     code_count
        end     count

        begin   until
        incq    %rsi
        cmpq    $0, (%rdi)
        je      code_until
        call_and_again 3, until

        .macro  slot instruction:vararg
0:      \instruction
        .skip   16 - (. - 0b), 0x90
        .endm

        begin   privileged
        slot    hlt
        slot    cli
        slot    sti
        slot    in $0x60, %al
        slot    out %al, %dx
        slot    rep insb
        slot    movq %cr0, %rax
        slot    movq %rax, %cr3
        slot    movq %rax, %dr7
        slot    lgdt (%rsp)
        slot    lidt (%rsp)
        slot    ltr %ax
        slot    lmsw %ax
        slot    clts
        slot    invd
        slot    wbinvd
        slot    invlpg (%rsp)
        slot    rdmsr
        slot    wrmsr
        slot    swapgs
        slot    sysretq
        slot    int $0x80
        slot    int $0x20
        end     privileged

        begin   undefined
        ud2
        end     undefined

        begin   divide
        movq    %rdi, %rax
        xorl    %edx, %edx
        divq    %rsi
        movq    %rax, %rdi
        call_and_again 4, divide

        begin   break
        int3
        call_and_again 5, break

        begin   jump
        jmp     *%rdi
        end     jump

        begin   thread
        movq    %fs:0, %rsi
        call_and_again 6, thread

        begin   set_thread
        wrfsbase %rdi
        movq    %fs:0, %rsi
        call_and_again 9, set_thread

        begin   align
        pushfq
        orl     $0x40000, (%rsp)        # AC
        popfq
        movl    1(%rsp), %eax
        end     align

        begin   steps
        nop
        nop
        nop
        syscall
        end     steps

        /* 32 registers of 64 bytes, 16 of 32, or 16 of 16, as the system lets programs have. */
        begin   vectors
        xorl    %ecx, %ecx
        movq    %rdx, %r11
        xgetbv                          # what the system lets programs have
        movq    %r11, %rdx
        movl    %eax, %ecx
        andl    $0xe6, %eax
        cmpl    $0xe6, %eax
        jne     vectors_less
        testq   %r9, %r9
        jnz     0f
        .irp    i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,\
                28,29,30,31
        vmovdqu64 64*\i(%rdi), %zmm\i
        .endr
0:      incq    %r10
        cmpq    $0, (%rdx)
        je      0b
        .irp    i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,\
                28,29,30,31
        vmovdqu64 %zmm\i, 64*\i(%rsi)
        .endr
        movl    $2048, %r8d
        jmp     vectors_done
vectors_less:
        andl    $6, %ecx
        cmpl    $6, %ecx
        jne     vectors_least
        testq   %r9, %r9
        jnz     0f
        .irp    i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        vmovdqu 32*\i(%rdi), %ymm\i
        .endr
0:      incq    %r10
        cmpq    $0, (%rdx)
        je      0b
        .irp    i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        vmovdqu %ymm\i, 32*\i(%rsi)
        .endr
        movl    $512, %r8d
        jmp     vectors_done
vectors_least:
        testq   %r9, %r9
        jnz     0f
        .irp    i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        movdqu 16*\i(%rdi), %xmm\i
        .endr
0:      incq    %r10
        cmpq    $0, (%rdx)
        je      0b
        .irp    i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        movdqu %xmm\i, 16*\i(%rsi)
        .endr
        movl    $256, %r8d
vectors_done:
        call_and_again 8, vectors

        .section .note.GNU-stack, "", @progbits
