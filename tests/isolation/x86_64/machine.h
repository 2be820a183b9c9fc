/* SPDX-License-Identifier: MIT */
/*
 * machine.h: what is x86-64's own about a program that tries what it may not.
 *
 * Not tried: instructions that programs may use although they say things about the kernel (sidt,
 * smsw, rdtsc), `vmcall`, which goes to whoever virtualises the host, and `sysenter` and addresses
 * of the host's (docs/USER.md: outside the promise).
 */
#pragma once

#include <stdint.h>

#define USER_START 0x10000ul
#define USER_END 0x7fff0000ul /* for the simulator */

static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* name, instructions, signals that are right */
#define FORBIDDEN(X) \
    X(hlt, "hlt", M_SEGV) \
    X(cli, "cli", M_SEGV) \
    X(sti, "sti", M_SEGV) \
    X(in, "mov $0x60, %%edx; in %%dx, %%al", M_SEGV) \
    X(out, "mov $0x80, %%edx; out %%al, %%dx", M_SEGV) \
    X(ins, "mov $0x60, %%edx; insb", M_SEGV) \
    X(lgdt, "lgdt -64(%%rsp)", M_SEGV) \
    X(lidt, "lidt -64(%%rsp)", M_SEGV) \
    X(lldt, "xor %%eax, %%eax; lldt %%ax", M_SEGV) \
    X(ltr, "xor %%eax, %%eax; ltr %%ax", M_SEGV) \
    X(read_cr0, "mov %%cr0, %%rax", M_SEGV) \
    X(write_cr0, "xor %%eax, %%eax; mov %%rax, %%cr0", M_SEGV) \
    X(read_cr3, "mov %%cr3, %%rax", M_SEGV) \
    X(write_cr3, "xor %%eax, %%eax; mov %%rax, %%cr3", M_SEGV) \
    X(write_cr4, "xor %%eax, %%eax; mov %%rax, %%cr4", M_SEGV) \
    X(write_cr8, "xor %%eax, %%eax; mov %%rax, %%cr8", M_SEGV) \
    X(read_dr7, "mov %%dr7, %%rax", M_SEGV) \
    X(write_dr0, "xor %%eax, %%eax; mov %%rax, %%dr0", M_SEGV) \
    X(rdmsr, "mov $0x10, %%ecx; rdmsr", M_SEGV) \
    X(wrmsr, "mov $0x10, %%ecx; wrmsr", M_SEGV) \
    X(invd, "invd", M_SEGV) \
    X(wbinvd, "wbinvd", M_SEGV) \
    X(invlpg, "invlpg (%%rsp)", M_SEGV) \
    X(clts, "clts", M_SEGV) \
    X(lmsw, "xor %%eax, %%eax; lmsw %%ax", M_SEGV) \
    X(swapgs, "swapgs", M_SEGV) \
    X(sysret, "sysretq", M_SEGV) \
    X(xsetbv, "xor %%ecx, %%ecx; mov $1, %%eax; xor %%edx, %%edx; xsetbv", M_SEGV) \
    X(iret_to_ring_0, \
      "mov %%rsp, %%rax; push $0; push %%rax; push $2; push $8; push %%rax; iretq", M_SEGV) \
    X(far_jump, "push $8; push $0; lretq", M_SEGV) \
    X(load_ss, "xor %%eax, %%eax; mov %%eax, %%ss", M_SEGV) \
    X(int_0x80, "mov $20, %%eax; int $0x80", M_SEGV) \
    X(int_8, "int $8", M_SEGV) \
    X(breakpoint, "int3", M_TRAP) \
    X(icebp, ".byte 0xf1", M_TRAP) \
    X(ud2, "ud2", M_ILL) \
    X(no_opcode, ".byte 0x06", M_ILL) \
    X(too_long, ".fill 16, 1, 0x66; nop", M_SEGV | M_ILL) \
    X(divide_by_zero, "xor %%ecx, %%ecx; xor %%edx, %%edx; div %%ecx", M_FPE) \
    X(divide_overflow, "mov $0x80000000, %%eax; cltd; mov $-1, %%ecx; idiv %%ecx", M_FPE) \
    X(trap_flag, "pushfq; orl $0x100, (%%rsp); popfq; nop", M_TRAP) \
    X(alignment_check, \
      "pushfq; orl $0x40000, (%%rsp); popfq; lea -64(%%rsp), %%rax; and $-8, %%rax;" \
      " mov 1(%%rax), %%ecx; pushfq; andl $0xfffbffff, (%%rsp); popfq", \
      M_BUS | M_EXIT) \
    X(stack_nowhere, "mov $0x18000, %%esp; push %%rax", M_SEGV) \
    X(stack_not_canonical, "mov $1, %%eax; shl $63, %%rax; mov %%rax, %%rsp; push %%rax", \
      M_SEGV | M_BUS)

/* Addresses that no program has, beside those of every machine. */
static const uintptr_t far_addresses[] = {
    0x8000000000000000u, 0x0000800000000000u, 0xffff800000000000u,
    0xffff888000000000u, 0xffffffff80000000u, 0xffff7fffffffffffu,
};

#define RETURN_CODE \
    { \
        0xc3 \
    } /* ret */

/* Where a program begins: the stack has the number of arguments and pointers to them. */
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n\thlt\n");

/* Where a handler of signals returns to. */
__asm__(".globl restore\nrestore:\n\tmov $15, %eax\n\tsyscall\n");
