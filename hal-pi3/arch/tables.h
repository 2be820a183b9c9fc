/* SPDX-License-Identifier: MIT */
/*
 * tables.h: the shape of the translation tables, for early.c, which first fills them, and mmu.c.
 *
 *     kernel_level1[0] -> kernel_level2[0..503] -> kernel_level3: RAM, by pages
 *                         kernel_level2[504..511]: the peripherals, by 2 MiB blocks
 *     kernel_level1[1] -> local_level2[0]: the local block at 0x40000000
 *     identity_level1/2/3: the page of boot.S at its physical address, only while a CPU starts
 *
 * Source: Arm Architecture Reference Manual for A-profile (DDI 0487), chapter D8.
 */
#pragma once

#include <pi3/layout.h>

#include <stdint.h>

#define TABLE_ENTRIES 512u
#define BLOCK_SHIFT 21u
#define BLOCK_BYTES (1u << BLOCK_SHIFT)
#define RAM_TABLES (PERIPHERAL_START / BLOCK_BYTES)

#define ENTRY_TABLE 0x3u
#define ENTRY_BLOCK 0x1u
#define ENTRY_PAGE 0x3u
#define ENTRY_VALID 0x1u
#define ENTRY_MEMORY(i) ((uint64_t)(i) << 2)
#define ENTRY_READ_ONLY (UINT64_C(1) << 7)
#define ENTRY_SHARED (UINT64_C(3) << 8)
#define ENTRY_ACCESSED (UINT64_C(1) << 10)
#define ENTRY_NO_EXEC (UINT64_C(3) << 53) /**< not for the kernel and not for user programs */
#define ENTRY_USER_NX (UINT64_C(1) << 54)
#define ENTRY_GUARDED (UINT64_C(1) << 55) /**< ours: the page is invalid on purpose */

#define ENTRY_RAM \
    (ENTRY_PAGE | ENTRY_MEMORY(MEMORY_NORMAL) | ENTRY_SHARED | ENTRY_ACCESSED | ENTRY_NO_EXEC)
#define ENTRY_RAM_UNCACHED \
    (ENTRY_PAGE | ENTRY_MEMORY(MEMORY_UNCACHED) | ENTRY_SHARED | ENTRY_ACCESSED | ENTRY_NO_EXEC)
#define ENTRY_CODE \
    (ENTRY_PAGE | ENTRY_MEMORY(MEMORY_NORMAL) | ENTRY_SHARED | ENTRY_ACCESSED | ENTRY_READ_ONLY | \
     ENTRY_USER_NX)
#define ENTRY_CONSTANTS (ENTRY_RAM | ENTRY_READ_ONLY)
#define ENTRY_DEVICES (ENTRY_BLOCK | ENTRY_MEMORY(MEMORY_DEVICE) | ENTRY_ACCESSED | ENTRY_NO_EXEC)

extern uint64_t kernel_level1[TABLE_ENTRIES];
extern uint64_t kernel_level2[TABLE_ENTRIES];
extern uint64_t kernel_level3[RAM_TABLES * TABLE_ENTRIES];
extern uint64_t local_level2[TABLE_ENTRIES];
extern uint64_t identity_level1[TABLE_ENTRIES];
extern uint64_t identity_level2[TABLE_ENTRIES];
extern uint64_t identity_level3[TABLE_ENTRIES];

/** Symbols of the linker script, all page-aligned but the last. */
extern const char text_start[], text_end[], constants_end[], image_start[], image_end[];
extern char uncached_start[], uncached_end[], kernel_end[];
