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

/*
 * For tools that watch memory (AddressSanitizer, Valgrind): whoever hands out memory tells them
 * what may be touched. None of these five changes any byte of RAM, masks, waits, or is a point at
 * which an interrupt strikes; without a tool they do nothing and cost next to nothing, as on real
 * hardware. The bytes are RAM that was announced. Any context.
 */

/** Nobody may touch the `bytes` bytes at `start` from now on; a tool reports who does. */
void hal_mem_close(const void *start, size_t bytes);

/** They may be used, but what they hold means nothing until it is written. */
void hal_mem_open(const void *start, size_t bytes);

/**
 * As hal_mem_open, for a block that the caller allocates: a tool remembers its call chain. `zoned`:
 * the HAL_MEM_ZONE bytes on each side of it are nobody's, and closed.
 */
void hal_mem_block(const void *block, size_t bytes, bool zoned);

/** As hal_mem_close, for the whole of a block that hal_mem_block was told of: it is freed. */
void hal_mem_block_end(const void *block, size_t bytes, bool zoned);

#define HAL_MEM_ZONE 16u

/** Copies `bytes` bytes from `from`, which may be closed; `to` then holds defined values. */
void hal_mem_look(void *to, const void *from, size_t bytes);
