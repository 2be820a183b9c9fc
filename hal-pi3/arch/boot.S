/* SPDX-License-Identifier: MIT */
/*
 * boot.S: from the firmware's jump to C in the upper half, for CPU 0 and for the three others.
 *
 * The firmware leaves us at the physical load address with translation and caches off, normally in
 * EL2, on CPU 0 alone; x0 points to its message (ATAGs or a device tree). The others wait in the
 * firmware's stub at physical 0 until an address appears in their slot of the spin table. Loaders
 * that start an ELF file, and some stubs, enter in EL3 or EL1, or with all CPUs at once; those work
 * too. The way up is the same for each CPU:
 *
 *     EL3 -> EL2 -> EL1h, interrupts masked          drop_to_el1
 *     translation and caches on, lower half = us     mmu_on
 *     jump to the upper half, lower half off
 *
 * With translation off all memory counts as device memory: no unaligned access and no exclusive
 * (ldxr/stxr) may happen. The code up to the jump lies in one page, which early.c maps one to one.
 */
#include <pi3/layout.h>

    .section .text.boot, "ax"

/* The header of Linux's arm64 boot protocol: the firmware and QEMU read where to load us. */
    .global _start
_start:
    b       enter
    .long   0
    .quad   LOAD_ADDRESS            /* text_offset */
    .quad   kernel_image_bytes      /* with what is zeroed below, which needs RAM too */
    .quad   2                       /* little endian, 4 KiB pages */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

enter:
    msr     daifset, #15
    mrs     x19, mpidr_el1
    ands    x19, x19, #3
    b.ne    wait_for_slot
    mov     x20, x0
    adr     x1, _start
    mov     x2, #LOAD_ADDRESS
    cmp     x1, x2
    b.ne    relocate

/* CPU 0, at the load address; x20 = the firmware's message. */
boot_cpu:
    bl      drop_to_el1
    adrp    x0, boot_stacks
    add     x0, x0, :lo12:boot_stacks
    add     sp, x0, #BOOT_STACK_BYTES

    adrp    x0, zero_start
    add     x0, x0, :lo12:zero_start
    adrp    x1, zero_end
    add     x1, x1, :lo12:zero_end
1:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b

    bl      early_map

    /* What an earlier loader left in the caches must not hide what was just written past them. */
    dsb     sy
    adrp    x0, zero_start
    add     x0, x0, :lo12:zero_start
    adrp    x1, zero_end
    add     x1, x1, :lo12:zero_end
2:  dc      ivac, x0
    add     x0, x0, #64
    cmp     x0, x1
    b.lo    2b
    dsb     sy

    bl      mmu_on
    ldr     x1, =boot_high
    br      x1

/*
 * We were loaded elsewhere (a firmware without the header's field goes by 0x200000): copy the image
 * down to where it was linked for and go there. The linker script sees to it that the image is too
 * small for the copy to reach the code that copies.
 */
relocate:
    adrp    x3, image_end
    add     x3, x3, :lo12:image_end     /* x3 = end of the image as loaded */
    mov     x6, x2
    sub     x7, x3, x1
    add     x7, x7, x2                  /* x7 = end of the copy */
7:  dc      civac, x6                   /* what caches hold of the place must not come later */
    add     x6, x6, #64
    cmp     x6, x7
    b.lo    7b
    dsb     sy
3:  ldp     x4, x5, [x1], #16
    stp     x4, x5, [x2], #16
    cmp     x1, x3
    b.lo    3b
    dsb     sy
    ic      iallu
    dsb     sy
    isb
    mov     x0, x20
    mov     x2, #LOAD_ADDRESS
    br      x2

/* A CPU that was let loose together with CPU 0 does what the firmware's stub would have done. */
wait_for_slot:
    mov     x1, #0xd8
