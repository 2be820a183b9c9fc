/* SPDX-License-Identifier: MIT */
/*
 * mem.h: RAM: where it is, how the kernel reaches it, and pages that nobody may touch.
 *
 * Physical addresses are 64-bit numbers. All RAM is mapped for the kernel, always, at addresses
 * that differ from the physical ones by a constant, so a pointer and a physical address convert
 * into each other by arithmetic. RAM's content at power-on is arbitrary.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hal_range {
    uint64_t start; /**< physical address of the first byte */
    uint64_t bytes;
};

/**
 * The RAM that the backend has mapped: range `index`, or false when there are no more.
 *
 * What the boot tags say may be less (the firmware keeps some for itself) and is core's to read;
 * core uses the intersection. Any context. Constant after boot.
 */
bool hal_mem_ram(unsigned index, struct hal_range *range);

/**
 * RAM that core must not hand out although it is RAM: the kernel's image, the first page with
 * boot tags and spin tables, page tables. Range `index`, or false when there are no more. Any
 * context. Constant after boot.
 */
bool hal_mem_reserved(unsigned index, struct hal_range *range);

/** The kernel's pointer to physical address `physical`, which must be RAM. Any context. */
void *hal_mem_pointer(uint64_t physical);

/** The physical address behind `pointer`, which must come from hal_mem_pointer. Any context. */
uint64_t hal_mem_physical(const void *pointer);

/**
 * Announces that core is about to use RAM from `physical` on for the first time since power-on.
 *
 * Page-aligned start and length. A simulated board fills it with seeded garbage now, so that an
 * untouched page costs nothing and a missing initialisation shows; on real hardware the garbage is
 * there already. Any context. Must precede the first access, unless that only looks, whatever it
 * may find.
 */
void hal_mem_first_use(uint64_t physical, size_t bytes);

/**
 * Makes the page at `page` fault on any access (`guarded`), or usable again with its content kept.
 *
 * For the page below a kernel stack, so that an overflow is a fault that names itself instead of a
 * corrupted neighbour. `page` is a page-aligned kernel pointer to RAM. Thread context. Takes effect
 * on all CPUs before it returns. -ENOMEM: the tables for it cannot be had; nothing has changed.
 */
HAL_MUST_CHECK int hal_mem_guard(void *page, bool guarded);
