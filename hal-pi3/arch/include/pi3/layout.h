/* SPDX-License-Identifier: MIT */
/*
 * layout.h: where things lie in the address space, for C and for assembly.
 *
 * The kernel lives in the upper half (TTBR1, 39-bit addresses). One constant separates a physical
 * address from the kernel's: physical 0x80000, where the firmware loads us, is
 * 0xffffff80'00080000. All RAM, the peripherals and the local block are in this one linear map; the
 * lower half (TTBR0) is empty and is for user programs.
 */
#pragma once

/** Kernel address = physical address + LINEAR_BASE. */
#define LINEAR_BASE 0xffffff8000000000

/** Where the firmware puts the image (text_offset in its header, kernel_address in config.txt). */
#define LOAD_ADDRESS 0x80000

/** RAM ends, at the latest, where the peripherals begin. */
#define PERIPHERAL_START 0x3f000000
#define PERIPHERAL_END 0x40000000

/**
 * Bytes of the boot stack of each CPU, and of the stack on which it reports an exhausted stack. The
 * lowest page of each is a guard page.
 */
#define BOOT_STACK_SHIFT 14
#define BOOT_STACK_BYTES (1 << BOOT_STACK_SHIFT)
#define EMERGENCY_STACK_SHIFT 14
#define EMERGENCY_STACK_BYTES (1 << EMERGENCY_STACK_SHIFT)

/** struct trap_frame of trap.h, byte for byte. */
#define FRAME_SP 248
#define FRAME_ELR 256
#define FRAME_ESR 272
#define FRAME_LINK 288
#define FRAME_BYTES 304

/** struct hal_user of <hal/machine_user.h>, byte for byte. */
#define USER_SP 248
#define USER_PSTATE 264
#define USER_ESR 280
#define USER_FPSR 296
#define USER_STEP 312
#define USER_VECTORS 320

/** The kernel's stack while user code runs: what user_enter (user.S) leaves there. */
#define GATE_USER 96
#define GATE_X0 112
#define GATE_BYTES 128

/** Why a vector was entered. */
#define TRAP_SYNC 0
#define TRAP_IRQ 1
#define TRAP_FIQ 2
#define TRAP_SERROR 3
/** Added when it came from where no code runs: the kernel on SP_EL0, 32-bit programs. */
#define TRAP_STRANGE 4

/** Memory types, by index into MAIR_EL1: device without any freedom, write-back, uncached. */
#define MEMORY_DEVICE 0
#define MEMORY_NORMAL 1
#define MEMORY_UNCACHED 2
#define MAIR_VALUE 0x44ff00

/**
 * TCR_EL1: 39-bit addresses (25 in TxSZ) and 4 KiB granules in both halves, table walks cached and
 * inner shareable, 36-bit physical addresses, 16-bit ASIDs, that of TTBR0 counting; the top byte of
 * a program's address is ignored, as on Linux (TBI0, bit 37).
 */
#define TCR_VALUE 0x31b5193519

/**
 * SCTLR_EL1: its bits that must be one; with translation also the MMU, both caches, and the check
 * that the stack pointer is aligned, for the kernel (bit 3) and for programs (4). Programs may, as
 * on Linux, clean caches to where instructions are fetched from (UCI, bit 26), read how long the
 * lines of caches are (UCT, 15), zero a block (DZE, 14) and wait for events (nTWE, 18), but not for
 * interrupts.
 */
#define SCTLR_OFF 0x30d00800
#define SCTLR_ON 0x34d4d81d

/** MDSCR_EL1: programs do not reach the debugger's channel; SS has them trap at each step. */
#define MDSCR_VALUE 0x1000
#define MDSCR_STEP 0x1001

/** CNTKCTL_EL1: programs may read the virtual counter, and no more of the timers. */
#define CNTKCTL_VALUE 0x2
