/* SPDX-License-Identifier: MIT */
/*
 * mmu.h: the kernel's translation tables.
 *
 * Ordinary RAM is mapped by 4 KiB pages from the beginning, never by larger blocks. So making one
 * page inaccessible, and accessible again, changes one entry between valid and invalid, which is
 * safe while other CPUs use the same tables: nothing has to be broken up first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mmu_memory { MMU_NORMAL, MMU_UNCACHED };

/**
 * Maps [start, end), physical and page-aligned, below the peripherals. Pages that are mapped
 * already stay as they are. Any context.
 */
void mmu_map(uint64_t start, uint64_t end, enum mmu_memory memory);

/** How the page of a kernel address is mapped. Any context. */
enum mmu_state { MMU_MAPPED, MMU_NOT_MAPPED, MMU_GUARDED };
enum mmu_state mmu_state_of(uintptr_t address);

/** Cleans and invalidates the data cache for [start, start + bytes), to memory itself. Any context.
 */
void mmu_flush(const void *start, size_t bytes);

/** Fills the tables for the kernel's image with translation off; called by boot.S only. */
void early_map(void);
