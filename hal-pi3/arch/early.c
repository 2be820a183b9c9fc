/* SPDX-License-Identifier: MIT */
/*
 * early.c: the translation tables as far as it takes to run the kernel's own image.
 *
 * This code runs at its physical address with translation and caches off, on zeroed tables, while
 * it was linked for the upper half. That works as long as it reaches everything relative to the
 * program counter: so no constant tables of pointers, no switch that becomes one, no unaligned
 * access, and no call into other files. RAM beyond the image is mapped later by mmu.c, when the
 * firmware has been asked how much there is.
 */
#include "arch/mmu.h"
#include "arch/tables.h"

#define PAGE 4096u

static uint64_t early_entry(uint64_t page)
{
    if (page < (uintptr_t)text_start) {
        return ENTRY_RAM;
    }
    if (page < (uintptr_t)text_end) {
        return ENTRY_CODE;
    }
    if (page < (uintptr_t)constants_end) {
        return ENTRY_CONSTANTS;
    }
    if (page >= (uintptr_t)uncached_start && page < (uintptr_t)uncached_end) {
        return ENTRY_RAM_UNCACHED;
    }
    return ENTRY_RAM;
}

static void early_identity(void)
{
    uint64_t page = (uintptr_t)text_start;

    identity_level1[0] = (uintptr_t)identity_level2 | ENTRY_TABLE;
    identity_level2[page >> BLOCK_SHIFT] = (uintptr_t)identity_level3 | ENTRY_TABLE;
    identity_level3[page / PAGE % TABLE_ENTRIES] = page | ENTRY_CODE;
}

void early_map(void)
{
    kernel_level1[0] = (uintptr_t)kernel_level2 | ENTRY_TABLE;
    kernel_level1[1] = (uintptr_t)local_level2 | ENTRY_TABLE;
    local_level2[0] = PERIPHERAL_END | ENTRY_DEVICES;
    for (uint64_t i = 0; i < RAM_TABLES; i++) {
        kernel_level2[i] = (uintptr_t)(kernel_level3 + i * TABLE_ENTRIES) | ENTRY_TABLE;
    }
    for (uint64_t i = RAM_TABLES; i < TABLE_ENTRIES; i++) {
        kernel_level2[i] = (i << BLOCK_SHIFT) | ENTRY_DEVICES;
    }
    for (uint64_t page = 0; page < (uintptr_t)kernel_end; page += PAGE) {
        kernel_level3[page / PAGE] = page | early_entry(page);
    }
    early_identity();
}
