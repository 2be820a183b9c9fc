/* SPDX-License-Identifier: MIT */
/*
 * mmu.c: the linear map of RAM after boot: adding RAM to it, guard pages, and cache maintenance.
 *
 * All tables are in the image's zeroed part, one entry a page of RAM, so nothing here allocates.
 * An entry changes only between invalid and valid, or from valid to invalid and back with the same
 * content; both are allowed on live tables, the first without and the second with a TLB
 * invalidation that reaches all CPUs.
 */
#include "arch/mmu.h"
#include "arch/tables.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/mem.h>
#include <pi3/lock.h>

uint64_t kernel_level1[TABLE_ENTRIES] __attribute__((aligned(4096)));
uint64_t kernel_level2[TABLE_ENTRIES] __attribute__((aligned(4096)));
uint64_t kernel_level3[RAM_TABLES * TABLE_ENTRIES] __attribute__((aligned(4096)));
uint64_t local_level2[TABLE_ENTRIES] __attribute__((aligned(4096)));
uint64_t identity_level1[TABLE_ENTRIES] __attribute__((aligned(4096)));
uint64_t identity_level2[TABLE_ENTRIES] __attribute__((aligned(4096)));
uint64_t identity_level3[TABLE_ENTRIES] __attribute__((aligned(4096)));

static struct lock mmu_lock;

void mmu_map(uint64_t start, uint64_t end, enum mmu_memory memory)
{
    uint64_t kind = memory == MMU_UNCACHED ? ENTRY_RAM_UNCACHED : ENTRY_RAM;
    hal_irq_state_t state = lock_take(&mmu_lock);

    for (uint64_t page = start; page < end && page < PERIPHERAL_START; page += HAL_PAGE_SIZE) {
        uint64_t *entry = &kernel_level3[page / HAL_PAGE_SIZE];
        if (*entry == 0) {
            *entry = page | kind;
        }
    }
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
    lock_release(&mmu_lock, state);
}

/** The page's entry, or NULL when `address` is not in the linear map of RAM. */
static uint64_t *mmu_entry(uintptr_t address)
{
    if (address < LINEAR_BASE || address - LINEAR_BASE >= PERIPHERAL_START) {
        return NULL;
    }
    return &kernel_level3[(address - LINEAR_BASE) / HAL_PAGE_SIZE];
}

enum mmu_state mmu_state_of(uintptr_t address)
{
    const uint64_t *entry = mmu_entry(address);

    if (entry == NULL) {
        return MMU_NOT_MAPPED;
    }
    uint64_t value = *(const volatile uint64_t *)entry;
    if ((value & ENTRY_GUARDED) != 0) {
        return MMU_GUARDED;
    }
    return (value & ENTRY_VALID) != 0 ? MMU_MAPPED : MMU_NOT_MAPPED;
}

/** Makes every CPU forget its translation of the page at `address`. */
static void mmu_forget(uintptr_t address)
{
    uint64_t page = address << 8 >> 20; /* bits 55:12; those above have another meaning here */

    __asm__ volatile("dsb ishst\n\t"
                     "tlbi vaae1is, %0\n\t"
                     "dsb ish\n\t"
                     "isb" ::"r"(page)
                     : "memory");
}

int hal_mem_guard(void *page, bool guarded)
{
    uintptr_t address = (uintptr_t)page;
    uint64_t *entry = mmu_entry(address);

    if (entry == NULL || address % HAL_PAGE_SIZE != 0) {
        return -EINVAL;
    }
    hal_irq_state_t state = lock_take(&mmu_lock);
    uint64_t value = *entry;
    if (guarded && (value & ENTRY_VALID) != 0) {
        *(volatile uint64_t *)entry = (value & ~(uint64_t)ENTRY_VALID) | ENTRY_GUARDED;
        mmu_forget(address);
    } else if (!guarded && (value & ENTRY_GUARDED) != 0) {
        *(volatile uint64_t *)entry = (value & ~ENTRY_GUARDED) | ENTRY_VALID;
        mmu_forget(address);
    }
    lock_release(&mmu_lock, state);
    return 0;
}

void mmu_flush(const void *start, size_t bytes)
{
    uintptr_t end = (uintptr_t)start + bytes;

    for (uintptr_t line = (uintptr_t)start & ~(uintptr_t)63; line < end; line += 64) {
        __asm__ volatile("dc civac, %0" ::"r"(line) : "memory");
    }
    __asm__ volatile("dsb sy" ::: "memory");
}