4:  wfe
    ldr     x2, [x1, x19, lsl #3]
    cbz     x2, 4b
    br      x2

/* CPUs 1 to 3 come here through the spin table, once CPU 0 has built the tables. */
    .global secondary_enter
secondary_enter:
    msr     daifset, #15
    mrs     x19, mpidr_el1
    and     x19, x19, #3
    bl      drop_to_el1
    bl      mmu_on
    ldr     x1, =secondary_high
    br      x1

/*
 * Returns to the caller in EL1 on SP_EL1, with translation off and nothing below or above trapping.
 * Uses x9, x10 and x30.
 */
drop_to_el1:
    mrs     x9, currentel
    cmp     x9, #(3 << 2)
    b.ne    5f
    mov     x10, #0x5b1                 /* AArch64 below, HVC on, SMC off, non-secure */
    msr     scr_el3, x10
    msr     cptr_el3, xzr
    mrs     x10, s3_1_c15_c2_1          /* CPUECTLR: SMPEN, without which caches are not coherent */
    orr     x10, x10, #0x40
    msr     s3_1_c15_c2_1, x10
    mov     x10, #0x3c9                 /* to EL2h, masked */
    msr     spsr_el3, x10
    adr     x10, 5f
    msr     elr_el3, x10
    isb
    eret
5:  mrs     x9, currentel
    cmp     x9, #(2 << 2)
    b.ne    6f
    mov     x10, #(1 << 31)             /* EL1 is AArch64, no second stage of translation */
    msr     hcr_el2, x10
    mrs     x10, cnthctl_el2
    orr     x10, x10, #3                /* EL1 may use the physical timer and counter */
    msr     cnthctl_el2, x10
    msr     cntvoff_el2, xzr            /* all CPUs read the same virtual counter */
    mrs     x10, pmcr_el0
    ubfx    x10, x10, #11, #5           /* EL1 has all event counters; its debugging is its own */
    msr     mdcr_el2, x10
    mov     x10, #0x33ff                /* floating point does not trap */
    msr     cptr_el2, x10
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    mrs     x10, midr_el1
    msr     vpidr_el2, x10
    mrs     x10, mpidr_el1
    msr     vmpidr_el2, x10
    ldr     x10, =SCTLR_OFF
    msr     sctlr_el1, x10
    mov     x10, #0x3c5                 /* to EL1h, masked */
    msr     spsr_el2, x10
    msr     elr_el2, x30
    isb
    eret
6:  ldr     x10, =SCTLR_OFF
    msr     sctlr_el1, x10
    isb
    ret

/* Turns translation and caches on. Returns to the physical address it was called from. */
mmu_on:
    mov     x9, #(3 << 20)              /* floating point for EL0 and EL1 */
    msr     cpacr_el1, x9
    mov     x9, #MDSCR_VALUE
    msr     mdscr_el1, x9
    msr     oslar_el1, xzr              /* or no program can be stepped */
    msr     pmuserenr_el0, xzr
    mov     x9, #CNTKCTL_VALUE
    msr     cntkctl_el1, x9
    ldr     x9, =MAIR_VALUE
    msr     mair_el1, x9
    ldr     x9, =TCR_VALUE
    msr     tcr_el1, x9
    adrp    x9, identity_level1
    msr     ttbr0_el1, x9
    adrp    x9, kernel_level1
    msr     ttbr1_el1, x9
    dsb     sy
    isb
    tlbi    vmalle1
    ic      iallu
    dsb     sy
    isb
    ldr     x9, =SCTLR_ON
    msr     sctlr_el1, x9
    isb
    ret

/* Constants that the code above loads have to lie in the page that is mapped one to one. */
    .ltorg
    .global boot_page_end
boot_page_end:

    .section .text.high, "ax"

/* In the upper half. The lower half has done its work: from now on it is empty for the kernel. */
    .macro  leave_lower_half
    ldr     x9, =user_nothing
    and     x9, x9, #0xffffffff         /* its physical address: RAM ends far below 4 GiB */
    msr     ttbr0_el1, x9
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    ldr     x9, =vectors
    msr     vbar_el1, x9
    isb
    msr     daifclr, #4                 /* system errors are reported from now on */
    mov     x29, xzr
    mov     x30, xzr
    .endm

boot_high:
    leave_lower_half
    ldr     x0, =boot_stacks
    add     sp, x0, #BOOT_STACK_BYTES
    mov     x0, x20
    bl      machine_start
    brk     #1

secondary_high:
    leave_lower_half
    ldr     x1, =boot_stacks
    add     x2, x19, #1
    lsl     x2, x2, #BOOT_STACK_SHIFT
    add     x1, x1, x2
    mov     sp, x1
    mov     x0, x19
    bl      machine_start_secondary
    brk     #1
