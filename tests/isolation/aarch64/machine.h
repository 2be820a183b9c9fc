/* SPDX-License-Identifier: MIT */
/*
 * machine.h: what is AArch64's own about a program that tries what it may not.
 *
 * Not tried: `wfi` and `wfe`, which programs may use, and `hlt #0xf000`, which an emulator with
 * semihosting takes for itself.
 */
#pragma once

#include <stdint.h>

#define USER_START 0x10000ul
#define USER_END 0x8000000000ul

static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

/* name, instructions, signals that are right */
#define FORBIDDEN(X) \
    X(mask_interrupts, "msr daifset, #15", M_ILL) \
    X(unmask_interrupts, "msr daifclr, #15", M_ILL) \
    X(read_sctlr, "mrs x0, sctlr_el1", M_ILL) \
    X(write_sctlr, "msr sctlr_el1, xzr", M_ILL) \
    X(read_ttbr0, "mrs x0, ttbr0_el1", M_ILL) \
    X(write_ttbr0, "msr ttbr0_el1, xzr", M_ILL) \
    X(write_ttbr1, "msr ttbr1_el1, xzr", M_ILL) \
    X(write_tcr, "msr tcr_el1, xzr", M_ILL) \
    X(write_vbar, "msr vbar_el1, xzr", M_ILL) \
    X(read_esr, "mrs x0, esr_el1", M_ILL) \
    X(write_elr, "msr elr_el1, x0", M_ILL) \
    X(write_spsr, "msr spsr_el1, x0", M_ILL) \
    X(write_sp_el0, "msr sp_el0, x0", M_ILL) \
    X(write_tpidr_el1, "msr tpidr_el1, x0", M_ILL) \
    X(write_cpacr, "msr cpacr_el1, xzr", M_ILL) \
    X(write_timer, "msr cntp_ctl_el0, xzr", M_ILL) \
    X(write_timer_frequency, "msr cntfrq_el0, xzr", M_ILL) \
    X(write_counter_offset, "msr cntvoff_el2, xzr", M_ILL) \
    X(read_hcr, "mrs x0, hcr_el2", M_ILL) \
    X(read_scr, "mrs x0, scr_el3", M_ILL) \
    X(write_debug, "msr mdscr_el1, xzr", M_ILL) \
    X(write_os_lock, "msr oslar_el1, xzr", M_ILL) \
    X(select_stack, "msr spsel, #1", M_ILL) \
    X(flush_tlb, "tlbi vmalle1", M_ILL) \
    X(flush_instructions, "ic iallu", M_ILL) \
    X(invalidate_data, "dc ivac, x0", M_ILL | M_SEGV) \
    X(invalidate_by_set, "dc isw, xzr", M_ILL) \
    X(translate, "at s1e1r, x0", M_ILL) \
    X(eret, "eret", M_ILL) \
    X(drps, "drps", M_ILL) \
    X(hvc, "hvc #0", M_ILL) \
    X(smc, "smc #0", M_ILL) \
    X(hlt, "hlt #0", M_ILL) \
    X(debug_1, "dcps1", M_ILL) \
    X(breakpoint, "brk #0", M_TRAP) \
    X(undefined, "udf #0", M_ILL) \
    X(counter_misaligned, "adr x0, .; add x0, x0, #2; br x0", M_BUS) \
    X(stack_misaligned, "mov x0, sp; add x0, x0, #8; mov sp, x0; ldr x1, [sp]", M_BUS | M_EXIT) \
    X(exclusive_misaligned, "mov x0, sp; sub x0, x0, #61; ldxr w1, [x0]", M_BUS) \
    X(stack_nowhere, "mov x0, #0x18000; mov sp, x0; str x1, [sp, #-16]!", M_SEGV) \
    X(stack_of_the_kernel, "mov x0, #-65536; mov sp, x0; str x1, [sp, #-16]!", M_SEGV)

/* Addresses that no program has, beside those of every machine. */
static const uintptr_t far_addresses[] = {
    0x8000000000u,       0x0000800000000000u, 0x0001000000000000u, 0x8000000000000000u,
    0xffff000000000000u, 0xffff000000080000u, 0xffffff8000000000u, 0xffffff8000080000u,
    0xffffffc000000000u, 0xffffffc000080000u, 0xffffffffff000000u,
};

#define RETURN_CODE \
    { \
        0xc0, 0x03, 0x5f, 0xd6 \
    } /* ret */

/* Where a program begins: the stack has the number of arguments and pointers to them. */
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl begin\n\tbrk #0\n");

/* Where a handler of signals returns to. */
__asm__(".globl restore\nrestore:\n\tmov x8, #139\n\tsvc #0\n");
